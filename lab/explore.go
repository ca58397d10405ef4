package lab

import (
	"context"
	"fmt"
	"math/bits"
)

// State is one packed state of a model. Variables that no longer matter must
// be zero, otherwise equal behaviour counts as many states.
type State struct{ Hi, Lo uint64 }

// Edge is one atomic action out of a state. Action is the model's own number
// for it; Broken has bit i set if the action breaks invariant i, either by what
// it does or by the state it leads to.
type Edge struct {
	To     State
	Action uint32
	Broken uint32
}

// Space is a finite transition system that the explorer can walk: a model with
// its parameters fixed. Next must depend on the state alone.
type Space interface {
	// Width returns how many bits a state has, at most 127. Up to 63 they are
	// all in Lo, which halves the explorer's table.
	Width() int
	// Start returns the initial states.
	Start() []State
	// Next appends every action that is possible in s.
	Next(s State, edges []Edge) []Edge
	// Canonical returns the representative of the states that differ from s
	// only in which of several identical actors is which.
	Canonical(s State) State
	// Orbit returns how many states Canonical maps to the canonical state s.
	Orbit(s State) int
	// Goal reports whether s is where the system is meant to arrive. A state
	// from which no goal can be reached is a trap.
	Goal(s State) bool
	// Invariants names the bits of Edge.Broken.
	Invariants() []string
}

// ExploreOptions bound and shape an exploration.
type ExploreOptions struct {
	Expect     int  // states to make room for beforehand
	MaxStates  int  // stop, incomplete, after so many states; 0 means 50 million
	NoSymmetry bool // keep states apart that differ in the identity of actors only
	NoTraps    bool // do not keep the edges that the search for traps needs
}

// Violation is the first, hence shortest, way to break an invariant: after
// Length actions from an initial state.
type Violation struct {
	Length int
	from   int // index of the state whose action breaks it
	level  int // depth of that state
	shows  int // invariants that the action breaks for the first time
	broken uint32
}

// Exploration is the outcome of a breadth-first walk over a space.
type Exploration struct {
	Complete    bool         // every reachable state was seen
	States      int          // states stored: representatives, if symmetry is used
	Concrete    int          // states these stand for; the counts below are of these
	Transitions int          // actions possible in all states together
	Depth       int          // longest of the shortest paths to a state
	Terminal    int          // states without any action
	Stuck       int          // terminal states that are no goal
	Traps       int          // states from which no goal can be reached; -1 if not counted
	Violations  []*Violation // by invariant; nil where it holds

	space  Space
	opt    ExploreOptions
	states stateLog
	levels []int // levels[d] is the index of the first state at depth d
}

const batch = 256 // edges whose hash slots are touched together

// Explore walks every state that can be reached, breadth first, and goes on
// after a violation, so that the counts are those of the whole space.
func Explore(ctx context.Context, space Space, opt ExploreOptions) (*Exploration, error) {
	if opt.MaxStates == 0 {
		opt.MaxStates = 50_000_000
	}
	x := &Exploration{Traps: -1, space: space, opt: opt, Violations: make([]*Violation, len(space.Invariants()))}
	seen := newStateSet(space.Width(), !opt.NoTraps)
	x.states.wide = space.Width() > 63
	seen.reserve(opt.Expect)
	for _, s := range space.Start() {
		x.add(seen, x.representative(s))
	}
	unbroken := x.unbroken()
	var g graph
	edges := make([]Edge, 0, 2*batch)
	from := make([]int, 0, 2*batch) // per state in the block: end of its edges
	x.levels = []int{0, x.states.len}
	for i := 0; i < x.states.len; {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("explore: stopped after %d states: %w", x.states.len, err)
		}
		if x.states.len > opt.MaxStates {
			x.States = x.states.len
			return x, nil
		}
		end := x.levels[len(x.levels)-1]
		if i == end {
			x.levels = append(x.levels, x.states.len)
			unbroken = x.unbroken()
			continue
		}
		first := i
		edges, from = edges[:0], from[:0]
		for ; i < end && len(edges) < batch; i++ {
			n, s := len(edges), x.states.at(i)
			edges = space.Next(s, edges)
			from = append(from, len(edges))
			weight := 1
			if !opt.NoSymmetry {
				weight = space.Orbit(s)
			}
			x.Concrete += weight
			x.Transitions += weight * (len(edges) - n)
			if len(edges) == n {
				x.Terminal += weight
				if !space.Goal(s) {
					x.Stuck += weight
				}
			}
		}
		if !opt.NoSymmetry {
			for k := range edges {
				edges[k].To = space.Canonical(edges[k].To)
			}
		}
		seen.reserve(x.states.len + len(edges))
		if seen.prepare(edges)&unbroken != 0 {
			x.note(edges, from, first, unbroken)
		}
		for k := range edges {
			s := edges[k].To
			slot, fresh := seen.insert(s, seen.hashes[k])
			if fresh {
				x.push(seen, slot, s)
			}
			if !opt.NoTraps {
				g.to = append(g.to, seen.id[slot])
			}
		}
		if !opt.NoTraps {
			g.close(from)
		}
	}
	x.Complete, x.States, x.Depth = true, x.states.len, len(x.levels)-2
	if !opt.NoTraps {
		x.Traps = x.countTraps(&g)
	}
	return x, nil
}

func (x *Exploration) representative(s State) State {
	if x.opt.NoSymmetry {
		return s
	}
	return x.space.Canonical(s)
}

func (x *Exploration) add(seen *stateSet, s State) {
	if slot, fresh := seen.insert(s, s.hash()); fresh {
		x.push(seen, slot, s)
	}
}

// push records a new state; its place in the log is its number.
func (x *Exploration) push(seen *stateSet, slot int, s State) {
	if seen.id != nil {
		seen.id[slot] = uint32(x.states.len)
	}
	x.states.push(s)
}

// note keeps the first violation of each invariant among a block of edges. Of
// several equally short ones it prefers the action that breaks the most
// invariants not broken at a lower depth: one trace then shows them all.
func (x *Exploration) note(edges []Edge, ends []int, first int, unbroken uint32) {
	level := len(x.levels) - 2
	k := 0
	for j, end := range ends {
		for ; k < end; k++ {
			fresh := edges[k].Broken & unbroken
			for b := fresh; b != 0; b &= b - 1 {
				v := &x.Violations[bits.TrailingZeros32(b)]
				if n := bits.OnesCount32(fresh); *v == nil || n > (*v).shows {
					*v = &Violation{Length: level + 1, from: first + j, level: level, shows: n, broken: edges[k].Broken}
				}
			}
		}
	}
}

// unbroken returns the invariants that no action up to here breaks.
func (x *Exploration) unbroken() (mask uint32) {
	for inv, v := range x.Violations {
		if v == nil {
			mask |= 1 << inv
		}
	}
	return mask
}

// graph is the edges in compressed rows: state i's targets are
// to[start[i]:start[i+1]].
type graph struct {
	to    []uint32
	start []uint32
}

// close ends the rows of a block whose edges were appended last.
func (g *graph) close(ends []int) {
	if len(g.start) == 0 {
		g.start = append(g.start, 0)
	}
	base := g.start[len(g.start)-1]
	for _, e := range ends {
		g.start = append(g.start, base+uint32(e))
	}
}

// countTraps counts the states from which no goal can be reached: it walks the
// edges backwards from every goal and counts what it does not meet.
func (x *Exploration) countTraps(g *graph) int {
	n := x.states.len
	into := make([]uint32, n+1) // into[t] is where the sources of t begin in from
	for _, t := range g.to {
		into[t+1]++
	}
	for t := range n {
		into[t+1] += into[t]
	}
	from := make([]uint32, len(g.to))
	fill := append([]uint32(nil), into[:n]...)
	good := make([]bool, n)
	var reached []uint32
	for s := range n {
		for _, t := range g.to[g.start[s]:g.start[s+1]] {
			from[fill[t]] = uint32(s)
			fill[t]++
		}
		if x.space.Goal(x.states.at(s)) {
			good[s] = true
			reached = append(reached, uint32(s))
		}
	}
	for len(reached) > 0 {
		t := reached[len(reached)-1]
		reached = reached[:len(reached)-1]
		for _, s := range from[into[t]:into[t+1]] {
			if !good[s] {
				good[s] = true
				reached = append(reached, s)
			}
		}
	}
	traps := 0
	for s := range good {
		switch {
		case good[s]:
		case x.opt.NoSymmetry:
			traps++
		default:
			traps += x.space.Orbit(x.states.at(s))
		}
	}
	return traps
}
