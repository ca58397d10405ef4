package scan

import (
	"io"
	"runtime"
)

// A Line is one line of the input that matched, has a word, or follows one.
type Line struct {
	Number    int64  // from 1
	Offset    int64  // of the line's first byte in the input
	Text      []byte // without the end of the line; valid during the call only
	Patterns  []int  // expressions that match (see Candidates), ascending; valid during the call only
	Word      int    // leftmost word of a line that no expression matches (see Candidates), or -1
	Truncated int64  // bytes behind Text that were not looked at
}

// Stats sums up a scan.
type Stats struct {
	Bytes     int64   // bytes read, ends of lines included
	Lines     int64   // lines, a last one without an end included
	Truncated int64   // bytes of over-long lines that were not looked at
	Counts    []int64 // by expression: lines that match, with Candidates those that may
	FirstLine []byte  // text of the first and of the last line, nil without lines
	LastLine  []byte

	// How much work it was; these two depend on how the input arrives.
	Candidates int64 // grams and bytes of literals that were compared
	Verified   int64 // expressions that were run on a line
}

// Scan reads r to its end and calls visit for each line that an expression
// matches or that has a word, in order. Visit returns how many of the following
// lines it wants to see as well, whatever they contain; the larger of this and
// of what is left from earlier calls counts. Visit may be nil.
//
// With more than one worker (below 1: GOMAXPROCS) these examine the text while
// the next is read and visit is called, never twice at the same time, but not
// always on the caller's goroutine. The beginning of an input is examined on the
// caller's alone, so that a short one costs no goroutines.
//
// An error of r ends the scan; all that was read before is delivered and
// counted, and the Stats are valid up to there.
func (s *Set) Scan(r io.Reader, workers int, visit func(Line) (follow int)) (Stats, error) {
	if workers < 1 {
		workers = runtime.GOMAXPROCS(0)
	}
	return s.scan(r, workers, 2*learnAll, visit)
}

// scan uses workers, if more than one, from a number of bytes on.
func (s *Set) scan(r io.Reader, workers int, from int64, visit func(Line) int) (Stats, error) {
	e := newExaminer(s)
	d := &delivery{visit: visit}
	in := newSplitter(s)
	var p *pipeline
	err := in.run(r, func(b *block) *block {
		switch {
		case p != nil:
			return p.put(b)
		case workers > 1 && in.bytes >= from:
			p = newPipeline(s, workers, d)
			return p.put(b)
		}
		e.examine(b)
		d.deliver(b)
		return b
	})
	if p != nil {
		for _, worker := range p.wait() {
			e.add(worker)
		}
	}
	d.stats.Bytes, d.stats.Counts = in.bytes, e.counts
	d.stats.Candidates, d.stats.Verified = e.candidates, e.verified
	return d.stats, err
}
