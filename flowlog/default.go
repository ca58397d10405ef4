package flowlog

import (
	"encoding/binary"
	"math/bits"

	"ddx/flowsum"
)

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
	s            *flowsum.Sums
	since, until uint64
	prefix       prefixes
	begin, end   int // of the stretch that masks are of
	masks        [stretch / 64]uint64
	taken        uint64
	declined     uint64
}

func newDefaultPath(s *flowsum.Sums, since, until uint64) *defaultPath {
	return &defaultPath{s: s, since: max(since, flowsum.Earliest), until: until}
}

// unfit counts the n lines that were taken before one was declined, and says
// whether too many are declined: the other path is faster then.
func (f *defaultPath) unfit(n uint64) bool {
	f.taken += n
	f.declined++
	return f.declined > 10_000+f.taken/8
}

// wordMasks keep the first n bytes of a flowsum.Word16.
var wordMasks = func() (m [64]flowsum.Word16) {
	for n := range m {
		if n > 8 && n <= 16 {
			m[n] = flowsum.Word16{^uint64(0), ^uint64(0) >> (128 - 8*n)}
		} else if n > 0 && n <= 8 {
			m[n] = flowsum.Word16{^uint64(0) >> (64 - 8*n), 0}
		}
	}
	return m
}()

const (
	acceptWord = 'A' | 'C'<<8 | 'C'<<16 | 'E'<<24 | 'P'<<32 | 'T'<<40 | ' '<<48 | 'O'<<56
	rejectWord = 'R' | 'E'<<8 | 'J'<<16 | 'E'<<24 | 'C'<<32 | 'T'<<40 | ' '<<48 | 'O'<<56
)

// take reads lines from b[i:j] up to the first that is unusual, and gives its
// beginning. Lines that the sums leave go to slow. It gives the number of records
// that were counted here.
func (f *defaultPath) take(b []byte, i, j int, slow func(i, j int)) (next int, records uint64) {
	var lines batch
	f.end = 0
	for {
		n, after := f.read(b, i, j, &lines)
		records += lines.add(f.s, b, n, slow)
		if i = after; n < flowsum.Batch {
			return i, records
		}
	}
}

// batch is ordinary records and where each of them stands.
type batch struct {
	records    [flowsum.Batch]flowsum.Ordinary
	begin, end [flowsum.Batch]int
}

// add adds the first n records and gives the number of those that were counted:
// the others went to slow, line by line. A record that was counted is one line:
// its interface is known, and the rest was looked at.
func (l *batch) add(s *flowsum.Sums, b []byte, n int, slow func(i, j int)) (counted uint64) {
	left := s.AddBatch(l.records[:n])
	counted = uint64(n - bits.OnesCount32(left))
	for ; left != 0; left &= left - 1 {
		k := bits.TrailingZeros32(left) & (flowsum.Batch - 1)
		i, end := l.begin[k], l.end[k]
		for j := i; j < end; j++ {
			if b[j] == '\n' {
				slow(i, j)
				i = j + 1
			}
		}
		slow(i, end)
	}
	return counted
}

// read reads lines up to the first that is unusual. It gives their number and
// where the next one begins.
func (f *defaultPath) read(b []byte, i, j int, lines *batch) (n, next int) {
	since, until := f.since, f.until
	for n = range lines.records {
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
		// Addresses longer than their masks become zero words, which are unfit.
		s, d := &wordMasks[p0&63], &wordMasks[(p1-p0-1)&63]
		to := sourceAt + (p0+1)&63
		dst := flowsum.Word16{load64(w[:], to) & d[0], load64(w[:], to+8) & d[1]}
		if !flowsum.Fits(dst) {
			return n, i
		}
		// Field by field: a whole value would be built elsewhere and copied.
		e := &lines.records[n]
		e.ID[0], e.ID[1], e.ID[2] = load64(w[:], interfaceAt), load64(w[:], interfaceAt+8), load64(w[:], interfaceAt+16)&(1<<40-1)
		e.Src[0], e.Src[1] = load64(w[:], sourceAt)&s[0], load64(w[:], sourceAt+8)&s[1]
		e.Dst = dst
		e.Start, e.End, e.Packets, e.Bytes, e.Rejected = start, end, packets, size, uint8(action>>1&1)
		lines.begin[n] = i
		i += sourceAt + 1 + p6 + timesLen
		lines.end[n] = i - 1
	}
	return flowsum.Batch, i
}
