package packet

import (
	"fmt"
	"strings"
	"time"

	"ddx"
)

// answers are the verdicts in the words of the fact packet.target.
var answers = map[Verdict]string{
	NeverLeft: "never-left", Unanswered: "no-answer", Answered: "answered", Nonsense: "answered-nonsense",
}

// Facts states a result in the vocabulary of the root package: packet.target for
// the target, or for each server of the listed connections when none was asked
// for, and packet.event for what the capture shows of the network.
func Facts(r *Result) []ddx.Fact {
	f := &factList{r: r}
	if r.Target.Host != "" {
		f.target()
	} else {
		f.servers()
	}
	f.path()
	f.names()
	return f.facts
}

type factList struct {
	r     *Result
	facts []ddx.Fact
}

func (f *factList) add(kind, subject string, at time.Time, fields map[string]any) {
	for name, v := range fields { // what is not known is not said
		if v == "" || v == nil {
			delete(fields, name)
		}
	}
	f.facts = append(f.facts, ddx.Fact{
		Kind: kind, Subject: ddx.Subject{Kind: ddx.Endpoint, Name: subject}, Time: at, Fields: fields,
		Evidence: []ddx.Evidence{{Kind: "capture", Origin: f.r.Capture.File, Time: at}},
	})
}

func (f *factList) event(event, subject, peer string, at time.Time, count int, detail string, more map[string]any) {
	fields := map[string]any{"event": event, "peer": peer, "count": int64(count), "detail": detail}
	for k, v := range more {
		if n, ok := v.(int); ok {
			if n == 0 {
				continue
			}
			v = int64(n)
		}
		fields[k] = v
	}
	f.add("packet.event", subject, at, fields)
}

// target is the fact about the one target that was asked for.
func (f *factList) target() {
	r := f.r
	name := r.Target.Host
	if r.Target.Port != 0 {
		name = fmt.Sprintf("%s:%d", name, r.Target.Port)
		if strings.Contains(r.Target.Host, ":") {
			name = fmt.Sprintf("[%s]:%d", r.Target.Host, r.Target.Port)
		}
	}
	again := 0
	for _, c := range r.Conns {
		again += c.Forward.Retransmissions + c.Backward.Retransmissions
	}
	unanswered := r.ConnCount.Unanswered
	if r.RPC != nil {
		unanswered = max(unanswered, r.RPC.Waiting)
	}
	f.subject(name, int(r.Target.Port), r.Verdict, r.Proof.Sufficient, r.ConnCount.Total, unanswered, r.ConnCount.Resets, again, strings.Join(r.Why, "; "))
}

func (f *factList) subject(name string, port int, v Verdict, sufficient bool, conns, unanswered, resets, again int, detail string) {
	fields := map[string]any{
		"answer": answers[v], "connections": int64(conns), "unanswered": int64(unanswered), "resets": int64(resets),
		"retransmissions": int64(again), "covers": f.r.Proof.Covered, "sufficient": sufficient, "detail": detail,
	}
	if port != 0 {
		fields["port"] = int64(port)
	}
	if d := f.r.Capture.Dropped; d != nil {
		fields["dropped"] = int64(*d)
	}
	f.add("packet.target", name, f.r.Capture.To, fields)
}

// servers makes a packet.target of each server among the listed connections.
func (f *factList) servers() {
	type sum struct {
		Direction
		resets, again int
		sufficient    bool
		detail        string
	}
	sums := map[string]*sum{}
	var order []string
	for i := range f.r.Conns {
		c := &f.r.Conns[i]
		s := sums[c.Server]
		if s == nil {
			s = &sum{}
			sums[c.Server] = s
			order = append(order, c.Server)
		}
		s.Direction.Connections++
		if s.Verdict == "" { // the list is sorted: the worst comes first
			s.Verdict, s.detail = c.Verdict, c.Why
			s.sufficient = c.Proven || c.Verdict == Answered || c.Verdict == Nonsense
		}
		if c.Verdict == Unanswered {
			s.Unanswered++
		}
		if strings.HasPrefix(c.End, "reset") {
			s.resets++
		}
		s.again += c.Forward.Retransmissions + c.Backward.Retransmissions
	}
	for _, name := range order {
		s := sums[name]
		f.subject(name, portOf(name), s.Verdict, s.sufficient, s.Connections, s.Unanswered, s.resets, s.again, s.detail)
	}
}

func portOf(endpoint string) int {
	i := strings.LastIndexByte(endpoint, ':')
	if i < 0 || strings.HasSuffix(endpoint, "]") {
		return 0
	}
	n := 0
	fmt.Sscanf(endpoint[i+1:], "%d", &n)
	return n
}

// path are the events of handshakes, routers and the link.
func (f *factList) path() {
	r := f.r
	for i := range r.Conns {
		c := &r.Conns[i]
		switch {
		case c.Handshake == "syn sent" && c.Verdict == Unanswered:
			f.event("syn-unanswered", c.Server, c.Client, c.Last, int(c.Forward.Packets), c.Why, nil)
		case c.Handshake == "refused" || c.Protocol == "udp" && strings.HasPrefix(c.Why, "refused"):
			f.event("syn-refused", c.Server, c.Client, c.Last, 1, c.Why, nil)
		}
		if n := c.Forward.ZeroWindows + c.Backward.ZeroWindows; n > 0 {
			f.event("zero-window", c.Server, c.Client, c.Last, n, fmt.Sprintf("closed for %.1f s", c.Forward.ZeroFor+c.Backward.ZeroFor), nil)
		}
	}
	for _, m := range r.MTU {
		if m.State != "black hole" || m.Certainty == "possible" {
			continue
		}
		more := map[string]any{"mtu": m.MTU, "size": m.SmallestLost}
		if m.Ignored {
			f.event("frag-needed-ignored", m.Server, m.AnswersFrom, r.Capture.To, m.Transmitted, m.Why, more)
		}
		if m.SmallestLost > 0 {
			f.event("large-retransmitted", m.Server, m.Client, r.Capture.To, m.Transmitted, m.Why, more)
		}
	}
	for _, m := range r.ICMP {
		event := ""
		switch {
		case m.Meaning == "need to fragment" || m.Meaning == "packet too big":
			event = "frag-needed"
		case strings.Contains(m.Meaning, "prohibited"):
			event = "icmp-prohibited"
		case strings.Contains(m.Meaning, "unreachable") || m.Meaning == "no route":
			event = "icmp-unreachable"
		default:
			continue
		}
		_, subject, ok := strings.Cut(m.About, " > ")
		if !ok {
			subject = m.About
		}
		f.event(event, subject, m.From, m.Last, m.Count, m.Meaning, map[string]any{"mtu": m.MTU})
	}
	for _, n := range r.Neighbour {
		f.event("arp-unanswered", n.Wanted, n.Asker, n.Last, n.Requests, "", nil)
	}
	for _, c := range r.Contested {
		f.event("duplicate-address", c.Address, strings.Join(c.MACs, ","), r.Capture.To, c.Turns, "", nil)
	}
}

// names are the events of DNS, about the name that was asked for, and of RPC.
func (f *factList) names() {
	if d := f.r.DNS; d != nil {
		for _, q := range d.Unanswered {
			f.event("dns-unanswered", q.Name, q.Server, q.Time, q.Sent, q.Type, nil)
		}
		for _, q := range d.NoData {
			if !q.Other {
				f.event("dns-nodata", q.Name, q.Server, q.Time, q.Sent, q.Type, nil)
			}
		}
		for _, q := range d.Failed {
			switch q.Rcode {
			case "NXDOMAIN":
				f.event("dns-nxdomain", q.Name, q.Server, q.Time, q.Sent, q.Type, nil)
			case "SERVFAIL":
				f.event("dns-servfail", q.Name, q.Server, q.Time, q.Sent, q.Type, nil)
			}
		}
	}
	rpc := f.r.RPC
	if rpc == nil {
		return
	}
	type pair struct{ server, client string }
	counts, details := map[pair]int{}, map[pair]string{}
	var order []pair
	for _, c := range rpc.Unanswered {
		p := pair{c.Server, c.Client}
		if counts[p] == 0 {
			order = append(order, p)
			details[p] = fmt.Sprintf("%s %s, xid %s, waited %.0f s", c.Program, c.Procedure, c.XID, c.Waited)
		}
		counts[p]++
	}
	for _, p := range order {
		f.event("rpc-unanswered", p.server, p.client, f.r.Capture.To, counts[p], details[p], nil)
	}
}
