package lab

import (
	"context"
	"testing"
)

// naive is the DNS model once more, for one endpoint and without locks, written
// down as plainly as it is told: no packing, no symmetry. With keep, an enactor
// goes on remembering what it read until it is idle again, although nothing
// depends on it; the published counts include those states.
type naive struct {
	retain, plans, enactors                                  int
	recheck, cas, expiry, conditional, target, protect, keep bool

	refused bool // a refusal of the target check is a state of its own, before the plan is dropped
}

type naiveState struct {
	newest, active, rollback int
	trees                    uint8
	actors                   [3]naiveActor
}

type naiveActor struct {
	phase, plan, seen int // phase: idle, build, read, flip, list, delete, refused
	doomed            uint8
}

// count explores everything and returns the number of states.
func (n naive) count() int {
	start := naiveState{trees: 1, rollback: -1}
	seen := map[naiveState]bool{start: true}
	for todo := []naiveState{start}; len(todo) > 0; {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		n.next(s, func(t naiveState) {
			if !seen[t] {
				seen[t] = true
				todo = append(todo, t)
			}
		})
	}
	return len(seen)
}

func (n naive) next(s naiveState, emit func(naiveState)) {
	if s.newest < n.plans {
		t := s
		t.newest++
		emit(t)
	}
	empty := s.trees>>s.active&1 == 0
	for i := range n.enactors {
		t, a := s, s.actors[i]
		after := a // when the write is done or not needed: the clean-up
		after.phase, after.seen = 4, 0
		if n.keep {
			after.seen = a.seen
		}
		switch a.phase {
		case 0:
			if s.newest <= s.active && !empty {
				continue
			}
			a = naiveActor{phase: 1, plan: s.newest}
		case 1:
			t.trees |= 1 << a.plan
			if a.phase = 3; n.recheck || n.cas || n.expiry {
				a.phase = 2
			}
		case 2:
			switch {
			case n.expiry && s.newest-a.plan >= n.retain:
				a = naiveActor{}
			case (n.recheck || n.cas) && (s.active > a.plan || s.active == a.plan && !empty):
				if a = after; n.keep {
					a.seen = s.active
				}
			default:
				if a.phase = 3; n.cas || n.keep {
					a.seen = s.active
				}
			}
		case 3:
			switch {
			case n.cas && s.active != a.seen:
				if a.phase = 2; !n.keep {
					a.seen = 0
				}
			case n.target && n.refused && !empty && s.trees>>a.plan&1 == 0:
				a.phase = 6
			case empty, n.target && s.trees>>a.plan&1 == 0: // the rollback alias, or the alias, would point to nothing
				a = naiveActor{}
			default:
				if s.active != a.plan {
					t.rollback = s.active
				}
				t.active, a = a.plan, after
			}
		case 4:
			for g := range n.plans + 1 {
				if s.trees>>g&1 != 0 && a.plan-g >= n.retain {
					a.doomed |= 1 << g
				}
			}
			if a.phase = 5; a.doomed == 0 {
				a = naiveActor{}
			}
		case 5:
			if n.conditional {
				a.doomed &^= 1 << s.active
			}
			if n.protect && s.rollback >= 0 {
				a.doomed &^= 1 << s.rollback
			}
			t.trees &^= a.doomed
			a = naiveActor{}
		case 6:
			a = naiveActor{}
		}
		t.actors[i] = a
		emit(t)
	}
}

// Where our counts differ from the published ones, the difference is mostly one
// variable that is dead: what an enactor read, kept through the clean-up; and a
// state between a refusal and giving up. The naive model gives our counts without
// them, and the published ones with them.
func TestCountsWithAndWithoutTheDeadVariable(t *testing.T) {
	for _, c := range []struct {
		model      naive
		safeguards []string
		published  [3]int // at the sizes of tableSizes with one endpoint; 0: not reached
	}{
		{naive{}, nil, [3]int{1444, 3721, 40067}},
		{naive{conditional: true}, []string{"conditional-delete"}, [3]int{1406, 3715, 38777}},
		{naive{recheck: true}, []string{"recheck"}, [3]int{2800, 8496, 0}},
		{naive{cas: true}, []string{"generation-cas"}, [3]int{1941, 5130, 63933}},
		{naive{expiry: true}, []string{"plan-expiry"}, [3]int{3571, 11026, 165396}},
		{naive{cas: true, conditional: true, target: true, protect: true}, []string{"generation-cas", "conditional-delete", "protect-rollback", "target-check"}, [3]int{1920, 5671, 61032}},
		{naive{conditional: true, target: true}, []string{"conditional-delete", "target-check"}, [3]int{1326, 3545, 0}},
		{naive{target: true}, []string{"target-check"}, [3]int{1460, 3743, 0}},
	} {
		for i, size := range tableSizes[:3] {
			m := c.model
			m.retain, m.plans, m.enactors = size.retain, size.plans, size.enactors
			x, err := Explore(context.Background(), newDNSSpace(variant(c.safeguards, size.retain, size.plans, size.enactors, 1)), ExploreOptions{NoSymmetry: true})
			if err != nil {
				t.Fatal(err)
			}
			if got := m.count(); got != x.States {
				t.Errorf("%v, size %d: the naive model has %d states, ours %d", c.safeguards, i+1, got, x.States)
			}
			m.keep, m.refused = true, true
			if got := m.count(); got != c.published[i] && c.published[i] != 0 {
				t.Errorf("%v, size %d: the naive model with the dead variable has %d states, published %d", c.safeguards, i+1, got, c.published[i])
			}
		}
	}
}
