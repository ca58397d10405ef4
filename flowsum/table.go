package flowsum

import (
	"math"
	"math/bits"
	"net/netip"
	"os"
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
	id      Word24
	me      Word16 // the own address when there is exactly one; else zero
	kind    uint32 // of flow log and address family, see table.kind
	meClass class  // the class in which me counts
	// directed: some records said their direction.
	directed bool
	v6       bool

	iface  string
	source string // flow-log id, "" when not known

	// The own address is found, not given: candidates are the addresses that
	// all records so far have in common. All records between the first two
	// leave both; none left means ambiguous.
	seen       bool
	candidates [2]string // [0] orients the cells; [1] may be empty
	ambiguous  bool
	own        []string // given addresses; empty when not given

	records [numActions]uint64 // of cells that are in a run
	blocks  []blockRef         // ascending by key
	hash    uint64
	n       int // place in table.sections
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
	inverse   uint64 // 2^64/interval, rounded up: division by multiplication
	addresses map[string][]netip.Addr
	source    string
	sources   []string // all of them; a section's kind is the place here, doubled, plus one for IPv6
	origin    uint32   // of source, doubled

	sections []*section
	lanes    []lane // of the sections
	index    []slot // open hash over sections
	slabs    [][]block
	next     int32 // first unused block
	size     int64
	totals   totals
	file     *os.File // where cells went, and how far it is written
	written  int64
	spare    amount // where AddBatch puts what it leaves; nobody reads it
}

// totals are the sums over everything, and the extent of it.
type totals struct {
	first, last uint64 // Unix seconds: smallest start, largest end
	span        uint64 // longest end-start of a record
	lost        [4]uint64
}

func (t *totals) merge(o *totals) {
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

// sectionSize is about what a section takes with its lane, its id and its place
// in the index.
const sectionSize = 400

const blockSize = blockLen * 2 * 24

func newTable(interval uint64, addresses map[string][]netip.Addr) *table {
	t := &table{interval: interval, addresses: addresses, inverse: math.MaxUint64/interval + 1, index: make([]slot, 1024)}
	t.from("")
	return t
}

// from sets the flow log that the records to come are of.
func (t *table) from(source string) {
	i := slices.Index(t.sources, source)
	if i < 0 {
		i = len(t.sources)
		t.sources = append(t.sources, source)
	}
	t.source, t.origin = source, uint32(i)<<1
}

// full says whether cells must go to the file: not before they are half of what
// there is, so that many interfaces do not make many small runs.
func (t *table) full(limit int64) bool {
	return t.size > limit && t.size-int64(len(t.sections))*sectionSize > limit/2
}

// empty drops the cells, which are in a run now, and keeps what is known of the
// interfaces.
func (t *table) empty() {
	for i, s := range t.sections {
		s.records = t.count(s)
		s.blocks = s.blocks[:0]
		t.lanes[i].blocks = [2][2]int32{}
	}
	t.next, t.size = 0, int64(len(t.sections))*sectionSize
}

// slot of the hash index: the upper half of the hash, and the section's number
// plus one.
type slot struct{ hash, n uint32 }

// hashID hashes an id. Ids too long for a word hash by their text.
func hashID(w *Word24, iface []byte, v6 bool) uint64 {
	last := w[2]
	if w[0] == 0 {
		for _, c := range iface {
			last = last*31 + uint64(c)
		}
	}
	h := hashWords(w[0], w[1], last)
	if v6 {
		h = ^h
	}
	return h
}

func hashWords(w0, w1, w2 uint64) uint64 {
	h := w0 ^ w1*0x9E3779B97F4A7C15 ^ w2*0xC2B2AE3D27D4EB4F
	h *= 0xD6E8FEB86659FD93
	return h ^ h>>32
}

// lookup finds or makes the section of an interface.
func (t *table) lookup(id *Word24, iface []byte, v6 bool) *section {
	h := hashID(id, iface, v6)
	mask := uint64(len(t.index) - 1)
	for k := h & mask; ; k = (k + 1) & mask {
		e := t.index[k]
		if e.n == 0 {
			return t.insert(id, string(iface), v6, h)
		}
		if e.hash == uint32(h>>32) {
			s := t.sections[e.n-1]
			if s.id == *id && s.kind == t.origin|uint32(b2i(v6)) && (id[0] != 0 || string(iface) == s.iface) {
				return s
			}
		}
	}
}

func (t *table) insert(id *Word24, iface string, v6 bool, h uint64) *section {
	s := &section{id: *id, iface: iface, source: t.source, v6: v6, hash: h, kind: t.origin | uint32(b2i(v6))}
	for _, a := range t.addresses[iface] {
		if a.Unmap().Is6() == v6 {
			s.own = append(s.own, a.Unmap().String())
		}
	}
	s.n = len(t.sections)
	t.sections, t.lanes = append(t.sections, s), append(t.lanes, lane{})
	t.settle(s)
	t.size += sectionSize
	if len(t.sections)*4 > len(t.index) {
		t.index = make([]slot, 2*len(t.index))
		for _, s := range t.sections {
			t.place(s)
		}
	} else {
		t.place(s)
	}
	return s
}

func (t *table) place(s *section) {
	mask := uint64(len(t.index) - 1)
	k := s.hash & mask
	for t.index[k].n != 0 {
		k = (k + 1) & mask
	}
	t.index[k] = slot{uint32(s.hash >> 32), uint32(s.n + 1)}
}

// cell gives the pair of amounts of one bucket.
func (t *table) cell(s *section, bucket uint64, a Action, c class) *[2]amount {
	id := t.find(s, blockKey(int64(bucket/blockLen), a, c))
	return &t.block(blockRef{id: id})[bucket%blockLen]
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
	id := t.next
	if int(id/slabLen) == len(t.slabs) {
		t.slabs = append(t.slabs, make([]block, slabLen))
	}
	t.slabs[id/slabLen][id%slabLen] = block{}
	t.next++
	t.size += blockSize + 16
	s.blocks = slices.Insert(s.blocks, i, blockRef{key, id})
	return id
}

func (t *table) block(r blockRef) *block { return &t.slabs[r.id/slabLen][r.id%slabLen] }

// add counts one record.
func (t *table) add(r *Record) {
	v6 := startsV6(r.DstWord[0])
	if r.DstWord[0] == 0 {
		v6 = isV6(r.Dst)
	}
	s := t.lookup(&r.ID, r.Interface, v6)
	if r.HasLost {
		for i, n := range r.Lost {
			t.totals.lost[i] += n
		}
	}
	c, half := s.meClass, 0
	toMe := (r.DstWord[0] ^ s.me[0]) | (r.DstWord[1] ^ s.me[1])
	fromMe := (r.SrcWord[0] ^ s.me[0]) | (r.SrcWord[1] ^ s.me[1])
	if s.me[0] != 0 && r.Direction == UnknownDirection && min(toMe, fromMe) == 0 {
		half = int((toMe | -toMe) >> 63)
	} else {
		c, half = t.orient(s, r)
	}
	tt := &t.totals
	if r.Start < tt.first || tt.last == 0 {
		tt.first = r.Start
	}
	tt.last = max(tt.last, r.End)
	tt.span = max(tt.span, r.End-r.Start)
	bucket, _ := bits.Mul64(r.Start, t.inverse)
	at := &t.cell(s, bucket, r.Action, c)[half]
	at.packets += r.Packets
	at.bytes += r.Bytes
	at.flows++
}

func (a *amount) plus(b amount) {
	a.packets += b.packets
	a.bytes += b.bytes
	a.flows += b.flows
}
