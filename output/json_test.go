package output

import (
	"bytes"
	"encoding/json"
	"testing"
)

// What acts on a terminal is escaped, and the value stays the same, however the
// writes fall.
func TestSafeJSON(t *testing.T) {
	text := "plain ü 漢 \u202e \u2066 \u009b1m \U000e0041 \x1b[2J end"
	plain, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	for size := 1; size <= len(plain); size++ {
		var b bytes.Buffer
		w := SafeJSON(&b)
		for rest := plain; len(rest) > 0; {
			n := min(size, len(rest))
			if _, err := w.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		for _, r := range b.String() {
			if hidden(r) {
				t.Fatalf("size %d: %U is left", size, r)
			}
		}
		var back string
		if err := json.Unmarshal(b.Bytes(), &back); err != nil || back != text {
			t.Fatalf("size %d: %q, %v", size, back, err)
		}
	}
}

func TestVisible(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"plain ü", "plain ü"},
		{"a\tb\nc", "a b c"},
		{"\x1b[31m", `\x1b[31m`},
		{"\u202eabc", `\u202eabc`},
		{"\u009b1m", `\u009b1m`},
		{"\xff", `\xff`},
		{"\U000e0041", `\ue0041`},
	} {
		if got := Visible(tt.in); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestVisibleLines(t *testing.T) {
	if got, want := VisibleLines("a\x1b[2J\nb\r\n"), "a\\x1b[2J\nb\\x0d\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
