package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"ddx"
)

// Bounds on what one look at a live host asks for.
const (
	maxFiles    = 20_000 // files of one pattern
	maxNICs     = 16
	maxDisks    = 64
	maxMounts   = 256
	commandsAt  = 4 // commands that run at the same time
	liveTimeout = 60 * time.Second
)

// Live gathers from a host what Readers want, and its logs. What cannot be had
// becomes an item that says why; the error is only for a host without a root to
// read. Readers of counters are read twice. The take's now is the end of it.
//
// The caller closes the take.
func Live(ctx context.Context, o Options) (Take, error) {
	h := o.Host
	if h == nil {
		h = ThisHost()
	}
	if h.FS == nil {
		return Take{}, errors.New("look at a live host: it has no root file system to read")
	}
	ctx, cancel := context.WithTimeout(ctx, liveTimeout)
	defer cancel()
	l := &looking{ctx: ctx, o: &o, h: h, spool: &spool{}}
	l.plan()
	l.gather()

	t := Take{live: true, spool: l.spool}
	t.Items = append(l.collect(), l.logs...)
	t.Header = ddx.Header{
		Schema: ddx.RecordSchema, DDX: o.Version,
		Host: l.word("proc/sys/kernel/hostname"), Boot: l.word("proc/sys/kernel/random/boot_id"), Now: l.now(),
	}
	return t, nil
}

// collect returns the items of the plan. Of files that matched a pattern, those
// that went away meanwhile and those that nobody can read are passed over, and
// failures for one reason are said once; a counter that was not there, too.
func (l *looking) collect() []Item {
	var out []Item
	folded := map[string]int{} // pattern and reason -> place in out
	count := map[string]int{}
	for i := range l.asks {
		a := &l.asks[i]
		first := &a.items[0]
		if first.Data != nil || first.Absent == "" || first.Absent == ddx.TimedOut || a.from == "" {
			if first.Absent == notAFile {
				first.Absent = ddx.NotReadable
			}
			if first.Absent != "" && first.Data == nil {
				a.items = a.items[:1]
			}
			out = append(out, a.items...)
			continue
		}
		if first.Absent == notAFile || first.Absent == ddx.NotThere {
			continue
		}
		key := a.reader.Name + " " + a.from + " " + string(first.Absent)
		count[key]++
		if count[key] == 1 {
			folded[key] = len(out)
			out = append(out, *first)
		}
	}
	for key, at := range folded {
		if n := count[key]; n > 1 {
			out[at].Detail += fmt.Sprintf("; likewise %d more files of this kind", n-1)
		}
	}
	return out
}

// notAFile is the reason of what a pattern matched and no one can read: a
// folder, or a file that can be written only. It never leaves Live.
const notAFile ddx.Absence = "not-a-file"

// looking is one look at a live host.
type looking struct {
	ctx   context.Context
	o     *Options
	h     *Host
	spool *spool
	asks  []ask
	logs  []Item
}

// ask is one file or command that a reader wants, and what came of it: an item
// for each sample.
type ask struct {
	reader *Reader
	file   string   // without the leading slash; "" for a command
	from   string   // the pattern that the file matched; "" when it was asked for by name
	argv   []string // nil for a file
	items  []Item
}

func (l *looking) now() time.Time {
	if l.h.Now != nil {
		return l.h.Now().UTC().Round(0)
	}
	return l.o.clock().UTC().Round(0)
}

func (l *looking) deadline() time.Duration { return cmp.Or(l.o.Deadline, 3*time.Second) }

// word returns the content of a small file that cannot block.
func (l *looking) word(name string) string {
	b, err := fs.ReadFile(l.h.FS, name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// plan makes the list of all files and commands to be asked for, in the order
// of Readers.
func (l *looking) plan() {
	seen := map[string]bool{}
	for i := range Readers {
		rd := &Readers[i]
		for _, pattern := range rd.Files {
			l.planFiles(rd, pattern, seen)
		}
		for _, argv := range rd.Commands {
			for _, a := range l.expand(argv) {
				l.asks = append(l.asks, ask{reader: rd, argv: a, items: l.items(rd, strings.Join(a, " "), strings.Join(a, " "))})
			}
		}
	}
}

func (l *looking) items(rd *Reader, origin, name string) []Item {
	it := Item{Origin: origin, Name: name, Reader: rd.Name, Size: -1}
	if !rd.Twice {
		return []Item{it}
	}
	second := it
	second.Sample = 1
	return []Item{it, second}
}

// planFiles expands a pattern. The same file by another name, such as
// /proc/self/mounts and /proc/mounts, is asked for once.
func (l *looking) planFiles(rd *Reader, pattern string, seen map[string]bool) {
	from := ""
	add := func(name string) *ask {
		l.asks = append(l.asks, ask{reader: rd, file: name, from: from, items: l.items(rd, "/"+name, path.Base(name))})
		return &l.asks[len(l.asks)-1]
	}
	absent := func(reason ddx.Absence, detail string) {
		a := add(pattern)
		a.file = ""
		a.items = a.items[:1]
		a.items[0].Absent, a.items[0].Detail = reason, detail
	}
	names := []string{pattern}
	if strings.ContainsAny(pattern, "*?[") {
		var err error
		if names, err = fs.Glob(l.h.FS, pattern); err != nil {
			absent(ddx.NotReadable, fmt.Sprintf("pattern %q: %v", pattern, err))
			return
		}
		if len(names) == 0 {
			reason, detail := l.whyNone(pattern)
			absent(reason, detail)
			return
		}
		from = pattern
	}
	for i, name := range names {
		if i == maxFiles {
			from = ""
			absent(ddx.NotAsked, fmt.Sprintf("%d files of this pattern: only the first %d are read", len(names), maxFiles))
			return
		}
		same := rd.Name + " " + strings.Replace(strings.Replace(name, "proc/self/", "proc/", 1), "proc/1/", "proc/", 1)
		if !seen[same] {
			seen[same] = true
			add(name)
		}
	}
}

// whyNone says why a pattern matches nothing: the folder it looks in may be closed.
func (l *looking) whyNone(pattern string) (ddx.Absence, string) {
	dir := pattern[:strings.IndexAny(pattern, "*?[")]
	dir = path.Clean(dir[:strings.LastIndexByte(dir, '/')+1] + ".")
	if _, err := fs.ReadDir(l.h.FS, dir); err != nil {
		return reasonOf(err), err.Error()
	}
	return ddx.NotThere, "no such file"
}

// expand puts the names of interfaces, disks or mounts into a command.
func (l *looking) expand(argv []string) [][]string {
	for _, e := range []struct {
		mark  string
		names func() []string
	}{{"{nic}", l.nics}, {"{disk}", l.disks}, {"{mount}", l.mounts}} {
		if !slices.ContainsFunc(argv, func(s string) bool { return strings.Contains(s, e.mark) }) {
			continue
		}
		var out [][]string
		for _, name := range e.names() {
			one := make([]string, len(argv))
			for i := range argv {
				one[i] = strings.ReplaceAll(argv[i], e.mark, name)
			}
			out = append(out, one)
		}
		return out
	}
	return [][]string{argv}
}

// nics returns the interfaces of devices, or all but the loopback when none is
// of a device: a node of a cluster has hundreds of virtual ones.
func (l *looking) nics() []string {
	var all, real []string
	entries, _ := fs.ReadDir(l.h.FS, "sys/class/net") // without it there are none to ask about
	for _, e := range entries {
		if e.Name() == "lo" || e.Name() == "bonding_masters" {
			continue
		}
		all = append(all, e.Name())
		if _, err := fs.Stat(l.h.FS, "sys/class/net/"+e.Name()+"/device"); err == nil {
			real = append(real, e.Name())
		}
	}
	if len(real) > 0 {
		all = real
	}
	return all[:min(len(all), maxNICs)]
}

func (l *looking) disks() []string {
	var out []string
	entries, _ := fs.ReadDir(l.h.FS, "sys/block") // likewise
	for _, e := range entries {
		if n := e.Name(); !strings.HasPrefix(n, "loop") && !strings.HasPrefix(n, "ram") && !strings.HasPrefix(n, "zram") {
			out = append(out, n)
		}
	}
	return out[:min(len(out), maxDisks)]
}

// mountEntry is a line of the mount table that is worth asking about.
type mountEntry struct{ device, path, fstype string }

// mountEntries returns the mounts that hold files. Those of the kernel's own
// making cannot hang, and looking at an automounter's point would mount it.
func (l *looking) mountEntries() []mountEntry {
	b, err := fs.ReadFile(l.h.FS, "proc/self/mounts")
	if err != nil {
		if b, err = fs.ReadFile(l.h.FS, "proc/mounts"); err != nil {
			return nil
		}
	}
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var out []mountEntry
	seen := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		w := strings.Fields(line)
		if len(w) < 3 || seen[w[1]] {
			continue
		}
		switch w[2] {
		case "proc", "sysfs", "devpts", "cgroup", "cgroup2", "securityfs", "pstore", "bpf", "tracefs", "debugfs", "mqueue", "hugetlbfs", "configfs", "fusectl",
			"binfmt_misc", "rpc_pipefs", "autofs", "nsfs", "selinuxfs", "efivarfs", "devtmpfs", "nfsd", "squashfs", "fuse.lxcfs", "fuse.gvfsd-fuse", "fuse.portal":
			continue
		}
		seen[w[1]] = true
		out = append(out, mountEntry{unescape.Replace(w[0]), unescape.Replace(w[1]), w[2]})
	}
	return out[:min(len(out), maxMounts)]
}

func (l *looking) mounts() []string {
	var out []string
	for _, m := range l.mountEntries() {
		out = append(out, m.path)
	}
	return out
}

// gather asks for everything: the first sample of counters, then all the rest,
// then, the pause after the first sample, the second one.
func (l *looking) gather() {
	l.o.progress("reading counters", 0, len(l.asks))
	l.round(true, 0)
	first := time.Now()
	var logs sync.WaitGroup
	logs.Go(l.gatherLogs)
	l.o.progress("reading files and logs", 0, len(l.asks))
	l.round(false, 0)
	logs.Wait()
	if slices.ContainsFunc(l.asks, func(a ask) bool { return len(a.items) > 1 }) {
		pause(l.ctx, cmp.Or(l.o.Pause, 400*time.Millisecond)-time.Since(first))
		l.o.progress("reading counters again", 0, len(l.asks))
		l.round(true, 1)
	}
}

func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// round asks for one sample of all that is read twice, or of all that is not.
func (l *looking) round(twice bool, sample int) {
	var files []*ask
	var wg sync.WaitGroup
	slots := make(chan struct{}, commandsAt)
	for i := range l.asks {
		a := &l.asks[i]
		if a.reader.Twice != twice || sample >= len(a.items) || a.items[sample].Absent != "" {
			continue
		}
		if a.argv == nil {
			files = append(files, a)
			continue
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			l.command(a, sample)
		})
	}
	if len(files) > 0 {
		wg.Go(func() { l.files(files, sample) })
	}
	wg.Wait()
}

func (l *looking) command(a *ask, sample int) {
	if l.h.Run == nil {
		l.fill(&a.items[sample], Output{Absent: ddx.NotThere, Detail: "no commands can be run on this host"})
		return
	}
	ctx, cancel := context.WithTimeout(l.ctx, l.deadline())
	defer cancel()
	l.fill(&a.items[sample], l.h.Run(ctx, a.argv))
}

// files reads files in the order of the plan, from a child where there is one.
func (l *looking) files(asks []*ask, sample int) {
	if l.h.ReadFiles != nil {
		paths := make([]string, len(asks))
		for i, a := range asks {
			paths[i] = "/" + a.file
		}
		n := 0
		l.h.ReadFiles(l.ctx, paths, l.deadline(), func(_ string, o Output) {
			l.fill(&asks[n].items[sample], o)
			n++
		})
		return
	}
	for _, a := range asks {
		b, err := l.readFile(a.file)
		o := Output{Data: b}
		if err != nil {
			o.Absent, o.Detail = reasonOf(err), err.Error()
			if st, err := fs.Stat(l.h.FS, a.file); err == nil && unreadable(st) {
				o.Absent = notAFile
			}
		}
		l.fill(&a.items[sample], o)
	}
}

// unreadable reports whether a file is a folder or can be written only.
func unreadable(st fs.FileInfo) bool { return st.IsDir() || st.Mode().Perm()&0o444 == 0 }

// readFile reads a file of the root, up to the limit.
func (l *looking) readFile(name string) ([]byte, error) {
	f, err := l.h.FS.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxItem))
	if len(b) == 0 && err == nil {
		b = []byte{}
	}
	return b, err
}

func (l *looking) fill(it *Item, o Output) {
	it.Time = l.now()
	it.Data, it.Absent, it.Detail = o.Data, o.Absent, o.Detail
	if o.Data != nil {
		it.Size = int64(len(o.Data))
	}
}
