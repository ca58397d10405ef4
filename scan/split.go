package scan

import (
	"bytes"
	"fmt"
	"io"
)

const (
	// Reads grow from firstRead to readSize as long as the input fills them.
	firstRead = 16 << 10
	readSize  = 256 << 10
	// maxEmptyReads is how many reads in a row may return nothing.
	maxEmptyReads = 100
)

// The plan is fitted to the input once fitFrom bytes have come: it takes as long
// as a fitted plan saves in that many. About learnAll of them are counted, none of
// the first, because most inputs are short.
const (
	learnFrom = 64 << 10
	learnAll  = 1 << 20
	fitFrom   = 8 << 20
)

// A block is a run of whole lines, and what was found in them.
type block struct {
	*plan
	buf    []byte // buf[:n] is the text; slackSize bytes behind it can be read
	n      int
	offset int64 // of the first byte in the input
	cut    int64 // bytes behind the text, which is one over-long line, that were not kept

	lines    int64  // in the text
	found    []Line // those to deliver; numbers and offsets count from the start of the block
	patterns []int  // of the found lines
	done     chan struct{}
}

// text returns the line that begins at start, without its end.
func (b *block) text(start int) []byte {
	t := b.buf[start:b.n]
	if i := bytes.IndexByte(t, '\n'); i >= 0 {
		t = t[:i]
	}
	if len(t) > 0 && t[len(t)-1] == '\r' && b.cut == 0 {
		t = t[:len(t)-1]
	}
	return t[:len(t):len(t)]
}

// after returns where the line behind that of text and start begins.
func (b *block) after(start int, text []byte) int {
	next := min(start+len(text)+1, b.n)
	if next < b.n && b.buf[next-1] != '\n' { // behind a carriage return
		next++
	}
	return next
}

// A splitter reads an input and splits it into blocks.
type splitter struct {
	set      *Set
	plan     *plan
	learning bool // the plan is still to be fitted to the input
	freq     *frequencies
	learned  int64 // bytes that freq has counted

	// buf[:end] is text from offset on, always from the start of a line. Of an
	// over-long line, buf holds the first MaxLine bytes, and cut bytes behind
	// them have been dropped.
	buf    []byte
	end    int
	size   int // of the next read
	offset int64
	cut    int64

	bytes int64 // that were passed on or dropped
	emit  func(*block) *block
	block *block // the next to be emitted
}

func newSplitter(s *Set) *splitter {
	return &splitter{set: s, plan: s.typical(), learning: true, block: &block{}, buf: make([]byte, 2*firstRead+slackSize), size: firstRead}
}

// run reads r to its end. Emit gets each block and returns one for the next
// text: the same once it is done with, or another.
func (in *splitter) run(r io.Reader, emit func(*block) *block) error {
	in.emit = emit
	empty := 0
	for {
		space := in.space()
		n, err := r.Read(space)
		if n == len(space) {
			in.size = min(2*in.size, readSize)
		}
		in.end += n
		in.take(n)
		if empty++; n > 0 {
			empty = 0
		}
		if err == nil && empty > maxEmptyReads {
			err = io.ErrNoProgress
		}
		if err != nil {
			at := in.offset + int64(in.end) + in.cut
			if in.end > 0 {
				in.pass(in.end, in.end, in.cut)
			}
			if err == io.EOF {
				return nil
			}
			return fmt.Errorf("read log at byte %d: %w", at, err)
		}
	}
}

// space returns where the next read goes: behind the bytes in use.
func (in *splitter) space() []byte {
	in.grow(in.end + in.size + slackSize)
	return in.buf[in.end : in.end+in.size]
}

// grow makes the buffer large enough.
func (in *splitter) grow(need int) {
	if need > len(in.buf) {
		buf := make([]byte, min(2*need, MaxLine+readSize+slackSize))
		copy(buf, in.buf[:in.end])
		in.buf = buf
	}
}

// take passes the whole lines in the buffer on, of which the last n bytes are
// new, and leaves what comes behind them. At most the first line is over-long,
// because the others lie within one read.
func (in *splitter) take(n int) {
	fresh := in.end - n
	first := bytes.IndexByte(in.buf[fresh:in.end], '\n')
	switch {
	case first < 0 && in.end <= MaxLine:
		return
	case first < 0:
		in.cut += int64(in.end - MaxLine)
		in.end = MaxLine
		return
	}
	if first += fresh; first > MaxLine || in.cut > 0 {
		before := in.cut
		in.cut += int64(first - MaxLine)
		in.pass(MaxLine, first+1, before)
		fresh = 0
	}
	if last := bytes.LastIndexByte(in.buf[fresh:in.end], '\n'); last >= 0 {
		in.pass(fresh+last+1, fresh+last+1, 0)
	}
}

// pass emits the first n bytes of the buffer as a block and goes on with the
// line that begins next bytes into it; before is the number of bytes of the
// block's line that are no longer in the buffer.
func (in *splitter) pass(n, next int, before int64) {
	b := in.block
	*b = block{plan: in.plan, buf: in.buf, n: n, offset: in.offset, cut: in.cut, found: b.found[:0], patterns: b.patterns[:0]}
	if in.learning {
		in.learn(in.buf[:n])
	}
	rest := in.buf[next:in.end]
	in.block = in.emit(b)
	in.buf, in.end = in.block.buf, 0
	in.grow(len(rest) + slackSize)
	in.end = copy(in.buf, rest)
	in.offset += int64(next) + before
	in.bytes += int64(next) + before
	in.cut = 0
}

// learn counts the grams of a block's text, of some blocks as far apart as
// fitFrom allows, and fits the plan to the input once enough has come.
func (in *splitter) learn(text []byte) {
	end := in.bytes + int64(len(text))
	if end >= learnFrom && in.learned*(in.set.fitFrom/learnAll) <= in.bytes {
		if in.freq == nil {
			in.freq = &frequencies{fold: in.set.fold}
		}
		in.freq.learn(text)
		in.learned += int64(len(text))
	}
	if end >= in.set.fitFrom {
		in.plan = in.set.newPlan(in.freq)
		in.learning, in.freq = false, nil
	}
}
