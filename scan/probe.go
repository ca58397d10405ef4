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
	tile = 8 << 10
	// group is the number of bytes that are probed for one branch.
	group = 32
	// slackSize is how much behind the text the last group may read.
	slackSize = group + gramSize
)

// A searcher looks for the needles of a plan in one block after the other.
type searcher struct {
	*plan
	hits       []hit   // of the block, by position
	last       []int32 // by needle: where it was seen last in the block, or -1; all -1 between searches
	candidates int64   // grams and bytes that had to be looked at closely

	b []byte
	n int
}

// search finds the needles in b[:n]. b must be longer than n by slackSize.
func (s *searcher) search(b []byte, n int) {
	s.b, s.n, s.hits = b, n, s.hits[:0]
	if len(s.last) != len(s.needles) {
		s.last = slices.Repeat([]int32{-1}, len(s.needles))
	}
	for lo := 0; lo < n; lo += tile {
		hi := min(lo+tile, n)
		if s.coarse.slots != nil {
			s.searchCoarse(lo, hi)
		}
		if s.fine.slots != nil {
			s.searchFine(lo, hi)
		}
		for i := range s.rare {
			s.searchRare(&s.rare[i], lo, hi)
		}
	}
	for _, h := range s.hits { // a needle that was seen has a hit; short lines are searched one by one
		s.last[h.needle] = -1
	}
	slices.SortFunc(s.hits, func(a, b hit) int { return cmp.Compare(a.pos, b.pos) })
}

// The groups of a tile that have a gram in a set, by position. The search works
// in three steps, groups, grams, needles, each with far fewer positions than
// the one before it, and the first two have no branch that depends on the text:
// it could not be predicted.
type groups [tile/group + 1]int32

// searchCoarse finds the needles with a coarsely sampled gram that begins in
// b[lo:hi], which is at most a tile.
func (s *searcher) searchCoarse(lo, hi int) {
	var list groups
	n, g := 0, &s.coarse
	if g.fold == 0 {
		n = probeCoarse(&list, s.b, lo, hi, &g.set)
	} else {
		n = probeFolded(&list, s.b, lo, hi, &g.set)
	}
	var at [group/coarseStride + 1]int32
	for _, start := range list[:n] {
		t, m := (*[group]byte)(s.b[start:]), 0
		for j := 0; j < group; j += coarseStride {
			h := hash(binary.LittleEndian.Uint32(t[j:]) | g.fold)
			at[m] = int32(j)
			m += int(g.set[h>>3] >> (h & 7) & 1)
		}
		for _, j := range at[:m] {
			s.compare(g.places(binary.LittleEndian.Uint32(t[j:])|g.fold), int(start+j))
		}
		s.candidates += int64(m)
	}
}

// searchFine does the same with the finely sampled grams.
func (s *searcher) searchFine(lo, hi int) {
	var list groups
	g := &s.fine
	n := probeFine(&list, s.b, lo, hi, &g.set)
	var at [group/fineStride + 1]int32
	for _, start := range list[:n] {
		t, m := (*[group + fineStride]byte)(s.b[start:]), 0
		for j := 0; j < group; j += fineStride {
			h := hash(binary.LittleEndian.Uint32(t[j:]) | fold32)
			at[m] = int32(j)
			m += int(g.set[h>>3] >> (h & 7) & 1)
		}
		for _, j := range at[:m] {
			s.compare(g.places(binary.LittleEndian.Uint32(t[j:])|fold32), int(start+j))
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
	for k := range places {
		p := &places[k]
		at := i + int(p.at)
		if uint(at) >= uint(s.n) || binary.LittleEndian.Uint32(s.b[at:])|p.fold != p.check {
			continue
		}
		nd := &s.needles[p.needle]
		start := i - int(p.offset)
		end := start + len(nd.text)
		if start < 0 || end > s.n {
			continue
		}
		if t := s.b[start:end]; nd.fold && !equalFolded(t, nd.text) || !nd.fold && string(t) != nd.text {
			continue
		}
		if nd.once {
			last := int(s.last[p.needle])
			s.last[p.needle] = int32(start)
			if last >= 0 && bytes.IndexByte(s.b[min(start, last):max(start, last)], '\n') < 0 {
				continue
			}
		}
		s.hits = append(s.hits, hit{int32(start), p.needle})
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

// probeCoarse lists the groups of b[lo:hi] with a gram that passes the first
// test, and returns their number.
func probeCoarse(list *groups, b []byte, lo, hi int, set *[1 << setBits]uint8) int {
	n := 0
	for i := lo; i < hi; i += group {
		t := (*[group]byte)(b[i:])
		a := set[hash(binary.LittleEndian.Uint32(t[0:]))>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[4:]))>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[8:]))>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[12:]))>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[16:]))>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[20:]))>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[24:]))>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[28:]))>>3]
		list[n] = int32(i)
		if a != 0 {
			n++
		}
	}
	return n
}

// probeFolded is probeCoarse for text that is folded first.
func probeFolded(list *groups, b []byte, lo, hi int, set *[1 << setBits]uint8) int {
	n := 0
	for i := lo; i < hi; i += group {
		t := (*[group]byte)(b[i:])
		a := set[hash(binary.LittleEndian.Uint32(t[0:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[4:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[8:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[12:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[16:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[20:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[24:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[28:])|fold32)>>3]
		list[n] = int32(i)
		if a != 0 {
			n++
		}
	}
	return n
}

// probeFine is probeCoarse for fine samples.
func probeFine(list *groups, b []byte, lo, hi int, set *[1 << setBits]uint8) int {
	n := 0
	for i := lo; i < hi; i += group {
		t := (*[group + fineStride]byte)(b[i:])
		a := set[hash(binary.LittleEndian.Uint32(t[0:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[2:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[4:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[6:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[8:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[10:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[12:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[14:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[16:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[18:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[20:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[22:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[24:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[26:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[28:])|fold32)>>3]
		a |= set[hash(binary.LittleEndian.Uint32(t[30:])|fold32)>>3]
		list[n] = int32(i)
		if a != 0 {
			n++
		}
	}
	return n
}
