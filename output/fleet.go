package output

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"ddx"
)

// fewHosts is up to how many hosts the text of a fleet shows each in full.
const fewHosts = 3

// FleetText writes the diagnosis of several hosts for a terminal: what is wrong
// on how many of them, then each of a few in full, or a line for each of many
// that something is wrong with.
func FleetText(w io.Writer, f *ddx.Fleet, s Style) error {
	p := newPrinter(w, s)
	c := countHosts(f.Hosts)
	p.headline("", "  ", bold, c.String())
	shown := 0
	for i := range f.Findings {
		x := &f.Findings[i]
		if len(x.ExplainedBy) == 0 {
			if shown++; shown > maxFleetFindings && !s.All {
				p.printf("\n%s\n", p.paint(dim, fmt.Sprintf("... and %d more modes (--all)", len(f.Findings)-i)))
				break
			}
		}
		p.fleetFinding(x, c.hosts)
	}
	if len(f.Hosts) <= fewHosts || s.All {
		for _, d := range f.Hosts {
			p.printf("\n%s\n", p.paint(bold, "== "+hostName(d.Host.Name)+" =="))
			if p.err == nil {
				p.err = Text(w, d, s)
			}
		}
	} else {
		p.hostLines(f)
		p.printf("\n")
		p.headline("", "  ", dim, "One host in full: the same command with --host NAME; all of them: --all")
	}
	p.printf("\n")
	p.headline("", "  ", "", c.String())
	return p.err
}

// What the text of a fleet shows at most without --all.
const (
	maxFleetFindings = 10
	maxHostLines     = 20
	maxHostNames     = 12
)

// hostCounts counts hosts by what their exit status would be. What lies outside
// of hosts/ is no host; it counts only where it shows something.
type hostCounts struct{ hosts, wrong, incomplete, possible int }

func countHosts(all []*ddx.Diagnosis) (c hostCounts) {
	for _, d := range all {
		if outside(d) {
			continue
		}
		c.hosts++
		switch d.Exit() {
		case 3:
			c.wrong++
		case 4:
			c.incomplete++
		default:
			if len(d.Findings) > 0 {
				c.possible++
			}
		}
	}
	return c
}

func (c hostCounts) String() string {
	s := fmt.Sprintf("%s: something is wrong on %d", numbered(c.hosts, "host", "hosts"), c.wrong)
	if c.incomplete > 0 {
		s += fmt.Sprintf(", not everything could be looked at on %d", c.incomplete)
	}
	if c.possible > 0 {
		s += fmt.Sprintf(", something possible or known on %d", c.possible)
	}
	return s + fmt.Sprintf(", nothing found on %d", c.hosts-c.wrong-c.incomplete-c.possible)
}

// outside reports whether a diagnosis is of what lies outside of hosts/, and
// shows nothing.
func outside(d *ddx.Diagnosis) bool {
	return d.Host.Name == "" && d.Exit() == 0 && len(d.Findings) == 0
}

func hostName(name string) string {
	if name == "" {
		return "(outside of hosts/)"
	}
	return Visible(name)
}

// fleetFinding shows a mode over all hosts.
func (p *printer) fleetFinding(x *ddx.FleetFinding, of int) {
	on := fmt.Sprintf("on %d of %s", len(x.Hosts), numbered(of, "host", "hosts"))
	if len(x.ExplainedBy) > 0 {
		p.headline("  "+p.paint(dim, "-> follows from it:")+" ", "     ", "", x.Title+", "+on)
		p.printf("     %s\n", p.paint(dim, Visible(x.ID)))
		return
	}
	color := map[ddx.Verdict]string{ddx.Confirmed: red, ddx.Likely: yellow}[x.Verdict]
	p.printf("\n")
	p.headline(p.paint(bold+color, strings.ToUpper(string(x.Verdict)))+"  ", "  ", bold, x.Title+", "+on)
	p.headline("  ", "    ", "", x.ID+"  "+p.when(&x.Finding))
	if x.Accepted != "" {
		p.headline("  accepted: ", "    ", "", x.Accepted)
	}
	var names []string
	for i, h := range x.Hosts {
		if i == maxHostNames && !p.s.All {
			names = append(names, fmt.Sprintf("and %d more", len(x.Hosts)-i))
			break
		}
		name := hostName(h.Host)
		if i == 0 && h.FirstSeen != nil && len(x.Hosts) > 1 {
			name += " (first)"
		}
		names = append(names, name)
	}
	p.wrapAt("  on      ", "          ", strings.Join(names, ", "))
	if len(x.Evidence) > 0 {
		e := x.Evidence[0]
		p.quote("  + ", "    ", e.Text)
		p.headline("      ", "        ", dim, hostName(e.Host)+"  "+e.Origin)
	}
	p.wrapAt("  why     ", "          ", strings.Join(x.Whys[:min(1, len(x.Whys))], ""))
	p.printf("  more    $ ddx explain %s\n", Visible(x.Mode))
}

// hostLines shows a line for each host that something is wrong with or that
// could not be looked at, the worst first.
func (p *printer) hostLines(f *ddx.Fleet) {
	type row struct{ word, color, name, what string }
	var rows []row
	wide := 0
	for _, status := range []int{3, 4} {
		for _, d := range f.Hosts {
			if d.Exit() != status {
				continue
			}
			r := row{"INCOMPLETE", yellow, hostName(d.Host.Name), notSeen(d)}
			if status == 3 {
				r.word, r.what = wrongOn(d)
				r.color = map[string]string{"CONFIRMED": red, "LIKELY": yellow}[r.word]
			}
			wide = max(wide, columns(r.name))
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		return
	}
	p.printf("\n%s\n", p.paint(bold, "Hosts"))
	wide = min(wide, p.width/3)
	for i, r := range rows {
		if i == maxHostLines && !p.s.All {
			p.printf("  %s\n", p.paint(dim, fmt.Sprintf("... and %d more (--all)", len(rows)-i)))
			return
		}
		pad := strings.Repeat(" ", max(0, wide-columns(r.name)))
		what := Visible(r.what)
		if p.s.Width > 0 {
			what = p.cutBy(16+max(wide, columns(r.name)), what)
		}
		p.printf("  %s%s  %s%s  %s\n", p.paint(r.color, r.word), strings.Repeat(" ", 10-len(r.word)), r.name, pad, what)
	}
}

// wrongOn names the modes that something is wrong with on a host, the answer first.
func wrongOn(d *ddx.Diagnosis) (word, what string) {
	var modes []string
	for i := range d.Findings {
		f := &d.Findings[i]
		if !f.Wrong() || slices.Contains(modes, f.Mode) {
			continue
		}
		if len(modes) == 0 {
			word = strings.ToUpper(string(f.Verdict))
		}
		modes = append(modes, f.Mode)
	}
	if n := len(modes); n > 2 {
		return word, strings.Join(modes[:2], ", ") + fmt.Sprintf(" and %d more", n-2)
	}
	return word, strings.Join(modes, ", ")
}

// notSeen names the first thing that could not be looked at and matters.
func notSeen(d *ddx.Diagnosis) string {
	for _, n := range d.NotExamined {
		if n.Basic || n.Named || n.Decides {
			return n.What + ": " + oneLine(n.Why)
		}
	}
	return ""
}

// FleetMarkdown writes the diagnosis of several hosts for a ticket.
func FleetMarkdown(w io.Writer, f *ddx.Fleet) error {
	p := &printer{w: w}
	c := countHosts(f.Hosts)
	p.printf("# Diagnosis of %s\n\n%s.\n", numbered(c.hosts, "host", "hosts"), c)
	if len(f.Findings) > 0 {
		p.printf("\n| verdict | what | hosts | first seen | which |\n|---|---|---|---|---|\n")
	}
	for i := range f.Findings {
		x := &f.Findings[i]
		first := ""
		if x.FirstSeen != nil {
			first = x.FirstSeen.UTC().Format(time.DateTime)
		}
		var names []string
		for _, h := range x.Hosts[:min(len(x.Hosts), maxHostNames)] {
			names = append(names, hostName(h.Host))
		}
		if n := len(x.Hosts) - len(names); n > 0 {
			names = append(names, fmt.Sprintf("and %d more", n))
		}
		cell := strings.NewReplacer("|", `\|`)
		p.printf("| %s | %s (%s) | %d | %s | %s |\n", x.Verdict, cell.Replace(Visible(x.Title)), code(x.Mode), len(x.Hosts), first, cell.Replace(strings.Join(names, ", ")))
	}
	var quiet []string
	for _, d := range f.Hosts {
		if outside(d) {
			continue
		}
		if d.Exit() == 0 && len(d.Findings) == 0 {
			quiet = append(quiet, hostName(d.Host.Name))
			continue
		}
		p.printf("\n")
		if p.err == nil {
			p.err = Markdown(w, d)
		}
	}
	if len(quiet) > 0 {
		p.printf("\nNothing found on: %s\n", strings.Join(quiet, ", "))
	}
	return p.err
}
