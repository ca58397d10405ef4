package flowlog

import (
	"bytes"
	"math/bits"

	"ddx/flowsum"
)

// fastPath takes the ordinary record straight from the text to its cell: a
// record that carries data, of an interface met before whose direction is
// settled. Whatever is unusual about a line, it declines, and the line goes the
// long way, which also says what is wrong with it.
//
// It finds the separators of a stretch of text first, 64 bytes at a time and
// without a branch on their places, and reads whole lines off the list.
type fastPath struct {
	s     *flowsum.Sums
	since uint64
	until uint64
	// Columns, counted in separators from the line's beginning.
	columns                                 int
	iface, packets, bytes, start, end       int
	action, status, direction, srcAddr, dst int
	ends                                    []int32 // places of the separators
	lines                                   batch
	masks                                   [stretch / 64]uint64
	prefix                                  prefixes
}

// stretch is how much text is looked at in one go: its list of separators stays
// in the first-level cache.
const stretch = 8 << 10

// newFastPath gives nil when the format is not for it.
func newFastPath(p *lineParser, s *flowsum.Sums, since, until uint64) *fastPath {
	f := &fastPath{s: s, since: max(since, flowsum.Earliest), until: until, columns: p.want + 1}
	for k, at := range map[field]*int{fieldInterface: &f.iface, fieldPackets: &f.packets, fieldBytes: &f.bytes, fieldStart: &f.start,
		fieldEnd: &f.end, fieldStatus: &f.status} {
		if *at = int(p.col[k]); *at < 1 {
			return nil
		}
	}
	f.action, f.direction, f.srcAddr, f.dst = int(p.col[fieldAction]), int(p.col[fieldDirection]), int(p.col[fieldSrcAddr]), int(p.col[fieldDstAddr])
	if p.detail || p.hasLost || f.action < 1 || f.direction == 0 || f.srcAddr < 1 || f.dst < 1 {
		return nil
	}
	f.ends = make([]int32, stretch+maxColumns+16)
	return f
}

// separators lists the bytes up to and including the space in b[i:j], whose
// length is a multiple of 64 and at most a stretch, and gives their number.
func (f *fastPath) separators(b []byte, i, j int) int {
	masks := f.masks[:(j-i)/64]
	separatorMasks(masks, b[i:j])
	n := 0
	for _, m := range masks {
		c := bits.OnesCount64(m)
		for at := n; ; at += 8 {
			eight := (*[8]int32)(f.ends[at:])
			for e := range eight {
				eight[e] = int32(i + bits.TrailingZeros64(m))
				m &= m - 1
			}
			if m == 0 {
				break
			}
		}
		n += c
		i += 64
	}
	return n
}

// take reads lines from b[i:j] and gives the place of the first byte that it
// did not take: the beginning of a line that may not be whole. Lines that it
// declines go to slow. It gives the number of records that it counted itself.
func (f *fastPath) take(b []byte, i, j int, slow func(i, j int)) (next int, records uint64) {
	for j-i >= 64 {
		stop := min(i+stretch, i+(j-i)&^63)
		begun := i
		ends := f.ends[:f.separators(b, i, stop)]
		regular := f.regular(b, i, stop, ends)
		for len(ends) > 0 {
			n := 0
			for n < flowsum.Batch && len(ends) >= f.columns && b[ends[f.columns-1]] == '\n' {
				line := ends[:f.columns]
				if !regular && !onlySpaces(b, line) || !f.record(b, line, &f.lines.records[n]) {
					break
				}
				end := int(line[f.columns-1])
				f.lines.begin[n], f.lines.end[n] = i, end
				i, ends, n = end+1, ends[f.columns:], n+1
			}
			records += f.lines.add(f.s, b, n, slow)
			if n == flowsum.Batch {
				continue
			}
			k := 0
			for k < len(ends) && b[ends[k]] != '\n' {
				k++
			}
			if k == len(ends) {
				break
			}
			slow(i, int(ends[k]))
			i = int(ends[k]) + 1
			ends = ends[k+1:]
		}
		if i == begun {
			return i, records
		}
	}
	return i, records
}

// regular says whether the separators of a stretch are spaces and newlines
// only, with a newline after each full number of columns and nowhere else.
func (f *fastPath) regular(b []byte, i, stop int, ends []int32) bool {
	newlines := bytes.Count(b[i:stop], []byte{'\n'})
	if newlines+bytes.Count(b[i:stop], []byte{' '}) != len(ends) {
		return false
	}
	for k := f.columns - 1; k < len(ends); k += f.columns {
		if b[ends[k]] != '\n' {
			return false
		}
		newlines--
	}
	return newlines == 0
}

// onlySpaces says whether all separators of a line but its last are spaces: no
// other byte up to the space has the space's bit.
func onlySpaces(b []byte, line []int32) bool {
	all := byte(' ')
	for _, e := range line[:len(line)-1] {
		all &= b[e]
	}
	return all != 0
}

// record reads a line whose separators are given, or declines it.
func (f *fastPath) record(b []byte, ends []int32, r *flowsum.Ordinary) bool {
	s, e := int(ends[f.status-1])+1, int(ends[f.status])
	if e-s != 2 || b[s] != 'O' || b[s+1] != 'K' {
		return false
	}
	s, e = int(ends[f.iface-1])+1, int(ends[f.iface])
	if e-s <= 16 || e-s >= 24 {
		return false
	}
	r.ID[0], r.ID[1], r.ID[2] = load64(b, s), load64(b, s+8), load64(b, s+16)&(1<<(uint(e-s)*8-128)-1)
	s, e = int(ends[f.srcAddr-1])+1, int(ends[f.srcAddr])
	if n := uint(e - s); n > 8 && n < 16 {
		r.Src[0], r.Src[1] = load64(b, s), load64(b, s+8)&(1<<(n*8-64)-1)
	} else {
		r.Src.Load(b, s, e)
	}
	s, e = int(ends[f.dst-1])+1, int(ends[f.dst])
	if n := uint(e - s); n > 8 && n < 16 {
		r.Dst[0], r.Dst[1] = load64(b, s), load64(b, s+8)&(1<<(n*8-64)-1)
	} else {
		r.Dst.Load(b, s, e)
	}
	s, e = int(ends[f.start-1])+1, int(ends[f.start])
	s2, e2 := int(ends[f.end-1])+1, int(ends[f.end])
	if !flowsum.Fits(r.Dst) || e-s != 10 || e2-s2 != 10 {
		return false
	}
	start, ok1 := f.prefix.seconds(b, s)
	end, ok2 := f.prefix.seconds(b, s2)
	if !ok1 || !ok2 {
		f.prefix.learn(b, s)
		start, ok1 = seconds(b, s)
		end, ok2 = seconds(b, s2)
	}
	if !ok1 || !ok2 || end-start > 3600 || start < f.since || start >= f.until {
		return false
	}
	s, e = int(ends[f.action-1])+1, int(ends[f.action])
	switch load64(b, s) & (1<<48 - 1) {
	case acceptWord & (1<<48 - 1):
		r.Rejected = 0
	case rejectWord & (1<<48 - 1):
		r.Rejected = 1
	default:
		return false
	}
	if e-s != 6 {
		return false
	}
	if f.direction > 0 {
		s = int(ends[f.direction-1]) + 1
		out := int(b[s] & 4 >> 2) // 'i' or 'e'
		if n := int(ends[f.direction]) - s; n+out != 7 || b[s] != "ie"[out] {
			return false
		}
		r.Direction = flowsum.Ingress + flowsum.Direction(out)
	}
	s, e = int(ends[f.packets-1])+1, int(ends[f.packets])
	s2, e2 = int(ends[f.bytes-1])+1, int(ends[f.bytes])
	if uint(e-s-1) > 7 || uint(e2-s2-1) > 7 {
		return false
	}
	packets, ok1 := digits(padded(b, s, e))
	size, ok2 := digits(padded(b, s2, e2))
	if !ok1 || !ok2 {
		return false
	}
	r.Start, r.End, r.Packets, r.Bytes = start, end, packets, size
	return true
}
