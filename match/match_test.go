package match

import (
	"fmt"
	"strings"
	"testing"
)

func TestHasLiteral(t *testing.T) {
	for expr, want := range map[string]bool{
		`volume "(\w+)"`: true, `(?:a|b "c)`: true, `x["']y`: true, `a\nb`: true, `[^"]+ b`: false, `\S+ .*? b`: false, `plain`: false, `a'b`: false,
	} {
		if got := hasLiteral(expr, escapes); got != want {
			t.Errorf("%s: %v, want %v", expr, got, want)
		}
	}
}

// TestMaxSubjects: a log that names more and more devices takes no more memory.
func TestMaxSubjects(t *testing.T) {
	var log strings.Builder
	for i := range 2 * MaxSubjects {
		fmt.Fprintf(&log, "[    1.000000] XFS (dm-%d): Corruption of in-memory data detected.  Shutting down filesystem\n[    2.000000] XFS (dm-%d): Ending clean mount\n", i, i)
	}
	facts, err := builtIn(t).Match(Stream{Origin: "log"}, strings.NewReader(log.String()))
	if err != nil {
		t.Fatal(err)
	}
	named, unnamed := map[string]int{}, map[string]int64{}
	for _, f := range facts {
		if f.Kind != "log.match" || f.Subject.Kind == "host" {
			continue
		}
		if f.Subject.Name != "" {
			named[f.String("indicator")]++
		} else {
			unnamed[f.String("indicator")], _ = f.Int("count")
		}
	}
	if len(named) < 2 {
		t.Errorf("indicators %v", named)
	}
	for ind, n := range named {
		if n != MaxSubjects {
			t.Errorf("%s: %d subjects, want %d", ind, n, MaxSubjects)
		}
	}
	if len(unnamed) == 0 {
		t.Error("no signs without a name")
	}
	for ind, n := range unnamed {
		if n != MaxSubjects {
			t.Errorf("%s: %d signs without a name, want %d", ind, n, MaxSubjects)
		}
	}
}
