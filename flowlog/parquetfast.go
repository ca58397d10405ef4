package flowlog

import "github.com/parquet-go/parquet-go"

// parquetFast takes the ordinary rows of a batch straight to their cells, as
// fastPath does with text: the section of an interface is looked up once for
// each entry of the dictionary. Whatever is unusual about a row goes the long
// way.
type parquetFast struct {
	iface, src, dst, packets, bytes, start, end, action, status, direction *parquetColumn

	sections   []*section // by code of the interface
	of         parquet.Dictionary
	generation int
}

// newParquetFast gives nil when a column that it needs is missing, or one that
// it does not know is wanted.
func newParquetFast(p *parquetReader) *parquetFast {
	f := &parquetFast{}
	at := map[field]**parquetColumn{fieldInterface: &f.iface, fieldSrcAddr: &f.src, fieldDstAddr: &f.dst, fieldPackets: &f.packets, fieldBytes: &f.bytes,
		fieldStart: &f.start, fieldEnd: &f.end, fieldAction: &f.action, fieldStatus: &f.status, fieldDirection: &f.direction}
	for _, c := range p.columns {
		if at[c.field] == nil {
			return nil
		}
		*at[c.field] = c
	}
	for _, c := range []*parquetColumn{f.iface, f.src, f.dst, f.packets, f.bytes, f.start, f.end, f.action, f.status} {
		if c == nil {
			return nil
		}
	}
	return f
}

// take counts rows until one is not for it, at most n, and gives their number.
// The columns' positions are not moved.
func (f *parquetFast) take(n int, t *table, since, until uint64) int {
	if f.iface.dict == nil {
		return 0
	}
	if f.of != f.iface.dict || f.generation != t.generation {
		f.of, f.generation = f.iface.dict, t.generation
		f.sections = grow(f.sections, len(f.iface.words))
		clear(f.sections)
	}
	nums := func(c *parquetColumn) []uint64 { return c.nums[c.pos : c.pos+n] }
	codes := func(c *parquetColumn) []int32 { return c.codes[c.pos : c.pos+n] }
	iface, src, dst := codes(f.iface), codes(f.src), codes(f.dst)
	packets, size, start, end := nums(f.packets), nums(f.bytes), nums(f.start), nums(f.end)
	action, status := nums(f.action), nums(f.status)
	var direction []uint64
	if f.direction != nil {
		direction = nums(f.direction)
	}
	for i := range n {
		k, s, d := iface[i], src[i], dst[i]
		if k < 0 || s < 0 || d < 0 || status[i] != uint64(Accept) || action[i] > uint64(Reject) {
			return i
		}
		sw, dw := &f.src.words[s], &f.dst.words[d]
		if dw[0] == 0 || (&word16{dw[0]}).startsV6() {
			return i
		}
		sec := f.sections[k]
		if sec == nil {
			if sec = t.known(&f.iface.words[k], false); sec == nil || f.iface.words[k][0] == 0 {
				return i
			}
			f.sections[k] = sec
		}
		r := row{start: start[i], end: end[i]}
		if !r.plausible() || r.start < since || r.start >= until || packets[i] >= wrong || size[i] >= wrong {
			return i
		}
		c, half := sec.meClass, 0
		toMe := (dw[0] ^ sec.me[0]) | (dw[1] ^ sec.me[1]) | dw[2]
		fromMe := (sw[0] ^ sec.me[0]) | (sw[1] ^ sec.me[1]) | sw[2]
		switch {
		case direction != nil:
			if direction[i] != uint64(Ingress) && direction[i] != uint64(Egress) || !sec.directed {
				return i
			}
			c, half = absolute, int(direction[i]-uint64(Ingress))
		case sec.me[0] == 0 || toMe != 0 && fromMe != 0:
			return i
		default:
			half = int((toMe | -toMe) >> 63)
		}
		t.count1(sec, r.start, r.end, Action(action[i]), c, half, packets[i], size[i])
	}
	return n
}
