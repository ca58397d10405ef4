package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"ddx"
	"ddx/diagnose"
	"ddx/source"
)

// TestDiagnoseAll: hosts that are diagnosed side by side give the same answers
// as each by itself, in their order.
func TestDiagnoseAll(t *testing.T) {
	e, err := newEngine(nil)
	if err != nil {
		t.Fatal(err)
	}
	signs := []string{
		"EXT4-fs (sda1): Remounting filesystem read-only",
		"nf_conntrack: nf_conntrack: table full, dropping packet",
		"XFS (dm-0): Corruption detected. Unmount and run xfs_repair",
		"nothing to tell",
	}
	dir := t.TempDir()
	for i := range 20 {
		host := filepath.Join(dir, "hosts", fmt.Sprintf("h%02d", i))
		if err := os.MkdirAll(host, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(host, "dmesg"), []byte("[    1.000000] "+signs[i%len(signs)]+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	open := func() []source.Take {
		takes, err := source.OpenFiles(context.Background(), []string{dir}, source.Options{Version: version()})
		if err != nil {
			t.Fatal(err)
		}
		return takes
	}
	var want, got []string
	for _, take := range open() {
		d, _, err := e.diagnose(take, window{}, diagnose.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, answerOf(t, d))
	}
	err = e.diagnoseAll(open(), window{}, diagnose.Options{}, func(_ *source.Take, d *ddx.Diagnosis, _ []ddx.Fact) error {
		got = append(got, answerOf(t, d))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(want) != 20 || len(got) != len(want) {
		t.Fatalf("%d answers, %d by themselves, want 20", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("host %d: %s, by itself %s", i, got[i], want[i])
		}
	}
	enough := errors.New("enough")
	seen := 0
	err = e.diagnoseAll(open(), window{}, diagnose.Options{}, func(*source.Take, *ddx.Diagnosis, []ddx.Fact) error {
		if seen++; seen == 3 {
			return enough
		}
		return nil
	})
	if err != enough || seen != 3 {
		t.Errorf("after %d hosts: %v, want that of the third", seen, err)
	}
}

// answerOf is a diagnosis without the moment at which it was made.
func answerOf(t *testing.T, d *ddx.Diagnosis) string {
	t.Helper()
	b, err := json.Marshal(struct {
		Host     string
		Findings []ddx.Finding
	}{d.Host.Name, d.Findings})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
