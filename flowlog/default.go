package flowlog

import (
	"encoding/binary"
	"math/bits"
)

// lane is what the default path needs of a section, in one cache line.
type lane struct {
	id word24
	me word16 // the own address when there is exactly one; else zero
	// blocks are those of two neighbouring block numbers, the first of which
	// is base, each in the place of its number's parity and of its action:
	// numbers plus one, 0 for those not looked up yet.
	blocks [2][2]int32
	base   uint32
	kind   uint32 // as in section
}

// Places in a line of the default format, in bytes from its beginning. Up to the
// source address, and from the start time on, every ordinary line has the same
// lengths: account ids have twelve digits and interface ids seventeen.
const (
	accountAt   = 2
	interfaceAt = 15
	sourceAt    = 37
	timesLen    = len("1700000000 1700000000 ACCEPT OK\n")
	// reach is more than a line can be looked at: seven separators within 64
	// bytes of the source address, then the times and what follows them.
	reach = 192
)

// defaultPath takes IPv4 records of the default format straight from the text
// to their cells. It looks for separators in the middle of a line only, and
// declines what is unusual, as fastPath does; what it declines goes the long way.
type defaultPath struct {
	s            *Sums
	since, until uint64
	prefix       prefixes
	taken        uint64
	declined     uint64
}

func newDefaultPath(s *Sums, since, until uint64) *defaultPath {
	return &defaultPath{s: s, since: max(since, earliest), until: until}
}

// unfit counts the n lines that were taken before one was declined, and says
// whether too many are declined: the other path is faster then.
func (f *defaultPath) unfit(n uint64) bool {
	f.taken += n
	f.declined++
	return f.declined > 10_000+f.taken/8
}

// wordMasks keep the first n bytes of a word16.
var wordMasks = func() (m [64]word16) {
	for n := range m {
		if n > 8 && n <= 16 {
			m[n] = word16{^uint64(0), ^uint64(0) >> (128 - 8*n)}
		} else if n > 0 && n <= 8 {
			m[n] = word16{^uint64(0) >> (64 - 8*n), 0}
		}
	}
	return m
}()

const (
	acceptWord = 'A' | 'C'<<8 | 'C'<<16 | 'E'<<24 | 'P'<<32 | 'T'<<40 | ' '<<48 | 'O'<<56
	rejectWord = 'R' | 'E'<<8 | 'J'<<16 | 'E'<<24 | 'C'<<32 | 'T'<<40 | ' '<<48 | 'O'<<56
)

// take reads lines from b[i:j]. It gives the beginning of the first line that it
// did not take, and the number of records that it counted.
func (f *defaultPath) take(b []byte, i, j int) (next int, records uint64) {
	t := f.s.mem
	inverse, since, until, kind := t.inverse, f.since, f.until, t.origin
	index, lanes, slabs, totals := t.index, t.lanes, t.slabs, t.totals
	if totals.last == 0 {
		totals.first = 1 << 63
	}
	p := f.prefix
	for ; j-i >= reach; records++ {
		w := (*[reach]byte)(b[i:])
		// The separators after the source address: seven of them.
		v := w[sourceAt : sourceAt+64 : sourceAt+64]
		m := lowBits(load64(v, 0)) | lowBits(load64(v, 8))<<8 | lowBits(load64(v, 16))<<16 | lowBits(load64(v, 24))<<24 |
			lowBits(load64(v, 32))<<32 | lowBits(load64(v, 40))<<40 | lowBits(load64(v, 48))<<48 | lowBits(load64(v, 56))<<56
		p0 := bits.TrailingZeros64(m)
		m &= m - 1
		p1 := bits.TrailingZeros64(m)
		m &= m - 1
		p2 := bits.TrailingZeros64(m)
		m &= m - 1
		p3 := bits.TrailingZeros64(m)
		m &= m - 1
		p4 := bits.TrailingZeros64(m)
		m &= m - 1
		p5 := bits.TrailingZeros64(m)
		m &= m - 1
		p6 := bits.TrailingZeros64(m)
		if m == 0 || v[p0]&v[p1]&v[p2]&v[p3]&v[p4]&v[p5]&v[p6] != ' ' {
			break
		}
		// The fixed texts around the numbers, and the account's digits.
		tail := w[sourceAt+1+p6:][:timesLen:timesLen]
		action := load64(tail, 22)
		account := load64(w[:], accountAt)&0xF0F0F0F0F0F0F0F0 ^ zeros | load64(w[:], accountAt+4)&0xF0F0F0F0F0F0F0F0 ^ zeros
		if account != 0 || w[0] != '2' || w[1] != ' ' || w[interfaceAt-1] != ' ' || w[sourceAt-1] != ' ' ||
			tail[10] != ' ' || tail[21] != ' ' || binary.LittleEndian.Uint16(tail[30:]) != 'K'|'\n'<<8 ||
			action != acceptWord && action != rejectWord {
			break
		}
		// Times.
		start, ok1 := p.seconds(tail, 0)
		end, ok2 := p.seconds(tail, 11)
		if !ok1 || !ok2 {
			p.learn(tail, 0)
			start, ok1 = seconds(tail, 0)
			end, ok2 = seconds(tail, 11)
		}
		if !ok1 || !ok2 || end-start > 3600 || start < since || start >= until {
			break
		}
		// Interface.
		id := word24{load64(w[:], interfaceAt), load64(w[:], interfaceAt+8), load64(w[:], interfaceAt+16) & (1<<40 - 1)}
		h := hashID(&id, nil, false)
		var l *lane
		k := h
		for ; ; k++ {
			e := index[k&uint64(len(index)-1)]
			if e.n == 0 {
				break
			}
			if e.hash == uint32(h>>32) {
				if c := &lanes[e.n-1]; c.id == id && c.kind == kind {
					l = c
					break
				}
			}
		}
		if l == nil || l.me[0] == 0 {
			break
		}
		// Addresses.
		at := &wordMasks[p0&63]
		src := word16{load64(v, 0) & at[0], load64(w[:], sourceAt+8) & at[1]}
		at = &wordMasks[(p1-p0-1)&63]
		dst := word16{load64(w[:], sourceAt+1+p0) & at[0], load64(w[:], sourceAt+9+p0) & at[1]}
		toMe := (dst[0] ^ l.me[0]) | (dst[1] ^ l.me[1])
		fromMe := (src[0] ^ l.me[0]) | (src[1] ^ l.me[1])
		if toMe != 0 && fromMe != 0 || dst[0] == 0 || dst.startsV6() {
			break
		}
		half := int((toMe | -toMe) >> 63)
		// Amounts.
		if uint(p5-p4-2) > 7 || uint(p6-p5-2) > 7 {
			break
		}
		packets, ok1 := digits(padded(w[:], sourceAt+1+p4, sourceAt+p5))
		size, ok2 := digits(padded(w[:], sourceAt+1+p5, sourceAt+p6))
		if !ok1 || !ok2 {
			break
		}
		// Cell.
		bucket, _ := bits.Mul64(start, inverse)
		n := uint32(bucket / blockLen)
		rejected := int(action >> 1 & 1)
		number := l.blocks[n&1][rejected]
		if n-l.base > 1 || number == 0 {
			if t.size > f.s.limit {
				break // adding it the long way makes room
			}
			number = t.look(int(index[k&uint64(len(index)-1)].n-1), n, rejected)
			slabs = t.slabs
		}
		place := uint32(number - 1)
		cell := &slabs[place/slabLen][place%slabLen][bucket%blockLen][half]
		cell.packets += packets
		cell.bytes += size
		cell.flows++
		totals.first = min(totals.first, start)
		totals.last = max(totals.last, end)
		totals.span = max(totals.span, end-start)
		i += sourceAt + 1 + p6 + timesLen
	}
	f.prefix = p
	if records > 0 {
		t.totals = totals
	}
	return i, records
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
