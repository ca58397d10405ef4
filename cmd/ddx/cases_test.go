package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"ddx"
	"ddx/diagnose"
)

// labelledCase is a real case with the root cause that its thread established.
type labelledCase struct {
	ID       string `json:"id"`
	Label    string `json:"label"`
	Evidence []struct {
		Kind string `json:"kind"`
		Text string `json:"text"`
	} `json:"evidence"`
}

// casesDir holds labelled cases outside of the repository; DDX_CASES names
// another folder.
func casesDir(t *testing.T) string {
	dir := os.Getenv("DDX_CASES")
	if dir == "" {
		dir = "../../../shared/cases"
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no labelled cases at %s: set DDX_CASES to a folder of them", dir)
	}
	return dir
}

// TestCases measures the catalogue on labelled cases: how often the right mode
// comes first, and whether healthy material stays quiet.
func TestCases(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(casesDir(t), "*.json"))
	if err != nil || len(files) == 0 {
		t.Skip("no labelled cases in the folder")
	}
	e, err := newEngine(nil)
	if err != nil {
		t.Fatal(err)
	}
	var positive, top1, top3, negative, quiet int
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c labelledCase
		if err := json.Unmarshal(data, &c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var facts []ddx.Fact
		for _, ev := range c.Evidence {
			f, err := e.textFacts([]byte(ev.Text), exampleNow)
			if err != nil {
				t.Logf("%s: %v", c.ID, err)
			}
			facts = append(facts, f...)
		}
		d, err := diagnose.Run(e.cat, facts, exampleNow, diagnose.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if c.Label == "none" {
			negative++
			loud := ""
			for i := range d.Findings {
				if d.Findings[i].Wrong() {
					loud += " " + d.Findings[i].ID + " " + string(d.Findings[i].Verdict)
				}
			}
			if loud == "" {
				quiet++
			} else {
				t.Logf("FALSE %s:%s", c.ID, loud)
			}
			continue
		}
		positive++
		rank := -1
		shown := ""
		for i := range d.Findings {
			f := &d.Findings[i]
			if i < 4 {
				shown += " " + f.ID + "/" + string(f.Verdict)
			}
			if f.Mode == c.Label && rank < 0 {
				rank = i
			}
		}
		right := rank == 0 && (d.Findings[0].Verdict == ddx.Confirmed || d.Findings[0].Verdict == ddx.Likely)
		if right {
			top1++
		}
		if rank >= 0 && rank < 3 {
			top3++
		}
		if !right {
			t.Logf("MISS %s: want %s, got%s", c.ID, c.Label, shown)
		}
	}
	t.Logf("top-1 %d of %d, top-3 %d, quiet on %d of %d", top1, positive, top3, quiet, negative)
}
