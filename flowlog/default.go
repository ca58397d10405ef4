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
	begin, end   int // of the stretch that masks are of
	masks        [stretch / 64]uint64
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

// pending is a line whose form is settled and whose interface is not.
type pending struct {
	line          int // place in the text
	src, dst      int // lengths of the addresses
	hash          uint64
	from, to      uint64 // start and end time
	packets, size uint64
	rejected      int
}

// batch is the number of lines whose interfaces are looked up together: the
// waits for memory overlap.
const batch = 16

// take reads lines from b[i:j]. It gives the beginning of the first line that it
// did not take, and the number of records that it counted.
func (f *defaultPath) take(b []byte, i, j int) (next int, records uint64) {
	var lines [batch]pending
	f.end = 0
	for {
		n, after := f.read(b, i, j, &lines)
		counted := f.count(b, lines[:n])
		records += uint64(counted)
		if counted < n {
			return lines[counted].line, records
		}
		if i = after; n < batch {
			return i, records
		}
	}
}

// read reads lines up to the first that is unusual. It gives their number and
// where the next one begins.
func (f *defaultPath) read(b []byte, i, j int, lines *[batch]pending) (n, next int) {
	since, until := f.since, f.until
	for n = range lines {
		if i+reach > f.end {
			if j-i < reach {
				return n, i
			}
			f.begin, f.end = i, i+min(stretch, (j-i)&^63)
			separatorMasks(f.masks[:], b[f.begin:f.end])
		}
		w := (*[reach]byte)(b[i:])
		// The separators after the source address: seven of them.
		v := (*[64]byte)(w[sourceAt:])
		at := uint(i + sourceAt - f.begin)
		m := f.masks[at/64&(stretch/64-1)]>>(at&63) | f.masks[at/64+1&(stretch/64-1)]<<1<<(^at&63)
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
		if m == 0 || v[p0&63]&v[p1&63]&v[p2&63]&v[p3&63]&v[p4&63]&v[p5&63]&v[p6&63] != ' ' {
			return n, i
		}
		// The fixed texts around the numbers, and the account's digits.
		tail := (*[timesLen]byte)(w[sourceAt+1+p6&63:])
		action := load64(tail[:], 22)
		account := ((load64(w[:], accountAt) ^ zeros) | (load64(w[:], accountAt+4) ^ zeros)) & 0xF0F0F0F0F0F0F0F0
		if account != 0 || w[0] != '2' || w[1] != ' ' || w[interfaceAt-1] != ' ' || w[sourceAt-1] != ' ' ||
			tail[10] != ' ' || tail[21] != ' ' || binary.LittleEndian.Uint16(tail[30:]) != 'K'|'\n'<<8 ||
			action != acceptWord && action != rejectWord {
			return n, i
		}
		start, ok1 := f.prefix.seconds(tail[:], 0)
		end, ok2 := f.prefix.seconds(tail[:], 11)
		if !ok1 || !ok2 {
			f.prefix.learn(tail[:], 0)
			start, ok1 = seconds(tail[:], 0)
			end, ok2 = seconds(tail[:], 11)
		}
		if !ok1 || !ok2 || end-start > 3600 || start < since || start >= until {
			return n, i
		}
		if uint(p5-p4-2) > 7 || uint(p6-p5-2) > 7 {
			return n, i
		}
		packets, ok1 := digits(padded(w[:], sourceAt+1+p4, sourceAt+p5))
		size, ok2 := digits(padded(w[:], sourceAt+1+p5, sourceAt+p6))
		if !ok1 || !ok2 {
			return n, i
		}
		// Field by field: a whole value would be built elsewhere and copied.
		e := &lines[n]
		e.line, e.src, e.dst = i, p0, p1-p0-1
		e.hash = hashWords(load64(w[:], interfaceAt), load64(w[:], interfaceAt+8), load64(w[:], interfaceAt+16)&(1<<40-1))
		e.from, e.to, e.packets, e.size, e.rejected = start, end, packets, size, int(action>>1&1)
		i += sourceAt + 1 + p6 + timesLen
	}
	return batch, i
}

// count counts lines up to the first whose interface is new or not settled, and
// gives their number. What it needs of memory it asks for in three rounds, each
// of which can wait for all lines at once.
func (f *defaultPath) count(b []byte, lines []pending) int {
	t := f.s.mem
	var found [batch]uint32
	known := f.find(b, lines, &found)
	var cells [batch]*amount
	for n := range lines[:known] {
		e := &lines[n]
		l := &t.lanes[found[n&(batch-1)]]
		w := (*[sourceAt + 128]byte)(b[e.line:])
		m := &wordMasks[e.src&63]
		fromMe := (load64(w[:], sourceAt)&m[0] ^ l.me[0]) | (load64(w[:], sourceAt+8)&m[1] ^ l.me[1])
		m = &wordMasks[e.dst&63]
		at := sourceAt + (e.src+1)&63
		dst := load64(w[:], at) & m[0]
		toMe := (dst ^ l.me[0]) | (load64(w[:], at+8)&m[1] ^ l.me[1])
		if toMe != 0 && fromMe != 0 || dst == 0 || l.me[0] == 0 || startsV6(dst) {
			known = n
			break
		}
		half := (toMe | -toMe) >> 63
		bucket, _ := bits.Mul64(e.from, t.inverse)
		number := uint32(bucket / blockLen)
		place := uint32(l.blocks[number&1][e.rejected&1])
		if number-l.base > 1 || place == 0 {
			if t.size > f.s.limit {
				known = n // adding it the long way makes room
				break
			}
			place = uint32(t.look(int(found[n&(batch-1)]), number, e.rejected))
		}
		place--
		cells[n&(batch-1)] = &t.slabs[place/slabLen][place%slabLen][bucket%blockLen][half&1]
	}
	if known == 0 {
		return 0
	}
	first, last, span := t.totals.first, t.totals.last, t.totals.span
	if last == 0 {
		first = lines[0].from
	}
	for n := range lines[:known] {
		e, at := &lines[n], cells[n&(batch-1)]
		at.packets += e.packets
		at.bytes += e.size
		at.flows++
		first, last, span = min(first, e.from), max(last, e.to), max(span, e.to-e.from)
	}
	t.totals.first, t.totals.last, t.totals.span = first, last, span
	return known
}

// find finds the lanes of lines up to the first whose interface was not met
// before, and gives their number.
func (f *defaultPath) find(b []byte, lines []pending, found *[batch]uint32) int {
	t := f.s.mem
	index, lanes, kind := t.index, t.lanes, t.origin
	for n := range lines {
		e := &lines[n]
		w := (*[interfaceAt + 24]byte)(b[e.line:])
		id0, id1, id2 := load64(w[:], interfaceAt), load64(w[:], interfaceAt+8), load64(w[:], interfaceAt+16)&(1<<40-1)
		for k := e.hash; ; k++ {
			s := index[k&uint64(len(index)-1)]
			if s.n == 0 {
				return n
			}
			l := &lanes[s.n-1]
			if s.hash == uint32(e.hash>>32) && (l.id[0]^id0)|(l.id[1]^id1)|(l.id[2]^id2)|uint64(l.kind^kind) == 0 {
				found[n&(batch-1)] = s.n - 1
				break
			}
		}
	}
	return len(lines)
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
