package flowlog

import (
	"math/bits"

	"ddx/flowsum"
)

// parquetFast takes the ordinary rows of a page straight to the sums, as
// fastPath does with text. Whatever is unusual about a row goes the long way.
type parquetFast struct {
	iface, src, dst, packets, bytes, start, end, action, status, direction *parquetColumn

	since, until uint64
	records      [flowsum.Batch]flowsum.Ordinary
}

// newParquetFast gives nil when a column that it needs is missing, or one that
// it does not know is wanted.
func newParquetFast(p *parquetReader, since, until uint64) *parquetFast {
	f := &parquetFast{since: max(since, flowsum.Earliest), until: min(until, 1<<34)}
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

// take takes rows from the columns' positions on until one is not for it, at most
// n and at most a batch, and gives their number. Rows among them that the sums
// leave go to slow. The columns' positions are not moved.
func (f *parquetFast) take(n int, s *flowsum.Sums, slow func(row int)) (rows int, counted uint64) {
	rows = f.read(min(n, flowsum.Batch))
	left := s.AddBatch(f.records[:rows])
	counted = uint64(rows - bits.OnesCount32(left))
	for ; left != 0; left &= left - 1 {
		slow(bits.TrailingZeros32(left))
	}
	return rows, counted
}

// read reads rows up to the first that is unusual and gives their number.
func (f *parquetFast) read(n int) int {
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
		if k < 0 || s < 0 || d < 0 || status[i] != uint64(flowsum.Accept) || action[i]-uint64(flowsum.Accept) > 1 {
			return i
		}
		id, sw, dw := &f.iface.words[k], &f.src.words[s], &f.dst.words[d]
		r := &f.records[i]
		r.ID, r.Src, r.Dst = *id, sw.Short(), dw.Short()
		if id[0] == 0 || !flowsum.Fits(r.Dst) {
			return i
		}
		if direction != nil {
			if direction[i] != uint64(flowsum.Ingress) && direction[i] != uint64(flowsum.Egress) {
				return i
			}
			r.Direction = flowsum.Direction(direction[i])
		}
		if start[i] < f.since || start[i] >= f.until || end[i]-start[i] > 3600 || packets[i] >= wrong || size[i] >= wrong {
			return i
		}
		r.Start, r.End, r.Packets, r.Bytes = start[i], end[i], packets[i], size[i]
		r.Rejected = uint8(action[i] - uint64(flowsum.Accept))
	}
	return n
}
