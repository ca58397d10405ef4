package output

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFold(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"short\n", "short\n"},
		{"no end", "no end"},
		{"one two three four five six seven eight nine\n", "one two three four five six seven eight\n  nine\n"},
		{"  - one two three four five six seven eight nine\n", "  - one two three four five six seven\n    eight nine\n"},
		{"  name=1  one two three four five six seven eight\n", "  name=1  one two three four five six\n          seven eight\n"},
		{"a   b   one two three four five six seven eight nine ten\n", "a   b   one two three four five six seven eight nine ten\n"},
		{"  " + strings.Repeat("x", 60) + " y\n", "  " + strings.Repeat("x", 60) + "\n  y\n"},
		{strings.Repeat("ä", 40) + "\n", strings.Repeat("ä", 40) + "\n"},
	} {
		if got := Fold(c.in, 40); got != c.want {
			t.Errorf("%q:\n%q\nwant\n%q", c.in, got, c.want)
		}
	}
}

func FuzzFold(f *testing.F) {
	f.Add("  - one two three four five six seven eight nine\n", 40)
	f.Fuzz(func(t *testing.T, text string, width int) {
		got := Fold(text, width)
		if a, b := strings.Join(strings.Fields(text), " "), strings.Join(strings.Fields(got), " "); utf8.ValidString(text) && a != b {
			t.Errorf("words change: %q, want %q", b, a)
		}
	})
}
