package output

import (
	"io"
	"strings"
	"time"

	"ddx"
)

// Markdown writes a diagnosis for a ticket.
func Markdown(w io.Writer, d *ddx.Diagnosis) error {
	p := &printer{w: w}
	name := d.Host.Name
	if name == "" {
		name = "host"
	}
	p.printf("# Diagnosis of %s\n\n%s, catalogue %s\n\n", Visible(name), d.Now.UTC().Format(time.RFC3339), d.Catalogue)
	if len(d.Findings) == 0 {
		but := ""
		if d.Exit() != 0 {
			but = ", but not everything could be looked at"
		}
		p.printf("Nothing found%s: %s.\n\n", but, lookedAt(d))
	}
	for i := range d.Findings {
		p.findingMarkdown(&d.Findings[i])
	}
	if len(d.NotExamined) > 0 {
		p.printf("## Could not look at\n\n")
		for _, n := range d.NotExamined {
			p.printf("* %s: %s\n", code(n.What), Visible(oneLine(n.Why)))
		}
		p.printf("\n")
	}
	if len(d.Unexplained) > 0 {
		p.printf("## Unexplained\n\n")
		for _, u := range d.Unexplained {
			p.printf("* %d x %s\n", u.Count, code(oneLine(u.Text)))
		}
		p.printf("\n")
	}
	p.printf("%s\n", Summary(d))
	return p.err
}

func (p *printer) findingMarkdown(f *ddx.Finding) {
	p.printf("## %s: %s\n\n%s", f.Verdict, Visible(f.Title), code(f.ID))
	if len(f.ExplainedBy) > 0 {
		p.printf(", explained by %s", code(strings.Join(f.ExplainedBy, ", ")))
	}
	p.printf("\n\n%s\n\n", Visible(strings.Join(strings.Fields(f.Summary), " ")))
	for _, e := range f.Evidence {
		p.printf("* %s: %s (%s)\n", strength(e), code(oneLine(e.Text)), Visible(e.Origin))
	}
	p.printf("\n")
	if len(f.ExplainedBy) > 0 {
		return
	}
	for i, w := range f.Whys {
		p.printf("%d. %s\n", i+1, Visible(w))
	}
	for _, t := range f.NextTests {
		p.printf("\nNext test: %s\n\n    %s\n", Visible(t.Title), Visible(t.Command))
		break
	}
	for _, r := range f.Remedies {
		p.printf("\n### %s\n\n", Visible(r.Title))
		for _, s := range r.Steps {
			if s.Run != "" {
				p.printf("    %s\n", Visible(s.Run))
			} else {
				p.printf("* %s\n", Visible(s.Do))
			}
		}
		for _, b := range r.BlastRadius {
			p.printf("* blast radius: %s (%s)\n", Visible(b.Effect), b.Applies)
		}
	}
	p.printf("\n")
}

// code quotes untrusted text as code; a backtick in it cannot end the quote.
func code(s string) string { return "`" + strings.ReplaceAll(Visible(s), "`", "'") + "`" }
