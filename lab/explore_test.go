package lab

import (
	"context"
	"errors"
	"testing"
)

// ring is a toy space: a counter that goes up to n and wraps, a hole it can
// fall into at 3, and a rule that is broken at 5.
type ring struct{ n uint64 }

func (ring) Width() int              { return 8 }
func (ring) Start() []State          { return []State{{}} }
func (ring) Canonical(s State) State { return s }
func (ring) Orbit(State) int         { return 1 }
func (ring) Goal(s State) bool       { return s.Lo == 0 }
func (ring) Invariants() []string    { return []string{"BelowFive", "Never"} }

const hole = 100

func (r ring) Next(s State, edges []Edge) []Edge {
	if s.Lo == hole {
		return edges
	}
	up := Edge{To: State{Lo: (s.Lo + 1) % r.n}, Action: 1}
	if up.To.Lo == 5 {
		up.Broken = 1
	}
	edges = append(edges, up)
	if s.Lo == 3 {
		edges = append(edges, Edge{To: State{Lo: hole}, Action: 2})
	}
	return edges
}

func TestExplore(t *testing.T) {
	x, err := Explore(context.Background(), ring{10}, ExploreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !x.Complete || x.States != 11 || x.Concrete != 11 || x.Transitions != 11 || x.Depth != 9 || x.Terminal != 1 || x.Stuck != 1 || x.Traps != 1 {
		t.Errorf("got %+v", *x)
	}
	if v := x.Violations[0]; v == nil || v.Length != 5 || len(x.Path(v)) != 5 {
		t.Errorf("BelowFive: got %+v, want a trace of 5", v)
	}
	if x.Violations[1] != nil {
		t.Errorf("Never: got %+v, want it to hold", x.Violations[1])
	}
}

func TestExploreLimit(t *testing.T) {
	x, err := Explore(context.Background(), newDNSSpace(variant(nil, 1, 3, 2, 1)), ExploreOptions{MaxStates: 100})
	if err != nil || x.Complete || x.Traps != -1 {
		t.Errorf("got %+v, %v: want an incomplete exploration without a trap count", x, err)
	}
}

func TestExploreCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Explore(ctx, ring{10}, ExploreOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// Symmetry must change nothing but what is stored.
func TestSymmetryKeepsCountsAndVerdicts(t *testing.T) {
	for _, safeguards := range [][]string{nil, {"lock-fence"}, {"lock-fence", "cleaner-lock"}, {"lock", "recheck"}, {"generation-cas"}, {"plan-expiry-atomic"}} {
		for _, e := range []int{1, 2} {
			n, plans := 4-e, 4-e
			p := map[string]int{"enactors": n, "retain": 1, "plans": plans, "endpoints": e, "crashes": 2 - e}
			cfg := dnsConfig(p, safeguards)
			a, err := Explore(context.Background(), newDNSSpace(cfg), ExploreOptions{})
			if err != nil {
				t.Fatal(err)
			}
			b, err := Explore(context.Background(), newDNSSpace(cfg), ExploreOptions{NoSymmetry: true})
			if err != nil {
				t.Fatal(err)
			}
			if a.Concrete != b.States || a.Transitions != b.Transitions || a.Traps != b.Traps || a.Depth != b.Depth || a.Terminal != b.Terminal {
				t.Errorf("%v, %d endpoints: with symmetry %d states %d transitions %d traps depth %d, without %d %d %d %d",
					safeguards, e, a.Concrete, a.Transitions, a.Traps, a.Depth, b.States, b.Transitions, b.Traps, b.Depth)
			}
			if most := map[int]float64{2: 0.56, 3: 0.24}[n]; float64(a.States) > most*float64(b.States) {
				t.Errorf("%v, %d enactors: symmetry stored %d of %d states", safeguards, n, a.States, b.States)
			}
			for i := range a.Violations {
				if (a.Violations[i] == nil) != (b.Violations[i] == nil) || a.Violations[i] != nil && a.Violations[i].Length != b.Violations[i].Length {
					t.Errorf("%v, %d endpoints: %s differs", safeguards, e, DNSInvariants[i])
				}
			}
		}
	}
}

// Every hop of a trace must be a real action from the state before it, and only
// the last may break what the trace is about.
func TestPathsAreReal(t *testing.T) {
	for _, safeguards := range [][]string{nil, {"lock-fence"}, {"lock", "recheck"}, {"generation-cas"}} {
		space := newDNSSpace(variant(safeguards, 1, 3, 3, 2))
		x, err := Explore(context.Background(), space, ExploreOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for inv, v := range x.Violations {
			if v == nil {
				continue
			}
			path := x.Path(v)
			if len(path) != v.Length {
				t.Fatalf("%v %s: path of %d, want %d", safeguards, DNSInvariants[inv], len(path), v.Length)
			}
			s := space.Start()[0]
			for i, h := range path {
				found := false
				for _, e := range space.Next(s, nil) {
					found = found || e.To == h.To && e.Action == h.Action && e.Broken == h.Broken
				}
				if h.From != s || !found {
					t.Fatalf("%v %s: hop %d is no action of the model", safeguards, DNSInvariants[inv], i+1)
				}
				if breaks := h.Broken>>inv&1 != 0; breaks != (i == len(path)-1) {
					t.Errorf("%v %s: hop %d of %d breaks it: %v", safeguards, DNSInvariants[inv], i+1, len(path), breaks)
				}
				s = h.To
			}
		}
	}
}

// The memo of steps must never change what Next says.
func TestMemoIsTransparent(t *testing.T) {
	for _, safeguards := range [][]string{nil, {"lock-fence"}, {"plan-expiry"}, {"lock-fence", "cleaner-lock"}, {"plan-expiry-atomic"}} {
		p := map[string]int{"enactors": 3, "retain": 2, "plans": 3, "endpoints": 2, "crashes": 1, "lost-acks": 1, "bad-plans": 1}
		warm := newDNSSpace(dnsConfig(p, safeguards))
		x, err := Explore(context.Background(), warm, ExploreOptions{MaxStates: 30_000})
		if err != nil {
			t.Fatal(err)
		}
		cold := newDNSSpace(dnsConfig(p, safeguards))
		for i := 0; i < x.states.len; i += 17 {
			s := x.states.at(i)
			clear(cold.memo)
			a, b := warm.Next(s, nil), cold.Next(s, nil)
			if len(a) != len(b) {
				t.Fatalf("%v: %d edges with memo, %d without", safeguards, len(a), len(b))
			}
			for k := range a {
				if a[k] != b[k] {
					t.Fatalf("%v: edge %d differs: %+v and %+v", safeguards, k, a[k], b[k])
				}
			}
		}
	}
}

func TestStateSetGrows(t *testing.T) {
	for _, width := range []int{63, 127} {
		set := newStateSet(width, true)
		const n = 20_000
		at := func(i uint64) State {
			s := State{Lo: i * i % (1 << 62)}
			if width > 63 {
				s.Hi = i
			}
			return s
		}
		for i := range uint64(n) {
			set.reserve(int(i) + 1)
			slot, fresh := set.insert(at(i), at(i).hash())
			if !fresh {
				t.Fatalf("width %d: state %d is said to be known", width, i)
			}
			set.id[slot] = uint32(i)
		}
		for i := range uint64(n) {
			slot, fresh := set.insert(at(i), at(i).hash())
			if fresh || set.id[slot] != uint32(i) {
				t.Fatalf("width %d: state %d lost: fresh %v, number %d", width, i, fresh, set.id[slot])
			}
		}
	}
}
