package flowsum

import (
	"bytes"
	"slices"
)

// settle notes the own address for quick comparison when there is exactly one.
func (t *table) settle(s *section) {
	own := ""
	switch {
	case len(s.own) == 1:
		own, s.meClass = s.own[0], absolute
	case len(s.own) == 0 && s.seen && !s.ambiguous && s.candidates[1] == "":
		own, s.meClass = s.candidates[0], oriented
	}
	s.me = Word16{}
	if own != "" && len(own) <= 16 {
		var b [16 + Slack]byte
		s.me.Load(b[:], 0, copy(b[:], own))
	}
	t.lanes[s.n] = lane{id: s.id, me: s.me, kind: s.kind}
	if s.directed && s.meClass == absolute {
		t.lanes[s.n].kind |= directedLane
	}
}

// isV6 says whether an address in text is IPv6: its first colon stands within
// the first five bytes.
func isV6(a []byte) bool {
	return bytes.IndexByte(a[:min(len(a), 5)], ':') >= 0
}

// orient decides in which half of which class a record counts.
func (t *table) orient(s *section, r *Record) (class, int) {
	switch {
	case r.Direction != UnknownDirection:
		if !s.directed {
			s.directed = true
			t.settle(s)
		}
		return absolute, int(r.Direction - Ingress)
	case r.Action >= NoData || len(r.Src) == 0 || len(r.Dst) == 0:
		return undirected, 0
	}
	for _, a := range s.own {
		if string(r.Dst) == a {
			return absolute, 0
		}
		if string(r.Src) == a {
			return absolute, 1
		}
	}
	if len(s.own) != 0 || s.ambiguous {
		return undirected, 0
	}
	if s.candidates[1] == "" && s.seen {
		if string(r.Dst) == s.candidates[0] {
			return oriented, 0
		}
		if string(r.Src) == s.candidates[0] {
			return oriented, 1
		}
	}
	defer t.settle(s)
	return t.narrow(s, string(r.Src), string(r.Dst))
}

// narrow keeps the candidates that the record has, and says how it counts.
func (t *table) narrow(s *section, src, dst string) (class, int) {
	if !s.seen {
		s.seen = true
		s.candidates[0] = dst
		if src != dst {
			s.candidates[1] = src
		}
	} else {
		t.reduce(s, src, dst)
	}
	switch {
	case s.ambiguous:
		return undirected, 0
	case s.candidates[0] == dst:
		return oriented, 0
	}
	return oriented, 1
}

// reduce drops the candidates that are neither of a and b, and turns the cells
// when the one that orients them falls away.
func (t *table) reduce(s *section, a, b string) {
	keep := func(c string) bool { return c != "" && (c == a || c == b) }
	switch k0, k1 := keep(s.candidates[0]), keep(s.candidates[1]); {
	case k0 && !k1:
		s.candidates[1] = ""
	case !k0 && k1:
		t.turn(s)
		s.candidates = [2]string{s.candidates[1], ""}
	case !k0 && !k1:
		t.blur(s)
		s.candidates = [2]string{}
		s.ambiguous = true
	}
}

// turn swaps the halves of the oriented cells. It is right because all records
// counted so far ran between the two candidates.
func (t *table) turn(s *section) {
	for _, r := range s.blocks {
		if class(r.key&3) == oriented {
			b := t.block(r)
			for i := range b {
				b[i][0], b[i][1] = b[i][1], b[i][0]
			}
		}
	}
}

// blur moves the oriented cells to the undirected ones: no address fits all
// records, so their direction is not known.
func (t *table) blur(s *section) {
	for _, r := range slices.Clone(s.blocks) {
		if class(r.key&3) != oriented {
			continue
		}
		from := *t.block(r)
		*t.block(r) = block{}
		to := t.find(s, r.key&^3|int64(undirected))
		b := t.block(blockRef{id: to})
		for i := range b {
			b[i][0].plus(from[i][0])
			b[i][0].plus(from[i][1])
		}
	}
}

// count gives the number of records by action.
func (t *table) count(s *section) [numActions]uint64 {
	n := s.records
	for _, r := range s.blocks {
		a := r.key >> 2 & 7
		for _, pair := range t.block(r) {
			n[a] += pair[0].flows + pair[1].flows
		}
	}
	return n
}

// absorb adds the sections of o to those of t. Both keep the same interval.
func (t *table) absorb(o *table) {
	for _, from := range o.sections {
		t.from(from.source)
		to := t.lookup(&from.id, []byte(from.iface), from.v6)
		for a, n := range from.records {
			to.records[a] += n
		}
		c, turned := t.meet(to, from)
		t.settle(to)
		for _, r := range from.blocks {
			b := o.block(r)
			key := r.key
			if class(key&3) == oriented {
				key = key&^3 | int64(c)
			}
			into := t.block(blockRef{id: t.find(to, key)})
			for i := range b {
				x, y := b[i][0], b[i][1]
				if class(r.key&3) == oriented && turned {
					x, y = y, x
				}
				if class(key&3) == undirected {
					x.plus(y)
					y = amount{}
				}
				into[i][0].plus(x)
				into[i][1].plus(y)
			}
		}
	}
}

// meet joins what two sections know of the own address. It says in which class
// and which way round the oriented cells of from count in to.
func (t *table) meet(to, from *section) (c class, turned bool) {
	to.directed = to.directed || from.directed
	if from.ambiguous && !to.ambiguous {
		t.blur(to)
		to.candidates, to.ambiguous, to.seen = [2]string{}, true, true
	}
	if to.ambiguous {
		return undirected, false
	}
	if !from.seen {
		return oriented, false
	}
	if !to.seen {
		to.seen, to.candidates = true, from.candidates
	} else {
		t.reduce(to, from.candidates[0], from.candidates[1])
	}
	if to.ambiguous {
		return undirected, false
	}
	return oriented, to.candidates[0] != from.candidates[0]
}
