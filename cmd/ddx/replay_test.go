package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ddx/diagnose"
	"ddx/source"
)

// TestReplay holds the promise of collect: a bundle gives the same diagnosis,
// byte for byte, as the look it was taken in.
func TestReplay(t *testing.T) {
	e, err := newEngine(nil)
	if err != nil {
		t.Fatal(err)
	}
	take, err := source.Live(context.Background(), source.Options{Version: version()})
	if err != nil {
		t.Fatal(err)
	}
	defer take.Close()
	live, _, err := e.diagnose(take, window{}, diagnose.Options{All: true})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "bundle.tar.gz")
	var b bytes.Buffer
	if err := source.WriteBundle(&b, take); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	takes, err := source.OpenFiles(context.Background(), []string{file}, source.Options{Version: version()})
	if err != nil || len(takes) != 1 {
		t.Fatalf("%d takes, %v", len(takes), err)
	}
	defer takes[0].Close()
	replayed, _, err := e.diagnose(takes[0], window{}, diagnose.Options{All: true})
	if err != nil {
		t.Fatal(err)
	}
	want, _ := json.MarshalIndent(live, "", " ")
	got, _ := json.MarshalIndent(replayed, "", " ")
	if !bytes.Equal(want, got) {
		wl, gl := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
		for i := range min(len(wl), len(gl)) {
			if wl[i] != gl[i] {
				t.Fatalf("replay differs at line %d:\nlive:   %s\nreplay: %s", i+1, wl[i], gl[i])
			}
		}
		t.Fatalf("replay has %d lines, live %d", len(gl), len(wl))
	}
}

// TestExamples holds that every example bundle gives the findings that stand
// beside it in NAME.want, in that order, the first one first.
func TestExamples(t *testing.T) {
	wants, err := filepath.Glob("../../examples/*.want")
	if err != nil || len(wants) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	e, err := newEngine(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range wants {
		dir := strings.TrimSuffix(want, ".want")
		t.Run(filepath.Base(dir), func(t *testing.T) {
			text, err := os.ReadFile(want)
			if err != nil {
				t.Fatal(err)
			}
			takes, err := source.OpenFiles(context.Background(), []string{dir}, source.Options{Version: version()})
			if err != nil {
				t.Fatal(err)
			}
			defer takes[0].Close()
			d, _, err := e.diagnose(takes[0], window{}, diagnose.Options{})
			if err != nil {
				t.Fatal(err)
			}
			last := -1
			for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
				id, verdict, _ := strings.Cut(line, " ")
				at := -1
				for j := range d.Findings {
					if f := &d.Findings[j]; (f.ID == id || f.Mode == id) && string(f.Verdict) == verdict {
						at = j
						break
					}
				}
				if at <= last || i == 0 && at != 0 {
					var got []string
					for j := range d.Findings {
						got = append(got, d.Findings[j].ID+" "+string(d.Findings[j].Verdict))
					}
					t.Errorf("%s: finding at %d, the one before at %d; got %s", line, at, last, strings.Join(got, ", "))
				}
				last = at
			}
		})
	}
}
