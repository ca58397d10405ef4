package lab

import (
	"bytes"
	"context"
	"ddx/golden"
	"fmt"
	"testing"
)

func variant(safeguards []string, retain, plans, enactors, endpoints int) DNSConfig {
	return dnsConfig(map[string]int{"retain": retain, "plans": plans, "enactors": enactors, "endpoints": endpoints}, safeguards)
}

// The sizes that the published table of variants is about.
var tableSizes = []struct{ retain, plans, enactors, endpoints int }{{1, 3, 2, 1}, {2, 4, 2, 1}, {1, 3, 3, 1}, {1, 3, 2, 2}}

// The variants, with what an independent explorer of the same specification
// found: lengths of the shortest traces at the first size (0: holds), traps at
// the first and third size, and the numbers of states. Where comparable is
// false the counts differ because the models cut actions differently; why is
// in docs/lab.md. Verdicts and lengths must agree throughout.
var variants = []struct {
	name       string
	safeguards []string
	lengths    [3]int // NeverEmpty, NeverRegress, NeverDeleteInUse
	traps      [2]int
	states     [4]int
	comparable bool
}{
	{"00 baseline", nil, [3]int{10, 8, 10}, [2]int{150, 6946}, [4]int{1444, 3721, 40067, 10976}, true},
	{"01 rollback apart", []string{"rollback-apart"}, [3]int{10, 8, 10}, [2]int{}, [4]int{1530, 3851, 44225, 13367}, true},
	{"02 lock, fenced", []string{"lock-fence"}, [3]int{12, 10, 12}, [2]int{396, 19742}, [4]int{4448, 12927, 150828, 36178}, true},
	{"03 one enactor", []string{"one-enactor"}, [3]int{}, [2]int{}, [4]int{56, 116, 56, 98}, true},
	{"04 no clean-up", []string{"no-cleanup"}, [3]int{0, 8, 0}, [2]int{}, [4]int{366, 1277, 3056, 1876}, true},
	{"05 recheck", []string{"recheck"}, [3]int{12, 10, 12}, [2]int{251, 26473}, [4]int{2800, 8496, 163806, 23525}, false},
	{"06 recheck under lock, not fenced", []string{"lock", "recheck"}, [3]int{15, 13, 15}, [2]int{699, 79424}, [4]int{5787, 18373, 392862, 56571}, false},
	{"07 recheck under lock, fenced", []string{"lock-fence", "recheck"}, [3]int{}, [2]int{}, [4]int{6727, 21494, 300346, 43017}, false},
	{"08 compare-and-set on generation", []string{"generation-cas"}, [3]int{}, [2]int{}, [4]int{1941, 5130, 63933, 11327}, false},
	{"09 provider guards generation", []string{"generation-guard"}, [3]int{}, [2]int{}, [4]int{1062, 2472, 19743, 5835}, true},
	{"10 cleaner reads active first", []string{"cleaner-spares-active"}, [3]int{10, 8, 10}, [2]int{150, 6928}, [4]int{1444, 3735, 40436, 11561}, true},
	{"11 conditional delete", []string{"conditional-delete"}, [3]int{10, 8, 0}, [2]int{112, 5398}, [4]int{1406, 3715, 38777, 11359}, true},
	{"12 conditional delete, target check", []string{"conditional-delete", "target-check"}, [3]int{0, 8, 0}, [2]int{}, [4]int{1326, 3545, 35767, 9312}, false},
	{"13 conditional delete, tree in the batch", []string{"conditional-delete", "recheck", "carry-tree"}, [3]int{0, 10, 0}, [2]int{}, [4]int{3204, 10151, 254868, 27448}, false},
	{"14 target check", []string{"target-check"}, [3]int{10, 8, 10}, [2]int{134, 6091}, [4]int{1460, 3743, 42329, 10962}, false},
	{"15 age from the active plan", []string{"age-from-active"}, [3]int{10, 8, 10}, [2]int{165, 9454}, [4]int{1566, 4670, 56222, 14529}, true},
	{"16 plan expiry, read before", []string{"plan-expiry"}, [3]int{12, 10, 12}, [2]int{307, 26551}, [4]int{3571, 11026, 165396, 24639}, false},
	{"17 plan expiry, atomic", []string{"plan-expiry-atomic"}, [3]int{}, [2]int{}, [4]int{1243, 3440, 17732, 5717}, true},
	{"18 cleaner under the fenced lock", []string{"lock-fence", "cleaner-lock"}, [3]int{0, 10, 0}, [2]int{}, [4]int{4484, 13475, 142240, 33414}, false},
	{"20 recommended", []string{"generation-cas", "conditional-delete", "protect-rollback", "target-check"}, [3]int{}, [2]int{}, [4]int{1920, 5671, 61032, 12940}, false},
	{"21 recommended, one batch", []string{"generation-cas", "conditional-delete", "protect-rollback", "target-check", "one-batch"}, [3]int{}, [2]int{}, [4]int{1689, 4860, 47501, 10726}, false},
	// Ours: what 13 comes to when the batch needs neither a tree built
	// beforehand nor a second look.
	{"22 conditional delete, one batch", []string{"conditional-delete", "one-batch"}, [3]int{0, 6, 0}, [2]int{}, [4]int{}, false},
}

func TestVariants(t *testing.T) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%-42s %-36s %-24s %s\n", "variant", "states at the four sizes", "empty regress in-use roll", "traps at the first and third")
	for _, v := range variants {
		var states, traps [4]int
		var lengths [4]int
		for i, size := range tableSizes {
			x, err := Explore(context.Background(), newDNSSpace(variant(v.safeguards, size.retain, size.plans, size.enactors, size.endpoints)), ExploreOptions{})
			if err != nil {
				t.Fatal(err)
			}
			states[i], traps[i] = x.Concrete, x.Traps
			for inv, w := range x.Violations {
				if w != nil && i == 0 {
					lengths[inv] = w.Length
				}
			}
			if w := x.Violations[1]; v.name[:2] == "17" && i == 1 && (w == nil || w.Length != 8) {
				t.Errorf("%s: with K=2 NeverRegress: got %+v, want it broken at step 8", v.name, w)
			}
			protected := v.name[:2] == "20" || v.name[:2] == "21"
			if holds := x.Violations[3] == nil; holds != (protected || len(v.safeguards) == 1 && v.safeguards[0] == "no-cleanup") {
				t.Errorf("%s, size %d: RollbackUsable holds: %v", v.name, i, holds)
			}
		}
		if got := [3]int(lengths[:3]); got != v.lengths {
			t.Errorf("%s: lengths %v, want %v", v.name, got, v.lengths)
		}
		if got := [2]int{traps[0], traps[2]}; v.comparable && got != v.traps || (got[0] > 0) != (v.traps[0] > 0) {
			t.Errorf("%s: traps %v, want %v", v.name, got, v.traps)
		}
		if v.comparable && states != v.states {
			t.Errorf("%s: states %v, want %v", v.name, states, v.states)
		}
		note := ""
		if !v.comparable && v.states[0] != 0 {
			note = fmt.Sprintf("  published, cut differently: %v", v.states)
		}
		fmt.Fprintf(&out, "%-42s %-36s %-24s %d %d%s\n", v.name, fmt.Sprint(states), fmt.Sprint(lengths), traps[0], traps[2], note)
	}
	golden.Compare(t, "testdata/variants.golden", out.Bytes())
}

// Retention lengthens the trace by one action a generation and never removes it.
func TestRetentionOnlyLengthens(t *testing.T) {
	for k := 1; k <= 6; k++ {
		x, err := Explore(context.Background(), newDNSSpace(variant(nil, k, k+1, 2, 1)), ExploreOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if v := x.Violations[0]; v == nil || v.Length != 9+k {
			t.Errorf("K=%d: NeverEmpty %+v, want broken at step %d", k, v, 9+k)
		}
	}
}

// Each safeguard is needed: with it the invariant holds, without it the explorer
// finds the trace of the known length.
func TestMutations(t *testing.T) {
	tests := []struct {
		model, off string
		with       []string // beside the one that is switched off
		invariant  string
		length     int
	}{
		{"dns", "generation-cas", []string{"conditional-delete", "protect-rollback", "target-check"}, "NeverRegress", 8},
		{"dns", "generation-cas", nil, "NeverEmpty", 10},
		{"dns", "generation-guard", nil, "NeverEmpty", 10},
		{"dns", "lock-fence", []string{"lock", "recheck"}, "NeverEmpty", 15},
		{"dns", "recheck", []string{"lock-fence"}, "NeverEmpty", 12},
		{"dns", "plan-expiry-atomic", nil, "NeverEmpty", 10},
		{"dns", "one-enactor", nil, "NeverRegress", 8},
		{"dns", "no-cleanup", nil, "NeverEmpty", 10},
		{"dns", "conditional-delete", []string{"target-check"}, "NeverEmpty", 10},
		{"dns", "target-check", []string{"conditional-delete"}, "NeverEmpty", 10},
		{"dns", "one-batch", []string{"conditional-delete"}, "NeverEmpty", 10},
		{"dns", "carry-tree", []string{"conditional-delete", "recheck"}, "NeverEmpty", 12},
		{"dns", "protect-rollback", []string{"generation-cas", "conditional-delete", "target-check"}, "RollbackUsable", 7},
		{"dns", "cleaner-lock", []string{"lock-fence"}, "NeverEmpty", 12},
		{"dns-crash", "generation-cas", []string{"conditional-delete", "protect-rollback", "target-check"}, "NeverRegress", 8},
		{"dns-lost-ack", "generation-cas", nil, "NeverEmpty", 10},
		{"dns-rollback", "generation-cas", nil, "NeverRegress", 8},
		{"dns-bad-plan", "keep-last-good", []string{"generation-cas"}, "NeverEmpty", 5},
		{"dns-bad-plan", "refuse-empty", []string{"generation-cas"}, "NeverEmpty", 5},
		{"dns-switch-back", "protect-rollback", []string{"generation-cas", "conditional-delete", "target-check"}, "NeverEmpty", 8},
	}
	for _, tt := range tests {
		on, err := Check(context.Background(), tt.model, append([]string{tt.off}, tt.with...), CheckOptions{})
		if err != nil {
			t.Fatal(err)
		}
		off, err := Check(context.Background(), tt.model, tt.with, CheckOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if !on.Invariants[tt.invariant].Holds {
			t.Errorf("%s %v + %s: %s is broken, want it to hold", tt.model, tt.with, tt.off, tt.invariant)
		}
		if got := off.Invariants[tt.invariant].Length; got != tt.length {
			t.Errorf("%s %v without %s: %s broken at %d, want %d", tt.model, tt.with, tt.off, tt.invariant, got, tt.length)
		}
	}
}

// Safeguards that sound good and are not enough: the endpoint can still become
// empty. Each is on alone.
func TestNotEnough(t *testing.T) {
	for name, length := range map[string]int{
		"lock": 12, "lock-fence": 12, "recheck": 12, "plan-expiry": 12, "cleaner-spares-active": 10,
		"age-from-active": 10, "rollback-apart": 10, "target-check": 10, "conditional-delete": 10, "carry-tree": 10,
	} {
		r, err := Check(context.Background(), "dns", []string{name}, CheckOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Invariants["NeverEmpty"].Length; got != length {
			t.Errorf("%s: NeverEmpty broken at %d, want %d", name, got, length)
		}
	}
}

// The recommended safeguards hold on every model but the one in which an
// operator lowers the number, where only NeverRegress must give.
func TestRecommended(t *testing.T) {
	for _, m := range Models() {
		r, err := Check(context.Background(), m.Name, m.Recommended, CheckOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range r.Invariants {
			if want := m.Name != "dns-switch-back" || name != "NeverRegress"; v.Holds != want {
				t.Errorf("%s: %s holds: %v, want %v", m.Name, name, v.Holds, want)
			}
		}
		if r.TrapStates != 0 {
			t.Errorf("%s: %d trap states", m.Name, r.TrapStates)
		}
	}
}
