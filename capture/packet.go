package capture

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Host is an address, or the name a text capture printed in its place.
type Host struct {
	Addr netip.Addr
	Name string
}

// ParseHost takes an address (also in brackets) or else a name, which is
// compared without regard to case and final dot.
func ParseHost(s string) Host {
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return Host{Addr: a.Unmap()}
	}
	return Host{Name: strings.TrimSuffix(strings.ToLower(s), ".")}
}

func (h Host) String() string {
	if h.Addr.IsValid() {
		return h.Addr.String()
	}
	return h.Name
}

func (h Host) Known() bool { return h != Host{} }

// Endpoint is a host and a port; port 0 means none.
type Endpoint struct {
	Host
	Port uint16
}

func (e Endpoint) String() string {
	if e.Port == 0 {
		return e.Host.String()
	}
	if e.Addr.Is6() {
		return "[" + e.Host.String() + "]:" + strconv.Itoa(int(e.Port))
	}
	return e.Host.String() + ":" + strconv.Itoa(int(e.Port))
}

// Kind says which of a Packet's parts are filled.
type Kind uint8

// The kinds of packet.
const (
	Other     Kind = iota // nothing the analysis uses
	TCP                   // TCP part
	UDP                   // payload only
	ICMP                  // ICMP part, of either version
	Neighbour             // ARP, or IPv6 neighbour discovery
	Fragment              // a fragment that is not the first: no ports
)

// Flags are TCP's, in their place in the header.
type Flags uint8

// The TCP flags that the analysis looks at.
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
)

// ICMPMessage is an ICMP or ICMPv6 message. Quoted is the packet an error
// answers, as far as it is quoted; Kind Other if none or unreadable.
type ICMPMessage struct {
	V6            bool
	Type, Code    uint8
	MTU           int // of "need to fragment" and "packet too big"; 0 if none
	ID, Seq       uint16
	Quoted        Kind
	QuotedSrc     Endpoint
	QuotedDst     Endpoint
	QuotedLen     int // IP length of the quoted packet
	QuotedTCPSeq  uint32
	QuotedTCPSeqN bool // the sequence number is valid
}

// NeighbourMessage asks for, or states, a link-layer address.
type NeighbourMessage struct {
	Reply  bool
	Asker  Host   // who asks; in a reply, who answers
	Wanted Host   // whose link-layer address; in a reply, of whom it is told
	MAC    string // of a reply: the address told, as bytes or in text; empty if not read
}

// Packet is what the decoder reads out of one frame. Payload points into the
// reader's buffer and is valid until the next packet.
type Packet struct {
	Time      int64 // nanoseconds since 1970
	Length    int   // bytes on the wire, all headers included
	Interface int   // index in the capture; -1 if it does not say
	Kind      Kind
	Src, Dst  Endpoint
	TTL       uint8
	IPID      uint32 // 0 if none
	IPLength  int    // IP header and content, on the wire

	Flags      Flags
	Seq, Ack   uint32
	Window     uint16
	Sack       [4][2]uint32
	SackBlocks int

	Payload       []byte // the captured part
	PayloadLength int    // on the wire
	NoSeq         bool   // text captures print no sequence number without data

	ICMP      ICMPMessage
	Neighbour NeighbourMessage

	DNS *DNSMessage // from text captures, which print it decoded
	RPC *RPCMessage // likewise
}

// Timestamp is Time as a time.Time in UTC.
func (p *Packet) Timestamp() time.Time { return time.Unix(0, p.Time).UTC() }

// LinkType is the number by which pcap files name a link layer
// (https://www.tcpdump.org/linktypes.html).
type LinkType uint32

// The link types that Decode reads.
const (
	LinkNull     LinkType = 0
	LinkEthernet LinkType = 1
	LinkRawBSD   LinkType = 12
	LinkRawOBSD  LinkType = 14
	LinkRaw      LinkType = 101
	LinkLoop     LinkType = 108
	LinkSLL      LinkType = 113
	LinkIPv4     LinkType = 228
	LinkIPv6     LinkType = 229
	LinkSLL2     LinkType = 276
)

func (l LinkType) String() string {
	switch l {
	case LinkNull:
		return "null"
	case LinkEthernet:
		return "ethernet"
	case LinkRaw, LinkRawBSD, LinkRawOBSD, LinkIPv4, LinkIPv6:
		return "raw"
	case LinkLoop:
		return "loop"
	case LinkSLL:
		return "linux-sll"
	case LinkSLL2:
		return "linux-sll2"
	}
	return "link type " + strconv.Itoa(int(l))
}

func (l LinkType) Known() bool { return !strings.HasPrefix(l.String(), "link type") }
