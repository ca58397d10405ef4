package dns

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// WriteText writes a verdict for a person: the class first, what shows it, what
// else was seen, what could not be looked at. Text that came over the network is
// written as it is: the caller makes it harmless for a terminal.
func WriteText(w io.Writer, v Verdict, advice []Advice) error {
	var b strings.Builder
	name := strings.TrimSuffix(v.Name, ".")
	fmt.Fprintf(&b, "%s: %s", name, v.Class)
	if v.Level != "" {
		fmt.Fprintf(&b, " (%s)", v.Level)
	}
	b.WriteByte('\n')
	for _, f := range v.Findings {
		fmt.Fprintf(&b, "  %s %s: %s\n", mark(f.Level), f.Class, f.Summary)
		for i, e := range f.Evidence {
			if i == 8 {
				fmt.Fprintf(&b, "      and %d more\n", len(f.Evidence)-i)
				break
			}
			fmt.Fprintf(&b, "      %s\n", e)
		}
	}
	if !v.Clears.IsZero() && v.Negative > 0 {
		fmt.Fprintf(&b, "  last negative cache clears at %s\n", v.Clears.UTC().Format(time.RFC3339))
	}
	if len(v.Chain) > 1 {
		fmt.Fprintf(&b, "  chain %s\n", strings.Join(v.Chain, " -> "))
	}
	if len(v.Addresses) > 0 {
		fmt.Fprintf(&b, "  addresses %s\n", strings.Join(v.Addresses, " "))
	}
	if v.Generation > 0 {
		fmt.Fprintf(&b, "  generation %d\n", v.Generation)
	}
	fmt.Fprintf(&b, "  asked %s, %s\n", plural(v.Authorities, "authoritative server"), plural(v.Resolvers, "resolver"))
	for _, g := range v.Gaps {
		fmt.Fprintf(&b, "  ? not looked at: %s: %s\n", g.What, g.Why)
	}
	for _, a := range advice {
		fmt.Fprintf(&b, "  lint %s: %s\n", a.Rule, a.Text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// mark is the sign of a level at the beginning of a line.
func mark(l Level) string {
	switch l {
	case Wrong:
		return "-"
	case Suspect:
		return "?"
	}
	return "+"
}
