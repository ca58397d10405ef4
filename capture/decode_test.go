package capture

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// frame serialises layers as gopacket does.
func frame(t testing.TB, parts ...gopacket.SerializableLayer) []byte {
	t.Helper()
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true}, parts...); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(b.Bytes())
}

var (
	mac1  = []byte{2, 0, 0, 0, 0, 1}
	mac2  = []byte{2, 0, 0, 0, 0, 2}
	host1 = netip.MustParseAddr("10.0.0.1")
	host2 = netip.MustParseAddr("10.0.0.2")
	six1  = netip.MustParseAddr("fd00::1")
	six2  = netip.MustParseAddr("fd00::2")
)

func ether(kind layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: mac1, DstMAC: mac2, EthernetType: kind}
}

func ip4(proto layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, TTL: 64, Id: 77, Protocol: proto, SrcIP: host1.AsSlice(), DstIP: host2.AsSlice()}
}

func ip6(next layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: next, SrcIP: six1.AsSlice(), DstIP: six2.AsSlice()}
}

func syn() *layers.TCP {
	return &layers.TCP{SrcPort: 40000, DstPort: 2049, Seq: 1000, SYN: true, Window: 64240,
		Options: []layers.TCPOption{{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{5, 0xb4}}}}
}

// swap gives the reversed direction of an IPv4 packet inside an ICMP quotation.
func tcpFrame(t testing.TB) []byte {
	return frame(t, ether(layers.EthernetTypeIPv4), ip4(layers.IPProtocolTCP), syn(), gopacket.Payload("hello"))
}

func TestDecode(t *testing.T) {
	hop := []byte{6, 0, 1, 4, 0, 0, 0, 0} // hop-by-hop options, TCP follows
	v6tcp := frame(t, ip6(layers.IPProtocolIPv6HopByHop), gopacket.Payload(append(hop, frame(t, syn(), gopacket.Payload("hello"))...)))
	inner := frame(t, ip4(layers.IPProtocolTCP), syn())
	later := frame(t, ip4(layers.IPProtocolUDP), gopacket.Payload("0123456789abcdef"))
	later[6], later[7] = 0x20, 0x10
	arp := &layers.ARP{AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4, Operation: 1,
		SourceHwAddress: mac1, SourceProtAddress: host1.AsSlice(), DstHwAddress: make([]byte, 6), DstProtAddress: host2.AsSlice()}
	sack := &layers.TCP{SrcPort: 2049, DstPort: 40000, Seq: 5, Ack: 9, ACK: true,
		Options: []layers.TCPOption{{OptionType: layers.TCPOptionKindNop}, {OptionType: layers.TCPOptionKindNop},
			{OptionType: layers.TCPOptionKindSACK, OptionLength: 10, OptionData: []byte{0, 0, 0, 100, 0, 0, 0, 200}}}}
	isTCP := func(p *Packet) bool {
		return p.Kind == TCP && p.Src.Port == 40000 && p.Dst.Port == 2049 && p.Flags == SYN && p.Seq == 1000 &&
			p.PayloadLength == 5 && string(p.Payload) == "hello"
	}
	for _, test := range []struct {
		name  string
		link  LinkType
		frame []byte
		want  func(*Packet) bool
	}{
		{"ethernet", LinkEthernet, tcpFrame(t), func(p *Packet) bool { return isTCP(p) && p.IPID == 77 && p.IPLength == 20+24+5 && p.Src.Addr == host1 }},
		{"vlan in vlan", LinkEthernet, frame(t, ether(layers.EthernetTypeQinQ), &layers.Dot1Q{VLANIdentifier: 5, Type: layers.EthernetTypeDot1Q},
			&layers.Dot1Q{VLANIdentifier: 6, Type: layers.EthernetTypeIPv4}, ip4(layers.IPProtocolTCP), syn(), gopacket.Payload("hello")), isTCP},
		{"padding", LinkEthernet, append(tcpFrame(t), 0, 0, 0, 0), isTCP},
		{"cooked v1", LinkSLL, append([]byte{0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0}, tcpFrame(t)[14:]...), isTCP},
		{"cooked v2", LinkSLL2, append([]byte{8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0}, tcpFrame(t)[14:]...), isTCP},
		{"null", LinkNull, append([]byte{2, 0, 0, 0}, tcpFrame(t)[14:]...), isTCP},
		{"loop", LinkLoop, append([]byte{0, 0, 0, 2}, tcpFrame(t)[14:]...), isTCP},
		{"raw", LinkRaw, tcpFrame(t)[14:], isTCP},
		{"ipv6 with hop-by-hop options", LinkRaw, v6tcp, func(p *Packet) bool { return isTCP(p) && p.Dst.Addr == six2 }},
		{"later fragment", LinkRaw, later, func(p *Packet) bool { return p.Kind == Fragment && p.Src.Port == 0 }},
		{"udp", LinkRaw, frame(t, ip4(layers.IPProtocolUDP), &layers.UDP{SrcPort: 5, DstPort: 53}, gopacket.Payload("xyz")),
			func(p *Packet) bool { return p.Kind == UDP && p.Dst.Port == 53 && string(p.Payload) == "xyz" }},
		{"selective acknowledgement", LinkRaw, frame(t, ip4(layers.IPProtocolTCP), sack), func(p *Packet) bool {
			return p.SackBlocks == 1 && p.Sack[0] == [2]uint32{100, 200} && p.Flags == ACK
		}},
		{"arp", LinkEthernet, frame(t, ether(layers.EthernetTypeARP), arp), func(p *Packet) bool {
			return p.Kind == Neighbour && !p.Neighbour.Reply && p.Neighbour.Wanted.Addr == host2 && p.Neighbour.Asker.Addr == host1
		}},
		{"need to fragment", LinkRaw, frame(t, ip4(layers.IPProtocolICMPv4), &layers.ICMPv4{TypeCode: 3<<8 | 4, Seq: 1300}, gopacket.Payload(inner)), func(p *Packet) bool {
			m := p.ICMP
			return m.TooBig() && m.MTU == 1300 && m.Quoted == TCP && m.QuotedDst.Port == 2049 && m.QuotedTCPSeq == 1000
		}},
		{"quotation of eight bytes", LinkRaw, frame(t, ip4(layers.IPProtocolICMPv4), &layers.ICMPv4{TypeCode: 3<<8 | 13}, gopacket.Payload(inner[:28])), func(p *Packet) bool {
			return p.ICMP.Meaning() == "admin prohibited" && p.ICMP.Quoted == TCP && p.ICMP.QuotedDst.Port == 2049
		}},
		{"neighbour solicitation", LinkRaw, frame(t, ip6(layers.IPProtocolICMPv6), &layers.ICMPv6{TypeCode: 135 << 8}, gopacket.Payload(append(make([]byte, 4), six2.AsSlice()...))),
			func(p *Packet) bool { return p.Kind == Neighbour && p.Neighbour.Wanted.Addr == six2 }},
		{"another protocol", LinkEthernet, frame(t, ether(layers.EthernetTypeLLC), gopacket.Payload("zzzz")), func(p *Packet) bool { return p.Kind == Other }},
	} {
		p := Packet{Length: len(test.frame)}
		if err := Decode(test.link, test.frame, &p); err != nil || !test.want(&p) {
			t.Errorf("%s: %v: %+v", test.name, err, p)
		}
	}
}

func TestDecodeDamaged(t *testing.T) {
	whole := tcpFrame(t)
	for n := range len(whole) - 5 { // the last five bytes are payload
		p := Packet{Length: len(whole)}
		if err := Decode(LinkEthernet, whole[:n], &p); !errors.Is(err, ErrShort) {
			t.Fatalf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	change := func(at int, v byte) []byte { b := bytes.Clone(whole); b[at] = v; return b }
	for name, b := range map[string][]byte{
		"ip header length":   change(14, 0x44),
		"ip total length":    change(17, 10),
		"tcp header length":  change(46, 0x10),
		"total above frame":  change(16, 0x40),
		"tcp header too big": change(46, 0xf0),
	} {
		p := Packet{Length: len(b)}
		if err := Decode(LinkEthernet, b, &p); !errors.Is(err, ErrLength) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Decode(LinkRaw, []byte{0x55, 1}, &Packet{}); !errors.Is(err, ErrVersion) {
		t.Errorf("ip version 5: %v", err)
	}
	if err := Decode(999, whole, &Packet{}); !errors.Is(err, ErrLink) {
		t.Errorf("link type 999: %v", err)
	}
}

// FuzzDecode holds the decoder against gopacket's: where both read a frame
// without an error, they read the same.
func FuzzDecode(f *testing.F) {
	f.Add(uint8(1), tcpFrame(f))
	f.Add(uint8(1), frame(f, ether(layers.EthernetTypeDot1Q), &layers.Dot1Q{Type: layers.EthernetTypeIPv4}, ip4(layers.IPProtocolUDP), &layers.UDP{SrcPort: 9, DstPort: 53}, gopacket.Payload("x")))
	f.Add(uint8(101), frame(f, ip6(layers.IPProtocolTCP), syn()))
	f.Add(uint8(113), append([]byte{0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0}, tcpFrame(f)[14:]...))
	f.Fuzz(func(t *testing.T, link uint8, b []byte) {
		p := Packet{Length: len(b)}
		err := Decode(LinkType(link), b, &p)
		if len(p.Payload) > p.PayloadLength && p.Kind != ICMP {
			t.Fatalf("%d bytes of payload, %d on the wire", len(p.Payload), p.PayloadLength)
		}
		if err != nil || link != 1 {
			return
		}
		g := gopacket.NewPacket(b, layers.LayerTypeEthernet, gopacket.DecodeOptions{NoCopy: true})
		if g.ErrorLayer() != nil {
			return
		}
		if v4, ok := g.NetworkLayer().(*layers.IPv4); ok && (p.Kind == TCP || p.Kind == UDP) {
			src, _ := netip.AddrFromSlice(v4.SrcIP.To4())
			if p.Src.Addr != src || int(v4.TTL) != int(p.TTL) {
				t.Fatalf("source %v, gopacket reads %v", p.Src, src)
			}
		}
		if tcp, ok := g.TransportLayer().(*layers.TCP); ok && p.Kind == TCP {
			if uint16(tcp.SrcPort) != p.Src.Port || uint16(tcp.DstPort) != p.Dst.Port || tcp.Seq != p.Seq || tcp.Ack != p.Ack ||
				tcp.SYN != (p.Flags&SYN != 0) || tcp.RST != (p.Flags&RST != 0) || tcp.FIN != (p.Flags&FIN != 0) || tcp.Window != p.Window {
				t.Fatalf("%+v, gopacket reads %+v", p, tcp)
			}
		}
		if udp, ok := g.TransportLayer().(*layers.UDP); ok && p.Kind == UDP {
			if uint16(udp.SrcPort) != p.Src.Port || uint16(udp.DstPort) != p.Dst.Port {
				t.Fatalf("%+v, gopacket reads %+v", p, udp)
			}
		}
	})
}

func FuzzParseDNS(f *testing.F) {
	f.Add([]byte("\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x01a\x02bc\x00\x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x09"))
	f.Add([]byte("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseDNS(b)
		if err == nil && len(m.Name) > 1024 {
			t.Fatalf("a name of %d bytes", len(m.Name))
		}
	})
}

func FuzzParseRPC(f *testing.F) {
	call := []byte{0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0x86, 0xa3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 42}
	f.Add(call)
	f.Add([]byte{0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x27, 0x18})
	f.Fuzz(func(t *testing.T, b []byte) { ParseRPC(b) })
}

func TestParseRPC(t *testing.T) {
	call := []byte{0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0x86, 0xa3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 42}
	m, err := ParseRPC(call)
	if err != nil || m.Name != "EXCHANGE_ID" || m.XID != 7 || ProgramName(m.Program, m.Version) != "nfs v4" {
		t.Errorf("%v %+v", err, m)
	}
	m, err = ParseRPC([]byte{0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x27, 0x18})
	if err != nil || !m.Reply || m.Status != 10008 || NFSStatus(m.Status) != "DELAY" {
		t.Errorf("%v %+v", err, m)
	}
	m, err = ParseRPC([]byte{0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 5})
	if err != nil || m.Problem == "" {
		t.Errorf("%v %+v", err, m)
	}
}
