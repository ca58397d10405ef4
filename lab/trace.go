package lab

// Hop is one action of a trace, with the concrete states around it.
type Hop struct {
	From, To State
	Action   uint32
	Broken   uint32
}

// Path rebuilds the shortest trace to a violation. No parent pointers are kept
// while exploring: each level is expanded once more, from the back, until a
// state is found that leads to the one wanted. The canonical path is then
// replayed from a concrete initial state, so that actors keep their identity.
func (x *Exploration) Path(v *Violation) []Hop {
	chain := make([]State, v.level+1)
	chain[v.level] = x.states.at(v.from)
	var edges []Edge
	for d := v.level - 1; d >= 0; d-- {
		want := chain[d+1]
	level:
		for i := x.levels[d]; i < x.levels[d+1]; i++ {
			edges = x.space.Next(x.states.at(i), edges[:0])
			for _, e := range edges {
				if x.representative(e.To) == want {
					chain[d] = x.states.at(i)
					break level
				}
			}
		}
	}
	var s State
	for _, t := range x.space.Start() {
		if x.representative(t) == chain[0] {
			s = t
			break
		}
	}
	hops := make([]Hop, 0, v.level+1)
	for d := 1; d <= v.level; d++ {
		edges = x.space.Next(s, edges[:0])
		for _, e := range edges {
			if x.representative(e.To) == chain[d] {
				hops = append(hops, Hop{s, e.To, e.Action, e.Broken})
				s = e.To
				break
			}
		}
	}
	return append(hops, x.last(s, v))
}

// last finds the action out of s that breaks what v says. Up to symmetry the
// actor may be another one than when the violation was found.
func (x *Exploration) last(s State, v *Violation) Hop {
	for _, e := range x.space.Next(s, nil) {
		if e.Broken == v.broken {
			return Hop{s, e.To, e.Action, e.Broken}
		}
	}
	return Hop{From: s, To: s}
}
