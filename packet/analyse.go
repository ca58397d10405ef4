package packet

import (
	"net/netip"
	"slices"
	"time"

	"ddx/capture"
)

// Options are the question and what the operator knows besides the capture.
type Options struct {
	Target  Target
	Silence time.Duration // silence bound W; 0 means DefaultSilence
	Filter  string        // the filter expression of the capture, if it does not record it
	Start   time.Time     // when the capture began and ended, if it is known:
	End     time.Time     // the first and last packet are bounds only
	Covers  time.Duration // or at least how long it ran
	Live    bool          // Start and End are this program's own
	Track   int           // connections kept at a time; 0 means 100,000
	List    int           // connections listed in the result; 0 means 100
}

// Analyse reads the capture to its end and answers the question.
func Analyse(r *capture.Reader, o Options) *Result {
	if o.Target.Host.Name == "" {
		r.Keep(o.Target.Addrs)
	}
	a := NewAnalyser(o)
	var p capture.Packet
	for r.Next(&p) {
		a.Add(&p)
	}
	return a.Result(r.Capture())
}

// Analyser takes packets one by one. It keeps no reference to a packet.
type Analyser struct {
	o       Options
	t       Target
	conns   map[flowKey]*conn
	order   []*conn // all tracked, in order of appearance
	lost    int     // packets of connections beyond Options.Track
	matched int64
	from    int64 // times of the first and last packet seen
	to      int64
	any     bool

	icmp       []*icmpRecord
	neighbours map[capture.Host]*neighbour
	asked      []*neighbour // in order
	claims     map[capture.Host]*claim
	rpc        rpcState
	dns        dnsState
}

// neighbour is an address whose link-layer address was asked for.
type neighbour struct {
	wanted, asker capture.Host
	requests      int
	first, last   int64
	answered      bool
}

// icmpRecord folds equal error messages.
type icmpRecord struct {
	meaning     string
	from        capture.Host
	src, dst    capture.Endpoint // of the quoted packet
	mtu, count  int
	first, last int64
	port        bool // the host itself says that nobody listens
	tooBig      bool
	final       bool // unreachable or prohibited
}

// NewAnalyser begins an analysis.
func NewAnalyser(o Options) *Analyser {
	if o.Track == 0 {
		o.Track = 100_000
	}
	if o.List == 0 {
		o.List = 100
	}
	if o.Silence == 0 {
		o.Silence = DefaultSilence
	}
	t := o.Target
	t.Addrs = slices.Clone(t.Addrs)
	for i, addr := range t.Addrs {
		t.Addrs[i] = addr.Unmap()
	}
	return &Analyser{
		o: o, t: t, conns: map[flowKey]*conn{}, neighbours: map[capture.Host]*neighbour{}, claims: map[capture.Host]*claim{},
		rpc: newRPCState(), dns: newDNSState(),
	}
}

// Add enters a packet.
func (a *Analyser) Add(p *capture.Packet) {
	if !a.any {
		a.from, a.to, a.any = p.Time, p.Time, true
	}
	a.from, a.to = min(a.from, p.Time), max(a.to, p.Time)
	switch p.Kind {
	case capture.TCP, capture.UDP:
		a.transport(p)
	case capture.ICMP:
		a.icmpMessage(p)
	case capture.Neighbour:
		a.neighbour(p)
	}
}

// concerns reports whether a packet between the two endpoints is looked at, and
// whether it is to or from the target itself.
func (a *Analyser) concerns(src, dst capture.Endpoint) bool {
	return a.t.any() || a.t.endpoint(src) || a.t.endpoint(dst)
}

func (a *Analyser) transport(p *capture.Packet) {
	matched := a.concerns(p.Src, p.Dst)
	if matched {
		a.matched++
	} else {
		// A name's addresses are learnt from answers to anyone.
		if a.t.Host.Name != "" && (p.Src.Port == 53 || p.Dst.Port == 53) {
			a.lookup(p)
		}
		return
	}
	c, d := a.conn(p)
	if c == nil {
		a.lost++
		return
	}
	if p.Kind == capture.TCP {
		c.tcp(p, d)
		a.tcpMessages(c, p, d)
		return
	}
	c.half[d].touch(p)
	c.last = max(c.last, p.Time)
	a.udpMessage(c, p, d)
}

// conn finds or makes the connection of a packet, and says which side sent it.
func (a *Analyser) conn(p *capture.Packet) (*conn, int) {
	key := keyOf(p.Kind, p.Src, p.Dst)
	c := a.conns[key]
	fresh := p.Kind == capture.TCP && p.Flags&(capture.SYN|capture.ACK) == capture.SYN
	if c != nil && fresh {
		// The same ports again: another connection, unless the SYN is repeated.
		h := &c.half[0]
		if c.client != p.Src || !c.syn || h.isn != p.Seq {
			c = nil
		}
	}
	if c == nil {
		if len(a.order) >= a.o.Track {
			return nil, 0
		}
		client, server := p.Src, p.Dst
		if a.fromServer(p) {
			client, server = p.Dst, p.Src
		}
		c = &conn{kind: p.Kind, client: client, server: server, first: p.Time, last: p.Time}
		a.conns[key] = c
		a.order = append(a.order, c)
	}
	if p.Src == c.client {
		return c, 0
	}
	return c, 1
}

// fromServer guesses, from the first packet seen of a connection, whether the
// server sent it: by the handshake, else the target is the server, else the
// lower port is.
func (a *Analyser) fromServer(p *capture.Packet) bool {
	if p.Kind == capture.TCP && p.Flags&capture.SYN != 0 {
		return p.Flags&capture.ACK != 0
	}
	if p.Kind == capture.UDP && !served(p.Src.Port) {
		return false // who speaks first asks
	}
	if !a.t.any() && a.t.Port != 0 {
		return a.t.endpoint(p.Src)
	}
	return p.Src.Port < p.Dst.Port
}

// served are ports whose owner answers.
func served(port uint16) bool {
	return port == 53 || port == 111 || port == 123 || port == 2049
}

func (a *Analyser) neighbour(p *capture.Packet) {
	m := p.Neighbour
	if !m.Wanted.Known() {
		return
	}
	n := a.neighbours[m.Wanted]
	if m.Reply {
		a.claimed(m)
		if n != nil {
			n.answered = true
		}
		return
	}
	unspecified := netip.IPv4Unspecified() == m.Asker.Addr || netip.IPv6Unspecified() == m.Asker.Addr
	if m.Asker == m.Wanted || unspecified {
		return // an announcement, or a probe whether the address is free
	}
	if n == nil {
		if len(a.asked) >= 10_000 {
			return
		}
		n = &neighbour{wanted: m.Wanted, asker: m.Asker, first: p.Time}
		a.neighbours[m.Wanted] = n
		a.asked = append(a.asked, n)
	}
	if n.answered { // asked anew
		n.answered, n.requests, n.first = false, 0, p.Time
	}
	n.requests++
	n.last = p.Time
}

// claim is who said to have an address, and how often that changed.
type claim struct {
	host  capture.Host
	macs  []string
	last  string
	turns int
}

// claimed notes the owner that a reply names.
func (a *Analyser) claimed(m capture.NeighbourMessage) {
	if m.MAC == "" {
		return
	}
	c := a.claims[m.Wanted]
	if c == nil {
		if len(a.claims) >= 10_000 {
			return
		}
		c = &claim{host: m.Wanted, last: m.MAC, macs: []string{m.MAC}}
		a.claims[m.Wanted] = c
	}
	if m.MAC != c.last {
		c.turns++
		c.last = m.MAC
		if !slices.Contains(c.macs, m.MAC) && len(c.macs) < 16 {
			c.macs = append(c.macs, m.MAC)
		}
	}
}

func (a *Analyser) icmpMessage(p *capture.Packet) {
	m := &p.ICMP
	if m.EchoRequest() || m.EchoReply() {
		a.echo(p)
		return
	}
	if !m.IsError() || m.Quoted == capture.Other && !a.t.any() && !a.t.host(m.QuotedDst.Host) {
		return
	}
	if !a.concerns(m.QuotedSrc, m.QuotedDst) && !a.t.host(m.QuotedDst.Host) {
		return
	}
	var rec *icmpRecord
	meaning := m.Meaning()
	for _, r := range a.icmp {
		if r.meaning == meaning && r.from == p.Src.Host && r.src == m.QuotedSrc && r.dst == m.QuotedDst && r.mtu == m.MTU {
			rec = r
		}
	}
	fresh := rec == nil
	if fresh {
		if len(a.icmp) >= 1000 {
			return
		}
		rec = &icmpRecord{
			meaning: meaning, from: p.Src.Host, src: m.QuotedSrc, dst: m.QuotedDst, mtu: m.MTU,
			first: p.Time, port: m.PortUnreachable(), tooBig: m.TooBig(), final: !m.TooBig() && (m.V6 && m.Type == 1 || !m.V6 && m.Type == 3),
		}
		a.icmp = append(a.icmp, rec)
	}
	rec.count++
	rec.last = p.Time
	c := a.quoted(m)
	if c == nil {
		return
	}
	if fresh {
		c.icmp = append(c.icmp, rec)
	}
	if rec.tooBig {
		c.tooBigCount++
		c.tooBigFrom = p.Src.Host
		if m.MTU > 0 && (c.tooBig == 0 || m.MTU < c.tooBig) {
			c.tooBig = m.MTU
		}
		c.tooBigDir = 0
		if m.QuotedSrc.Host == c.server.Host {
			c.tooBigDir = 1
		}
	}
}

// quoted finds the connection that an error message is about. Text captures name
// the hosts without the ports; then it is the last one between them.
func (a *Analyser) quoted(m *capture.ICMPMessage) *conn {
	if c := a.conns[keyOf(m.Quoted, m.QuotedSrc, m.QuotedDst)]; c != nil {
		return c
	}
	if m.QuotedSrc.Port != 0 {
		return nil
	}
	for _, c := range slices.Backward(a.order) {
		if m.QuotedDst.Port != 0 && (c.kind != m.Quoted || c.server.Port != m.QuotedDst.Port) {
			continue
		}
		hosts := c.client.Host == m.QuotedSrc.Host && c.server.Host == m.QuotedDst.Host ||
			c.server.Host == m.QuotedSrc.Host && c.client.Host == m.QuotedDst.Host
		if hosts {
			return c
		}
	}
	return nil
}

// echo follows ping: only asked about when the target has no port.
func (a *Analyser) echo(p *capture.Packet) {
	if a.t.Port != 0 || !a.concerns(p.Src, p.Dst) {
		return
	}
	a.matched++
	client, server, d := p.Src, p.Dst, 0
	if p.ICMP.EchoReply() {
		client, server, d = p.Dst, p.Src, 1
	}
	client.Port = p.ICMP.ID
	key := flowKey{capture.ICMP, client, server}
	c := a.conns[key]
	if c == nil {
		if len(a.order) >= a.o.Track {
			a.lost++
			return
		}
		c = &conn{kind: capture.ICMP, client: client, server: server, first: p.Time}
		a.conns[key] = c
		a.order = append(a.order, c)
	}
	c.half[d].touch(p)
	c.last = max(c.last, p.Time)
	if d == 0 {
		c.calls++
	} else {
		c.callsAnswered++
	}
}
