package scan

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// A hit is an occurrence of a needle.
type hit struct {
	pos    int32 // where the needle begins in the block
	needle int32
}

const (
	// tile is how much of a block one search covers before the next one looks
	// at the same text, so that it is still in the nearest cache.
	tile = 16 << 10
	// group is the number of bytes that are probed for one branch.
	group = 32
)

// search appends to hits the occurrences of needles in b[:n], by position, and
// returns how many grams and bytes it had to look at closely. b must be longer
// than n by slackSize.
func (p *plan) search(hits []hit, b []byte, n int) (_ []hit, candidates int64) {
	s := searcher{plan: p, hits: hits, b: b, n: n}
	for lo := 0; lo < n; lo += tile {
		hi := min(lo+tile, n)
		if p.long.slots != nil {
			s.searchLong(lo, hi)
		}
		if p.short.slots != nil {
			s.searchShort(lo, hi)
		}
		for i := range p.rare {
			s.searchRare(&p.rare[i], lo, hi)
		}
	}
	slices.SortFunc(s.hits, func(a, b hit) int { return cmp.Compare(a.pos, b.pos) })
	return s.hits, s.candidates
}

type searcher struct {
	*plan
	hits       []hit
	b          []byte
	n          int
	candidates int64
}

// searchLong finds the needles with a gram that begins in b[lo:hi].
func (s *searcher) searchLong(lo, hi int) {
	for i := lo; ; i += group {
		if s.fold == 0 {
			i = probeLong(s.b, i, hi, &s.longSet)
		} else {
			i = probeLongFolded(s.b, i, hi, &s.longSet)
		}
		if i >= hi {
			return
		}
		for j := i; j < min(i+group, hi); j += longStride {
			x := binary.LittleEndian.Uint64(s.b[j:]) | s.fold
			if h := longHash(x); s.longSet[h>>5]>>(h&31)&1 != 0 {
				s.candidates++
				s.compare(s.long.places(x&longMask), j)
			}
		}
	}
}

// searchShort does the same for the short grams.
func (s *searcher) searchShort(lo, hi int) {
	for i := lo; ; i += group {
		i = probeShort(s.b, i, hi, &s.shortSet)
		if i >= hi {
			return
		}
		for j := i; j < min(i+group, hi); j += shortStride {
			x := binary.LittleEndian.Uint32(s.b[j:]) | fold32
			if h := shortHash(x); s.shortSet[h>>5]>>(h&31)&1 != 0 {
				s.candidates++
				s.compare(s.short.places(uint64(x)), j)
			}
		}
	}
}

// searchRare finds the needles by one of their bytes.
func (s *searcher) searchRare(r *rareByte, lo, hi int) {
	for {
		i := bytes.IndexByte(s.b[lo:hi], r.value)
		if i < 0 {
			return
		}
		s.candidates++
		s.compare(r.places, lo+i)
		lo += i + 1
	}
}

// compare records the needles that stand at the places of a gram at i.
func (s *searcher) compare(places []place, i int) {
	for _, p := range places {
		nd := &s.needles[p.needle]
		start := i - int(p.offset)
		end := start + len(nd.text)
		if start < 0 || end > s.n {
			continue
		}
		if t := s.b[start:end]; nd.fold && equalFolded(t, nd.text) || !nd.fold && string(t) == nd.text {
			s.hits = append(s.hits, hit{int32(start), p.needle})
		}
	}
}

// equalFolded reports whether b is text when its ASCII letters are put in
// lower case. Text is in lower case; both have the same length.
func equalFolded(b []byte, text string) bool {
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != text[i] {
			return false
		}
	}
	return true
}

// probeLong returns the first position i, i+group, ... below hi from which one
// of the probes of a group is in the set, or a position not below hi.
func probeLong(b []byte, i, hi int, set *[1 << (longBits - 5)]uint32) int {
	for ; i < hi; i += group {
		t := (*[group + 8]byte)(b[i:])
		h0 := longHash(binary.LittleEndian.Uint64(t[0:]))
		h1 := longHash(binary.LittleEndian.Uint64(t[4:]))
		h2 := longHash(binary.LittleEndian.Uint64(t[8:]))
		h3 := longHash(binary.LittleEndian.Uint64(t[12:]))
		a := set[h0>>5]>>(h0&31) | set[h1>>5]>>(h1&31) | set[h2>>5]>>(h2&31) | set[h3>>5]>>(h3&31)
		h4 := longHash(binary.LittleEndian.Uint64(t[16:]))
		h5 := longHash(binary.LittleEndian.Uint64(t[20:]))
		h6 := longHash(binary.LittleEndian.Uint64(t[24:]))
		h7 := longHash(binary.LittleEndian.Uint64(t[28:]))
		a |= set[h4>>5]>>(h4&31) | set[h5>>5]>>(h5&31) | set[h6>>5]>>(h6&31) | set[h7>>5]>>(h7&31)
		if a&1 != 0 {
			return i
		}
	}
	return i
}

// probeLongFolded is probeLong for text that is folded first.
func probeLongFolded(b []byte, i, hi int, set *[1 << (longBits - 5)]uint32) int {
	for ; i < hi; i += group {
		t := (*[group + 8]byte)(b[i:])
		h0 := longHash(binary.LittleEndian.Uint64(t[0:]) | foldMask)
		h1 := longHash(binary.LittleEndian.Uint64(t[4:]) | foldMask)
		h2 := longHash(binary.LittleEndian.Uint64(t[8:]) | foldMask)
		h3 := longHash(binary.LittleEndian.Uint64(t[12:]) | foldMask)
		a := set[h0>>5]>>(h0&31) | set[h1>>5]>>(h1&31) | set[h2>>5]>>(h2&31) | set[h3>>5]>>(h3&31)
		h4 := longHash(binary.LittleEndian.Uint64(t[16:]) | foldMask)
		h5 := longHash(binary.LittleEndian.Uint64(t[20:]) | foldMask)
		h6 := longHash(binary.LittleEndian.Uint64(t[24:]) | foldMask)
		h7 := longHash(binary.LittleEndian.Uint64(t[28:]) | foldMask)
		a |= set[h4>>5]>>(h4&31) | set[h5>>5]>>(h5&31) | set[h6>>5]>>(h6&31) | set[h7>>5]>>(h7&31)
		if a&1 != 0 {
			return i
		}
	}
	return i
}

// probeShort is probeLong for the short grams.
func probeShort(b []byte, i, hi int, set *[1 << (shortBits - 5)]uint32) int {
	for ; i < hi; i += group {
		t := (*[group + 8]byte)(b[i:])
		a := uint32(0)
		for j := 0; j < group; j += 4 * shortStride {
			h0 := shortHash(binary.LittleEndian.Uint32(t[j:]) | fold32)
			h1 := shortHash(binary.LittleEndian.Uint32(t[j+2:]) | fold32)
			h2 := shortHash(binary.LittleEndian.Uint32(t[j+4:]) | fold32)
			h3 := shortHash(binary.LittleEndian.Uint32(t[j+6:]) | fold32)
			a |= set[h0>>5]>>(h0&31) | set[h1>>5]>>(h1&31) | set[h2>>5]>>(h2&31) | set[h3>>5]>>(h3&31)
		}
		if a&1 != 0 {
			return i
		}
	}
	return i
}
