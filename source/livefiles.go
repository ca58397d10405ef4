package source

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"ddx"
)

// rotated reads a syslog file, after the one that it replaced if that was still
// written in the time that is asked for.
func (l *looking) rotated(name string, w *logWriter) []Item {
	var out []Item
	newest, at := "", l.since()
	for _, pattern := range []string{name + ".[0-9]*", name + "-[0-9]*"} {
		olds, err := fs.Glob(l.h.FS, pattern)
		if err != nil {
			continue // only a bad pattern is an error
		}
		for _, old := range olds {
			if st, err := fs.Stat(l.h.FS, old); err == nil && path.Ext(old) != ".gz" && st.ModTime().After(at) {
				newest, at = old, st.ModTime()
			}
		}
	}
	if newest != "" {
		out = l.logFiles(newest, "log", w)
	}
	return append(out, l.logFiles(name, "log", w)...)
}

// logFiles reads the log files of a pattern.
func (l *looking) logFiles(pattern, reader string, w *logWriter) []Item {
	names, err := fs.Glob(l.h.FS, pattern)
	if err != nil || len(names) == 0 {
		return nil // a host without such a log; the ring buffer and the journal are asked in any case
	}
	var out []Item
	for _, name := range names[:min(len(names), 64)] {
		it := Item{Origin: "/" + name, Name: path.Base(name), Reader: reader, Time: l.now(), Size: -1}
		if err := l.logFile(&it, name, w); err != nil {
			it.Absent, it.Detail = reasonOf(err), err.Error()
			if it.Size <= 0 {
				it.Data, it.Open, it.Size = nil, nil, -1
			}
		}
		out = append(out, it)
	}
	return out
}

// logFile reads the end of a log file, as much as is allowed, and notices when
// the file is cut or replaced meanwhile.
func (l *looking) logFile(it *Item, name string, w *logWriter) error {
	f, err := l.h.FS.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return err
	}
	if !before.Mode().IsRegular() {
		return fmt.Errorf("read %s: not a regular file", it.Origin)
	}
	var r io.Reader = f
	if over := before.Size() - l.maxLog(); over > 0 {
		seeker, ok := f.(io.Seeker)
		if !ok {
			return fmt.Errorf("read %s: larger than %d MiB", it.Origin, l.maxLog()>>20)
		}
		if _, err := seeker.Seek(over, io.SeekStart); err != nil {
			return fmt.Errorf("read %s: %w", it.Origin, err)
		}
		it.Bound = "unknown"
		it.Detail = fmt.Sprintf("only the last %d MiB are read", l.maxLog()>>20)
	}
	if w == nil {
		w = &logWriter{}
	}
	in := &counter{r: r}
	if err := l.spool.store(it, contextReader{l.ctx, w.filter(in, l.maxLog()+before.Size())}); err != nil {
		return err
	}
	if after, err := fs.Stat(l.h.FS, name); err != nil || after.Size() < before.Size() || inode(after) != inode(before) {
		// What was written between the cut and the end of reading is not known.
		it.Bound, it.Detail = "unknown", "the file was cut or replaced while it was read"
	}
	return nil
}

// inode tells two files of one name apart, where the file system has such numbers.
func inode(st fs.FileInfo) uint64 {
	if s, ok := st.Sys().(*syscall.Stat_t); ok {
		return s.Ino
	}
	return 0
}

// checkMounts asks each mount whether it answers: network file systems and
// those of user space one by one, so that one that hangs costs the others
// nothing, all others together.
func (l *looking) checkMounts() []Item {
	entries := l.mountEntries()
	it := Item{Origin: "statfs", Name: "statfs", Reader: mountCheck.Name, Time: l.now(), Size: -1}
	switch {
	case l.h.Statfs == nil:
		it.Absent, it.Detail = ddx.NotAsked, "mount points are asked only from a child process, which this program cannot start here"
		return []Item{it}
	case len(entries) == 0:
		return nil
	}
	stats := make([]mountStat, len(entries))
	index := map[string]int{}
	var local []string
	var wg sync.WaitGroup
	slots := make(chan struct{}, 2*commandsAt)
	done := func(p string, o Output) {
		s := mountStat{Statfs: p, Result: "hung", Seconds: l.mountDeadline().Seconds(), Error: o.Detail}
		if o.Absent != ddx.TimedOut && json.Unmarshal(firstLine(o.Data), &s) != nil {
			s.Result, s.Seconds = "error", 0
		}
		e := entries[index[p]]
		s.Device, s.Type = e.device, e.fstype
		stats[index[p]] = s
	}
	for i, e := range entries {
		index[e.path] = i
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.fstype, "nfs") && !strings.HasPrefix(e.fstype, "fuse") && !slices.Contains([]string{"cifs", "smb3", "ceph", "lustre", "9p", "glusterfs", "afs"}, e.fstype) {
			local = append(local, e.path)
			continue
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			l.h.Statfs(l.ctx, []string{e.path}, l.mountDeadline(), done)
		})
	}
	if len(local) > 0 {
		l.h.Statfs(l.ctx, local, l.mountDeadline(), done)
	}
	wg.Wait()
	for _, s := range stats {
		line, err := json.Marshal(s)
		if err != nil {
			continue // strings and numbers alone cannot fail
		}
		it.Data = append(append(it.Data, line...), '\n')
	}
	it.Size = int64(len(it.Data))
	return []Item{it}
}

// mountDeadline is how long a mount may take to answer: one that is only slow
// does within it.
func (l *looking) mountDeadline() time.Duration { return min(l.deadline(), 2*time.Second) }
