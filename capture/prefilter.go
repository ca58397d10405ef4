package capture

import (
	"encoding/binary"
	"net/netip"
)

// prefilter rejects, by a look at fixed offsets, frames that certainly do not
// concern some addresses: unfragmented IPv4 TCP and UDP between other addresses.
// Everything else (IPv6, VLAN, ICMP, ARP, fragments) passes and is decoded.
type prefilter struct {
	on   bool
	v4   [4]uint32 // addresses in the byte order of binary.LittleEndian
	many int
}

// Keep lets the reader skip, undecoded but counted, IPv4 frames of TCP and UDP
// between hosts that are none of addrs. Other frames are delivered all the same.
func (r *Reader) Keep(addrs []netip.Addr) {
	r.filter = prefilter{}
	if len(addrs) == 0 || len(addrs) > len(r.filter.v4) {
		return
	}
	for _, a := range addrs {
		if a.Is4() {
			b := a.As4()
			r.filter.v4[r.filter.many] = binary.LittleEndian.Uint32(b[:])
			r.filter.many++
		}
	}
	r.filter.on = true
}

func (f *prefilter) rejects(link LinkType, b []byte) bool {
	if !f.on {
		return false
	}
	ip := 14
	switch link {
	case LinkEthernet:
	case LinkSLL2:
		ip = 20
	case LinkSLL:
		ip = 16
	default:
		return false
	}
	if len(b) < ip+20 {
		return false
	}
	ether := b[ip-2:]
	if link == LinkSLL2 {
		ether = b
	}
	if ether[0] != 8 || ether[1] != 0 {
		return false
	}
	h := b[ip : ip+20]
	if h[9] != ipTCP && h[9] != ipUDP {
		return false
	}
	src, dst := binary.LittleEndian.Uint32(h[12:]), binary.LittleEndian.Uint32(h[16:])
	for _, a := range f.v4[:f.many] {
		if src == a || dst == a {
			return false
		}
	}
	return true
}
