package flowsum

import "math/bits"

// lane is what AddBatch needs of a section, in one cache line.
type lane struct {
	id Word24
	me Word16 // the own address when there is exactly one; else zero
	// blocks are those of two neighbouring block numbers, the first of which
	// is base, each in the place of its number's parity and of its action:
	// numbers plus one, 0 for those not looked up yet.
	blocks [2][2]int32
	base   uint32
	kind   uint32 // as in section, and directedLane
}

// directedLane marks a lane whose records may count by the direction that they
// say.
const directedLane = 1 << 31

// Batch is the number of records that AddBatch takes at most.
const Batch = 32

// AddBatch adds ordinary records, at most Batch of them. Some need a longer
// look (an interface that is new, whose own address is not settled, or that
// needs memory beyond the limit): those have their bits set in left, and the
// caller passes them to Add. What is needed of memory is asked for in rounds,
// each of which can wait for all records at once.
func (s *Sums) AddBatch(records []Ordinary) (left uint32) {
	t := s.mem
	records = records[:min(len(records), Batch)]
	if len(t.lanes) == 0 {
		return 1<<len(records) - 1
	}
	var found [Batch]uint32
	left = t.findAll(records, &found)
	var cells [Batch]*amount
	first, last, span := t.totals.first, t.totals.last, t.totals.span
	if last == 0 {
		first = 1<<64 - 1
	}
	for n := range records {
		r := &records[n]
		first, last, span = min(first, r.Start), max(last, r.End), max(span, r.End-r.Start)
		l := &t.lanes[found[n&(Batch-1)]]
		fromMe := (r.Src[0] ^ l.me[0]) | (r.Src[1] ^ l.me[1])
		toMe := (r.Dst[0] ^ l.me[0]) | (r.Dst[1] ^ l.me[1])
		half := (toMe | -toMe) >> 63
		known := l.me[0] != 0 && (toMe == 0 || fromMe == 0)
		if r.Direction != UnknownDirection {
			known, half = l.kind&directedLane != 0, uint64(r.Direction-Ingress)
		}
		bucket, _ := bits.Mul64(r.Start, t.inverse)
		number := uint32(bucket / blockLen)
		place := uint32(l.blocks[number&1][r.Rejected&1])
		if number-l.base > 1 || place == 0 {
			if !known || left>>n&1 != 0 || t.full(s.limit) {
				left |= 1 << n
				cells[n&(Batch-1)] = &t.spare
				continue
			}
			place = uint32(t.look(int(found[n&(Batch-1)]), number, int(r.Rejected&1)))
		}
		place--
		at := &t.slabs[place/slabLen][place%slabLen][bucket%blockLen][half&1]
		if !known || left>>n&1 != 0 {
			left |= 1 << n
			at = &t.spare
		}
		cells[n&(Batch-1)] = at
	}
	for n := range records {
		r, at := &records[n], cells[n&(Batch-1)]
		at.packets += r.Packets
		at.bytes += r.Bytes
		at.flows++
	}
	t.totals.first, t.totals.last, t.totals.span = first, last, span
	return left
}

// findAll finds the lanes of records. The bits of those whose interface was not
// met before are set in left.
func (t *table) findAll(records []Ordinary, found *[Batch]uint32) (left uint32) {
	index, lanes, kind := t.index, t.lanes, t.origin
	for n := range records {
		r := &records[n]
		h := hashWords(r.ID[0], r.ID[1], r.ID[2])
		for k := h; ; k++ {
			s := index[k&uint64(len(index)-1)]
			if s.n == 0 {
				left |= 1 << n
				break
			}
			l := &lanes[s.n-1]
			if s.hash == uint32(h>>32) && (l.id[0]^r.ID[0])|(l.id[1]^r.ID[1])|(l.id[2]^r.ID[2])|uint64((l.kind^kind)&^directedLane) == 0 {
				found[n&(Batch-1)] = s.n - 1
				break
			}
		}
	}
	return left
}

// look finds or makes a block of a lane's section and notes it in the lane. It
// gives the block's number plus one.
func (t *table) look(i int, n uint32, rejected int) int32 {
	l, s := &t.lanes[i], t.sections[i]
	switch {
	case n-l.base <= 1:
	case n+1 == l.base:
		l.blocks[n&1], l.base = [2]int32{}, n
	case n == l.base+2:
		l.blocks[n&1], l.base = [2]int32{}, n-1
	default:
		l.blocks, l.base = [2][2]int32{}, n
	}
	number := t.find(s, blockKey(int64(n), Accept+Action(rejected), s.meClass)) + 1
	l.blocks[n&1][rejected] = number
	return number
}
