package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"ddx/catalog"
	"ddx/diagnose"
	"ddx/output"
)

// choose asks for a symptom: a family by number, then a symptom by number, or
// words that it holds. On a terminal a long list comes in pages.
func (w *treeWalk) choose(all []diagnose.Symptom) ([]diagnose.Symptom, error) {
	byFamily := map[string][]diagnose.Symptom{}
	var families []string
	for _, f := range catalog.Families {
		for _, s := range all {
			if s.Family == f {
				byFamily[f] = append(byFamily[f], s)
			}
		}
		if len(byFamily[f]) > 0 {
			families = append(families, f)
		}
	}
	var shown []diagnose.Symptom
	next := 0 // first of the shown that the next page brings
	menu := func() {
		shown = nil
		w.item("", "What is seen? A family by number, or words of the symptom.")
		for i, f := range families {
			w.say("  %d  %-9s %d symptoms", i+1, f, len(byFamily[f]))
		}
	}
	menu()
	for {
		line, err := w.prompt()
		if err != nil {
			return nil, err
		}
		n, convErr := strconv.Atoi(line)
		switch {
		case line == "" && (len(shown) == 0 || next == len(shown)):
			continue
		case line == "":
		case line == "b" && len(shown) > 0:
			menu()
			continue
		case convErr == nil && len(shown) > 0 && n >= 1 && n <= len(shown):
			return shown[n-1 : n], nil
		case convErr == nil && len(shown) == 0 && n >= 1 && n <= len(families):
			shown, next = w.commonFirst(byFamily[families[n-1]]), 0
		case convErr == nil:
			w.say("There is no %d.", n)
			continue
		default:
			found := diagnose.FindSymptoms(w.e.cat, strings.Fields(line)...)
			switch len(found) {
			case 0:
				w.item("", "No symptom holds all of these words.")
				continue
			case 1:
				return found, nil
			}
			shown, next = w.commonFirst(found), 0
		}
		next = w.page(shown, next)
	}
}

// commonFirst orders symptoms by the most frequent mode that shows each.
func (w *treeWalk) commonFirst(all []diagnose.Symptom) []diagnose.Symptom {
	prior := func(s diagnose.Symptom) float64 {
		best := math.Inf(-1)
		for _, id := range s.Modes {
			best = max(best, diagnose.Priors[w.e.cat.Mode(id).Frequency])
		}
		return best
	}
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(x, y diagnose.Symptom) int { return -cmp.Compare(prior(x), prior(y)) })
	return sorted
}

// page shows symptoms from one on, as many as the terminal holds, and returns
// which one comes next.
func (w *treeWalk) page(all []diagnose.Symptom, from int) int {
	room := w.rows - 4 // for the question below and the prompt
	i := from
	for ; i < len(all); i++ {
		lines := w.fold(fmt.Sprintf("  %3d  ", i+1), all[i].Text)
		if room -= len(lines); room < 0 && w.rows > 0 && i > from {
			break
		}
		for _, l := range lines {
			w.say("%s", l)
		}
	}
	more := ""
	if i < len(all) {
		more = fmt.Sprintf("; Enter shows more (%d to %d of %d)", i+1, len(all), len(all))
	}
	w.item("", "Which one? A number, words that it holds, or b for the families"+more+".")
	return i
}

// say writes a line of the dialogue. Standard output that cannot be written to
// fails when the answer is written.
func (w *treeWalk) say(format string, args ...any) { fmt.Fprintf(w.a.stdout, format+"\n", args...) }

// item writes text behind a prefix, folded to the terminal.
func (w *treeWalk) item(prefix, text string) {
	for _, l := range w.fold(prefix, text) {
		w.say("%s", l)
	}
}

// fold breaks text behind a prefix into the lines of the terminal; the others
// stand below the first.
func (w *treeWalk) fold(prefix, text string) []string {
	other := strings.Repeat(" ", min(len(prefix), 13))
	if strings.TrimLeft(prefix, " ") == prefix {
		other = "  "
	}
	return output.Paragraph(prefix, other, output.Visible(text), w.width)
}

// prompt reads a reply without the blanks around it.
func (w *treeWalk) prompt() (string, error) {
	fmt.Fprint(w.a.stdout, "> ")
	line, err := w.in.ReadString('\n')
	if err == io.EOF && line != "" {
		err = nil
	}
	if err == io.EOF {
		return "", errQuit
	}
	line = strings.TrimSpace(line)
	if !w.a.dialogue {
		w.say("%s", output.Visible(line)) // so that a transcript can be read
	}
	if line == "q" {
		return "", errQuit
	}
	return line, err
}
