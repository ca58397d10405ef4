package flowlog

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"

	"ddx/flowpattern"
	"ddx/flowsum"
)

// Options say how to read. The zero value reads everything into minutes.
type Options struct {
	Format    *Format                 // nil: header line, else the default format
	Interval  time.Duration           // bucket length; 0: one minute
	Addresses map[string][]netip.Addr // own addresses of interfaces, by id
	Since     time.Time               // records that start before are skipped
	Until     time.Time               // records that start then or later are skipped
	Dedup     bool                    // leave out records that are repeated byte for byte
	Workers   int                     // 0: one a processor
	Memory    int64                   // bytes for the sums of all workers, who have 8 MiB each at least; 0: 16 MiB
	Flows     int                     // conversations to keep for Patterns; 0: none
	Stdin     io.Reader               // what the path "-" reads; nil: os.Stdin
	Progress  func(Progress)          // called about every second, from one goroutine
	Now       func() time.Time        // for Progress; nil: time.Now
}

// span gives the asked time in Unix seconds, the end exclusive.
func (o *Options) span() (since, until uint64) {
	until = 1 << 63
	if !o.Since.IsZero() {
		since = uint64(max(0, o.Since.Unix()))
	}
	if !o.Until.IsZero() {
		until = uint64(max(0, o.Until.Unix()))
	}
	return since, until
}

// Progress tells how far reading is.
type Progress struct {
	Files, FilesTotal int
	Bytes, BytesTotal int64         // as stored; BytesTotal is -1 with a pipe among the input
	Rate              float64       // bytes a second
	Left              time.Duration // at that rate; -1: not known
}

// Result is everything read.
type Result struct {
	Sums          *flowsum.Sums
	Conversations *flowpattern.Conversations // nil unless asked for
	Files         []FileReport               // in order of path
	Repeated      []string                   // objects given twice, read once
}

// Lost is the number of records and bytes that could not be counted; bytes is
// -1 when it is not known, as after a truncated gzip stream.
func (r *Result) Lost() (records uint64, n int64) {
	for i := range r.Files {
		k, b := r.Files[i].Lost()
		records += k
		if b < 0 || n < 0 {
			n = -1
		} else {
			n += b
		}
	}
	return records, n
}

// Err joins the errors of the files: which file, at which byte, what.
func (r *Result) Err() error {
	var errs []error
	for _, f := range r.Files {
		if f.Error != "" {
			errs = append(errs, fmt.Errorf("%s: %s", f.Path, f.Error))
		}
	}
	return errors.Join(errs...)
}

// Read reads flow logs from files, directories and "-". It returns an error
// only when nothing can be read or sums were lost; a bad file is told of in its
// FileReport and in [Result.Err], with everything readable in it counted.
func Read(ctx context.Context, paths []string, o Options) (*Result, error) {
	inputs, repeated, err := walk(paths)
	if err != nil {
		return nil, err
	}
	if o.Stdin == nil {
		o.Stdin = os.Stdin
	}
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	workers = min(workers, len(inputs))
	if o.Memory <= 0 {
		o.Memory = 16 << 20
	}
	q := &queue{inputs: inputs, parquet: make(chan struct{}, parquetReaders)}
	for _, in := range inputs {
		if in.size < 0 {
			q.total = -1
			break
		}
		q.total += in.size
	}
	var shared *dedup
	if o.Dedup {
		shared = newDedup()
	}
	stop := q.report(o)
	all := make([]*worker, workers)
	var wg sync.WaitGroup
	for i := range all {
		w := &worker{o: o, q: q, dedup: shared, sums: flowsum.New(o.Interval, max(o.Memory/int64(workers), min(o.Memory, 8<<20)), o.Addresses)}
		if o.Flows > 0 {
			w.flows = flowpattern.New(o.Flows)
		}
		all[i] = w
		wg.Go(func() { w.run(ctx) })
	}
	wg.Wait()
	stop()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read flow logs: %w", err)
	}
	res := &Result{Sums: all[0].sums, Conversations: all[0].flows, Files: all[0].reports, Repeated: repeated}
	res.Sums.Allow(o.Memory)
	for _, w := range all[1:] {
		if err := res.Sums.Merge(w.sums); err != nil {
			return nil, err
		}
		if w.flows != nil {
			res.Conversations.Merge(w.flows)
		}
		res.Files = append(res.Files, w.reports...)
		w.sums = nil
	}
	slices.SortFunc(res.Files, func(a, b FileReport) int { return strings.Compare(a.Path, b.Path) })
	return res, res.Sums.Err()
}

// queue hands out the inputs and counts what was read of them.
type queue struct {
	inputs []input
	next   atomic.Int64
	done   atomic.Int64
	bytes  atomic.Int64
	total  int64

	parquet chan struct{} // holds as many as read a row group
}

// parquetReaders bounds how many row groups are decoded at a time, however many
// processors there are: each takes the pages of all its columns, 8 MB and more.
const parquetReaders = 2

// report calls o.Progress every second until the returned function is called.
func (q *queue) report(o Options) (stop func()) {
	if o.Progress == nil {
		return func() {}
	}
	now := o.Now
	if now == nil {
		now = time.Now
	}
	begin := now()
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case <-quit:
				o.Progress(q.progress(now().Sub(begin)))
				return
			case <-t.C:
				o.Progress(q.progress(now().Sub(begin)))
			}
		}
	}()
	return func() { close(quit); <-ended }
}

func (q *queue) progress(passed time.Duration) Progress {
	p := Progress{Files: int(q.done.Load()), FilesTotal: len(q.inputs), Bytes: q.bytes.Load(), BytesTotal: q.total, Left: -1}
	if passed > 0 {
		p.Rate = float64(p.Bytes) / passed.Seconds()
	}
	if p.Rate > 0 && p.BytesTotal >= 0 {
		p.Left = time.Duration(float64(p.BytesTotal-p.Bytes) / p.Rate * float64(time.Second))
	}
	return p
}

// worker reads one file after another into its own sums.
type worker struct {
	o       Options
	q       *queue
	sums    *flowsum.Sums
	flows   *flowpattern.Conversations
	dedup   *dedup
	reports []FileReport
	buf     []byte // read buffer, used again for each file
}

func (w *worker) run(ctx context.Context) {
	for ctx.Err() == nil {
		n := int(w.q.next.Add(1)) - 1
		if n >= len(w.q.inputs) {
			return
		}
		in := w.q.inputs[n]
		report := FileReport{Path: in.path, Bytes: in.size}
		w.sums.From(in.source)
		if err := w.file(ctx, in, &report); err != nil {
			report.Error = err.Error()
		}
		w.reports = append(w.reports, report)
		w.q.done.Add(1)
	}
}

// Add passes a record on to everything that was asked for.
func (w *worker) Add(r *flowsum.Record) {
	w.sums.Add(r)
	if w.flows != nil {
		w.flows.Add(r)
	}
}

// counted counts the stored bytes as they are read.
type counted struct {
	r io.Reader
	n int64
	q *queue
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	c.q.bytes.Add(int64(n))
	return n, err
}

func (w *worker) file(ctx context.Context, in input, report *FileReport) (err error) {
	var raw io.Reader = w.o.Stdin
	var f *os.File
	if in.path != "-" {
		if f, err = os.Open(in.path); err != nil {
			return err
		}
		defer f.Close()
		raw = f
	}
	stored := &counted{r: raw, q: w.q}
	head := bufio.NewReaderSize(stored, 64<<10)
	magic, _ := head.Peek(4)
	switch {
	case len(magic) >= 2 && magic[0] == 0x1f && magic[1] == 0x8b:
		report.Format = "gzip"
		return w.gzip(ctx, head, stored, in, report)
	case bytes.Equal(magic, []byte("PAR1")):
		report.Format = "parquet"
		return w.parquet(ctx, f, head, in, report)
	}
	report.Format = "text"
	if f != nil && in.size >= 0 {
		// A plain file needs no second buffer: back to its start.
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		w.q.bytes.Add(-stored.n)
		return w.text(ctx, &counted{r: f, q: w.q}, report)
	}
	return w.text(ctx, head, report)
}

func (w *worker) text(ctx context.Context, r io.Reader, report *FileReport) error {
	if w.buf == nil {
		w.buf = make([]byte, slack+readSize+maxLine+slack)
	}
	s := textScanner{report: report, given: w.o.Format, detail: w.flows != nil, dedup: w.dedup, out: w, cancel: ctx.Err}
	if w.flows == nil {
		s.sums = w.sums
	}
	s.since, s.until = w.o.span()
	return s.scan(r, w.buf)
}

func (w *worker) gzip(ctx context.Context, head *bufio.Reader, stored *counted, in input, report *FileReport) error {
	z, err := gzip.NewReader(head)
	if err != nil {
		report.lose(0, 0, -1, "unreadable gzip header", nil)
		return fmt.Errorf("gzip header: %w", err)
	}
	defer z.Close()
	if err = w.text(ctx, z, report); err != nil {
		at := stored.n - int64(head.Buffered())
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF):
			report.lose(at, 0, -1, "gzip stream is truncated: what followed was never written", nil)
		case in.size >= 0:
			report.lose(at, 0, -1, fmt.Sprintf("gzip stream is damaged: %d compressed bytes from byte %d on are unread", in.size-at, at), nil)
		default:
			report.lose(at, 0, -1, "gzip stream is damaged", nil)
		}
		return fmt.Errorf("gzip stream breaks at compressed byte %d, %w", at, err)
	}
	return nil
}
