package capture

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
)

// What Decode returns for frames it cannot read to the end. The packet then
// holds what was read before.
var (
	ErrShort   = errors.New("headers are cut short")
	ErrLength  = errors.New("a length field contradicts the frame")
	ErrLink    = errors.New("link type is not supported")
	ErrVersion = errors.New("ip version is neither 4 nor 6")
)

const (
	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherVLAN = 0x8100
	etherIPv6 = 0x86dd
	etherQinQ = 0x88a8
	etherQOld = 0x9100

	ipICMP   = 1
	ipTCP    = 6
	ipUDP    = 17
	ipICMPv6 = 58
)

var be = binary.BigEndian

// Decode reads the headers of one frame into p, whose Time, Length and
// Interface the caller has set. Frames that carry neither IP nor ARP are
// Kind Other without an error.
func Decode(link LinkType, frame []byte, p *Packet) error {
	*p = Packet{Time: p.Time, Length: p.Length, Interface: p.Interface}
	ether, off, err := networkLayer(link, frame)
	if err != nil {
		return err
	}
	body, wire := frame[off:], p.Length-off
	switch ether {
	case etherIPv4:
		return decodeIPv4(body, wire, p)
	case etherIPv6:
		return decodeIPv6(body, wire, p)
	case etherARP:
		return decodeARP(body, p)
	}
	return nil
}

// networkLayer finds the protocol number and the offset of the network header.
func networkLayer(link LinkType, b []byte) (ether uint16, off int, err error) {
	switch link {
	case LinkEthernet:
		if len(b) < 14 {
			return 0, 0, ErrShort
		}
		ether, off = be.Uint16(b[12:]), 14
	case LinkSLL:
		if len(b) < 16 {
			return 0, 0, ErrShort
		}
		ether, off = be.Uint16(b[14:]), 16
	case LinkSLL2:
		if len(b) < 20 {
			return 0, 0, ErrShort
		}
		ether, off = be.Uint16(b), 20
	case LinkRaw, LinkRawBSD, LinkRawOBSD, LinkIPv4, LinkIPv6:
		return ipEther(b, 0)
	case LinkNull, LinkLoop:
		// The first four bytes are an address family in the byte order and
		// numbering of the capturing system; the IP version is surer.
		return ipEther(b, 4)
	default:
		return 0, 0, ErrLink
	}
	for ether == etherVLAN || ether == etherQinQ || ether == etherQOld {
		if len(b) < off+4 {
			return 0, 0, ErrShort
		}
		ether, off = be.Uint16(b[off+2:]), off+4
	}
	return ether, off, nil
}

func ipEther(b []byte, off int) (uint16, int, error) {
	if len(b) <= off {
		return 0, 0, ErrShort
	}
	switch b[off] >> 4 {
	case 4:
		return etherIPv4, off, nil
	case 6:
		return etherIPv6, off, nil
	}
	return 0, 0, ErrVersion
}

func decodeIPv4(b []byte, wire int, p *Packet) error {
	if len(b) < 20 {
		return ErrShort
	}
	if b[0]>>4 != 4 {
		return ErrVersion
	}
	header, total := int(b[0]&15)*4, int(be.Uint16(b[2:]))
	if total == 0 { // segmentation offload leaves the length to the device
		total = wire
	}
	if header < 20 || total < header {
		return ErrLength
	}
	p.Src.Addr = netip.AddrFrom4([4]byte(b[12:16]))
	p.Dst.Addr = netip.AddrFrom4([4]byte(b[16:20]))
	p.TTL, p.IPID, p.IPLength = b[8], uint32(be.Uint16(b[4:])), total
	if len(b) < header {
		return ErrShort
	}
	fragment := be.Uint16(b[6:])
	if fragment&0x1fff != 0 {
		p.Kind, p.PayloadLength = Fragment, total-header
		return nil
	}
	if len(b) > total {
		b = b[:total]
	}
	err := decodeTransport(b[9], b[header:], total-header, p)
	if err == nil && total > wire {
		err = ErrLength
	}
	return err
}

func decodeIPv6(b []byte, wire int, p *Packet) error {
	if len(b) < 40 {
		return ErrShort
	}
	if b[0]>>4 != 6 {
		return ErrVersion
	}
	p.Src.Addr = netip.AddrFrom16([16]byte(b[8:24]))
	p.Dst.Addr = netip.AddrFrom16([16]byte(b[24:40]))
	p.TTL = b[7]
	total := 40 + int(be.Uint16(b[4:]))
	if total == 40 && wire > 40 { // jumbogram, or segmentation offload
		total = wire
	}
	p.IPLength = total
	if len(b) > total {
		b = b[:total]
	}
	next, off := b[6], 40
	for range 16 { // a packet has few extension headers; a chain has an end
		size := 0
		switch next {
		case 0, 43, 60, 135, 139, 140: // hop-by-hop, routing, destination, mobility, HIP, shim6
			if len(b) < off+2 {
				return ErrShort
			}
			size = 8 + int(b[off+1])*8
		case 51: // authentication header
			if len(b) < off+2 {
				return ErrShort
			}
			size = 8 + int(b[off+1])*4
		case 44: // fragment
			if len(b) < off+8 {
				return ErrShort
			}
			p.IPID = be.Uint32(b[off+4:])
			if be.Uint16(b[off+2:])&^7 != 0 {
				p.Kind, p.PayloadLength = Fragment, max(0, total-off-8)
				return nil
			}
			size = 8
		default:
			err := decodeTransport(next, b[off:], total-off, p)
			if err == nil && total > wire {
				err = ErrLength
			}
			return err
		}
		next, off = b[off], off+size
		if off > total {
			return ErrLength
		}
		if off > len(b) {
			return ErrShort
		}
	}
	return ErrLength
}

// decodeTransport reads the transport header in b; wire is how many bytes of it
// and its payload there were before the capture cut them.
func decodeTransport(proto uint8, b []byte, wire int, p *Packet) error {
	switch proto {
	case ipTCP:
		return decodeTCP(b, wire, p)
	case ipUDP:
		if len(b) < 8 {
			return ErrShort
		}
		p.Kind = UDP
		p.Src.Port, p.Dst.Port = be.Uint16(b), be.Uint16(b[2:])
		size := int(be.Uint16(b[4:]))
		if size == 0 {
			size = wire
		}
		if size < 8 {
			return ErrLength
		}
		p.PayloadLength = size - 8
		p.Payload = b[8:min(len(b), size)]
		// A first fragment holds less than the datagram, as does a lie; the
		// payload is then what is there.
		p.PayloadLength = min(p.PayloadLength, max(0, wire-8))
	case ipICMP, ipICMPv6:
		return decodeICMP(proto == ipICMPv6, b, p)
	}
	return nil
}

func decodeTCP(b []byte, wire int, p *Packet) error {
	if len(b) < 20 {
		return ErrShort
	}
	p.Kind = TCP
	p.Src.Port, p.Dst.Port = be.Uint16(b), be.Uint16(b[2:])
	p.Seq, p.Ack = be.Uint32(b[4:]), be.Uint32(b[8:])
	p.Flags, p.Window = Flags(b[13]), be.Uint16(b[14:])
	header := int(b[12]>>4) * 4
	if header < 20 || header > wire {
		return ErrLength
	}
	p.PayloadLength = wire - header
	if len(b) < header {
		return ErrShort
	}
	p.Payload = b[header:]
	if header > 20 && p.Flags&SYN == 0 {
		decodeSack(b[20:header], p)
	}
	return nil
}

// decodeSack reads the selective acknowledgement option (RFC 2018).
func decodeSack(o []byte, p *Packet) {
	for len(o) > 1 {
		switch o[0] {
		case 0:
			return
		case 1:
			o = o[1:]
			continue
		}
		n := int(o[1])
		if n < 2 || n > len(o) {
			return
		}
		if o[0] == 5 {
			for v := o[2:n]; len(v) >= 8 && p.SackBlocks < len(p.Sack); v = v[8:] {
				p.Sack[p.SackBlocks] = [2]uint32{be.Uint32(v), be.Uint32(v[4:])}
				p.SackBlocks++
			}
		}
		o = o[n:]
	}
}

func decodeARP(b []byte, p *Packet) error {
	if len(b) < 8 {
		return ErrShort
	}
	if be.Uint16(b[2:]) != etherIPv4 || b[4] != 6 || b[5] != 4 {
		return nil // not IPv4 over a link with six-byte addresses
	}
	if len(b) < 28 {
		return ErrShort
	}
	p.Kind = Neighbour
	p.Neighbour.Reply = be.Uint16(b[6:]) == 2
	sender, wanted := netip.AddrFrom4([4]byte(b[14:18])), netip.AddrFrom4([4]byte(b[24:28]))
	if p.Neighbour.Reply {
		wanted = sender
		p.Neighbour.MAC = net.HardwareAddr(b[8:14]).String()
	}
	p.Neighbour.Asker, p.Neighbour.Wanted = Host{Addr: sender}, Host{Addr: wanted}
	return nil
}

func decodeICMP(v6 bool, b []byte, p *Packet) error {
	if len(b) < 8 {
		return ErrShort
	}
	m := &p.ICMP
	p.Kind = ICMP
	m.V6, m.Type, m.Code = v6, b[0], b[1]
	p.PayloadLength, p.Payload = max(0, p.IPLength-28), b[8:]
	switch {
	case m.EchoRequest() || m.EchoReply():
		m.ID, m.Seq = be.Uint16(b[4:]), be.Uint16(b[6:])
	case v6 && (m.Type == 135 || m.Type == 136):
		if len(b) < 24 {
			return ErrShort
		}
		p.Kind = Neighbour
		p.Neighbour = NeighbourMessage{
			Reply: m.Type == 136, Asker: p.Src.Host,
			Wanted: Host{Addr: netip.AddrFrom16([16]byte(b[8:24]))},
		}
	case m.TooBig():
		if v6 {
			m.MTU = int(min(be.Uint32(b[4:]), 1<<30))
		} else {
			m.MTU = int(be.Uint16(b[6:]))
		}
		m.quote(b[8:])
	case m.IsError():
		m.quote(b[8:])
	}
	return nil
}

// quote reads the head of the packet that an error message answers.
func (m *ICMPMessage) quote(b []byte) {
	var q Packet
	if m.V6 {
		decodeIPv6(b, 1<<16, &q)
	} else {
		decodeIPv4(b, 1<<16, &q)
	}
	m.Quoted, m.QuotedSrc, m.QuotedDst, m.QuotedLen = q.Kind, q.Src, q.Dst, q.IPLength
	if q.Kind == TCP {
		m.QuotedTCPSeq, m.QuotedTCPSeqN = q.Seq, true
		return
	}
	if q.Kind != Other || !q.Src.Addr.IsValid() || m.V6 || len(b) < 20 {
		return
	}
	// RFC 792 promises eight bytes of the transport header only: the ports,
	// and for TCP the sequence number.
	if h := int(b[0]&15) * 4; len(b) >= h+8 && h >= 20 && b[9] == ipTCP {
		m.Quoted = TCP
		m.QuotedSrc.Port, m.QuotedDst.Port = be.Uint16(b[h:]), be.Uint16(b[h+2:])
		m.QuotedTCPSeq, m.QuotedTCPSeqN = be.Uint32(b[h+4:]), true
	}
}
