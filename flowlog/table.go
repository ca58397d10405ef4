package flowlog

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
)

// class says what the two halves of a cell pair mean.
type class uint8

const (
	// absolute: half 0 is ingress, half 1 egress.
	absolute class = iota
	// oriented: half 0 is towards the section's first candidate address, half
	// 1 away from it.
	oriented
	// undirected: half 0 is everything, half 1 unused.
	undirected
	numClasses
)

// blockLen is the number of neighbouring time buckets kept side by side.
const blockLen = 8

type amount struct{ packets, bytes, flows uint64 }

type block [blockLen][2]amount

// blockRef finds a block: key is block number<<8 | action<<2 | class.
type blockRef struct {
	key int64
	id  int32
}

func blockKey(n int64, a Action, c class) int64 { return n<<8 | int64(a)<<2 | int64(c) }

// section is what is known of one interface, flow log and address family:
// the addresses that may be its own, and its cells.
type section struct {
	iface  string
	source string // flow-log id, "" when not known
	v6     bool

	// The own address is found, not given: candidates are the addresses that
	// all records so far have in common. All records between the first two
	// leave both; none left means ambiguous.
	seen       bool
	candidates [2]string // [0] orients the cells; [1] may be empty
	ambiguous  bool
	own        []string // given addresses; empty when not given
	directed   bool     // some records said their direction

	records [numActions]uint64
	blocks  []blockRef // ascending by key
	recent  [4]blockRef
	hash    uint64
}

func (s *section) before(o *section) int {
	if c := strings.Compare(s.iface, o.iface); c != 0 {
		return c
	}
	if c := strings.Compare(s.source, o.source); c != 0 {
		return c
	}
	switch {
	case s.v6 == o.v6:
		return 0
	case o.v6:
		return -1
	}
	return 1
}

// table holds sections and their cells in memory. It is used by one goroutine.
type table struct {
	interval  uint64
	addresses map[string][]netip.Addr
	source    string

	sections []*section
	index    []int32 // open hash over sections: position + 1
	slabs    [][]block
	free     int // blocks used of the last slab
	size     int64
	totals   totals
}

// totals are the sums over everything, and the extent of it.
type totals struct {
	records     [numActions]uint64
	first, last uint64 // Unix seconds: smallest start, largest end
	span        uint64 // longest end-start of a record
	lost        [4]uint64
}

func (t *totals) merge(o *totals) {
	for i, n := range o.records {
		t.records[i] += n
	}
	if o.last != 0 {
		if t.last == 0 || o.first < t.first {
			t.first = o.first
		}
		t.last = max(t.last, o.last)
	}
	t.span = max(t.span, o.span)
	for i, n := range o.lost {
		t.lost[i] += n
	}
}

const slabLen = 128

const blockSize = blockLen * 2 * 24

func newTable(interval uint64, addresses map[string][]netip.Addr) *table {
	return &table{interval: interval, addresses: addresses, index: make([]int32, 1024)}
}

func hashID(b []byte, source string, v6 bool) uint64 {
	var h uint64
	if n := len(b); n >= 16 {
		h = binary.LittleEndian.Uint64(b[n-8:]) ^ binary.LittleEndian.Uint64(b[n-16:])*0x9E3779B97F4A7C15
	} else {
		for _, c := range b {
			h = h*31 + uint64(c)
		}
	}
	if v6 {
		h = ^h
	}
	for _, c := range []byte(source) {
		h = h*31 + uint64(c)
	}
	h *= 0xD6E8FEB86659FD93
	return h ^ h>>32
}

// lookup finds or makes the section of an interface.
func (t *table) lookup(iface []byte, v6 bool) *section {
	h := hashID(iface, t.source, v6)
	mask := uint64(len(t.index) - 1)
	for k := h & mask; ; k = (k + 1) & mask {
		p := t.index[k]
		if p == 0 {
			return t.insert(string(iface), v6, h)
		}
		if s := t.sections[p-1]; s.hash == h && s.v6 == v6 && string(iface) == s.iface && t.source == s.source {
			return s
		}
	}
}

func (t *table) insert(iface string, v6 bool, h uint64) *section {
	s := &section{iface: iface, source: t.source, v6: v6, hash: h}
	for i := range s.recent {
		s.recent[i].key = -1
	}
	for _, a := range t.addresses[iface] {
		if a.Unmap().Is6() == v6 {
			s.own = append(s.own, a.Unmap().String())
		}
	}
	t.sections = append(t.sections, s)
	t.size += 256 + int64(len(iface))
	if len(t.sections)*2 > len(t.index) {
		t.index = make([]int32, 2*len(t.index))
		for i, s := range t.sections {
			t.place(s.hash, int32(i+1))
		}
	} else {
		t.place(h, int32(len(t.sections)))
	}
	return s
}

func (t *table) place(h uint64, p int32) {
	mask := uint64(len(t.index) - 1)
	k := h & mask
	for t.index[k] != 0 {
		k = (k + 1) & mask
	}
	t.index[k] = p
}

// cell gives the pair of amounts of one bucket.
func (t *table) cell(s *section, bucket int64, a Action, c class) *[2]amount {
	key := blockKey(bucket/blockLen, a, c)
	slot := &s.recent[(key>>8&1)<<1|key>>2&1]
	if slot.key != key {
		*slot = blockRef{key, t.find(s, key)}
	}
	return &t.slabs[slot.id/slabLen][slot.id%slabLen][bucket%blockLen]
}

// find searches a block among the section's, and makes it.
func (t *table) find(s *section, key int64) int32 {
	i, ok := len(s.blocks), false
	if i > 0 && s.blocks[i-1].key >= key {
		i, ok = slices.BinarySearchFunc(s.blocks, key, func(r blockRef, k int64) int {
			switch {
			case r.key < k:
				return -1
			case r.key > k:
				return 1
			}
			return 0
		})
	}
	if ok {
		return s.blocks[i].id
	}
	if len(t.slabs) == 0 || t.free == slabLen {
		t.slabs = append(t.slabs, make([]block, slabLen))
		t.free = 0
	}
	id := int32((len(t.slabs)-1)*slabLen + t.free)
	t.free++
	t.size += blockSize + 16
	s.blocks = slices.Insert(s.blocks, i, blockRef{key, id})
	return id
}

func (t *table) block(r blockRef) *block { return &t.slabs[r.id/slabLen][r.id%slabLen] }

// isV6 says whether an address in text is IPv6: its first colon stands within
// the first five bytes.
func isV6(a []byte) bool {
	return bytes.IndexByte(a[:min(len(a), 5)], ':') >= 0
}

// add counts one record.
func (t *table) add(r *row) {
	s := t.lookup(r.iface, isV6(r.dst))
	s.records[r.action]++
	tt := &t.totals
	tt.records[r.action]++
	if r.start < tt.first || tt.last == 0 {
		tt.first = r.start
	}
	tt.last = max(tt.last, r.end)
	tt.span = max(tt.span, r.end-r.start)
	for i, n := range r.lost {
		tt.lost[i] += n
	}
	c, half := t.orient(s, r)
	a := &t.cell(s, int64(r.start/t.interval), r.action, c)[half]
	a.packets += r.packets
	a.bytes += r.bytes
	a.flows++
}

// orient decides in which half of which class a record counts.
func (t *table) orient(s *section, r *row) (class, int) {
	switch {
	case r.direction == Ingress:
		s.directed = true
		return absolute, 0
	case r.direction == Egress:
		s.directed = true
		return absolute, 1
	case r.action >= NoData || len(r.src) == 0 || len(r.dst) == 0:
		return undirected, 0
	}
	for _, a := range s.own {
		if string(r.dst) == a {
			return absolute, 0
		}
		if string(r.src) == a {
			return absolute, 1
		}
	}
	if len(s.own) != 0 || s.ambiguous {
		return undirected, 0
	}
	if s.candidates[1] == "" && s.seen {
		if string(r.dst) == s.candidates[0] {
			return oriented, 0
		}
		if string(r.src) == s.candidates[0] {
			return oriented, 1
		}
	}
	return t.narrow(s, string(r.src), string(r.dst))
}

// narrow keeps the candidates that the record has, and says how it counts.
func (t *table) narrow(s *section, src, dst string) (class, int) {
	if !s.seen {
		s.seen = true
		s.candidates[0] = dst
		if src != dst {
			s.candidates[1] = src
		}
	} else {
		t.reduce(s, src, dst)
	}
	switch {
	case s.ambiguous:
		return undirected, 0
	case s.candidates[0] == dst:
		return oriented, 0
	}
	return oriented, 1
}

// reduce drops the candidates that are neither of a and b, and turns the cells
// when the one that orients them falls away.
func (t *table) reduce(s *section, a, b string) {
	keep := func(c string) bool { return c != "" && (c == a || c == b) }
	switch k0, k1 := keep(s.candidates[0]), keep(s.candidates[1]); {
	case k0 && !k1:
		s.candidates[1] = ""
	case !k0 && k1:
		t.turn(s)
		s.candidates = [2]string{s.candidates[1], ""}
	case !k0 && !k1:
		t.blur(s)
		s.candidates = [2]string{}
		s.ambiguous = true
	}
}

// turn swaps the halves of the oriented cells. It is right because all records
// counted so far ran between the two candidates.
func (t *table) turn(s *section) {
	for _, r := range s.blocks {
		if class(r.key&3) == oriented {
			b := t.block(r)
			for i := range b {
				b[i][0], b[i][1] = b[i][1], b[i][0]
			}
		}
	}
}

// blur moves the oriented cells to the undirected ones: no address fits all
// records, so their direction is not known.
func (t *table) blur(s *section) {
	for _, r := range slices.Clone(s.blocks) {
		if class(r.key&3) != oriented {
			continue
		}
		from := *t.block(r)
		*t.block(r) = block{}
		to := t.find(s, r.key&^3|int64(undirected))
		b := t.block(blockRef{id: to})
		for i := range b {
			b[i][0].plus(from[i][0])
			b[i][0].plus(from[i][1])
		}
	}
}

func (a *amount) plus(b amount) {
	a.packets += b.packets
	a.bytes += b.bytes
	a.flows += b.flows
}

// absorb adds all of o to t. Both keep the same interval.
func (t *table) absorb(o *table) {
	for _, from := range o.sections {
		t.source = from.source
		to := t.lookup([]byte(from.iface), from.v6)
		c, turned := t.meet(to, from)
		for _, r := range from.blocks {
			b := o.block(r)
			key := r.key
			if class(key&3) == oriented {
				key = key&^3 | int64(c)
			}
			into := t.block(blockRef{id: t.find(to, key)})
			for i := range b {
				x, y := b[i][0], b[i][1]
				if class(r.key&3) == oriented && turned {
					x, y = y, x
				}
				if class(key&3) == undirected {
					x.plus(y)
					y = amount{}
				}
				into[i][0].plus(x)
				into[i][1].plus(y)
			}
		}
	}
	t.totals.merge(&o.totals)
}

// meet joins what two sections know of the own address. It says in which class
// and which way round the oriented cells of from count in to.
func (t *table) meet(to, from *section) (c class, turned bool) {
	for i, n := range from.records {
		to.records[i] += n
	}
	to.directed = to.directed || from.directed
	if from.ambiguous && !to.ambiguous {
		t.blur(to)
		to.candidates, to.ambiguous, to.seen = [2]string{}, true, true
	}
	if to.ambiguous {
		return undirected, false
	}
	if !from.seen {
		return oriented, false
	}
	if !to.seen {
		to.seen, to.candidates = true, from.candidates
	} else {
		t.reduce(to, from.candidates[0], from.candidates[1])
	}
	if to.ambiguous {
		return undirected, false
	}
	return oriented, to.candidates[0] != from.candidates[0]
}
