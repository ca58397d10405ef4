package lab

// stateSet is an exact set of packed states: open addressing over one flat
// table of 16-byte slots. A state's home slot is the top bits of its hash, so
// doubling the table moves slot i near slot 2i: growing is one forward pass.
// id, if kept, numbers the state in each slot.
type stateSet struct {
	slots  []State
	id     []uint32
	shift  uint // 64 minus the number of bits of a slot's index
	hashes []uint64
	touch  uint64 // keeps the loads of prepare from being optimised away
}

const (
	occupied  = 1 << 63 // set in Hi of every stored state; an empty slot is zero
	firstBits = 12
)

func newStateSet(numbered bool) *stateSet {
	t := &stateSet{slots: make([]State, 1<<firstBits), shift: 64 - firstBits}
	if numbered {
		t.id = make([]uint32, 1<<firstBits)
	}
	return t
}

// hash mixes both halves with two multiplications.
func (s State) hash() uint64 {
	h := (s.Hi ^ s.Lo>>32 ^ s.Lo<<32) * 0x9E3779B97F4A7C15
	h = (h ^ h>>29 ^ s.Lo) * 0xBF58476D1CE4E5B9
	return h ^ h>>32
}

// prepare computes the hashes of a block of edges and touches their slots, so
// that the memory system fetches them side by side instead of one by one. It
// returns the invariants that any of the edges breaks.
func (t *stateSet) prepare(edges []Edge) (broken uint32) {
	t.hashes = t.hashes[:0]
	var sum uint64
	for k := range edges {
		h := edges[k].To.hash()
		t.hashes = append(t.hashes, h)
		sum ^= t.slots[h>>t.shift].Lo
		broken |= edges[k].Broken
	}
	t.touch ^= sum
	return broken
}

// insert adds s, whose hash is h, and returns its slot and whether it is new.
func (t *stateSet) insert(s State, h uint64) (slot int, fresh bool) {
	hi := s.Hi | occupied
	slots := t.slots
	for i := int(h >> t.shift); ; {
		p := &slots[i]
		if p.Lo == s.Lo && p.Hi == hi {
			return i, false
		}
		if p.Hi == 0 {
			*p = State{hi, s.Lo}
			return i, true
		}
		if i++; i == len(slots) {
			i = 0
		}
	}
}

// reserve makes room for n states in all, at three fifths full.
func (t *stateSet) reserve(n int) {
	for 5*n > 3*len(t.slots) {
		t.double()
	}
}

func (t *stateSet) double() {
	old, oldID := t.slots, t.id
	t.slots = make([]State, 2*len(old))
	adviseHuge(t.slots)
	t.shift--
	if oldID != nil {
		t.id = make([]uint32, len(t.slots))
	}
	for i, s := range old {
		if s.Hi == 0 {
			continue
		}
		plain := State{s.Hi &^ occupied, s.Lo}
		slot, _ := t.insert(plain, plain.hash())
		if oldID != nil {
			t.id[slot] = oldID[i]
		}
	}
}

// stateLog holds states in the order of discovery, in chunks that never move.
type stateLog struct {
	chunks [][]State
	len    int
}

const chunkBits = 14

func (l *stateLog) push(s State) {
	if l.len&(1<<chunkBits-1) == 0 {
		l.chunks = append(l.chunks, make([]State, 1<<chunkBits))
	}
	l.chunks[l.len>>chunkBits][l.len&(1<<chunkBits-1)] = s
	l.len++
}

func (l *stateLog) at(i int) State {
	return l.chunks[i>>chunkBits][i&(1<<chunkBits-1)]
}
