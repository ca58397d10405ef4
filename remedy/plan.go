package remedy

import (
	"fmt"
	"slices"
	"strings"

	"ddx"
	"ddx/catalog"
	"ddx/diagnose"
)

// Fill gives every finding of a diagnosis its plans, best first, and fills in
// the variables of its tests.
func Fill(cat *catalog.Catalogue, d *ddx.Diagnosis, facts []ddx.Fact) error {
	q := diagnose.NewQuery(cat, facts, d.Now)
	for i := range d.Findings {
		f := &d.Findings[i]
		m := cat.Mode(f.Mode)
		for _, ref := range m.Remedies {
			r := cat.Remedies[ref.ID]
			if r == nil {
				return fmt.Errorf("plan %s: remedy %q does not exist; 'ddx catalog lint' shows all such errors", f.ID, ref.ID)
			}
			f.Remedies = append(f.Remedies, plan(q, f, ref, r))
		}
		vars := variables(q, f)
		for j := range f.NextTests {
			f.NextTests[j].Command = fill(f.NextTests[j].Command, vars)
		}
	}
	for i := range d.NextTests {
		vars := map[string]string{}
		for j := range d.Findings {
			f := &d.Findings[j]
			if f.Verdict != ddx.RuledOut && slices.Contains(d.NextTests[i].Separates, f.Mode) {
				vars = variables(q, f)
				break
			}
		}
		d.NextTests[i].Command = fill(d.NextTests[i].Command, vars)
	}
	return nil
}

func plan(q *diagnose.Query, f *ddx.Finding, ref ddx.RemedyRef, r *ddx.Remedy) ddx.Plan {
	p := ddx.Plan{ID: r.ID, Title: r.Title, When: ref.When, Back: r.Back, Conflicts: r.Conflicts,
		Steps: []ddx.Step{}, Prerequisites: append([]string{}, r.Prerequisites...), BlastRadius: []ddx.Blast{}, Verify: append([]string{}, r.Verify...)}
	vars := variables(q, f)
	for _, s := range r.Steps {
		p.Steps = append(p.Steps, ddx.Step{Run: fill(s.Run, vars), Do: fill(s.Do, vars)})
	}
	for _, b := range r.BlastRadius {
		p.BlastRadius = append(p.BlastRadius, blast(q, b))
	}
	return p
}

// blast decides whether an effect reaches this machine, and by which fact.
func blast(q *diagnose.Query, b ddx.BlastEffect) ddx.Blast {
	out := ddx.Blast{Effect: b.Effect, Applies: ddx.Yes, Because: "always"}
	if b.Fact == "" {
		return out
	}
	truth, f := q.Any(b.Fact, b.When)
	switch truth {
	case catalog.True:
		out.Because = b.When
		if f != nil && len(f.Evidence) > 0 {
			out.Because = fmt.Sprintf("%s (%s)", b.When, f.Evidence[0].Origin)
		}
	case catalog.False:
		out.Applies, out.Because = ddx.No, "not so here: "+b.When
	default:
		out.Applies, out.Because = ddx.Unknown, fmt.Sprintf("no %s among the evidence tells: %s", b.Fact, b.When)
	}
	return out
}

// variables are what the evidence tells of the names in steps.
func variables(q *diagnose.Query, f *ddx.Finding) map[string]string {
	vars := map[string]string{}
	if f.Subject.Name != "" {
		vars[string(f.Subject.Kind)] = f.Subject.Name
	}
	if f.Subject.Kind == ddx.Task {
		if comm, pid, ok := cutLast(f.Subject.Name, ":"); ok {
			vars["task"], vars["pid"] = comm, pid
		}
	}
	if id := q.Only("cloud.instance"); id != nil {
		vars["instance"], vars["zone"], vars["region"] = id.Subject.Name, id.String("zone"), id.String("region")
		if g := id.Strings("security_groups"); len(g) == 1 {
			vars["group"] = g[0]
		}
	}
	if st := q.Only("cloud.status"); st != nil && vars["instance"] == "" {
		vars["instance"] = st.Subject.Name
	}
	if eni := q.Only("cloud.eni"); eni != nil {
		vars["eni"] = eni.Subject.Name
	}
	return vars
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// Unfilled is a step or command as it is for no machine in particular: with
// <name> for all that the operator must put in.
func Unfilled(step string) string { return fill(step, nil) }

// fill replaces {name} by what is known and <name> by what the operator must
// put in.
func fill(step string, vars map[string]string) string {
	for _, name := range catalog.RemedyVariables {
		v := vars[name]
		if v == "" || strings.ContainsAny(v, " \t\n'\"`$;&|<>(){}\\") {
			v = "<" + name + ">" // unknown, or nothing to put into a shell line
		}
		step = strings.ReplaceAll(step, "{"+name+"}", v)
	}
	return step
}
