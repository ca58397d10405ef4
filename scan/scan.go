package scan

import (
	"bytes"
	"fmt"
	"io"
)

// A Line is one line of the input that matched, has a word, or follows one.
type Line struct {
	Number    int64  // from 1
	Offset    int64  // of the line's first byte in the input
	Text      []byte // without the end of the line; valid during the call only
	Patterns  []int  // expressions that match, ascending; valid during the call only
	Word      int    // leftmost word of a line that no expression matches, or -1
	Truncated int64  // bytes behind Text that were not looked at
}

// Stats sums up a scan.
type Stats struct {
	Bytes     int64   // bytes read, ends of lines included
	Lines     int64   // lines, a last one without an end included
	Truncated int64   // bytes of over-long lines that were not looked at
	Counts    []int64 // by expression: lines that match
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
// An error of r ends the scan; all that was read before is delivered and
// counted, and the Stats are valid up to there.
func (s *Set) Scan(r io.Reader, visit func(Line) (follow int)) (Stats, error) {
	sc := newScanner(s, s.typical(), visit)
	sc.learning = true
	err := sc.run(r)
	sc.stats.Candidates = sc.candidates
	return sc.stats, err
}

const (
	// Reads grow from firstRead to readSize as long as the input fills them.
	firstRead = 16 << 10
	readSize  = 256 << 10
	// lookahead is the size of reads behind a limit, for the end of a line.
	lookahead = 16 << 10
	// maxEmptyReads is how many reads in a row may return nothing.
	maxEmptyReads = 100
)

// A scanner is one pass over an input. Lines that begin at or behind limit are
// left alone.
type scanner struct {
	searcher
	set      *Set
	learning bool // the plan is still to be fitted to the input
	freq     *frequencies
	learned  int // bytes that freq has counted
	visit    func(Line) int
	limit    int64

	// buf[:end] is text from offset on, always from the start of a line. Of an
	// over-long line, buf holds the first MaxLine bytes, and cut bytes behind
	// them have been dropped.
	buf    []byte
	end    int
	size   int // of the next read
	offset int64
	cut    int64

	stats   Stats
	follow  int
	ran     []int64 // by expression: the line that it last ran on
	matched []int
}

func newScanner(s *Set, p *plan, visit func(Line) int) *scanner {
	if visit == nil {
		visit = func(Line) int { return 0 }
	}
	return &scanner{
		searcher: searcher{plan: p}, set: s, visit: visit, limit: 1<<63 - 1,
		buf: make([]byte, 2*firstRead+slackSize), size: firstRead,
		stats: Stats{Counts: make([]int64, len(s.patterns))},
		ran:   make([]int64, len(s.patterns)),
	}
}

// run reads r, of which the first byte begins a line, to its end or to the end
// of the last line that begins before the limit.
func (sc *scanner) run(r io.Reader) error {
	empty := 0
	for {
		space := sc.space()
		n, err := r.Read(space)
		if n == len(space) {
			sc.size = min(2*sc.size, readSize)
		}
		sc.end += n
		sc.take(n)
		if sc.offset >= sc.limit {
			return nil // an error behind the last line is of no concern
		}
		if empty++; n > 0 {
			empty = 0
		}
		if err == nil && empty > maxEmptyReads {
			err = io.ErrNoProgress
		}
		if err != nil {
			at := sc.offset + int64(sc.end) + sc.cut
			if sc.end > 0 {
				sc.walk(sc.end)
				sc.drop(sc.end, sc.cut)
			}
			if err == io.EOF {
				return nil
			}
			return fmt.Errorf("read log at byte %d: %w", at, err)
		}
	}
}

// space returns where the next read goes: behind the bytes in use.
func (sc *scanner) space() []byte {
	size := sc.size
	if left := sc.limit - sc.offset - int64(sc.end); left <= 0 {
		size = lookahead
	} else if left < int64(size) {
		size = int(left)
	}
	if need := sc.end + size + slackSize; need > len(sc.buf) {
		buf := make([]byte, min(2*need, MaxLine+readSize+slackSize))
		copy(buf, sc.buf[:sc.end])
		sc.buf = buf
	}
	return sc.buf[sc.end : sc.end+size]
}

// take walks the whole lines in the buffer, of which the last n bytes are new,
// and leaves what comes behind them. At most the first line is over-long,
// because the others lie within one read.
func (sc *scanner) take(n int) {
	fresh := sc.end - n
	first := bytes.IndexByte(sc.buf[fresh:sc.end], '\n')
	switch {
	case first < 0 && sc.end <= MaxLine:
		return
	case first < 0:
		sc.cut += int64(sc.end - MaxLine)
		sc.end = MaxLine
		return
	}
	if first += fresh; first > MaxLine || sc.cut > 0 {
		before := sc.cut
		sc.cut += int64(first - MaxLine)
		sc.walk(MaxLine)
		sc.drop(first+1, before)
		fresh = 0
	}
	last := bytes.LastIndexByte(sc.buf[fresh:sc.end], '\n')
	if last < 0 || sc.offset >= sc.limit {
		return
	}
	last += fresh
	if left := sc.limit - sc.offset; int64(last) >= left {
		last = int(left) - 1 + bytes.IndexByte(sc.buf[left-1:], '\n')
	}
	sc.walk(last + 1)
	sc.drop(last+1, 0)
}

// drop goes on to the line that begins n bytes into the buffer; before is the
// number of bytes that are no longer in it.
func (sc *scanner) drop(n int, before int64) {
	sc.end = copy(sc.buf, sc.buf[n:sc.end])
	sc.offset += int64(n) + before
	sc.stats.Bytes += int64(n) + before
	sc.cut = 0
}
