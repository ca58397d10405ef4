package afpacket

import "sync/atomic"

// The status word of a block is shared with the kernel: its load and store
// order the accesses to the block's content.
func loadStatus(p *uint32) uint32     { return atomic.LoadUint32(p) }
func storeStatus(p *uint32, v uint32) { atomic.StoreUint32(p, v) }
