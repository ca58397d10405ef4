package output

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"ddx"
)

// lookedAt names what was examined, in one clause.
func lookedAt(d *ddx.Diagnosis) string {
	lines, facts := int64(0), int64(0)
	for _, x := range d.Examined {
		if x.Kind == "log" {
			lines += x.Items
		} else {
			facts += x.Items
		}
	}
	return fmt.Sprintf("looked at %d log lines and %d other readings for %d failure modes", lines, facts, d.Counts.Modes)
}

// notExamined lists what could not be looked at: first what would have
// mattered. What this machine simply does not have is only counted.
func (p *printer) notExamined(all []ddx.NotExamined) {
	// What decides the exit status stands first.
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(x, y ddx.NotExamined) int { return cmp.Compare(rankOf(x), rankOf(y)) })
	var shown []ddx.NotExamined
	for _, x := range all {
		if p.s.All || x.Basic || x.Named || x.Decides || !absentHere(x) {
			shown = append(shown, x)
		}
	}
	if len(shown) == 0 {
		return
	}
	p.printf("\n%s\n", p.paint(bold, "Could not look at"))
	for i, x := range shown {
		if i == 8 && !p.s.All {
			p.printf("  %s\n", p.paint(dim, fmt.Sprintf("... and %d more (--all)", len(shown)-i)))
			break
		}
		needed := ""
		if n := len(x.NeededBy); n > 0 {
			needed = fmt.Sprintf(" (%s)", numbered(n, "mode needs it", "modes need it"))
		}
		p.quote("  ", "    ", fmt.Sprintf("%s: %s%s", x.What, oneLine(x.Why), needed))
	}
}

// absentHere reports whether the machine simply does not have what was asked
// for, or it was not worth its cost.
func absentHere(x ddx.NotExamined) bool {
	reason, _, _ := strings.Cut(x.Why, ":")
	return reason == string(ddx.NotThere) || reason == string(ddx.NotAsked) && len(x.NeededBy) == 0
}

// rankOf tells how much it matters that something could not be looked at.
func rankOf(x ddx.NotExamined) int {
	switch {
	case x.Named:
		return 0
	case x.Decides:
		return 1
	case x.Basic:
		return 2
	case len(x.NeededBy) > 0:
		return 3
	}
	return 4
}

func numbered(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// unrecognised names the material whose form is unknown, and how far it was
// looked into.
func (p *printer) unrecognised(d *ddx.Diagnosis) {
	p.origins(d, "unrecognised", "Form not recognised, scanned for log patterns only")
	p.origins(d, "no-log", "Neither a known form nor a log, not looked into")
}

// origins lists the material of a kind under a title.
func (p *printer) origins(d *ddx.Diagnosis, kind, title string) {
	shown := 0
	for _, x := range d.Examined {
		if x.Kind != kind || slices.ContainsFunc(d.NotExamined, func(n ddx.NotExamined) bool { return n.Named && n.What == x.Origin }) {
			continue // what was named stands among what could not be looked at
		}
		if shown++; shown == 1 {
			p.printf("\n")
			p.headline("", "", bold, title)
		}
		if shown <= 5 || p.s.All {
			p.printf("  %s\n", p.cut(Visible(x.Origin)))
		}
	}
	if shown > 5 && !p.s.All {
		p.printf("  %s\n", p.paint(dim, fmt.Sprintf("... and %d more (--all)", shown-5)))
	}
}

// Summary is the one line that ends the text.
func Summary(d *ddx.Diagnosis) string {
	n := map[ddx.Verdict]int{}
	for i := range d.Findings {
		n[d.Findings[i].Verdict]++
	}
	s := fmt.Sprintf("%d confirmed, %d likely, %d possible; %d of %d modes ruled out, %d without evidence", n[ddx.Confirmed], n[ddx.Likely], n[ddx.Possible], d.Counts.RuledOut, d.Counts.Modes, d.Counts.Untested)
	impossible := 0
	for _, x := range d.NotExamined {
		if x.Basic || x.Named || x.Decides || !absentHere(x) {
			impossible++
		}
	}
	if impossible > 0 {
		s += "; " + numbered(impossible, "look was impossible", "looks were impossible")
	}
	return s
}
