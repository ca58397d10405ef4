package flowpattern

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Kind is a pattern of what a flow log shows of a conversation.
type Kind string

// The kinds, by the words of the fact flow.pattern.
const (
	NoRecord         Kind = "none"                   // nothing of it at this interface
	RejectedIn       Kind = "rejected"               // rejected on the way in
	RejectedOut      Kind = "rejected-out"           // rejected on the way out, before any answer
	ReplyRejectedOut Kind = "accepted-then-rejected" // let in, the answer rejected on the way out
	ReplyRejectedIn  Kind = "reply-rejected"         // let out, the answer rejected on the way in
	Unanswered       Kind = "accepted-no-answer"     // let in, nothing came out
	SYNUnanswered    Kind = "syn-only"               // the same, and only SYNs, repeated
	OutOnly          Kind = "sent-no-answer"         // let out, nothing came back
	WrongInterface   Kind = "other-interface"        // let in here, the answer left by another interface
	Refused          Kind = "reset"                  // answered by RST: nobody listens
	SmallOnly        Kind = "small-only"             // both ways, but nothing large
	Answered         Kind = "answered"               // both ways
)

// Pattern is what the records of one conversation say.
type Pattern struct {
	Kind         Kind `json:"kind"`
	Conversation `json:"conversation"`
	Other        string   `json:"other_interface,omitempty"` // the one the answer left by
	Meaning      string   `json:"meaning"`
	Modes        []string `json:"modes,omitempty"` // failure modes that it speaks for
	Next         string   `json:"next,omitempty"`  // what decides between them
	Wrong        bool     `json:"wrong"`           // something is amiss
	// Bound says what the silence in the pattern does not prove.
	Bound string `json:"bound,omitempty"`
}

// Expected is traffic that should be there: asked for by the caller, so that
// its absence can be said.
type Expected struct {
	Interface string     `json:"interface"`
	Peer      netip.Addr `json:"peer"`
	Protocol  uint8      `json:"protocol"`
	LocalPort uint16     `json:"local_port"` // 0: any
	PeerPort  uint16     `json:"peer_port"`  // 0: any
}

// row of the table: the first whose condition holds names the kind.
type patternRow struct {
	kind    Kind
	holds   func(c *Conversation) bool
	wrong   bool
	meaning string
	modes   []string
	next    string
}

const (
	flagRST    = 4
	flagSYNACK = 0x12
)

// unlogged is traffic that flow logs never show.
// Source: "Flow log limitations" of the Amazon VPC user guide.
const unlogged = "flow logs never show Amazon DNS, instance metadata (169.254.169.254), time sync (169.254.169.123), DHCP, mirrored traffic, the VPC router, ARP"

// table is the discriminating table: security groups are stateful and let the
// answer to accepted traffic pass, network ACLs are not.
var patternTable = []patternRow{
	{ReplyRejectedOut, func(c *Conversation) bool { return in(c) && c.Out.Rejected.Flows > 0 && c.Out.Accepted.Flows == 0 }, true,
		"traffic comes in and its answer is rejected on the way out: a network ACL of the interface's subnet, outbound (a security group would have let the answer pass)",
		[]string{"nacl-blocks-return-traffic"}, "aws ec2 describe-network-acls: outbound rules for the peer's ephemeral ports"},
	{ReplyRejectedIn, func(c *Conversation) bool {
		return out(c) && c.In.Rejected.Flows > 0 && c.In.Accepted.Flows == 0 && c.client()
	}, true,
		"traffic leaves and its answer is rejected on the way in: a network ACL inbound lacks the ephemeral port range",
		[]string{"nacl-blocks-return-traffic"}, "aws ec2 describe-network-acls: inbound rules for ports 1024-65535"},
	{RejectedIn, func(c *Conversation) bool { return c.In.Rejected.Flows > 0 && c.In.Accepted.Flows == 0 }, true,
		"rejected on the way in: a security group or a network ACL of this interface does not allow it",
		[]string{"sg-blocks-traffic"}, "reject-reason in the flow log, or security-group and network-ACL inbound rules for the port"},
	{RejectedOut, func(c *Conversation) bool { return c.Out.Rejected.Flows > 0 && c.Out.Accepted.Flows == 0 }, true,
		"rejected on the way out: an outbound rule of a security group or network ACL of this interface",
		[]string{"sg-blocks-traffic"}, "outbound rules of the security groups and of the network ACL"},
	{Refused, func(c *Conversation) bool {
		return in(c) && out(c) && c.Out.HasFlags && c.Out.Flags&flagRST != 0 && c.Out.Flags&flagSYNACK != flagSYNACK && c.server()
	}, true,
		"the guest answered with RST: nobody listens on the port; not a network fault", nil, "ss -ltn on the host"},
	{SYNUnanswered, func(c *Conversation) bool {
		return in(c) && c.Out.none() && c.In.SYNOnly >= 2 && c.In.SYNOnly == c.In.Accepted.Flows
	}, true,
		"the same SYN is let in again and again and nothing comes out: the guest does not answer",
		[]string{"nic-blackhole", "listen-queue-overflow", "rp-filter-drop"}, "does rx_packets of the guest move in these minutes? (ddx flows join)"},
	{Unanswered, func(c *Conversation) bool { return in(c) && c.Out.none() && !c.client() }, true,
		"let in, and nothing comes out: NIC black hole, guest firewall, rp_filter, full backlog or a hung process",
		[]string{"nic-blackhole", "rp-filter-drop", "listen-queue-overflow"}, "does rx_packets of the guest move in these minutes? (ddx flows join)"},
	{OutOnly, func(c *Conversation) bool {
		return out(c) && c.In.none() && c.Out.SYNOnly >= 1 && c.Out.SYNOnly == c.Out.Accepted.Flows
	}, true,
		"SYNs leave and nothing comes back: the peer's side, a route beyond the subnet, NAT, or the peer's security group",
		[]string{"sg-blocks-traffic"}, "the flow log of the peer's interface"},
	{OutOnly, func(c *Conversation) bool { return out(c) && c.In.none() && c.Protocol != 17 }, true,
		"traffic leaves and nothing comes back: the peer's side, a route beyond the subnet, NAT, or the peer's security group",
		nil, "the flow log of the peer's interface"},
	{SmallOnly, func(c *Conversation) bool { return in(c) && out(c) && c.Protocol == 6 && c.smallOnly() }, true,
		"both ways, but no record has packets above the size of acknowledgements while the connection lasts: if it carries data, large packets are lost on the way (path MTU)",
		[]string{"mtu-blackhole"}, "tracepath to the peer; ping -M do -s 1472 and -s 8972"},
	{Answered, func(c *Conversation) bool { return in(c) && out(c) }, false, "both ways", nil, ""},
	{Unanswered, func(c *Conversation) bool { return in(c) }, false, "one way in, as one-way protocols are", nil, ""},
	{OutOnly, func(c *Conversation) bool { return out(c) }, false, "one way out, as one-way protocols are", nil, ""},
}

func in(c *Conversation) bool  { return c.In.Accepted.Flows > 0 }
func out(c *Conversation) bool { return c.Out.Accepted.Flows > 0 }

// client and server say which side the service port is on; both are false for
// a protocol without ports.
func (c *Conversation) client() bool { return c.PeerPort != 0 && c.LocalPort == 0 }
func (c *Conversation) server() bool { return c.LocalPort != 0 && c.PeerPort == 0 }

// smallMax is a mean packet size that pure acknowledgements and handshakes stay
// below, in bytes: 40 to 60 of headers and up to 40 of options.
const smallMax = 120

// smallOnly: a conversation long enough to have carried data, at least twenty
// packets in several records, in which one way never had a large packet and the
// other neither.
func (c *Conversation) smallOnly() bool {
	return c.In.Accepted.Packets+c.Out.Accepted.Packets >= 20 && c.In.Accepted.Flows+c.Out.Accepted.Flows >= 4 &&
		c.In.MeanMax <= smallMax && c.Out.MeanMax <= smallMax
}

// Patterns names the pattern of each conversation, and of each expected one
// that has no record. It is pure. Conversations that are as they should be are
// returned too, with Wrong false.
func Patterns(conversations []Conversation, expected []Expected) []Pattern {
	var all []Pattern
	for i := range conversations {
		c := &conversations[i]
		for _, row := range patternTable {
			if !row.holds(c) {
				continue
			}
			p := Pattern{Kind: row.kind, Conversation: *c, Meaning: row.meaning, Modes: row.modes, Next: row.next, Wrong: row.wrong}
			if c.In.none() || c.Out.none() {
				p.Bound = unlogged
			}
			if p.Kind == RejectedIn && slices.Contains([]uint16{2049, 111}, c.LocalPort) {
				p.Modes = append([]string{"nfs-port-blocked"}, row.modes...)
			}
			all = append(all, p)
			break
		}
	}
	elsewhere(all)
	for _, e := range expected {
		if !slices.ContainsFunc(conversations, e.matches) {
			all = append(all, Pattern{Kind: NoRecord, Wrong: true, Bound: unlogged,
				Conversation: Conversation{Interface: e.Interface, Peer: e.Peer, Protocol: e.Protocol, LocalPort: e.LocalPort, PeerPort: e.PeerPort},
				Meaning:      "no record of it at this interface: it never reached it (route, the peer's own outbound rules, wrong address, another interface), or is of a kind that is not logged",
				Next:         "the flow log of the peer's interface; aws ec2 describe-route-tables"})
		}
	}
	slices.SortStableFunc(all, func(a, b Pattern) int {
		switch {
		case a.Wrong == b.Wrong:
			return 0
		case a.Wrong:
			return -1
		}
		return 1
	})
	return all
}

func (e Expected) matches(c Conversation) bool {
	return c.Interface == e.Interface && c.Peer == e.Peer && (e.Protocol == 0 || c.Protocol == e.Protocol) &&
		(e.LocalPort == 0 || c.LocalPort == e.LocalPort) && (e.PeerPort == 0 || c.PeerPort == e.PeerPort)
}

// elsewhere pairs traffic that is let in and unanswered with an answer to the
// same peer that leaves by another interface and has no question there.
func elsewhere(all []Pattern) {
	type service struct {
		peer  netip.Addr
		proto uint8
		port  uint16
	}
	leaves := map[service]int{}
	for i, p := range all {
		if p.server() && out(&p.Conversation) && p.In.none() {
			leaves[service{p.Peer, p.Protocol, p.LocalPort}] = i
		}
	}
	for i := range all {
		p := &all[i]
		if p.Kind != Unanswered && p.Kind != SYNUnanswered || !p.server() {
			continue
		}
		k, ok := leaves[service{p.Peer, p.Protocol, p.LocalPort}]
		if !ok || all[k].Interface == p.Interface {
			continue
		}
		q := &all[k]
		p.Kind, p.Other, p.Wrong = WrongInterface, q.Interface, true
		q.Kind, q.Other, q.Wrong = WrongInterface, p.Interface, true
		p.Meaning = fmt.Sprintf("comes in by %s and its answer leaves by %s: the guest routes by destination only", p.Interface, q.Interface)
		q.Meaning = p.Meaning
		p.Modes, q.Modes = []string{"multi-eni-asymmetric"}, []string{"multi-eni-asymmetric"}
		p.Next, q.Next = "ip rule; ip route get PEER from LOCAL", "ip rule; ip route get PEER from LOCAL"
	}
}

// String is one line for people.
func (p Pattern) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", p.Interface, p.Kind, protocolName(p.Protocol))
	fmt.Fprintf(&b, " %s <-> %s", endpoint(p.Local, p.LocalPort), endpoint(p.Peer, p.PeerPort))
	fmt.Fprintf(&b, " in %s out %s: %s", p.In.text(), p.Out.text(), p.Meaning)
	return b.String()
}

func endpoint(a netip.Addr, port uint16) string {
	s := "?"
	if a.IsValid() {
		s = a.String()
	}
	if port == 0 {
		return s
	}
	if a.Is6() {
		return fmt.Sprintf("[%s]:%d", s, port)
	}
	return fmt.Sprintf("%s:%d", s, port)
}

func (s Side) text() string {
	switch {
	case s.none():
		return "none"
	case s.Rejected.Flows == 0:
		return fmt.Sprintf("%d accepted", s.Accepted.Packets)
	case s.Accepted.Flows == 0:
		return fmt.Sprintf("%d rejected", s.Rejected.Packets)
	}
	return fmt.Sprintf("%d accepted, %d rejected", s.Accepted.Packets, s.Rejected.Packets)
}

func protocolName(p uint8) string {
	switch p {
	case 1:
		return "icmp"
	case 6:
		return "tcp"
	case 17:
		return "udp"
	case 58:
		return "icmpv6"
	}
	return fmt.Sprintf("protocol %d", p)
}
