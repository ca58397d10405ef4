package output

import (
	"cmp"
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
}

// Text writes a diagnosis for a terminal: verdict first, then the evidence
// with its origin, why, the next test, the remedy with its blast radius, and
// one summary line at the end.
func Text(w io.Writer, d *ddx.Diagnosis, s Style) error {
	p := &printer{w: w, s: s, width: s.Width}
	if p.width < 40 {
		p.width = 80
		if s.Width > 0 {
			p.width = 40
		}
	}
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

// What is shown of the possible findings: so many, and none that only weak signs
// speak for. --all shows the rest.
const (
	maxPossible = 5
	faint       = 0.08
)

func (p *printer) printf(format string, args ...any) {
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

func (p *printer) finding(f *ddx.Finding, first bool) {
	color := map[ddx.Verdict]string{ddx.Confirmed: red, ddx.Likely: yellow, ddx.Possible: cyan, ddx.RuledOut: dim}[f.Verdict]
	p.printf("\n")
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

func (p *printer) when(f *ddx.Finding) string {
	var parts []string
	if f.FirstSeen != nil {
		parts = append(parts, "since "+f.FirstSeen.UTC().Format(time.DateTime)+" UTC")
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
			p.printf("  %4dx  %s\n", u.Count, p.cutBy(8, Visible(oneLine(u.Text))))
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
	p.printf("\n%s%s\n", Summary(d), more)
}

// notExamined lists what could not be looked at: first what would have
// mattered. What this machine simply does not have is only counted.
func (p *printer) notExamined(all []ddx.NotExamined) {
	// What decides the exit status stands first.
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(x, y ddx.NotExamined) int { return cmp.Compare(rankOf(x), rankOf(y)) })
	var shown []ddx.NotExamined
	for _, x := range all {
		if p.s.All || x.Basic || x.Named || x.Decides || len(x.NeededBy) > 0 && !strings.HasPrefix(x.Why, string(ddx.NotThere)) {
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

// rankOf tells how much it matters that something could not be looked at.
func rankOf(x ddx.NotExamined) int {
	switch {
	case x.Named:
		return 0
	case x.Decides:
		return 1
	case x.Basic:
		return 2
	}
	return 3
}

func numbered(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// unrecognised names the material whose form is unknown.
func (p *printer) unrecognised(d *ddx.Diagnosis) {
	shown := 0
	for _, x := range d.Examined {
		if x.Kind != "unrecognised" {
			continue
		}
		if shown++; shown == 1 {
			p.printf("\n")
			p.headline("", "", bold, "Form not recognised, scanned for log patterns only")
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
	if len(d.NotExamined) > 0 {
		s += "; " + numbered(len(d.NotExamined), "look was impossible", "looks were impossible")
	}
	return s
}
