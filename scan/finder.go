package scan

// A Finder applies a Set to single lines that are already in memory, such as
// messages that a framing had encoded. It is not for use by several goroutines.
type Finder struct {
	sc       *scanner
	patterns []int
	word     int
}

// Finder returns a Finder of the set.
func (s *Set) Finder() *Finder {
	f := &Finder{}
	f.sc = newScanner(s, s.typical(), func(l Line) int {
		f.patterns, f.word = l.Patterns, l.Word
		return 0
	})
	return f
}

// Find returns the expressions that match the line, ascending, and its leftmost
// word when none does, else -1. The slice is valid until the next call. Of a
// line longer than MaxLine the rest is not looked at.
func (f *Finder) Find(line []byte) (patterns []int, word int) {
	sc := f.sc
	f.patterns, f.word = nil, -1
	n := min(len(line), MaxLine)
	if n == 0 {
		return nil, -1
	}
	if need := n + slackSize; need > len(sc.buf) {
		sc.buf = make([]byte, 2*need)
	}
	copy(sc.buf, line[:n])
	clear(sc.buf[n : n+slackSize])
	sc.search(sc.buf, n)
	if len(sc.hits) > 0 {
		sc.line(sc.buf[:n:n], 0, sc.hits)
		sc.stats.Lines++ // each line has a number of its own
	}
	return f.patterns, f.word
}
