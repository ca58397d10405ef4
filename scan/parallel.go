package scan

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
)

// ScanAt scans the first size bytes of r with the given number of goroutines
// (below 1: GOMAXPROCS), each on chunks of its own, and gives the same answers
// as Scan. Visit is called for the lines in order and never at the same time
// twice; it may be nil. What r changes during the scan may or may not be seen.
//
// An error of r ends the scan as it does in Scan.
func (s *Set) ScanAt(r io.ReaderAt, size int64, workers int, visit func(Line)) (Stats, error) {
	if workers < 1 {
		workers = runtime.GOMAXPROCS(0)
	}
	chunk := min(max(size/int64(4*workers), minChunk), maxChunk)
	return s.scanChunks(r, size, workers, chunk, visit)
}

// A chunk is large enough that its borders cost nothing, and small enough that
// the deliveries of a few chunks, two for each worker, can be kept even if all
// lines match.
const (
	minChunk = 256 << 10
	maxChunk = 2 << 20
)

// A part is what the scan of one chunk found.
type part struct {
	index int64
	stats Stats
	lines []Line // number counts from the start of the chunk
	err   error
}

func (s *Set) scanChunks(r io.ReaderAt, size int64, workers int, chunk int64, visit func(Line)) (Stats, error) {
	total := Stats{Counts: make([]int64, len(s.patterns))}
	if size <= 0 {
		return total, nil
	}
	p := s.samplePlan(r, size)
	var err error
	chunks := (size + chunk - 1) / chunk
	// A worker takes a ticket for a chunk, and the ticket comes back when the
	// chunk has been delivered, so that few parts wait at any time.
	tickets := make(chan int64, 2*workers)
	parts := make(chan part, 2*workers)
	issued := int64(0)
	issue := func() {
		if issued < chunks {
			tickets <- issued
			if issued++; issued == chunks {
				close(tickets)
			}
		}
	}
	for range cap(tickets) {
		issue()
	}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			sc := newScanner(s, p, nil)
			for i := range tickets {
				parts <- sc.chunk(r, i, chunk, size, visit != nil)
			}
		})
	}
	waiting := make(map[int64]part)
	for next := int64(0); next < chunks; {
		w, ok := waiting[next]
		if !ok {
			w = <-parts
			waiting[w.index] = w
			continue
		}
		delete(waiting, next)
		for _, l := range w.lines {
			l.Number += total.Lines
			visit(l)
		}
		total.add(w.stats)
		if err = w.err; err != nil {
			break
		}
		next++
		issue()
	}
	if issued < chunks {
		close(tickets)
	}
	for range tickets { // after an error: these chunks need no scan
	}
	go func() { wg.Wait(); close(parts) }()
	for range parts {
	}
	return total, err
}

// chunk scans the lines that begin in chunk i of r.
func (sc *scanner) chunk(r io.ReaderAt, i, chunk, size int64, deliver bool) part {
	out := part{index: i}
	start, limit := i*chunk, min((i+1)*chunk, size)
	if start > 0 {
		// The line that begins before the chunk is of an earlier one.
		var err error
		if start, err = nextLine(r, start-1, limit, sc.buf); err != nil || start == limit {
			out.err = err
			return out
		}
	}
	sc.visit = func(l Line) int {
		if deliver {
			l.Text, l.Patterns = bytes.Clone(l.Text), slices.Clone(l.Patterns)
			out.lines = append(out.lines, l)
		}
		return 0
	}
	sc.offset, sc.limit, sc.end = start, limit, 0
	sc.stats = Stats{Counts: make([]int64, len(sc.set.patterns))}
	sc.candidates = 0
	clear(sc.ran)
	out.err = sc.run(io.NewSectionReader(r, start, size-start))
	out.stats = sc.stats
	out.stats.Candidates = sc.candidates
	return out
}

// nextLine returns the position behind the first newline in [from, limit-1),
// or limit if there is none. Buf is room to read into.
func nextLine(r io.ReaderAt, from, limit int64, buf []byte) (int64, error) {
	for size := int64(4 << 10); from < limit-1; size = int64(len(buf)) {
		b := buf[:min(size, limit-1-from)]
		n, err := r.ReadAt(b, from)
		if i := bytes.IndexByte(b[:n], '\n'); i >= 0 {
			return from + int64(i) + 1, nil
		}
		from += int64(n)
		if err == io.EOF {
			return limit, nil
		}
		if err != nil {
			return 0, fmt.Errorf("read log at byte %d: %w", from, err)
		}
	}
	return limit, nil
}

// samplePlan makes a plan from samples all over the input. Samples that cannot
// be read are left out; the scan meets the error again and reports it.
func (s *Set) samplePlan(r io.ReaderAt, size int64) *plan {
	const pieces = 16
	if size < learnAll {
		return s.typical()
	}
	f := &frequencies{fold: s.fold}
	b := make([]byte, learnAll/pieces)
	for i := range int64(pieces) {
		at := i * size / pieces
		n, _ := r.ReadAt(b[:min(int64(len(b)), size-at)], at)
		f.learn(b[:n])
	}
	return s.newPlan(f)
}

// add adds the Stats of the text that follows.
func (s *Stats) add(t Stats) {
	if s.Lines == 0 {
		s.FirstLine = t.FirstLine
	}
	if t.Lines > 0 {
		s.LastLine = t.LastLine
	}
	s.Bytes += t.Bytes
	s.Lines += t.Lines
	s.Truncated += t.Truncated
	s.Candidates += t.Candidates
	s.Verified += t.Verified
	for i, n := range t.Counts {
		s.Counts[i] += n
	}
}
