package diagnose

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"ddx"
	"ddx/catalog"
)

// causeSlack is by how much a consequence may be reported before its cause:
// detectors have their own delays.
const causeSlack = 5 * time.Second

// link joins findings through leads_to. A finding explains another if it is
// itself at least likely, not later in time, and the catalogue says that its
// mode leads there, directly or through modes in between.
func link(cat *catalog.Catalogue, all []*finding) {
	byMode := map[string][]*finding{}
	for _, f := range all {
		if f.Verdict != ddx.RuledOut {
			byMode[f.Mode] = append(byMode[f.Mode], f)
		}
	}
	sorted := slices.SortedFunc(slices.Values(all), better) // so that causes are met in their order
	reach := map[string][]edge{}
	for _, cause := range sorted {
		if cause.Verdict.Rank() > ddx.Likely.Rank() {
			break
		}
		edges, known := reach[cause.Mode]
		if !known {
			edges = consequences(cat, cause.mode)
			reach[cause.Mode] = edges
		}
		for _, e := range edges {
			for _, effect := range byMode[e.mode] {
				if effect.first.before(cause.first, causeSlack) ||
					!slices.ContainsFunc(e.scopes, func(s scope) bool { return s.holds(cause.Subject, effect.Subject) }) {
					continue
				}
				cause.explains = append(cause.explains, effect)
				effect.causes = append(effect.causes, cause)
			}
		}
	}
	for _, f := range all {
		f.causes = slices.DeleteFunc(f.causes, func(c *finding) bool { return loses(c, f) })
	}
	for _, f := range all {
		f.explains = slices.DeleteFunc(f.explains, func(e *finding) bool { return !slices.Contains(e.causes, f) })
		f.Root = len(f.causes) == 0 && f.Verdict.Rank() <= ddx.Likely.Rank()
		for _, c := range f.causes {
			f.ExplainedBy = append(f.ExplainedBy, c.ID)
		}
	}
}

// loses decides a circle, where two findings lead to each other: the earlier
// one is the cause, then the surer one, then the one first by name.
func loses(cause, effect *finding) bool {
	if !slices.Contains(cause.causes, effect) {
		return false
	}
	switch {
	case cause.first.before(effect.first, 0):
		return false
	case effect.first.before(cause.first, 0):
		return true
	}
	return better(cause, effect) > 0
}

// scope narrows a chain of leads_to edges: to the cause's own subject, and to
// subjects whose name begins with only.
type scope struct {
	same bool
	only string
}

// holds reports whether the chain joins the two subjects. A subject without a
// name may be any.
func (s scope) holds(cause, effect ddx.Subject) bool {
	if !strings.HasPrefix(effect.Name, s.only) {
		return false
	}
	return !s.same || cause.Kind != effect.Kind || cause.Name == effect.Name || cause.Name == "" || effect.Name == ""
}

// covers reports whether s holds wherever t does.
func (s scope) covers(t scope) bool {
	return (!s.same || t.same) && strings.HasPrefix(t.only, s.only)
}

// edge is a mode that another leads to, and where.
type edge struct {
	mode   string
	scopes []scope
}

// consequences returns the modes that a mode leads to, by name.
func consequences(cat *catalog.Catalogue, m *ddx.Mode) (edges []edge) {
	out := map[string][]scope{}
	var walk func(m *ddx.Mode, on scope)
	walk = func(m *ddx.Mode, on scope) {
		for _, edge := range m.LeadsTo {
			s := scope{on.same && edge.Same, cmp.Or(edge.Only, on.only)}
			if slices.ContainsFunc(out[edge.Mode], func(o scope) bool { return o.covers(s) }) {
				continue
			}
			out[edge.Mode] = append(out[edge.Mode], s)
			if next := cat.Mode(edge.Mode); next != nil {
				walk(next, s)
			}
		}
	}
	walk(m, scope{same: true})
	delete(out, m.ID)
	for _, mode := range slices.Sorted(maps.Keys(out)) {
		edges = append(edges, edge{mode, out[mode]})
	}
	return edges
}

// better orders findings: by verdict, current before old, then by how much
// speaks for them.
func better(a, b *finding) int {
	old := func(f *finding) int {
		if f.Active == ddx.No {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(a.Verdict.Rank(), b.Verdict.Rank()),
		cmp.Compare(old(a), old(b)),
		-cmp.Compare(a.score, b.score),
		firstOf(a, b),
		cmp.Compare(a.ID, b.ID),
	)
}

func firstOf(a, b *finding) int {
	switch {
	case a.first.before(b.first, 0):
		return -1
	case b.first.before(a.first, 0):
		return 1
	}
	return 0
}

// order lists findings that no other explains first, each followed by all that
// follows from it, in the order of time: what came of a consequence stands after
// everything that led to it.
func order(all []*finding) []*finding {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, better)
	var out []*finding
	placed := map[*finding]bool{}
	place := func(root *finding) {
		if placed[root] {
			return
		}
		placed[root] = true
		var after []*finding
		var reach func(f *finding)
		reach = func(f *finding) {
			for _, e := range f.explains {
				if !placed[e] {
					placed[e] = true
					after = append(after, e)
					reach(e)
				}
			}
		}
		reach(root)
		slices.SortFunc(after, func(a, b *finding) int { return cmp.Or(firstOf(a, b), better(a, b)) })
		out = append(append(out, root), after...)
	}
	for _, f := range sorted {
		if len(f.causes) == 0 {
			place(f)
		}
	}
	for _, f := range sorted {
		place(f)
	}
	return out
}
