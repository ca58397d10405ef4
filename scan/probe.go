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
		if p.long.keys != nil {
			s.searchLong(lo, hi)
		}
		if p.short.keys != nil {
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

// searchLong finds the needles with a gram that begins in b[lo:hi], at most a
// tile. It works in three steps, each with fewer positions than the one before
// it and without a branch for each position, because such branches could not
// be predicted.
func (s *searcher) searchLong(lo, hi int) {
	var groups [tile/group + 1]int32
	var at [group/longStride + 1]int32
	n := 0
	if s.fold == 0 {
		n = probeLong(&groups, s.b, lo, hi, &s.longSet)
	} else {
		n = probeLongFolded(&groups, s.b, lo, hi, &s.longSet)
	}
	for _, g := range groups[:n] {
		t, m := (*[group + 8]byte)(s.b[g:]), 0
		for j := 0; j < group; j += longStride {
			h := longHash(binary.LittleEndian.Uint64(t[j:]) | s.fold)
			at[m] = int32(j)
			m += int(s.longSet[h>>3] >> (h & 7) & 1)
		}
		for _, j := range at[:m] {
			x := binary.LittleEndian.Uint64(t[j:]) | s.fold
			s.compare(s.long.places(x&longMask), int(g+j))
		}
		s.candidates += int64(m)
	}
}

// searchShort does the same for the short grams.
func (s *searcher) searchShort(lo, hi int) {
	var groups [tile/group + 1]int32
	var at [group/shortStride + 1]int32
	n := probeShort(&groups, s.b, lo, hi, &s.shortSet)
	for _, g := range groups[:n] {
		t, m := (*[group + 8]byte)(s.b[g:]), 0
		for j := 0; j < group; j += shortStride {
			h := shortHash(binary.LittleEndian.Uint32(t[j:]) | fold32)
			at[m] = int32(j)
			m += int(s.shortSet[h>>3] >> (h & 7) & 1)
		}
		for _, j := range at[:m] {
			x := binary.LittleEndian.Uint32(t[j:]) | fold32
			s.compare(s.short.places(uint64(x)), int(g+j))
		}
		s.candidates += int64(m)
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

// probeLong lists the groups of b[lo:hi] with a probe that finds a byte of the
// set that is not zero, and returns their number.
func probeLong(groups *[tile/group + 1]int32, b []byte, lo, hi int, set *[1 << longBits]uint8) int {
	n := 0
	for i := lo; i < hi; i += group {
		t := (*[group + 8]byte)(b[i:])
		a := set[longHash(binary.LittleEndian.Uint64(t[0:]))>>3]
		a |= set[longHash(binary.LittleEndian.Uint64(t[4:]))>>3]
		a |= set[longHash(binary.LittleEndian.Uint64(t[8:]))>>3]
		a |= set[longHash(binary.LittleEndian.Uint64(t[12:]))>>3]
		a |= set[longHash(binary.LittleEndian.Uint64(t[16:]))>>3]
		a |= set[longHash(binary.LittleEndian.Uint64(t[20:]))>>3]
		a |= set[longHash(binary.LittleEndian.Uint64(t[24:]))>>3]
		a |= set[longHash(binary.LittleEndian.Uint64(t[28:]))>>3]
		groups[n] = int32(i)
		if a != 0 {
			n++
		}
	}
	return n
}

// probeLongFolded is probeLong for text that is folded first.
func probeLongFolded(groups *[tile/group + 1]int32, b []byte, lo, hi int, set *[1 << longBits]uint8) int {
	n := 0
	for i := lo; i < hi; i += group {
		t := (*[group + 8]byte)(b[i:])
		a := set[longHash(binary.LittleEndian.Uint64(t[0:])|foldMask)>>3]
		a |= set[longHash(binary.LittleEndian.Uint64(t[4:])|foldMask)>>3]
		a |= set[longHash(binary.LittleEndian.Uint64(t[8:])|foldMask)>>3]
		a |= set[longHash(binary.LittleEndian.Uint64(t[12:])|foldMask)>>3]
		a |= set[longHash(binary.LittleEndian.Uint64(t[16:])|foldMask)>>3]
		a |= set[longHash(binary.LittleEndian.Uint64(t[20:])|foldMask)>>3]
		a |= set[longHash(binary.LittleEndian.Uint64(t[24:])|foldMask)>>3]
		a |= set[longHash(binary.LittleEndian.Uint64(t[28:])|foldMask)>>3]
		groups[n] = int32(i)
		if a != 0 {
			n++
		}
	}
	return n
}

// probeShort is probeLong for the short grams.
func probeShort(groups *[tile/group + 1]int32, b []byte, lo, hi int, set *[1 << shortBits]uint8) int {
	n := 0
	for i := lo; i < hi; i += group {
		t := (*[group + 8]byte)(b[i:])
		a := set[shortHash(binary.LittleEndian.Uint32(t[0:])|fold32)>>3]
		a |= set[shortHash(binary.LittleEndian.Uint32(t[2:])|fold32)>>3]
		a |= set[shortHash(binary.LittleEndian.Uint32(t[4:])|fold32)>>3]
		a |= set[shortHash(binary.LittleEndian.Uint32(t[6:])|fold32)>>3]
		a |= set[shortHash(binary.LittleEndian.Uint32(t[8:])|fold32)>>3]
		a |= set[shortHash(binary.LittleEndian.Uint32(t[10:])|fold32)>>3]
		a |= set[shortHash(binary.LittleEndian.Uint32(t[12:])|fold32)>>3]
		a |= set[shortHash(binary.LittleEndian.Uint32(t[14:])|fold32)>>3]
		a |= set[shortHash(binary.LittleEndian.Uint32(t[16:])|fold32)>>3]
		a |= set[shortHash(binary.LittleEndian.Uint32(t[18:])|fold32)>>3]
		a |= set[shortHash(binary.LittleEndian.Uint32(t[20:])|fold32)>>3]
		a |= set[shortHash(binary.LittleEndian.Uint32(t[22:])|fold32)>>3]
		a |= set[shortHash(binary.LittleEndian.Uint32(t[24:])|fold32)>>3]
		a |= set[shortHash(binary.LittleEndian.Uint32(t[26:])|fold32)>>3]
		a |= set[shortHash(binary.LittleEndian.Uint32(t[28:])|fold32)>>3]
		a |= set[shortHash(binary.LittleEndian.Uint32(t[30:])|fold32)>>3]
		groups[n] = int32(i)
		if a != 0 {
			n++
		}
	}
	return n
}
