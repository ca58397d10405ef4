package main

import (
	"os"
	"strings"
	"testing"

	"ddx/diagnose"
)

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
	e, err := newEngine(nil)
	if err != nil {
		t.Fatal(err)
	}
	cases, unread, err := e.readCases(casesDir(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range unread {
		t.Log(problem)
	}
	c, err := diagnose.Calibrate(e.cat, cases, exampleNow)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range c.Answers {
		switch {
		case a.Right:
		case a.Label == diagnose.NoMode:
			t.Logf("FALSE %s: %s", a.Case, strings.ReplaceAll(strings.Join(a.Loud, " "), "/", " "))
		default:
			t.Logf("MISS %s: want %s, got %s", a.Case, a.Label, strings.Join(a.Found, " "))
		}
	}
	if c.Positive > 0 && (65*c.Top1 < 60*c.Positive || 65*c.Top3 < 63*c.Positive) || c.Quiet < c.Negative {
		t.Error("worse than 60 of 65 first, 63 among three, all quiet")
	}
	t.Logf("top-1 %d of %d, top-3 %d, quiet on %d of %d", c.Top1, c.Positive, c.Top3, c.Quiet, c.Negative)
}
