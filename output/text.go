package output

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"ddx"
)

// Style says how text is laid out.
type Style struct {
	Color bool
	Width int // columns; 0 is 80
	All   bool
}

// colours carry no meaning alone: the word stands beside each.
const (
	bold, dim, red, yellow, green, cyan, reset = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[36m", "\x1b[0m"
)

type printer struct {
	w     io.Writer
	s     Style
	width int
	err   error
	begun bool // something was written
}

// Text writes a diagnosis for a terminal: verdict first, then the evidence
// with its origin, why, the next test, the remedy with its blast radius, and
// one summary line at the end.
func Text(w io.Writer, d *ddx.Diagnosis, s Style) error {
	p := newPrinter(w, s)
	p.header(d)
	shown, hidden := 0, 0
	for i := range d.Findings {
		f := &d.Findings[i]
		if len(f.ExplainedBy) > 0 && i > 0 {
			p.consequence(f)
			continue
		}
		if !s.All && (f.Verdict == ddx.Possible && (shown >= maxPossible || f.Probability < faint) || f.Verdict == ddx.RuledOut) {
			hidden++
			continue
		}
		if f.Verdict == ddx.Possible {
			shown++
		}
		p.finding(f, i == 0)
	}
	p.rest(d, hidden)
	return p.err
}

func newPrinter(w io.Writer, s Style) *printer {
	p := &printer{w: w, s: s, width: s.Width}
	if p.width < 40 {
		p.width = 80
		if s.Width > 0 {
			p.width = 40
		}
	}
	return p
}

// What is shown of the possible findings: so many, and none that only weak signs
// speak for. --all shows the rest.
const (
	maxPossible = 5
	faint       = 0.08
)

func (p *printer) printf(format string, args ...any) {
	p.begun = true
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *printer) paint(color, s string) string {
	if !p.s.Color || color == "" {
		return s
	}
	return color + s + reset
}

func (p *printer) header(d *ddx.Diagnosis) {
	var parts []string
	for _, s := range []string{d.Host.Name, d.Host.Product, d.Host.OS, d.Host.Kernel} {
		if s != "" {
			parts = append(parts, Visible(s))
		}
	}
	if len(parts) > 0 {
		p.printf("%s\n", p.paint(dim, p.cut(strings.Join(parts, "  "))))
	}
	if len(d.Findings) == 0 {
		if d.Exit() == 0 {
			p.headline(p.paint(green, "Nothing found")+": ", "  ", "", lookedAt(d)+".")
			return
		}
		p.headline(p.paint(yellow, "Nothing found, but not everything could be looked at")+": ", "  ", "", lookedAt(d)+".")
	}
}

func (p *printer) finding(f *ddx.Finding, first bool) {
	color := map[ddx.Verdict]string{ddx.Confirmed: red, ddx.Likely: yellow, ddx.Possible: cyan, ddx.RuledOut: dim}[f.Verdict]
	if p.begun {
		p.printf("\n")
	}
	p.headline(p.paint(bold+color, strings.ToUpper(string(f.Verdict)))+"  ", "  ", bold, f.Title)
	when := p.when(f)
	if when != "" && (p.s.Width == 0 || columns("  "+f.ID+"  "+when) <= p.width) {
		p.printf("  %s  %s\n", Visible(f.ID), p.paint(dim, when))
	} else {
		p.printf("  %s\n", Visible(f.ID))
		if when != "" {
			p.headline("  ", "  ", dim, when)
		}
	}
	if line, is := cleared(f); is {
		p.quote("  cleared by ", "    ", line)
	}
	if f.Accepted != "" {
		p.headline("  accepted: ", "    ", "", f.Accepted)
	}
	if len(f.ExplainedBy) > 0 {
		p.headline("  explained by ", "    ", "", strings.Join(f.ExplainedBy, ", "))
	}
	full := f.Verdict.Rank() <= ddx.Likely.Rank() || first || p.s.All
	if full {
		p.wrap("  ", f.Summary)
	}
	p.evidence(f, full)
	if !full {
		if len(f.NextTests) > 0 {
			p.printf("  next    %s\n", p.cut(Visible(f.NextTests[0].Command)))
		}
		return
	}
	p.whys(f)
	if len(f.NextTests) > 0 {
		t := f.NextTests[0]
		p.headline("  next    ", "          ", "", t.Title)
		p.printf("          $ %s  (%s)\n", Visible(t.Command), t.Cost)
	}
	p.remedies(f)
}

func (p *printer) consequence(f *ddx.Finding) {
	p.printf("\n")
	if p.s.Width == 0 || columns("  -> follows from it: "+f.Title+"  "+f.ID) <= p.width {
		p.printf("  %s %s  %s\n", p.paint(dim, "-> follows from it:"), Visible(f.Title), p.paint(dim, Visible(f.ID)))
	} else {
		p.headline("  "+p.paint(dim, "-> follows from it:")+" ", "     ", "", f.Title)
		p.printf("     %s\n", p.paint(dim, Visible(f.ID)))
	}
	for _, e := range f.Evidence {
		if e.Effect == ddx.Confirms || e.Effect == ddx.Supports {
			p.printf("     %s %s\n", p.cut(Visible(oneLine(e.Text))), p.paint(dim, Visible(e.Origin)))
			break
		}
	}
}

// when says when the signs of a finding were seen. One sign alone, and a state
// that a look met, does not tell when it began.
func (p *printer) when(f *ddx.Finding) string {
	var parts []string
	at := func(t *time.Time) string { return t.UTC().Format(time.DateTime) + " UTC" }
	switch {
	case f.FirstSeen != nil && f.LastSeen != nil && f.LastSeen.After(*f.FirstSeen):
		parts = append(parts, "since "+at(f.FirstSeen))
	case f.LastSeen != nil:
		parts = append(parts, "seen at "+at(f.LastSeen))
	}
	switch f.Active {
	case ddx.Yes:
		parts = append(parts, "active")
	case ddx.No:
		parts = append(parts, "not active")
	}
	if f.Latent {
		parts = append(parts, "a risk, not a cause")
	}
	if len(parts) == 0 {
		return ""
	}
	s := strings.Join(parts, ", ")
	if _, is := cleared(f); f.ActiveWhy != "" && !is {
		s += " (" + Visible(f.ActiveWhy) + ")"
	}
	return s
}

// cleared returns the line that ended a finding; as evidence it stands on a line
// of its own.
func cleared(f *ddx.Finding) (line string, is bool) {
	return strings.CutPrefix(f.ActiveWhy, "cleared: ")
}

// evidence lists what speaks for (+) and against (-).
func (p *printer) evidence(f *ddx.Finding, full bool) {
	limit := 3
	if full {
		limit = 8
	}
	// One line can speak through several indicators: it is shown once, by the
	// strongest, which stands first.
	lines := make([]ddx.Support, 0, len(f.Evidence))
	for _, e := range f.Evidence {
		if p.s.All || !slices.ContainsFunc(lines, func(o ddx.Support) bool { return o.Origin == e.Origin && o.Text == e.Text }) {
			lines = append(lines, e)
		}
	}
	for i, e := range lines {
		if i == limit && !p.s.All {
			p.printf("    %s\n", p.paint(dim, fmt.Sprintf("... and %d more (--all)", len(lines)-limit)))
			break
		}
		mark := "+"
		if e.Effect == ddx.Against || e.Effect == ddx.Refutes {
			mark = "-"
		}
		times := ""
		if e.Count > 1 {
			times = fmt.Sprintf("  x%d", e.Count)
		}
		p.quote("  "+mark+" ", "    ", e.Text)
		p.headline("      ", "        ", dim, fmt.Sprintf("%s  %s%s", e.Origin, strength(e), times))
	}
}

func strength(e ddx.Support) string {
	if e.Strength == "" {
		return string(e.Effect)
	}
	return string(e.Effect) + ", " + string(e.Strength)
}

func (p *printer) whys(f *ddx.Finding) {
	for i, w := range f.Whys {
		label := "      "
		if i == 0 {
			label = "  why "
		}
		p.wrapAt(label+fmt.Sprintf("%d ", i+1), "        ", w)
	}
}

func (p *printer) remedies(f *ddx.Finding) {
	for i, r := range f.Remedies {
		if i == 2 && !p.s.All {
			p.headline("  ", "    ", dim, fmt.Sprintf("... and %d more remedies: ddx explain %s", len(f.Remedies)-i, f.Mode))
			return
		}
		when := ""
		if r.When != "" {
			when = "  (" + r.When + ")"
		}
		p.headline("  fix     ", "          ", bold, r.Title+when)
		for _, s := range r.Steps {
			if s.Run != "" {
				p.printf("          $ %s\n", Visible(s.Run))
			} else {
				p.wrapAt("          * ", "            ", s.Do)
			}
		}
		for _, b := range r.BlastRadius {
			if b.Applies == ddx.No && !p.s.All {
				continue
			}
			mark := map[ddx.Active]string{ddx.Yes: "!", ddx.Unknown: "?", ddx.No: " "}[b.Applies]
			p.wrapAt("    "+mark+"     ", "          ", b.Effect)
		}
	}
}

func (p *printer) rest(d *ddx.Diagnosis, hidden int) {
	if len(d.Unexplained) > 0 {
		p.printf("\n%s\n", p.paint(bold, "Unexplained warnings and errors"))
		for i, u := range d.Unexplained {
			if i == 5 && !p.s.All {
				p.printf("  %s\n", p.paint(dim, fmt.Sprintf("... and %d more kinds (--all)", len(d.Unexplained)-i)))
				break
			}
			p.quote(fmt.Sprintf("  %4dx  ", u.Count), "         ", u.Text)
		}
	}
	p.notExamined(d.NotExamined)
	p.unrecognised(d)
	if len(d.Findings) > 0 && len(d.NextTests) > 0 && d.Findings[0].Verdict != ddx.Confirmed {
		t := d.NextTests[0]
		p.printf("\n")
		p.headline(p.paint(bold, "Best next test")+"  ", "  ", "", t.Title)
		p.printf("  $ %s\n", Visible(t.Command))
	}
	more := ""
	if hidden > 0 {
		more = fmt.Sprintf("; %d faint or ruled out not shown (--all)", hidden)
	}
	p.printf("\n")
	p.headline("", "  ", "", Summary(d)+more)
}
