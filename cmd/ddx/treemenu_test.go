package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"ddx/diagnose"
)

// TestSymptomPages: a long list comes in pages that a terminal holds, each
// symptom once; where there is no terminal it comes at once and unbroken.
func TestSymptomPages(t *testing.T) {
	var all []diagnose.Symptom
	for i := range 40 {
		all = append(all, diagnose.Symptom{Text: fmt.Sprintf("symptom %d of this long list of ours that does not fit into a line of sixty columns", i)})
	}
	for _, c := range []struct{ width, rows int }{{60, 24}, {80, 24}, {200, 24}, {40, 1}, {60, 0}, {0, 0}} {
		var out bytes.Buffer
		w := &treeWalk{a: &app{stdout: &out}, width: c.width, rows: c.rows}
		pages := 0
		for next := 0; next < len(all); pages++ {
			out.Reset()
			before := next
			next = w.page(all, next)
			text := out.String()
			for i := before; i < next; i++ {
				if !strings.Contains(text, fmt.Sprintf(" %d  symptom %d ", i+1, i)) {
					t.Errorf("%+v: page from %d lacks symptom %d:\n%s", c, before, i, text)
				}
			}
			if n := strings.Count(text, "\n"); c.rows > 10 && n > c.rows-1 {
				t.Errorf("%+v: a page of %d lines leaves no room for the prompt", c, n)
			}
			for line := range strings.Lines(text) {
				if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); c.width > 0 && n > c.width {
					t.Errorf("%+v: %d columns: %s", c, n, line)
				}
			}
			if more := strings.Contains(strings.Join(strings.Fields(text), " "), "Enter shows more"); more != (next < len(all)) {
				t.Errorf("%+v: says that there is more: %v, at %d of %d", c, more, next, len(all))
			}
		}
		if c.rows == 0 && pages != 1 || c.rows > 0 && pages < 2 {
			t.Errorf("%+v: %d pages", c, pages)
		}
	}
}
