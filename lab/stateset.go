package lab

// stateSet is an exact set of packed states: open addressing over one flat
// table, of 8-byte slots if states have at most 63 bits, of 16-byte slots
// otherwise. A state's home slot is the top bits of its hash, so doubling the
// table moves slot i near slot 2i: growing is one forward pass. id, if kept,
// numbers the state in each slot.
type stateSet struct {
	narrow []uint64
	wide   []State
	id     []uint32
	shift  uint // 64 minus the number of bits of a slot's index
	hashes []uint64
	touch  uint64 // keeps the loads of prepare from being optimised away
}

const (
	occupied  = 1 << 63 // set in every stored state; an empty slot is zero
	firstBits = 12
)

func newStateSet(width int, numbered bool) *stateSet {
	t := &stateSet{}
	t.allocate(firstBits, width < 64, numbered)
	return t
}

func (t *stateSet) allocate(bits uint, narrow, numbered bool) {
	t.shift = 64 - bits
	if narrow {
		t.narrow = make([]uint64, 1<<bits)
		adviseHuge(t.narrow)
	} else {
		t.wide = make([]State, 1<<bits)
		adviseHuge(t.wide)
	}
	if numbered {
		t.id = make([]uint32, 1<<bits)
	}
}

// hash mixes both halves with two multiplications.
func (s State) hash() uint64 {
	h := (s.Lo ^ s.Hi<<17 ^ s.Hi>>47) * 0x9E3779B97F4A7C15
	return (h ^ h>>32 ^ s.Hi) * 0xBF58476D1CE4E5B9
}

// prepare computes the hashes of a block of edges and touches their slots, so
// that the memory system fetches them side by side instead of one by one. It
// returns the invariants that any of the edges breaks.
func (t *stateSet) prepare(edges []Edge) (broken uint32) {
	if cap(t.hashes) < len(edges) {
		t.hashes = make([]uint64, 2*len(edges))
	}
	hashes := t.hashes[:len(edges)]
	t.hashes = hashes
	var sum uint64
	for k := range edges {
		h := edges[k].To.hash()
		hashes[k] = h
		broken |= edges[k].Broken
		if t.narrow != nil {
			sum ^= t.narrow[h>>t.shift]
		} else {
			sum ^= t.wide[h>>t.shift].Lo
		}
	}
	t.touch ^= sum
	return broken
}

// insert adds s, whose hash is h, and returns its slot and whether it is new.
func (t *stateSet) insert(s State, h uint64) (slot int, fresh bool) {
	if t.narrow != nil {
		return t.insertNarrow(s.Lo|occupied, h)
	}
	s.Hi |= occupied
	for i := int(h >> t.shift); ; {
		switch p := &t.wide[i]; {
		case *p == s:
			return i, false
		case p.Hi == 0:
			*p = s
			return i, true
		}
		if i++; i == len(t.wide) {
			i = 0
		}
	}
}

func (t *stateSet) insertNarrow(w, h uint64) (slot int, fresh bool) {
	slots := t.narrow
	for i := int(h >> t.shift); ; {
		switch slots[i] {
		case w:
			return i, false
		case 0:
			slots[i] = w
			return i, true
		}
		if i++; i == len(slots) {
			i = 0
		}
	}
}

// reserve makes room for n states in all, at three fifths full.
func (t *stateSet) reserve(n int) {
	bits := 64 - t.shift
	for 5*n > 3<<bits {
		bits++
	}
	if bits != 64-t.shift {
		t.grow(bits)
	}
}

func (t *stateSet) grow(bits uint) {
	old := *t
	t.narrow, t.wide, t.id = nil, nil, nil
	t.allocate(bits, old.narrow != nil, old.id != nil)
	for i, w := range old.narrow {
		if w != 0 {
			s := State{Lo: w &^ occupied}
			slot, _ := t.insertNarrow(w, s.hash())
			t.renumber(slot, &old, i)
		}
	}
	for i, s := range old.wide {
		if s.Hi != 0 {
			s.Hi &^= occupied
			slot, _ := t.insert(s, s.hash())
			t.renumber(slot, &old, i)
		}
	}
}

func (t *stateSet) renumber(slot int, old *stateSet, i int) {
	if t.id != nil {
		t.id[slot] = old.id[i]
	}
}

// stateLog holds states in the order of discovery, in chunks that never move.
// Narrow states take 8 bytes.
type stateLog struct {
	wide    bool
	narrows [][]uint64
	wides   [][]State
	len     int
}

const chunkBits = 14

func (l *stateLog) push(s State) {
	chunk, i := l.len>>chunkBits, l.len&(1<<chunkBits-1)
	switch {
	case l.wide && i == 0:
		l.wides = append(l.wides, make([]State, 1<<chunkBits))
	case i == 0:
		l.narrows = append(l.narrows, make([]uint64, 1<<chunkBits))
	}
	if l.wide {
		l.wides[chunk][i] = s
	} else {
		l.narrows[chunk][i] = s.Lo
	}
	l.len++
}

func (l *stateLog) at(i int) State {
	if l.wide {
		return l.wides[i>>chunkBits][i&(1<<chunkBits-1)]
	}
	return State{Lo: l.narrows[i>>chunkBits][i&(1<<chunkBits-1)]}
}
