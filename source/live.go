package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"ddx"
)

// Bounds on what one look at a live host asks for.
const (
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

	t := Take{spool: l.spool, location: l.o.Location}
	t.Items = append(l.collect(), l.logs...)
	set, known := effectiveCapabilities(h.FS)
	explainRefusals(t.Items, set, known)
	if b, err := fs.ReadFile(h.FS, "etc/localtime"); err == nil { // a host without it is on UTC
		t.Items = append(t.Items, Item{Origin: "/etc/localtime", Name: "localtime", Reader: timeZone.Name, Data: b, Size: int64(len(b)), Time: l.now()})
	}
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
