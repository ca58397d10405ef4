package packet

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ddx/capture"
)

// Result concludes: what the packets entered so far, and what the capture says
// about itself, prove about the target.
func (a *Analyser) Result(c capture.Capture) *Result {
	if c.Filter == "" {
		c.Filter = a.o.Filter
	}
	c.Interfaces, c.Damage = list(c.Interfaces), list(c.Damage)
	r := &Result{Schema: Schema, Matched: a.matched, Conns: []Connection{}, ICMP: []ICMPError{}, Neighbour: []Neighboured{}, MTU: []MTUResult{}}
	r.Proof = a.proof(&c)
	end := a.to
	if c.To.Year() > 1 {
		end = max(end, c.To.UnixNano())
	}
	r.Target = TargetResult{Host: a.t.Host.String(), Addresses: []string{}, Port: a.t.Port}
	for _, addr := range a.t.Addrs {
		r.Target.Addresses = append(r.Target.Addresses, addr.String())
	}
	a.connections(r, end)
	r.RPC, r.DNS = a.rpcResult(end), a.dnsResult(end)
	a.network(r)
	r.Contested = a.contested()
	a.decide(r, &c)
	r.Capture = c
	return r
}

// connections concludes every connection and sums the two directions.
func (a *Analyser) connections(r *Result, end int64) {
	waiting := a.waitingOn()
	all := make([]Connection, 0, len(a.order))
	for _, c := range a.order {
		conn := c.conclude(end, waiting[c])
		all = append(all, conn)
		r.MTU = append(r.MTU, c.pathMTU()...)
		r.ConnCount.count(c, &conn)
		d := &r.To
		if !a.t.any() && !a.t.endpoint(c.server) {
			d = &r.From
		}
		d.add(c, &conn)
	}
	r.ConnCount.NotTracked = a.lost
	r.To.settle(NeverLeft)
	r.From.settle(NothingToSee)
	slices.SortStableFunc(all, attention)
	r.Conns = all[:min(len(all), a.o.List)]
	r.ConnCount.NotListed = len(all) - len(r.Conns)
	if len(r.MTU) > a.o.List {
		r.MTU = r.MTU[:a.o.List]
	}
}

func (n *ConnCounts) count(c *conn, conn *Connection) {
	n.Total++
	switch conn.Verdict {
	case Answered:
		n.Answered++
	case Unanswered:
		n.Unanswered++
	case Nonsense:
		n.Nonsense++
	}
	if c.established {
		n.Handshakes++
	}
	if c.syn && !c.synAck && c.resetBy == 2 || c.kind == capture.UDP && c.refused() {
		n.Refused++
	}
	if c.resetBy != 0 {
		n.Resets++
	}
}

// add enters a connection; while the direction is open its verdict is the worst
// that is proven, and Unanswered counts also what is not.
func (d *Direction) add(c *conn, conn *Connection) {
	d.Connections++
	d.Packets += c.half[0].packets
	d.Replies += c.half[1].packets
	if d.First.IsZero() || conn.First.Before(d.First) {
		d.First = conn.First
	}
	if conn.Last.After(d.Last) {
		d.Last = conn.Last
	}
	if conn.Verdict == Unanswered {
		d.Unanswered++
	}
	rank := map[Verdict]int{Answered: 2, Nonsense: 3, Unanswered: 4}
	v := rank[conn.Verdict]
	if conn.Verdict == Unanswered && !conn.Proven {
		v = 1 // it may be on its way: an answered one speaks louder
	}
	if v > d.rank {
		d.Verdict, d.rank = conn.Verdict, v
	}
}

func (d *Direction) settle(empty Verdict) {
	if d.Connections == 0 {
		d.Verdict = empty
	}
}

// network lists ICMP errors and addresses that nobody answered for.
func (a *Analyser) network(r *Result) {
	for _, m := range a.icmp[:min(len(a.icmp), a.o.List)] {
		about := m.dst.String()
		if m.src.Known() {
			about = m.src.String() + " > " + about
		}
		r.ICMP = append(r.ICMP, ICMPError{
			Meaning: m.meaning, From: m.from.String(), About: about, MTU: m.mtu, Count: m.count,
			First: time.Unix(0, m.first).UTC(), Last: time.Unix(0, m.last).UTC(),
		})
	}
	for _, n := range a.asked {
		if n.answered || len(r.Neighbour) >= a.o.List {
			continue
		}
		r.Neighbour = append(r.Neighbour, Neighboured{
			Wanted: n.wanted.String(), Asker: n.asker.String(), Requests: n.requests, Target: a.t.host(n.wanted),
			First: time.Unix(0, n.first).UTC(), Last: time.Unix(0, n.last).UTC(),
		})
	}
}

// contested lists the addresses with more than one owner.
func (a *Analyser) contested() []Contested {
	out := []Contested{}
	for _, c := range a.claims {
		if c.turns >= 2 {
			out = append(out, Contested{Address: c.host.String(), MACs: c.macs, Turns: c.turns})
		}
	}
	slices.SortFunc(out, func(x, y Contested) int { return strings.Compare(x.Address, y.Address) })
	return out[:min(len(out), a.o.List)]
}

// decide gives the verdict: that of the requests to the target, else of those
// the target itself sent.
func (a *Analyser) decide(r *Result, c *capture.Capture) {
	d := &r.To
	if d.Connections == 0 && r.From.Connections > 0 {
		d = &r.From
	}
	r.Verdict = d.Verdict
	why := func(format string, args ...any) { r.Why = append(r.Why, fmt.Sprintf(format, args...)) }
	for i := range r.Conns {
		conn := &r.Conns[i]
		if conn.Verdict == r.Verdict && len(r.Why) < 5 && conn.Verdict != Answered {
			why("%s > %s: %s", conn.Client, conn.Server, conn.Why)
			r.Proof.Sufficient = r.Proof.Sufficient || conn.Proven || r.Verdict == Nonsense
		}
	}
	switch r.Verdict {
	case NeverLeft:
		a.whySilent(r, why)
		// Link-layer addresses asked for three times in vain explain the
		// silence, however short it is: nothing can leave before.
		explained := func(n Neighboured) bool { return n.Target && n.Requests >= 3 }
		r.Proof.Sufficient = slices.ContainsFunc(r.Neighbour, explained) || a.silenceProven(&r.Proof, c)
	case Answered:
		r.Proof.Sufficient = true
		why("%d of %d connections answered, %d handshakes complete, %d refused", r.ConnCount.Answered, r.ConnCount.Total, r.ConnCount.Handshakes, r.ConnCount.Refused)
		if len(r.Conns) == 1 {
			why("%s", r.Conns[0].Why)
		}
	case Unanswered:
		why("%d of %d connections without answer", r.ConnCount.Unanswered, r.ConnCount.Total)
		if !r.Proof.Sufficient {
			why("not proven: the capture ends too soon after the request, and it was not repeated")
		}
	}
	for _, m := range r.MTU {
		if m.State == "black hole" && len(r.Why) < 8 {
			why("path MTU: %s (%s)", m.Why, m.Certainty)
		}
	}
	if r.DNS != nil {
		for _, q := range r.DNS.NoData[:min(3, len(r.DNS.NoData))] {
			if q.Other {
				continue
			}
			why("dns: %s answered %s %s with NOERROR and no record", q.Server, q.Type, q.Name)
		}
	}
}

// whySilent looks for what kept the requests from leaving.
func (a *Analyser) whySilent(r *Result, why func(string, ...any)) {
	if a.t.any() {
		why("no connection at all in %.1f s", r.Proof.Covered)
	} else {
		why("no packet to or from %s in %.1f s", a.t, r.Proof.Covered)
	}
	for _, n := range r.Neighbour {
		if n.Target {
			why("%s asked %s for the link-layer address of %s and got no answer: the packets wait for it", n.Asker, times(n.Requests), n.Wanted)
		}
	}
	for _, q := range a.dns.forTarget[:min(3, len(a.dns.forTarget))] {
		if !a.dns.resolved {
			why("%s answered the question %s %s with %s and no address", q.Server, q.Type, q.Name, q.Rcode)
		}
	}
	for _, m := range r.ICMP {
		why("%s said %s about %s", m.From, m.Meaning, m.About)
	}
	for _, n := range r.Neighbour {
		if !n.Target && len(r.Why) < 8 {
			why("%s got no answer for %s (%s), which may be the way to the target", n.Asker, n.Wanted, times(n.Requests))
		}
	}
}
