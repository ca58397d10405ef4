package scan

import (
	"bytes"
	"slices"
)

var newline = []byte{'\n'}

// walk goes through the lines of buf[:n], all of them whole, and delivers those
// that it must.
func (sc *scanner) walk(n int) {
	sc.search(sc.buf, n)
	b, hits := sc.buf[:n], sc.hits
	if sc.stats.Lines == 0 {
		sc.stats.FirstLine = bytes.Clone(sc.text(b, 0))
	}

	next := 0    // the first line that has not been looked at begins here
	counted := 0 // stats.Lines has the lines that end before here
	for next < n && (sc.follow > 0 || len(hits) > 0) {
		start := next
		if sc.follow == 0 {
			start += bytes.LastIndexByte(b[next:hits[0].pos], '\n') + 1
		}
		sc.stats.Lines += int64(bytes.Count(b[counted:start], newline))
		counted = start
		text := sc.text(b, start)
		next = min(start+len(text)+1, n)
		if next < n && b[next-1] != '\n' { // behind a carriage return
			next++
		}
		k := 0
		for k < len(hits) && int(hits[k].pos) < next {
			k++
		}
		sc.line(text, start, hits[:k])
		hits = hits[k:]
	}

	sc.stats.Lines += int64(bytes.Count(b[counted:], newline))
	if b[n-1] != '\n' {
		sc.stats.Lines++
	}
	sc.stats.Truncated += sc.cut
	last := sc.text(b, bytes.LastIndexByte(b[:n-1], '\n')+1)
	sc.stats.LastLine = append(sc.stats.LastLine[:0], last...)
	if sc.learning {
		sc.learn(b)
	}
}

// text returns the line of b that begins at start, without its end.
func (sc *scanner) text(b []byte, start int) []byte {
	b = b[start:]
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		b = b[:i]
	}
	if len(b) > 0 && b[len(b)-1] == '\r' && sc.cut == 0 {
		b = b[:len(b)-1]
	}
	return b[:len(b):len(b)]
}

// line runs the expressions for which the hits in the line call, and delivers
// the line if one matches, if it has a word or if it follows.
func (sc *scanner) line(text []byte, start int, hits []hit) {
	number := sc.stats.Lines + 1
	word, wordPos := -1, int32(0)
	sc.matched = sc.matched[:0]
	for _, h := range hits {
		nd := &sc.needles[h.needle]
		if int(h.pos)+len(nd.text) > start+len(text) {
			continue // it reaches into the end of the line
		}
		if w := int(nd.word); w >= 0 && (word < 0 || h.pos == wordPos && w < word) {
			word, wordPos = w, h.pos
		}
		for _, p := range nd.patterns {
			if sc.ran[p] == number {
				continue
			}
			sc.ran[p] = number
			if sc.set.patterns[p].matches(text, &sc.stats) {
				sc.stats.Counts[p]++
				sc.matched = append(sc.matched, int(p))
			}
		}
	}
	if len(sc.matched) > 0 {
		word = -1
	} else if word < 0 && sc.follow == 0 {
		return
	}
	slices.Sort(sc.matched)
	if sc.follow > 0 {
		sc.follow--
	}
	follow := sc.visit(Line{
		Number: number, Offset: sc.offset + int64(start), Text: text,
		Patterns: sc.matched, Word: word, Truncated: sc.cut,
	})
	sc.follow = max(sc.follow, follow)
}

// matches runs the expression on a line that has one of its literals.
func (p *pattern) matches(text []byte, stats *Stats) bool {
	if p.whole {
		return true
	}
	for _, o := range p.rest {
		if !o.in(text) {
			return false
		}
	}
	stats.Verified++
	return p.match().Match(text)
}

// in reports whether the text contains one of the literals.
func (a anyOf) in(text []byte) bool {
	for _, l := range a {
		if bytes.Contains(text, []byte(l.text)) {
			return true
		}
	}
	return false
}

// The plan is fitted to the input once learnAll bytes have been counted. The
// first bytes are not, because most inputs are short.
const (
	learnFrom = 64 << 10
	learnAll  = 1 << 20
)

// learn counts the grams of b, the text just searched, and fits the plan to
// the input once enough has been seen.
func (sc *scanner) learn(b []byte) {
	if sc.stats.Bytes+int64(len(b)) < learnFrom {
		return
	}
	if sc.freq == nil {
		sc.freq = &frequencies{fold: sc.set.fold}
	}
	sc.freq.learn(b)
	sc.learned += len(b)
	if sc.learned >= learnAll {
		sc.plan = sc.set.newPlan(sc.freq)
		sc.learning, sc.freq = false, nil
	}
}
