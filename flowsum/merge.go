package flowsum

// emit merges the cells of all parts of an interface, in memory and in runs, in
// order of time.
func (g *group) emit(s *Sums, runs *runs, yield func(Key, Amount) bool) bool {
	use, _, _ := g.sources()
	var own [2]string
	own[0], _ = g.address(false)
	own[1], _ = g.address(true)
	all, err := runs.cursors(g.name)
	if err != nil {
		s.err = err
	}
	for _, p := range g.parts {
		all = append(all, &memCursor{t: p.in, sec: p.section, i: -1})
	}
	cursors := all[:0]
	for _, c := range all {
		if c.next() {
			cursors = append(cursors, c)
		} else if c.err() != nil {
			s.err = c.err()
		}
	}
	// Of the sums of a block only the actions in use are looked at and cleared:
	// most interfaces have one or two.
	var sums [numActions][blockLen][3]amount
	for len(cursors) > 0 {
		n := cursors[0].at()
		for _, c := range cursors[1:] {
			n = min(n, c.at())
		}
		used := uint(0)
		live := cursors[:0]
		for _, c := range cursors {
			more := true
			for more && c.at() == n {
				p := c.part()
				key, b := c.cells()
				if a := Action(key >> 2 & 7); use[a] == p.source {
					addBlock(&sums[a], p, own[b2i(p.v6)], class(key&3), b)
					used |= 1 << a
				}
				more = c.next()
			}
			if more {
				live = append(live, c)
			} else if c.err() != nil {
				s.err = c.err()
			}
		}
		cursors = live
		for i := range blockLen {
			start := (n*blockLen + int64(i)) * int64(s.mem.interval)
			for a := range sums {
				if used>>a&1 == 0 {
					continue
				}
				for d, v := range sums[a][i] {
					if v.flows != 0 && !yield(Key{g.name, start, Action(a), Direction(d)}, Amount{v.packets, v.bytes, v.flows}) {
						return false
					}
				}
				sums[a][i] = [3]amount{}
			}
		}
	}
	return true
}

// addBlock adds a block of a part, knowing now which address is the own one.
func addBlock(sums *[blockLen][3]amount, p *section, own string, c class, b *block) {
	first, second := Ingress, Egress
	switch {
	case c == undirected, c == oriented && (own == "" || p.ambiguous):
		first, second = UnknownDirection, UnknownDirection
	case c == oriented && p.candidates[0] != own:
		first, second = Egress, Ingress
	}
	for i := range b {
		sums[i][first].plus(b[i][0])
		sums[i][second].plus(b[i][1])
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// cursor walks the blocks of a part in ascending order.
type cursor interface {
	next() bool
	at() int64 // block number
	cells() (key int64, b *block)
	part() *section
	err() error
}

type memCursor struct {
	t   *table
	sec *section
	i   int
}

func (c *memCursor) next() bool {
	c.i++
	return c.i < len(c.sec.blocks)
}
func (c *memCursor) at() int64 { return c.sec.blocks[c.i].key >> 8 }
func (c *memCursor) cells() (int64, *block) {
	r := c.sec.blocks[c.i]
	return r.key, c.t.block(r)
}
func (c *memCursor) part() *section { return c.sec }
func (c *memCursor) err() error     { return nil }
