package scan

import (
	"bytes"
	"testing"
)

func FuzzFixed(f *testing.F) {
	f.Add("nvme", []byte("nvme0: nvmnvme"))
	f.Add("aab", []byte("aaaab"))
	f.Add("ab", []byte("b"))
	f.Fuzz(func(t *testing.T, literal string, text []byte) {
		for i := range len(literal) {
			if got, want := (fixed{literal, i}).in(text), bytes.Contains(text, []byte(literal)); got != want {
				t.Errorf("%q in %q by byte %d: %v, want %v", literal, text, i, got, want)
			}
		}
	})
}
