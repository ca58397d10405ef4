package match

import (
	"bytes"
	"os"
	"testing"

	"ddx/catalog"
)

// BenchmarkMatch runs the whole catalogue over a log: DDX_LOG names it, the
// example's otherwise.
func BenchmarkMatch(b *testing.B) {
	name := os.Getenv("DDX_LOG")
	if name == "" {
		name = "../examples/ena-keepalive/files/00000_var_log_syslog"
	}
	text, err := os.ReadFile(name)
	if err != nil {
		b.Skipf("no log: %v", err)
	}
	cat, err := catalog.Load()
	if err != nil {
		b.Fatal(err)
	}
	m, err := New(cat)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ResetTimer()
	for b.Loop() {
		if _, err := m.Match(Stream{Origin: "log"}, bytes.NewReader(text)); err != nil {
			b.Fatal(err)
		}
	}
}
