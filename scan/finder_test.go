package scan

import (
	"slices"
	"strings"
	"testing"
)

// TestFinder holds that lines in memory give what a scan of them gives.
func TestFinder(t *testing.T) {
	s, err := Compile([]string{`Keep alive watchdog timeout, (\d+) msecs`, `Oops: `, `conntrack: table full`}, Words([]string{"error", "timed out"}))
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{"Keep alive watchdog timeout, 6100 msecs since last keep alive.", "", "an Error here", "nothing", "Oops: nf_conntrack: table full", "it timed out", strings.Repeat("x", 70000) + "Oops: "}
	f := s.Finder()
	for _, line := range lines {
		want, wantWord := []int(nil), -1
		if _, err := s.Scan(strings.NewReader(line+"\n"), 1, func(l Line) int {
			want, wantWord = slices.Clone(l.Patterns), l.Word
			return 0
		}); err != nil {
			t.Fatal(err)
		}
		got, word := f.Find([]byte(line))
		if !slices.Equal(got, want) || word != wantWord {
			t.Errorf("%.40q: patterns %v word %d, want %v %d", line, got, word, want, wantWord)
		}
	}
}
