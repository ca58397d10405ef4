package scan

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
)

// A hit is an occurrence of a needle: where it begins in the block, and which
// one, in one number that sorts by position.
type hit uint64

func newHit(pos int, needle int32) hit { return hit(pos)<<32 | hit(needle) }
func (h hit) pos() int                 { return int(h >> 32) }
func (h hit) needle() int              { return int(uint32(h)) }

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
	groups     groups  // room for those of a tile

	b []byte
	n int
}

// search finds the needles in b[:n]. b must be longer than n by slackSize.
func (s *searcher) search(b []byte, n int) {
	s.b, s.n, s.hits = b, n, s.hits[:0]
	if len(s.last) != len(s.needles) {
		s.last = slices.Repeat([]int32{-1}, len(s.needles))
	}
	coarse, fine := probes()
	for lo := 0; lo < n; lo += tile {
		hi, seen := min(lo+tile, n), len(s.hits)
		if s.coarse.slots != nil {
			s.searchGrams(coarse, &s.coarse, lo, hi)
		}
		if s.fine.slots != nil {
			s.searchGrams(fine, &s.fine, lo, hi)
		}
		for i := range s.rare {
			s.searchRare(&s.rare[i], lo, hi)
		}
		slices.Sort(s.hits[seen:]) // few, so that the whole is nearly in order
	}
	for _, h := range s.hits { // a needle that was seen has a hit; short lines are searched one by one
		s.last[h.needle()] = -1
	}
	slices.Sort(s.hits)
}

// The groups of a tile that have a gram in a set, by position, with a mask of
// their grams. The search works in three steps, groups, grams, needles, each
// with far fewer positions than the one before it, and the first has no branch
// that depends on the text: it could not be predicted.
type groups struct {
	start [tile/group + 1]int32
	mask  [tile/group + 1]uint32
}

// A probe lists the groups of b[lo:hi] that have a gram in the set of g, and
// returns their number.
type probe func(list *groups, b []byte, lo, hi int, g *grams) int

// In a mask, bit k stands for the gram at offset 4k of the group, and at 4(k-8)+2
// from bit 8 on, which only a fine probe sets.
const coarseGrams = group / coarseStride

// searchGrams finds the needles with a sampled gram that begins in b[lo:hi],
// which is at most a tile.
func (s *searcher) searchGrams(p probe, g *grams, lo, hi int) {
	list := &s.groups
	n := p(list, s.b, lo, hi, g)
	for i, mask := range list.mask[:n] {
		for start := int(list.start[i]); mask != 0; mask &= mask - 1 {
			k := bits.TrailingZeros32(mask)
			at := start + k*coarseStride
			if k >= coarseGrams {
				at += fineStride - group
			}
			s.compare(g.places(binary.LittleEndian.Uint32(s.b[at:])|g.fold), at)
			s.candidates++
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
		s.hits = append(s.hits, newHit(start, p.needle))
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
