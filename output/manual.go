package output

import (
	"fmt"
	"io"
	"strings"

	"ddx"
)

// Manual writes the manual page of a mode for a terminal.
func Manual(w io.Writer, m *ddx.Mode, remedies map[string]*ddx.Remedy, s Style) error {
	p := &printer{w: w, s: s, width: max(s.Width, 40)}
	if s.Width == 0 {
		p.width = 80
	}
	pg := manual(m, remedies)
	p.printf("%s  %s\n", p.paint(bold, m.ID), m.Title)
	p.printf("%s\n", p.paint(dim, pg.tags))
	for _, sec := range pg.sections {
		p.printf("\n%s\n", p.paint(bold, strings.ToUpper(sec.title)))
		for _, l := range sec.lines {
			switch l.kind {
			case command:
				p.printf("    $ %s\n", l.text)
			case verbatim:
				p.printf("    %s\n", l.text)
			case item:
				p.wrapAt("  - ", "    ", l.text)
			case note:
				p.wrapAt("      ", "      ", l.text)
			default:
				p.wrapAt("  ", "  ", l.text)
			}
		}
	}
	return p.err
}

// ManualMarkdown writes the manual page of a mode for docs/modes.
func ManualMarkdown(w io.Writer, m *ddx.Mode, remedies map[string]*ddx.Remedy) error {
	p := &printer{w: w}
	pg := manual(m, remedies)
	p.printf("# %s\n\n%s\n\n%s\n", m.ID, m.Title, pg.tags)
	for _, sec := range pg.sections {
		p.printf("\n## %s\n\n", sec.title)
		for _, l := range sec.lines {
			switch l.kind {
			case command, verbatim:
				p.printf("      %s\n", l.text)
			case item:
				p.printf("* %s\n", l.text)
			case note:
				p.printf("  * %s\n", l.text)
			default:
				p.printf("%s\n", l.text)
			}
		}
	}
	return p.err
}

type lineKind int

const (
	prose lineKind = iota
	item
	note
	command
	verbatim
)

type manualLine struct {
	kind lineKind
	text string
}

type section struct {
	title string
	lines []manualLine
}

type page struct {
	tags     string
	sections []section
}

func (s *section) add(kind lineKind, format string, args ...any) {
	s.lines = append(s.lines, manualLine{kind, strings.TrimSpace(fmt.Sprintf(format, args...))})
}

// manual lays out the page once for both forms.
func manual(m *ddx.Mode, remedies map[string]*ddx.Remedy) page {
	pg := page{tags: fmt.Sprintf("family %s, about a %s, %s, %s", m.Family, m.Subject, m.Frequency, m.Review)}
	if m.Latent {
		pg.tags += ", a latent risk"
	}
	add := func(title string, fill func(*section)) {
		s := section{title: title}
		if fill(&s); len(s.lines) > 0 {
			pg.sections = append(pg.sections, s)
		}
	}
	add("Summary", func(s *section) { s.add(prose, "%s", strings.Join(strings.Fields(m.Summary), " ")) })
	add("Symptoms", func(s *section) {
		for _, x := range m.Symptoms {
			s.add(item, "%s", x)
		}
	})
	add("Applies", func(s *section) {
		for _, c := range m.Applies {
			s.add(item, "only where %s: %s", c.Fact, c.When)
		}
	})
	add("Indicators", func(s *section) { indicators(s, m) })
	add("Why", func(s *section) {
		for i, x := range m.Whys {
			s.add(item, "%d. %s", i+1, x)
		}
	})
	add("Leads to", func(s *section) {
		for _, e := range m.LeadsTo {
			s.add(item, "%s%s", e.Mode, dash(e.Why))
		}
	})
	add("Confused with", func(s *section) {
		for _, c := range m.ConfusedWith {
			s.add(item, "%s (test: %s)", c.Mode, c.Test)
		}
	})
	add("Tests", func(s *section) {
		for _, t := range m.Tests {
			s.add(item, "%s: %s (%s)", t.ID, t.Title, t.Cost)
			s.add(command, "%s", t.Run)
			for _, o := range t.Outcomes {
				s.add(note, "%s%s", o.If, outcome(o))
			}
		}
	})
	add("Remedies", func(s *section) {
		for _, ref := range m.Remedies {
			remedyLines(s, ref, remedies[ref.ID])
		}
	})
	add("References", func(s *section) {
		for _, r := range m.References {
			s.add(item, "%s", r)
		}
	})
	return pg
}

func dash(s string) string {
	if s == "" {
		return ""
	}
	return ": " + s
}

func outcome(o ddx.Outcome) string {
	s := ""
	if len(o.Supports) > 0 {
		s += " -> speaks for " + strings.Join(o.Supports, ", ")
	}
	if len(o.Refutes) > 0 {
		s += " -> speaks against " + strings.Join(o.Refutes, ", ")
	}
	return s
}

func indicators(s *section, m *ddx.Mode) {
	for i := range m.Indicators {
		ind := &m.Indicators[i]
		s.add(item, "%s %s %s", ind.ID, ind.Effect, ind.Strength)
		if ind.Title != "" {
			s.add(note, "%s", ind.Title)
		}
		for _, p := range ind.Log {
			s.add(verbatim, "%s", p)
			if p.Printed != "" {
				s.add(note, "printed by %s", p.Printed)
			}
		}
		if ind.Fact != "" {
			s.add(verbatim, "%s: %s", ind.Fact, ind.When)
		} else if ind.When != "" {
			s.add(note, "when %s", ind.When)
		}
		if ind.Count > 0 {
			s.add(note, "at least %d times %s", ind.Count, within(ind.Within))
		}
	}
}

func within(d string) string {
	if d == "" {
		return ""
	}
	return "within " + d
}

func remedyLines(s *section, ref ddx.RemedyRef, r *ddx.Remedy) {
	if r == nil {
		return
	}
	when := ""
	if ref.When != "" {
		when = ", when: " + ref.When
	}
	s.add(item, "%s%s", r.Title, when)
	for _, x := range r.Prerequisites {
		s.add(note, "needs: %s", x)
	}
	for _, x := range r.Steps {
		if x.Run != "" {
			s.add(command, "%s", x.Run)
		} else {
			s.add(note, "%s", x.Do)
		}
	}
	for _, b := range r.BlastRadius {
		cond := ""
		if b.When != "" {
			cond = " (when " + b.When + ")"
		}
		s.add(note, "blast radius: %s%s", b.Effect, cond)
	}
	for _, v := range r.Verify {
		s.add(note, "verify: %s", v)
	}
	if r.Back != "" {
		s.add(note, "way back: %s", r.Back)
	}
}
