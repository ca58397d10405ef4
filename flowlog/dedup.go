package flowlog

import (
	"hash/maphash"
	"sync/atomic"
)

// dedup notices records that came twice, byte for byte. A stream with
// at-least-once delivery (Firehose, an export run again) repeats records close
// together, so the last hashes are kept in a table of fixed size, shared by
// all readers: a repeat is noticed unless about a million other records came
// in between, and a record is taken for a repeat wrongly once in 2^64.
type dedup struct {
	seed maphash.Seed
	last []atomic.Uint64
}

const dedupLen = 1 << 20

func newDedup() *dedup {
	return &dedup{seed: maphash.MakeSeed(), last: make([]atomic.Uint64, dedupLen)}
}

// seen reports whether the line was noticed before, and notices it.
func (d *dedup) seen(line []byte) bool {
	h := maphash.Bytes(d.seed, line)
	return d.last[h%dedupLen].Swap(h) == h
}
