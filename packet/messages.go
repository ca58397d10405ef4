package packet

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"ddx/capture"
)

// call is an RPC call that waits for its reply.
type call struct {
	msg  capture.RPCMessage
	conn *conn
	dir  int
	at   int64
	sent int
}

type callKey struct {
	conn *conn
	dir  int // who called: servers call back
	xid  uint32
}

type rpcState struct {
	waiting        map[callKey]*call
	calls, replies int
	statuses       map[string]int
	problems       []string
}

func newRPCState() rpcState {
	return rpcState{waiting: map[callKey]*call{}, statuses: map[string]int{}}
}

// question is a DNS question that waits for its answer.
type question struct {
	DNSQuestion
	conn *conn
	at   int64
	sent int
}

type questionKey struct {
	conn *conn
	id   uint16
}

type dnsState struct {
	waiting            map[questionKey]*question
	questions, answers int
	truncated          int
	noData, failed     []DNSQuestion
	rcodes             map[string]int
	problems           []string
	forTarget          []DNSQuestion   // questions for the target's name that brought no address
	resolved           bool            // one did
	data               map[string]bool // names that some answer had records for
}

func newDNSState() dnsState {
	return dnsState{waiting: map[questionKey]*question{}, rcodes: map[string]int{}, data: map[string]bool{}}
}

const (
	maxWaiting = 100_000 // calls and questions under way
	maxListed  = 100
)

func note(list []string, format string, args ...any) []string {
	if len(list) >= maxListed {
		return list
	}
	return append(list, fmt.Sprintf(format, args...))
}

// tcpMessages cuts a TCP segment into messages, if they are RPC or DNS.
func (a *Analyser) tcpMessages(c *conn, p *capture.Packet, d int) {
	if p.RPC != nil {
		a.rpcMessage(c, d, *p.RPC, p.Time)
		return
	}
	h := &c.half[d]
	if h.stream == nil {
		dns := c.server.Port == 53
		if p.PayloadLength == 0 || !dns && !served(c.server.Port) && !(c.half[0].stream != nil && c.half[0].stream.rpc) &&
			(len(p.Payload) < 16 || !capture.CredibleRPC(p.Payload[4:]) || p.Payload[0]&0x80 == 0) {
			return
		}
		h.stream = &stream{rpc: !dns}
		if c.syn && p.Seq == h.isn+1 && h.holes == 0 {
			h.stream.synced, h.stream.next, h.stream.final = true, p.Seq, true
		}
	}
	seen := h.stream.messages
	h.stream.feed(p.Seq, p.Payload, p.PayloadLength, func(head []byte) {
		if h.stream.rpc {
			if m, err := capture.ParseRPC(head); err != nil {
				a.rpcNonsense(c, d, err.Error())
			} else {
				a.rpcMessage(c, d, m, p.Time)
			}
			return
		}
		if m, err := capture.ParseDNS(head); err == nil {
			a.dnsMessage(c, d, m, p.Time)
		} else if d == 1 {
			a.dns.problems = note(a.dns.problems, "%s answered %s with bytes that are no dns message", c.server, c.client)
			c.odd("an answer is no dns message")
		}
	})
	if h.stream.dead && seen == 0 && d == 1 && c.half[0].stream != nil && c.half[0].stream.messages > 0 && c.callsNonsense == 0 {
		c.callsNonsense++
		a.rpcNonsense(c, d, fmt.Sprintf("the bytes %.12q", p.Payload[:min(12, len(p.Payload))]))
	}
}

func (a *Analyser) rpcNonsense(c *conn, d int, what string) {
	if d == 1 {
		a.rpc.problems = note(a.rpc.problems, "%s answered %s with what is no rpc reply: %s", c.server, c.client, what)
		c.odd("an answer is no rpc reply: " + what)
	}
}

func (a *Analyser) udpMessage(c *conn, p *capture.Packet, d int) {
	if p.DNS != nil {
		a.dnsMessage(c, d, *p.DNS, p.Time)
		return
	}
	if p.RPC != nil {
		a.rpcMessage(c, d, *p.RPC, p.Time)
		return
	}
	switch {
	case c.server.Port == 53 || c.client.Port == 53:
		if m, err := capture.ParseDNS(p.Payload); err == nil {
			a.dnsMessage(c, d, m, p.Time)
		} else if d == 1 && c.server.Port == 53 && len(p.Payload) > 0 && len(p.Payload) == p.PayloadLength {
			a.dns.problems = note(a.dns.problems, "%s answered %s with %d bytes that are no dns message", c.server, c.client, p.PayloadLength)
			c.odd("an answer is no dns message")
		}
	case capture.CredibleRPC(p.Payload) && (c.decoded || served(c.server.Port) || len(p.Payload) >= 20 && binary.BigEndian.Uint32(p.Payload[4:]) == 0):
		if m, err := capture.ParseRPC(p.Payload); err == nil {
			a.rpcMessage(c, d, m, p.Time)
		}
	}
}

func (a *Analyser) rpcMessage(c *conn, d int, m capture.RPCMessage, at int64) {
	c.decoded = true
	if !m.Reply {
		key := callKey{c, d, m.XID}
		if w := a.rpc.waiting[key]; w != nil {
			w.sent++
			return
		}
		a.rpc.calls++
		c.calls++
		if len(a.rpc.waiting) < maxWaiting {
			a.rpc.waiting[key] = &call{msg: m, conn: c, dir: d, at: at, sent: 1}
		}
		return
	}
	a.rpc.replies++
	key := callKey{c, 1 - d, m.XID}
	w := a.rpc.waiting[key]
	if w == nil {
		// The call may lie before the capture; only a connection seen from its
		// beginning knows all its calls.
		if d == 1 && c.syn && c.calls > 0 && c.half[0].holes == 0 && c.half[1].holes == 0 && c.half[0].stream != nil && c.half[0].stream.synced {
			a.rpc.problems = note(a.rpc.problems, "%s answered %s with xid 0x%08x, which was not asked", c.server, c.client, m.XID)
			c.odd(fmt.Sprintf("a reply has xid 0x%08x, which was not asked", m.XID))
		}
		return
	}
	delete(a.rpc.waiting, key)
	c.callsAnswered++
	name := w.msg.Name
	switch {
	case m.Problem != "":
		c.callsNonsense++
		a.rpc.problems = note(a.rpc.problems, "%s answered %s (xid 0x%08x): %s", c.server, name, m.XID, m.Problem)
		c.odd(name + ": " + m.Problem)
	case m.HasStatus && m.Status != 0 && w.msg.Program == capture.ProgramNFS && w.msg.Procedure != 0:
		a.rpc.statuses[name+": "+capture.NFSStatus(m.Status)]++
	}
}

// lookup follows DNS between others, for the answers about the target's name.
func (a *Analyser) lookup(p *capture.Packet) {
	var m capture.DNSMessage
	switch {
	case p.DNS != nil:
		m = *p.DNS
	case p.Kind == capture.UDP:
		var err error
		if m, err = capture.ParseDNS(p.Payload); err != nil {
			return
		}
	default:
		return
	}
	if !m.Response || !a.namesTarget(m.Name) {
		return
	}
	a.learn(m, DNSQuestion{
		Name: m.Name, Type: m.Type, Client: p.Dst.Host.String(), Server: p.Src.Host.String(),
		Time: p.Timestamp(), Sent: 1, Rcode: capture.RcodeName(m.Rcode),
	})
}

// namesTarget reports whether a DNS name is the target's.
func (a *Analyser) namesTarget(name string) bool {
	return name != "" && a.t.Host.Name == strings.TrimSuffix(strings.ToLower(name), ".")
}

// learn takes an answer about the target's name.
func (a *Analyser) learn(m capture.DNSMessage, q DNSQuestion) {
	for _, addr := range m.Addrs {
		a.dns.resolved = true
		if !slices.Contains(a.t.Addrs, addr.Unmap()) && len(a.t.Addrs) < 256 {
			a.t.Addrs = append(a.t.Addrs, addr.Unmap())
		}
	}
	if len(m.Addrs) == 0 && (m.Rcode != 0 || m.Answers == 0) && len(a.dns.forTarget) < maxListed {
		a.dns.forTarget = append(a.dns.forTarget, q)
	}
}

func (a *Analyser) dnsMessage(c *conn, d int, m capture.DNSMessage, at int64) {
	c.decoded = true
	key := questionKey{c, m.ID}
	w := a.dns.waiting[key]
	if !m.Response {
		if w != nil && w.Name == m.Name && w.Type == m.Type {
			w.sent++
			return
		}
		a.dns.questions++
		c.calls++
		if len(a.dns.waiting) < maxWaiting {
			a.dns.waiting[key] = &question{conn: c, at: at, sent: 1, DNSQuestion: DNSQuestion{
				Name: m.Name, Type: m.Type, Client: c.client.String(), Server: c.server.String(), Time: time.Unix(0, at).UTC(),
			}}
		}
		return
	}
	if d == 0 {
		return
	}
	a.dns.answers++
	if w == nil {
		if c.half[0].packets > 0 && c.calls > 0 && c.callsAnswered < c.calls {
			a.dns.problems = note(a.dns.problems, "%s answered %s with id %d, which was not asked", c.server, c.client, m.ID)
			c.odd(fmt.Sprintf("an answer has id %d, which was not asked", m.ID))
		}
		return
	}
	if m.Name != "" && m.Name != w.Name {
		a.dns.problems = note(a.dns.problems, "%s was asked for %s and answered for %s", c.server, w.Name, m.Name)
		c.odd(fmt.Sprintf("the question was %s, the answer is about %s", w.Name, m.Name))
		return
	}
	delete(a.dns.waiting, key)
	c.callsAnswered++
	a.dns.rcodes[capture.RcodeName(m.Rcode)]++
	q := w.DNSQuestion
	q.Sent, q.Rcode, q.Waited = w.sent, capture.RcodeName(m.Rcode), seconds(at-w.at)
	switch {
	case m.Rcode == 0 && m.Answers > 0 && len(a.dns.data) < maxWaiting:
		a.dns.data[w.Name] = true
	case m.Truncated:
		a.dns.truncated++
	case m.NoData():
		if len(a.dns.noData) < maxListed {
			a.dns.noData = append(a.dns.noData, q)
		}
	case m.Rcode != 0 && len(a.dns.failed) < maxListed:
		a.dns.failed = append(a.dns.failed, q)
	}
	if a.namesTarget(w.Name) {
		a.learn(m, q)
	}
}

// rpcResult lists what is still waiting at the end of the capture.
func (a *Analyser) rpcResult(end int64) *RPCResult {
	if a.rpc.calls+a.rpc.replies+len(a.rpc.problems) == 0 {
		return nil
	}
	r := &RPCResult{Calls: a.rpc.calls, Replies: a.rpc.replies, Statuses: a.rpc.statuses, Problems: list(a.rpc.problems)}
	open := make([]*call, 0, len(a.rpc.waiting))
	for _, w := range a.rpc.waiting {
		open = append(open, w)
	}
	sort.Slice(open, func(i, j int) bool {
		x, y := open[i], open[j]
		return x.at < y.at || x.at == y.at && x.msg.XID < y.msg.XID
	})
	r.Waiting, r.Unanswered = len(open), []RPCCall{}
	for _, w := range open[:min(len(open), maxListed)] {
		from, to := w.conn.client, w.conn.server
		if w.dir == 1 {
			from, to = to, from
		}
		r.Unanswered = append(r.Unanswered, RPCCall{
			XID: fmt.Sprintf("0x%08x", w.msg.XID), Program: capture.ProgramName(w.msg.Program, w.msg.Version), Procedure: w.msg.Name,
			Client: from.String(), Server: to.String(), Time: time.Unix(0, w.at).UTC(), Waited: seconds(end - w.at), Sent: w.sent,
		})
	}
	return r
}

func (a *Analyser) dnsResult(end int64) *DNSResult {
	if a.dns.questions+a.dns.answers+len(a.dns.forTarget)+len(a.dns.problems) == 0 {
		return nil
	}
	r := &DNSResult{
		Questions: a.dns.questions, Answers: a.dns.answers, NoData: list(a.dns.noData), Failed: list(a.dns.failed),
		Rcodes: a.dns.rcodes, Truncated: a.dns.truncated, Problems: list(a.dns.problems), Unanswered: []DNSQuestion{},
	}
	for i := range r.NoData {
		r.NoData[i].Other = a.dns.data[r.NoData[i].Name]
	}
	for _, w := range a.dns.waiting {
		q := w.DNSQuestion
		q.Sent, q.Waited = w.sent, seconds(end-w.at)
		r.Unanswered = append(r.Unanswered, q)
	}
	sort.Slice(r.Unanswered, func(i, j int) bool {
		x, y := r.Unanswered[i], r.Unanswered[j]
		if !x.Time.Equal(y.Time) {
			return x.Time.Before(y.Time)
		}
		return x.Client+x.Name+x.Type < y.Client+y.Name+y.Type
	})
	r.Unanswered = r.Unanswered[:min(len(r.Unanswered), maxListed)]
	return r
}

// waitingOn returns when the oldest unanswered call or question of a connection
// was sent, how many there are, and the highest count of transmissions.
func (a *Analyser) waitingOn() map[*conn]waits {
	all := map[*conn]waits{}
	add := func(c *conn, at int64, sent int, what string) {
		w := all[c]
		if w.calls == 0 || at < w.since {
			w.since, w.what = at, what
		}
		w.calls++
		w.sent = max(w.sent, sent)
		all[c] = w
	}
	for _, w := range a.rpc.waiting {
		if w.dir == 0 {
			add(w.conn, w.at, w.sent, fmt.Sprintf("%s %s (xid 0x%08x)", capture.ProgramName(w.msg.Program, w.msg.Version), w.msg.Name, w.msg.XID))
		}
	}
	for _, w := range a.dns.waiting {
		add(w.conn, w.at, w.sent, fmt.Sprintf("%s %s", w.Type, w.Name))
	}
	return all
}

// waits are the unanswered calls of a connection.
type waits struct {
	since int64
	what  string
	calls int
	sent  int
}

func seconds(ns int64) float64 { return float64(ns) / 1e9 }

// list makes an absent list an empty one, so that JSON says [] and not null.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

func sortedKeys(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) }
