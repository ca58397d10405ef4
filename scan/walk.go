package scan

import (
	"bytes"
	"slices"
)

var newline = []byte{'\n'}

// An examiner finds the lines of blocks that are to be delivered. It is not for
// use by several goroutines.
type examiner struct {
	searcher
	set      *Set
	counts   []int64 // by expression: lines that match
	verified int64
	serial   int64   // of the line, over all blocks
	ran      []int64 // by expression: the serial of the line that it last ran on
	matched  []int
}

func newExaminer(s *Set) *examiner {
	return &examiner{set: s, counts: make([]int64, len(s.patterns)), ran: make([]int64, len(s.patterns))}
}

// add adds what another examiner counted.
func (e *examiner) add(o *examiner) {
	for i, n := range o.counts {
		e.counts[i] += n
	}
	e.verified += o.verified
	e.candidates += o.candidates
}

// examine fills in the block's lines and found.
func (e *examiner) examine(b *block) {
	e.plan = b.plan
	e.search(b.buf, b.n)
	text, hits := b.buf[:b.n], e.hits
	next := 0    // the first line that has not been looked at begins here
	counted := 0 // b.lines has the lines that end before here
	for len(hits) > 0 {
		start := next + bytes.LastIndexByte(text[next:hits[0].pos()], '\n') + 1
		b.lines += int64(bytes.Count(text[counted:start], newline))
		counted = start
		line := b.text(start)
		next = b.after(start, line)
		k := 0
		for k < len(hits) && hits[k].pos() < next {
			k++
		}
		if matched, word := e.line(line, start, hits[:k]); len(matched) > 0 || word >= 0 {
			at := len(b.patterns)
			b.patterns = append(b.patterns, matched...)
			b.found = append(b.found, Line{
				Number: b.lines + 1, Offset: int64(start), Text: line,
				Patterns: b.patterns[at:len(b.patterns):len(b.patterns)], Word: word, Truncated: b.cut,
			})
		}
		hits = hits[k:]
	}
	b.lines += int64(bytes.Count(text[counted:], newline))
	if text[b.n-1] != '\n' {
		b.lines++
	}
}

// line runs the expressions for which the hits in a line call. It returns those
// that match, ascending, and the leftmost word of a line that none matches,
// else -1. The slice is valid until the next call.
func (e *examiner) line(text []byte, start int, hits []hit) (matched []int, word int) {
	e.serial++
	word, wordPos := -1, 0
	e.matched = e.matched[:0]
	for _, h := range hits {
		nd := &e.needles[h.needle()]
		if h.pos()+len(nd.text) > start+len(text) {
			continue // it reaches into the end of the line
		}
		if w := int(nd.word); w >= 0 && (word < 0 || h.pos() == wordPos && w < word) {
			word, wordPos = w, h.pos()
		}
		for _, p := range nd.patterns {
			if e.ran[p] == e.serial {
				continue
			}
			e.ran[p] = e.serial
			if e.set.patterns[p].possible(text, e.chosen[p]) && (e.set.unproven || e.set.patterns[p].matches(text, &e.verified)) {
				e.counts[p]++
				e.matched = append(e.matched, int(p))
			}
		}
	}
	if len(e.matched) == 0 {
		return nil, word
	}
	slices.Sort(e.matched)
	if !e.set.unproven {
		word = -1
	}
	return e.matched, word
}

// possible reports whether a line that fulfils one of the expression's
// requirements fulfils them all.
func (p *pattern) possible(text []byte, fulfilled int) bool {
	for i := range p.rest {
		if o := &p.rest[i]; o.option != fulfilled && !anyIn(o.fixed, text) {
			return false
		}
	}
	return true
}

// matches runs the expression on a line for which it is possible.
func (p *pattern) matches(text []byte, verified *int64) bool {
	if p.whole {
		return true
	}
	*verified++
	return p.match().Match(text)
}

// A delivery calls visit for the lines of one block after the other.
type delivery struct {
	visit  func(Line) int
	follow int // lines that visit still wants to see
	stats  Stats
}

// deliver visits the found lines of the block, and those that are to follow.
func (d *delivery) deliver(b *block) {
	if d.stats.Lines == 0 {
		d.stats.FirstLine = bytes.Clone(b.text(0))
	}
	if d.visit != nil {
		d.visitAll(b)
	}
	d.stats.Lines += b.lines
	d.stats.Truncated += b.cut
	d.stats.LastLine = append(d.stats.LastLine[:0], b.text(bytes.LastIndexByte(b.buf[:b.n-1], '\n')+1)...)
}

func (d *delivery) visitAll(b *block) {
	found := b.found
	next, number := 0, int64(1) // of the first line that visit has not seen or declined
	for next < b.n && (d.follow > 0 || len(found) > 0) {
		var l Line
		if len(found) > 0 && (d.follow == 0 || found[0].Number == number) {
			l, found = found[0], found[1:]
		} else {
			l = Line{Number: number, Offset: int64(next), Text: b.text(next), Word: -1, Truncated: b.cut}
		}
		next, number = b.after(int(l.Offset), l.Text), l.Number+1
		l.Number += d.stats.Lines
		l.Offset += b.offset
		if d.follow > 0 {
			d.follow--
		}
		d.follow = max(d.follow, d.visit(l))
	}
}
