package source

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"ddx"
)

// Bounds on what is put into the plan.
const (
	maxFiles  = 20_000 // of one pattern
	maxNICs   = 16
	maxDisks  = 64
	maxMounts = 256
)

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
