package controlplane

import "math/bits"

// Generation numbers plans: a newer plan has a higher number. An operator who
// goes back publishes old content under a new number, never a lower number.
type Generation uint32

// None says that there is no generation, for instance no rollback record yet.
const None = ^Generation(0)

// Set is a set of generations 0 to 63, one bit each. Only record trees need
// it; a zone that is switched in one batch has none.
type Set uint64

// Has reports whether g is in the set. None never is.
func (s Set) Has(g Generation) bool { return g < 64 && s>>g&1 != 0 }

// With returns the set with g added.
func (s Set) With(g Generation) Set { return s | 1<<g }

// Without returns the set with g removed; removing None changes nothing.
func (s Set) Without(g Generation) Set {
	if g >= 64 {
		return s
	}
	return s &^ (1 << g)
}

// Behind returns the members that are at least k generations older than ref.
func (s Set) Behind(ref, k Generation) Set {
	if ref < k {
		return 0
	}
	return s & (1<<(ref-k+1) - 1)
}

// Len returns the number of members.
func (s Set) Len() int { return bits.OnesCount64(uint64(s)) }

// Targets is a set of up to 64 addresses that an endpoint can resolve to. The
// driver keeps the table from bit to address.
type Targets uint64

// Len returns the number of targets.
func (t Targets) Len() int { return bits.OnesCount64(uint64(t)) }

// Plan is what a planner publishes: the addresses that an endpoint shall have.
// Plans never change; the same generation always means the same targets.
type Plan struct {
	Generation Generation
	Targets    Targets
}
