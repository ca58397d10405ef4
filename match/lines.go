package match

import (
	"bytes"
	"slices"

	"ddx/catalog"
	"ddx/logline"
	"ddx/scan"
)

// begun is a match over several lines of which some were seen: their messages,
// joined by line ends. Lines of channels that the indicator does not listen to
// are passed over.
type begun struct {
	p     *logPattern
	text  []byte
	first int // bytes of the first message
	seen  int // lines of the log since then
}

// maxBegun is how many such matches are followed at a time, and maxJoined how
// many bytes of each are kept.
const (
	maxBegun  = 64
	maxJoined = 64 << 10
)

// begin follows a pattern over several lines from the first of them. It claims
// nothing: whether the line matches is known later.
func (t *matching) begin(p *logPattern, l logline.Line) bool {
	if first := p.pattern.First; first != nil && len(t.begun) < maxBegun && len(l.Message) < maxJoined && first.Match(l.Message) {
		t.begun = append(t.begun, begun{p: p, text: bytes.Clone(l.Message), first: len(l.Message)})
	}
	return false
}

// goOn gives a line to the matches that were begun in earlier ones. The line
// that completes one stands for all of it, as the last of several does where an
// expression must match up to the end.
func (t *matching) goOn(raw scan.Line, l logline.Line) (matched bool) {
	t.begun = slices.DeleteFunc(t.begun, func(b begun) bool { return b.seen >= catalog.MaxLines-1 })
	for i := range t.begun {
		b := &t.begun[i]
		if b.seen++; !t.heard(b.p, l) {
			continue
		}
		b.text = append(append(b.text, '\n'), l.Message[:min(len(l.Message), maxJoined)]...)
		if len(b.text) > maxJoined {
			b.seen = catalog.MaxLines
			continue
		}
		if at := b.p.pattern.Regexp().FindIndex(b.text); at != nil {
			b.seen = catalog.MaxLines
			if at[0] <= b.first {
				captures, _ := b.p.pattern.Find(b.text, nil)
				matched = t.matched(b.p, raw, l, captures) || matched
			}
		}
	}
	return matched
}

// wanted is how many of the following lines the begun matches wait for.
func (t *matching) wanted() int {
	n := 0
	for i := range t.begun {
		n = max(n, catalog.MaxLines-1-t.begun[i].seen)
	}
	return n
}
