package source

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"ddx"
	"ddx/logline"
)

// journalDeadline bounds journalctl: it reads a day of a busy host in less.
const journalDeadline = 20 * time.Second

// gatherLogs reads the logs of the host and asks its mounts whether they answer.
func (l *looking) gatherLogs() {
	var checks, logs []Item
	var wg sync.WaitGroup
	wg.Go(func() { checks = l.checkMounts() })
	logs = l.kernelAndJournal()
	logs = append(logs, l.pstore()...)
	for _, other := range otherLogs {
		logs = append(logs, l.logFiles(other.pattern, other.reader, nil)...)
	}
	wg.Wait()
	l.logs = append(checks, logs...)
}

// otherLogs are texts of earlier crashes and of clients that write their own log.
var otherLogs = []struct{ pattern, reader string }{
	{"var/lib/systemd/pstore/*/dmesg.txt", "kernel-log"},
	{"var/crash/*/vmcore-dmesg.txt", "kernel-log"},
	{"var/crash/*/dmesg.*", "kernel-log"},
	{"var/log/amazon/efs/*.log", "log"},
}

func (l *looking) maxLog() int64 { return cmp.Or(l.o.MaxLog, 256<<20) }

// kernelAndJournal reads the kernel's ring buffer, and the journal or the
// syslog files without the kernel lines that the ring buffer has already given.
func (l *looking) kernelAndJournal() []Item {
	ring, from := l.ring()
	skip := func(line logline.Line) bool { return false }
	if from >= 0 {
		boot := l.bootTime()
		skip = func(line logline.Line) bool {
			return line.Channel == logline.Kernel && line.Mono >= from && (boot.IsZero() || line.Time.After(boot.Add(-5*time.Second)))
		}
	}
	w := &logWriter{skip: skip}
	journal := l.journal(w)
	out := []Item{ring, journal}
	if journal.Data == nil && journal.Open == nil || w.lines == 0 {
		files := l.rotated("var/log/messages", w)
		files = append(files, l.rotated("var/log/syslog", w)...)
		if w.kernel == 0 {
			files = append(files, l.rotated("var/log/kern.log", w)...)
		}
		if w.lines > 0 { // the files stand in for a journal that this host does not keep
			out = out[:1]
		}
		out = append(out, files...)
	}
	if ring.Absent != "" && w.kernel > 0 {
		out[0].Reader = "" // the kernel's lines were had by another way: no basic look is missing
		out[0].Detail += "; its lines are read from the journal or the syslog files instead"
	}
	return out
}

func (l *looking) bootTime() time.Time {
	b, err := fs.ReadFile(l.h.FS, "proc/stat")
	if err != nil {
		return time.Time{}
	}
	return bootTime(Take{Items: []Item{{Data: b}}})
}

// ring reads /dev/kmsg, else asks dmesg. from is the time since boot of the
// first record, -1 when there is none.
func (l *looking) ring() (it Item, from float64) {
	it = Item{Origin: "/dev/kmsg", Name: "kmsg", Reader: "kernel-log", Time: l.now(), Size: -1}
	err := error(fs.ErrNotExist)
	if l.h.Kmsg != nil {
		var k io.ReadCloser
		if k, err = l.h.Kmsg(); err == nil {
			defer k.Close()
			return l.readRing(it, k)
		}
	}
	it.Absent, it.Detail = reasonOf(err), err.Error()
	if l.h.Run == nil {
		return it, -1
	}
	ctx, cancel := context.WithTimeout(l.ctx, l.deadline())
	defer cancel()
	o := l.h.Run(ctx, []string{"dmesg"})
	if len(o.Data) == 0 {
		if o.Detail != "" {
			it.Detail += "; " + o.Detail
		}
		return it, -1
	}
	first := logline.Parse(firstLine(o.Data), logline.Hint{})
	bound := "unknown" // dmesg does not tell what the ring buffer lost
	if first.Mono == 0 {
		bound = ""
	}
	return Item{Origin: "dmesg", Name: "dmesg", Reader: "kernel-log", Time: it.Time, Data: o.Data, Size: int64(len(o.Data)), Bound: bound, Absent: o.Absent, Detail: o.Detail}, first.Mono
}

// readRing reads records until there are no more. The numbers of the records
// tell exactly how many were overwritten before they could be read.
func (l *looking) readRing(it Item, k io.Reader) (Item, float64) {
	var failure error
	from, next := -1.0, int64(-1)
	r := &recordLines{k: k, room: l.maxLog(), each: func(rec logline.Line) {
		if next < 0 {
			from, next = rec.Mono, 0
		}
		it.Dropped += rec.Seq - next
		next = rec.Seq + 1
	}}
	if failure = l.spool.store(&it, contextReader{l.ctx, r}); failure != nil {
		it.Absent, it.Detail = reasonOf(failure), fmt.Sprintf("read /dev/kmsg: %v", failure)
		if it.Size <= 0 {
			it.Data, it.Size = nil, -1
		}
	}
	it.Bound = "exact"
	if r.room <= 0 {
		it.Bound = "at-least"
	}
	return it, from
}

// recordLines gives the records of /dev/kmsg as lines, one each: the key-value
// lines that follow the message of some are left out.
type recordLines struct {
	k    io.Reader
	each func(logline.Line)
	room int64
	buf  [16 << 10]byte
	left []byte
}

func (r *recordLines) Read(p []byte) (int, error) {
	for len(r.left) == 0 {
		if r.room <= 0 {
			return 0, io.EOF
		}
		n, err := r.k.Read(r.buf[:len(r.buf)-1])
		switch {
		case errors.Is(err, syscall.EPIPE): // records were overwritten: the next one's number tells how many
			continue
		case errors.Is(err, syscall.EAGAIN), err == io.EOF && n == 0:
			return 0, io.EOF
		case err != nil && n == 0:
			return 0, err
		}
		rec := r.buf[:n]
		if i := bytes.IndexByte(rec, '\n'); i >= 0 {
			rec = rec[:i]
		}
		if l := logline.Parse(rec, logline.Hint{}); l.Seq >= 0 {
			r.each(l)
		}
		r.left = append(rec, '\n')
		r.room -= int64(len(r.left))
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

// since is the begin of what is read of the host's logs; zero is all.
func (l *looking) since() time.Time {
	if l.o.Since.IsZero() && l.o.Boot == "" {
		return l.now().Add(-24 * time.Hour)
	}
	return l.o.Since
}

// journal reads the journal of the boot or time that was asked for.
func (l *looking) journal(w *logWriter) Item {
	argv := []string{"journalctl", "--no-pager", "--quiet", "--output=export", "--output-fields=MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,SYSLOG_FACILITY,SYSLOG_PID,_COMM,_PID,_HOSTNAME,_TRANSPORT,_SOURCE_REALTIME_TIMESTAMP,_SOURCE_MONOTONIC_TIMESTAMP"}
	since := l.since()
	if !since.IsZero() {
		argv = append(argv, "--since=@"+strconv.FormatInt(since.Unix(), 10))
	}
	if l.o.Boot != "all" {
		argv = append(argv, "--boot="+cmp.Or(l.o.Boot, "0"))
	}
	it := Item{Origin: "journalctl", Name: "journalctl -o export", Reader: "journal", Time: l.now(), Size: -1}
	if l.h.Stream == nil {
		it.Absent, it.Detail = ddx.NotThere, "no commands can be run on this host"
		return it
	}
	o := l.stream(argv, &it, w)
	if o.Absent == ddx.TooOld { // systemd before 236 does not know --output-fields
		o = l.stream(slices.Delete(argv, 4, 5), &it, w)
	}
	if it.Size <= 0 {
		it.Data, it.Open, it.Size = nil, nil, -1
		it.Absent, it.Detail = cmp.Or(o.Absent, ddx.NotThere), cmp.Or(o.Detail, "the journal has nothing for this time, or not for this user")
		return it
	}
	it.Absent, it.Detail = o.Absent, o.Detail
	if o.Absent != "" {
		it.Bound = "unknown"
	}
	return it
}

// stream runs a command whose output is a log and keeps what w passes.
func (l *looking) stream(argv []string, it *Item, w *logWriter) Output {
	ctx, cancel := context.WithTimeout(l.ctx, max(journalDeadline, l.deadline()))
	defer cancel()
	pr, pw := io.Pipe()
	ended := make(chan Output, 1)
	go func() {
		o := l.h.Stream(ctx, argv, pw)
		pw.Close()
		ended <- o
	}()
	err := l.spool.store(it, w.filter(logline.NewReader(pr), l.maxLog()))
	pr.CloseWithError(errors.New("enough was read"))
	o := <-ended
	switch {
	case w.full:
		return Output{Absent: ddx.NotAsked, Detail: fmt.Sprintf("%s: more than %d MiB; what follows was not read: give a later --since", argv[0], l.maxLog()>>20)}
	case err != nil && o.Absent == "":
		return Output{Absent: ddx.NotReadable, Detail: fmt.Sprintf("%s: %v", argv[0], err)}
	}
	return o
}

// logWriter passes the lines of a log except those that skip names, and counts.
type logWriter struct {
	skip   func(logline.Line) bool
	lines  int64 // seen, passed or not
	kernel int64 // of them from the kernel
	full   bool
}

// filter returns a reader of the lines that pass, at most room bytes of them.
func (w *logWriter) filter(r io.Reader, room int64) io.Reader {
	return &filtered{w: w, r: bufio.NewReaderSize(r, 256<<10), room: room, hint: logline.Hint{Names: logline.Names{}}}
}

type filtered struct {
	w    *logWriter
	r    *bufio.Reader
	hint logline.Hint
	room int64
	left []byte
	mid  bool // within a line longer than the buffer
	drop bool // and it does not pass
}

func (f *filtered) Read(p []byte) (int, error) {
	for len(f.left) == 0 {
		if f.room <= 0 {
			f.w.full = true
			return 0, io.EOF
		}
		line, err := f.r.ReadSlice('\n')
		if len(line) == 0 && err != nil {
			return 0, err
		}
		if !f.mid {
			l := logline.Parse(line, f.hint)
			f.w.lines++
			if l.Channel == logline.Kernel {
				f.w.kernel++
			}
			f.drop = f.w.skip != nil && f.w.skip(l)
		}
		f.mid = err == bufio.ErrBufferFull
		if !f.drop {
			f.left = line
			f.room -= int64(len(line))
		}
	}
	n := copy(p, f.left)
	f.left = f.left[n:]
	return n, nil
}
