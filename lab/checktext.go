package lab

import (
	"fmt"
	"io"
	"strings"
)

// WriteText writes a check for a terminal: verdicts, counts and every trace.
// Traces that another one begins with are told once.
func (r *CheckResult) WriteText(w io.Writer) error {
	var b strings.Builder
	on := "none"
	if len(r.Safeguards) > 0 {
		on = strings.Join(r.Safeguards, ", ")
	}
	fmt.Fprintf(&b, "model %s, safeguards: %s\n", r.Model, on)
	extent := "every interleaving"
	if !r.Complete {
		extent = "INCOMPLETE: stopped at the state limit"
	}
	fmt.Fprintf(&b, "%d states (%d stored), %d transitions, %s\n\n", r.States, r.Stored, r.Transitions, extent)
	for _, name := range r.order {
		v := r.Invariants[name]
		switch {
		case !v.Holds:
			fmt.Fprintf(&b, "- %-18s broken at step %d\n", name, v.Length)
		case r.Complete:
			fmt.Fprintf(&b, "+ %-18s holds\n", name)
		default:
			fmt.Fprintf(&b, "? %-18s not broken so far\n", name)
		}
	}
	switch {
	case r.TrapStates > 0:
		fmt.Fprintf(&b, "- %-18s %d trap states: from these the newest plan can never be reached\n", "Convergence", r.TrapStates)
	case r.TrapStates == 0:
		fmt.Fprintf(&b, "+ %-18s no trap states\n", "Convergence")
	default:
		fmt.Fprintf(&b, "? %-18s not known\n", "Convergence")
	}
	for _, name := range r.tellable() {
		v := r.Invariants[name]
		fmt.Fprintf(&b, "\nshortest way to break %s (%d steps)\n", name, v.Length)
		for _, s := range v.Trace {
			mark := ""
			if len(s.Breaks) > 0 {
				mark = "  <- breaks " + strings.Join(s.Breaks, ", ")
			}
			fmt.Fprintf(&b, "%4d  %s%s\n      %s\n", s.Step, s.Text, mark, s.State)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// tellable returns the broken invariants whose trace is not the beginning of,
// or the same as, that of another one already listed.
func (r *CheckResult) tellable() []string {
	var names []string
	for _, name := range r.order {
		v := r.Invariants[name]
		if v.Holds {
			continue
		}
		told := false
		for _, other := range names {
			told = told || beginsWith(r.Invariants[other].Trace, v.Trace)
		}
		if !told {
			names = append(names, name)
		}
	}
	return names
}

func beginsWith(long, short []TraceStep) bool {
	if len(short) > len(long) {
		return false
	}
	for i := range short {
		if short[i].Text != long[i].Text {
			return false
		}
	}
	return true
}
