package dns

import (
	"cmp"
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"time"

	mdns "github.com/miekg/dns"
)

// client asks one question of one server and turns what happens into Replies.
type client struct {
	timeout  time.Duration // for one attempt
	attempts int           // over UDP
	udpSize  uint16
	now      func() time.Time
}

// ask sends the question over UDP with EDNS, again without EDNS where the
// server rejects that, and over TCP when the answer was truncated. It returns
// one Reply for each transport used, the last being the one that counts.
func (c *client) ask(ctx context.Context, srv Server, name, typ string) []Reply {
	udp := c.exchange(ctx, srv, name, typ, "udp", true)
	for i := 1; i < c.attempts && udp.Outcome == TimedOut && ctx.Err() == nil; i++ {
		udp = c.exchange(ctx, srv, name, typ, "udp", true)
	}
	if udp.Outcome == Answered && (udp.Rcode == "FORMERR" || udp.Rcode == "NOTIMP") && !udp.EDNS {
		udp = c.exchange(ctx, srv, name, typ, "udp", false)
	}
	if udp.Outcome != Answered || !udp.TC {
		return []Reply{udp}
	}
	return []Reply{udp, c.exchange(ctx, srv, name, typ, "tcp", udp.EDNS)}
}

// exchange does one round trip.
func (c *client) exchange(ctx context.Context, srv Server, name, typ, transport string, edns bool) Reply {
	q := new(mdns.Msg)
	q.SetQuestion(name, mdns.StringToType[typ])
	q.RecursionDesired = srv.Role == Resolver
	if edns {
		q.SetEdns0(c.udpSize, false)
	}
	r := Reply{Server: srv, Name: name, Type: typ, Transport: transport}
	start := c.now()
	cl := &mdns.Client{Net: transport, Timeout: c.timeout, UDPSize: c.udpSize, Dialer: dialer(c.timeout)}
	m, _, err := cl.ExchangeContext(ctx, q, srv.Addr)
	r.Time = c.now()
	r.RTT = r.Time.Sub(start)
	if err != nil && m == nil || m != nil && m.Id != q.Id {
		r.Outcome, r.Error = outcomeOf(err, transport)
		return r
	}
	fill(&r, m)
	return r
}

// outcomeOf reads the network's answer out of an error. A closed UDP port shows
// as "connection refused" too, but is told by ICMP.
func outcomeOf(err error, transport string) (Outcome, string) {
	var ne net.Error
	switch {
	case err == nil:
		return Malformed, "answer to another question"
	case errors.Is(err, syscall.ECONNREFUSED) && transport == "udp":
		return Unreachable, "ICMP port unreachable"
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		return Refused, "TCP connection refused"
	case errors.Is(err, syscall.EHOSTUNREACH):
		return Unreachable, "host unreachable"
	case errors.Is(err, syscall.ENETUNREACH):
		return Unreachable, "network unreachable"
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return Unreachable, "sending forbidden on this host (local firewall)"
	case errors.As(err, &ne) && ne.Timeout(), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return TimedOut, "no answer"
	case strings.Contains(err.Error(), "EOF"):
		return Refused, "TCP connection closed without an answer"
	case errors.As(err, &ne):
		return Unreachable, err.Error()
	}
	return Malformed, err.Error()
}

// fill copies a message into the reply.
func fill(r *Reply, m *mdns.Msg) {
	r.Outcome = Answered
	r.AA, r.TC, r.RA, r.AD = m.Authoritative, m.Truncated, m.RecursionAvailable, m.AuthenticatedData
	rcode := m.Rcode
	r.Answer, r.Auth, r.Extra = section(m.Answer), section(m.Ns), section(m.Extra)
	if opt := m.IsEdns0(); opt != nil {
		r.EDNS = true
		rcode |= opt.ExtendedRcode()
		for _, o := range opt.Option {
			if e, ok := o.(*mdns.EDNS0_EDE); ok {
				r.EDE = append(r.EDE, EDE{Code: e.InfoCode, Text: e.ExtraText})
			}
		}
	}
	r.Rcode = cmp.Or(mdns.RcodeToString[rcode], "RESERVED")
}

// section converts records, leaving out the EDNS pseudo record.
func section(rrs []mdns.RR) []RR {
	var out []RR
	for _, rr := range rrs {
		if _, ok := rr.(*mdns.OPT); ok || rr == nil {
			continue
		}
		out = append(out, Record(rr))
	}
	return out
}

// Record brings a record into the form of RR: names in lower case.
func Record(rr mdns.RR) RR {
	h := rr.Header()
	typ := mdns.Type(h.Rrtype).String()
	d := strings.TrimSpace(strings.TrimPrefix(rr.String(), h.String()))
	switch typ {
	case "CNAME", "NS", "SOA", "DNAME", "PTR":
		d = strings.ToLower(d)
	}
	return RR{Name: strings.ToLower(h.Name), Type: typ, TTL: h.Ttl, Data: d}
}

// edeText names the extended errors that decide a class (RFC 8914, 4).
func edeText(code uint16) string { return cmp.Or(mdns.ExtendedErrorCodeToString[code], "unassigned") }
