package scan

// A Finder applies a Set to single lines that are already in memory, such as
// messages that a framing had encoded. It is not for use by several goroutines.
type Finder struct {
	examiner
	buf []byte
}

// Finder returns a Finder of the set.
func (s *Set) Finder() *Finder {
	f := &Finder{examiner: *newExaminer(s)}
	f.plan = s.typical()
	return f
}

// Find returns the expressions that match the line, ascending, and its leftmost
// word when none does, else -1. The slice is valid until the next call. Of a
// line longer than MaxLine the rest is not looked at.
func (f *Finder) Find(line []byte) (patterns []int, word int) {
	n := min(len(line), MaxLine)
	if n == 0 {
		return nil, -1
	}
	if need := n + slackSize; need > len(f.buf) {
		f.buf = make([]byte, 2*need)
	}
	copy(f.buf, line[:n])
	clear(f.buf[n : n+slackSize])
	f.search(f.buf, n)
	if len(f.hits) == 0 {
		return nil, -1
	}
	return f.line(f.buf[:n:n], 0, f.hits)
}
