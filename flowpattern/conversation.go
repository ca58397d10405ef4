package flowpattern

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"

	"ddx/flowsum"
)

// Conversation is what passed between one interface and one peer for one
// service: all connections that differ in their ephemeral port only are one
// conversation, so that their number stays small.
type Conversation struct {
	Interface string     `json:"interface"`
	Local     netip.Addr `json:"local"` // the interface's side; zero when direction is unknown
	Peer      netip.Addr `json:"peer"`
	Protocol  uint8      `json:"protocol"`
	// LocalPort and PeerPort: the service's port; the ephemeral one is 0.
	LocalPort uint16 `json:"local_port"`
	PeerPort  uint16 `json:"peer_port"`

	In  Side `json:"in"`  // towards the interface
	Out Side `json:"out"` // from the interface

	First uint64 `json:"first"` // Unix seconds
	Last  uint64 `json:"last"`
}

// Side is one direction of a conversation.
type Side struct {
	Accepted flowsum.Amount `json:"accepted"`
	Rejected flowsum.Amount `json:"rejected"`
	// Flags is the OR of the accepted records' tcp-flags, SYNOnly the number
	// of accepted records with SYN and nothing else. HasFlags: the format
	// carries them.
	Flags    uint8  `json:"flags,omitempty"`
	SYNOnly  uint64 `json:"syn_only,omitempty"`
	HasFlags bool   `json:"has_flags,omitempty"`
	// MeanMax is the largest mean packet size of a record, in bytes.
	MeanMax uint64 `json:"mean_max,omitempty"`
}

func (s Side) none() bool { return s.Accepted.Flows+s.Rejected.Flows == 0 }

type conversationKey struct {
	iface       string
	local, peer netip.Addr
	proto       uint8
	lport       uint16
	pport       uint16
}

// Conversations are kept up to a limit. Records of conversations beyond it are
// counted in Untracked and NoDirection, never dropped in silence.
type Conversations struct {
	limit       int
	m           map[conversationKey]*Conversation
	names       map[string]string
	Untracked   uint64 // records of conversations that came after the limit
	NoDirection uint64 // records without flow-direction and with no known address
}

// New makes room for conversations up to a limit.
func New(limit int) *Conversations {
	return &Conversations{limit: limit, m: map[conversationKey]*Conversation{}, names: map[string]string{}}
}

// firstEphemeral is where ephemeral ports begin on Linux (net.ipv4.
// ip_local_port_range), the lowest of the systems met in a VPC except for
// NAT gateways and load balancers, which begin at 1024.
const firstEphemeral = 32768

// servicePorts zeroes the ephemeral one of two ports.
func servicePorts(src, dst uint16, flags uint8, hasFlags bool) (uint16, uint16) {
	switch {
	case src == dst:
		return src, dst
	case hasFlags && flags&0x12 == 0x02: // SYN: the source is the client
		return 0, dst
	case hasFlags && flags&0x12 == 0x12 && src < dst: // SYN+ACK from a server
		return src, 0
	case src >= firstEphemeral && dst >= firstEphemeral:
		if src < dst {
			return src, 0
		}
		return 0, dst
	case src >= firstEphemeral:
		return 0, dst
	case dst >= firstEphemeral:
		return src, 0
	case src < dst:
		return src, 0
	}
	return 0, dst
}

// Add counts a record in its conversation.
func (c *Conversations) Add(r *flowsum.Record) {
	if r.Action >= flowsum.NoData {
		return
	}
	src, err1 := netip.ParseAddr(string(r.Src))
	dst, err2 := netip.ParseAddr(string(r.Dst))
	if err1 != nil || err2 != nil {
		c.NoDirection++
		return
	}
	sport, dport := servicePorts(r.SrcPort, r.DstPort, r.Flags, r.HasFlags)
	iface, ok := c.names[string(r.Interface)]
	if !ok {
		iface = string(r.Interface)
		c.names[iface] = iface
	}
	// Kept by source and destination: which of them is the interface's own is
	// settled when all records are read.
	k := conversationKey{iface: iface, local: dst, peer: src, proto: r.Protocol, lport: dport, pport: sport}
	in := true
	switch {
	case r.Direction == flowsum.Egress:
		in = false
	case r.Direction == flowsum.UnknownDirection && src.Less(dst):
		in = false // one canonical order for both ways
	}
	if !in {
		k.local, k.peer, k.lport, k.pport = src, dst, sport, dport
	}
	v := c.m[k]
	if v == nil {
		if len(c.m) >= c.limit {
			c.Untracked++
			return
		}
		v = &Conversation{Interface: iface, Local: k.local, Peer: k.peer, Protocol: k.proto, LocalPort: k.lport, PeerPort: k.pport, First: r.Start}
		c.m[k] = v
	}
	s := &v.In
	if !in {
		s = &v.Out
	}
	v.First, v.Last = min(v.First, r.Start), max(v.Last, r.End)
	s.count(r)
}

func (s *Side) count(r *flowsum.Record) {
	a := &s.Accepted
	if r.Action == flowsum.Reject {
		a = &s.Rejected
	}
	a.Packets += r.Packets
	a.Bytes += r.Bytes
	a.Flows++
	if r.Action == flowsum.Reject {
		return
	}
	s.Flags |= r.Flags
	s.HasFlags = s.HasFlags || r.HasFlags
	if r.HasFlags && r.Flags == 2 {
		s.SYNOnly++
	}
	if r.Packets > 0 {
		s.MeanMax = max(s.MeanMax, r.Bytes/r.Packets)
	}
}

func (s *Side) merge(o Side) {
	s.Accepted.Plus(o.Accepted)
	s.Rejected.Plus(o.Rejected)
	s.Flags |= o.Flags
	s.SYNOnly += o.SYNOnly
	s.HasFlags = s.HasFlags || o.HasFlags
	s.MeanMax = max(s.MeanMax, o.MeanMax)
}

// Merge adds all of o, which must not be used again.
func (c *Conversations) Merge(o *Conversations) {
	c.Untracked += o.Untracked
	c.NoDirection += o.NoDirection
	for k, v := range o.m {
		if have := c.m[k]; have != nil {
			have.join(v)
		} else if len(c.m) < c.limit {
			c.m[k] = v
		} else {
			c.Untracked += v.In.Accepted.Flows + v.In.Rejected.Flows + v.Out.Accepted.Flows + v.Out.Rejected.Flows
		}
	}
}

func (v *Conversation) join(o *Conversation) {
	v.In.merge(o.In)
	v.Out.merge(o.Out)
	v.First, v.Last = min(v.First, o.First), max(v.Last, o.Last)
}

// All gives the conversations in a fixed order, seen from the interface whose
// addresses the sums know. A conversation whose own side is not known is left
// out and counted in NoDirection.
func (c *Conversations) All(ifaces []flowsum.Interface) iter.Seq[Conversation] {
	own := map[string]map[netip.Addr]bool{}
	directed := map[string]bool{}
	for _, i := range ifaces {
		own[i.Name] = map[netip.Addr]bool{}
		directed[i.Name] = i.DirectionFrom == "flow-direction"
		for _, a := range i.Addresses {
			if p, err := netip.ParseAddr(a); err == nil {
				own[i.Name][p] = true
			}
		}
	}
	var all []Conversation
	for _, v := range c.m {
		switch o := own[v.Interface]; {
		case directed[v.Interface] || o[v.Local]:
			all = append(all, *v)
		case o[v.Peer]:
			t := *v
			t.Local, t.Peer, t.LocalPort, t.PeerPort, t.In, t.Out = v.Peer, v.Local, v.PeerPort, v.LocalPort, v.Out, v.In
			all = append(all, t)
		default:
			c.NoDirection += v.In.Accepted.Flows + v.In.Rejected.Flows + v.Out.Accepted.Flows + v.Out.Rejected.Flows
		}
	}
	slices.SortFunc(all, func(a, b Conversation) int {
		return cmp.Or(cmp.Compare(a.Interface, b.Interface), a.Local.Compare(b.Local), a.Peer.Compare(b.Peer),
			cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.LocalPort, b.LocalPort), cmp.Compare(a.PeerPort, b.PeerPort))
	})
	return slices.Values(all)
}
