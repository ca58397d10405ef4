package failover

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"ddx/controlplane"
	"ddx/dns"

	mdns "github.com/miekg/dns"
)

// RFC2136 is a Provider over dynamic updates, signed with TSIG (RFC 8945).
// Server must be the primary: what is read is what the next write expects.
type RFC2136 struct {
	Zone    string // with final dot
	Server  string // address:port
	KeyName string // with final dot
	KeyAlgo string // "hmac-sha256." and the like
	Secret  string // base64
	Timeout time.Duration
}

const textTTL = 5 // seconds, of the generation record: it is read by the watcher too

// Read asks the primary over TCP for record and addresses. The three questions
// are not one transaction and need not be: a write expects all three answers.
func (p *RFC2136) Read(ctx context.Context, name string) (Current, error) {
	var c Current
	txts, ttl, err := p.ask(ctx, dns.GenerationName(name), mdns.TypeTXT)
	if err != nil {
		return c, err
	}
	c.TextTTL = ttl
	switch {
	case len(txts) > 1:
		return c, fmt.Errorf("read %s: %d generation records where one is allowed; remove all but the right one by hand", name, len(txts))
	case len(txts) == 1:
		for _, s := range txts[0].(*mdns.TXT).Txt {
			c.Text += s
		}
		if c.Record, err = ParseRecord(c.Text); err != nil {
			return c, fmt.Errorf("read %s: %w", name, err)
		}
		c.Owned = true
	}
	var addrs []netip.Addr
	for _, t := range []uint16{mdns.TypeA, mdns.TypeAAAA} {
		rrs, ttl, err := p.ask(ctx, dns.Canonical(name), t)
		if err != nil {
			return c, err
		}
		for _, rr := range rrs {
			var ip netip.Addr
			switch rr := rr.(type) {
			case *mdns.A:
				ip, _ = netip.AddrFromSlice(rr.A.To4())
			case *mdns.AAAA:
				ip, _ = netip.AddrFromSlice(rr.AAAA.To16())
			}
			addrs = append(addrs, ip)
			c.TTL = ttl
		}
	}
	c.Addresses = Sorted(addrs...)
	return c, nil
}

// ask returns the records of one name and type from the primary.
func (p *RFC2136) ask(ctx context.Context, name string, typ uint16) ([]mdns.RR, uint32, error) {
	q := new(mdns.Msg)
	q.SetQuestion(name, typ)
	q.RecursionDesired = false
	op := fmt.Sprintf("ask %s for %s %s", p.Server, name, mdns.TypeToString[typ])
	m, _, err := p.client().ExchangeContext(ctx, q, p.Server)
	switch {
	case err != nil:
		return nil, 0, fmt.Errorf("%s: %w", op, err)
	case m.Rcode != mdns.RcodeSuccess && m.Rcode != mdns.RcodeNameError:
		return nil, 0, fmt.Errorf("%s: %s", op, mdns.RcodeToString[m.Rcode])
	case !m.Authoritative:
		return nil, 0, fmt.Errorf("%s: the server has no authority for it; give the primary of %s", op, p.Zone)
	}
	var out []mdns.RR
	ttl := uint32(0)
	for _, rr := range m.Answer {
		if rr.Header().Rrtype == mdns.TypeCNAME {
			return nil, 0, fmt.Errorf("%s: it is a CNAME; let ddx own the name that it points to", op)
		}
		if rr.Header().Rrtype == typ {
			out, ttl = append(out, rr), rr.Header().Ttl
		}
	}
	return out, ttl, nil
}

func (p *RFC2136) client() *mdns.Client {
	t := p.Timeout
	if t == 0 {
		t = 5 * time.Second
	}
	return &mdns.Client{Net: "tcp", Timeout: t, TsigSecret: map[string]string{p.KeyName: p.Secret}}
}

// Commit sends one update message: prerequisites, then the new content.
func (p *RFC2136) Commit(ctx context.Context, name string, expect Current, to Change) (controlplane.Status, error) {
	if len(to.Addresses) == 0 {
		return controlplane.Refused, fmt.Errorf("commit %s: no address in the change; the last one is never removed", name)
	}
	m := new(mdns.Msg)
	m.SetUpdate(p.Zone)
	p.require(m, name, expect)
	gen := dns.GenerationName(name)
	host := dns.Canonical(name)
	m.RemoveRRset([]mdns.RR{header(gen, mdns.TypeTXT), header(host, mdns.TypeA), header(host, mdns.TypeAAAA)})
	m.Insert(append([]mdns.RR{text(gen, to.Record.String())}, addressRRs(host, to.Addresses, to.TTL)...))
	return p.send(ctx, "commit "+name, m)
}

// require adds the fence: record and both address sets must be exactly those
// that were read, or absent where nothing was.
func (p *RFC2136) require(m *mdns.Msg, name string, expect Current) {
	gen, host := dns.GenerationName(name), dns.Canonical(name)
	if expect.Owned {
		m.Used([]mdns.RR{text(gen, expect.Text)})
	} else {
		m.RRsetNotUsed([]mdns.RR{header(gen, mdns.TypeTXT)})
	}
	for typ, code := range map[string]uint16{"A": mdns.TypeA, "AAAA": mdns.TypeAAAA} {
		if set := expect.Addresses.Type(typ); len(set) > 0 {
			m.Used(addressRRs(host, set, 0))
		} else {
			m.RRsetNotUsed([]mdns.RR{header(host, code)})
		}
	}
}

// Verify sends a signed update that deletes a record which is required not to
// exist: allowed or not is answered, nothing can change.
func (p *RFC2136) Verify(ctx context.Context, name string) error {
	m := new(mdns.Msg)
	m.SetUpdate(p.Zone)
	probe := header("_rehearse."+dns.GenerationName(name), mdns.TypeTXT)
	m.RRsetNotUsed([]mdns.RR{probe})
	m.RemoveRRset([]mdns.RR{probe})
	status, err := p.send(ctx, "verify "+name, m)
	if err == nil && status != controlplane.Applied {
		err = fmt.Errorf("verify %s: %s", name, statusName(status))
	}
	return err
}

// send signs and sends an update and reads its outcome.
func (p *RFC2136) send(ctx context.Context, op string, m *mdns.Msg) (controlplane.Status, error) {
	m.SetTsig(p.KeyName, p.KeyAlgo, 300, time.Now().Unix())
	r, _, err := p.client().ExchangeContext(ctx, m, p.Server)
	if r == nil || r.Id != m.Id {
		return controlplane.Unknown, fmt.Errorf("%s at %s: %w; whether it was applied is not known, reading will tell", op, p.Server, errors.Join(err, ctx.Err()))
	}
	switch r.Rcode {
	case mdns.RcodeNotAuth, mdns.RcodeRefused, mdns.RcodeNotZone, mdns.RcodeFormatError, mdns.RcodeNotImplemented:
		return controlplane.Refused, fmt.Errorf("%s at %s: %s; check the zone, the key %s and the server's update policy", op, p.Server, mdns.RcodeToString[r.Rcode], p.KeyName)
	}
	if err != nil { // an answer whose signature does not hold proves nothing
		return controlplane.Unknown, fmt.Errorf("%s at %s: %w", op, p.Server, err)
	}
	switch r.Rcode {
	case mdns.RcodeSuccess:
		return controlplane.Applied, nil
	case mdns.RcodeNXRrset, mdns.RcodeYXRrset, mdns.RcodeNameError, mdns.RcodeYXDomain:
		return controlplane.Conflict, nil
	}
	return controlplane.Unknown, fmt.Errorf("%s at %s: %s; whether it was applied is not known, reading will tell", op, p.Server, mdns.RcodeToString[r.Rcode])
}

func header(name string, typ uint16) mdns.RR {
	return &mdns.ANY{Hdr: mdns.RR_Header{Name: name, Rrtype: typ, Class: mdns.ClassINET}}
}

// text makes a TXT record; strings of more than 255 bytes are cut as the format
// demands and joined again by Read.
func text(name, s string) mdns.RR {
	var parts []string
	for len(s) > 255 {
		parts, s = append(parts, s[:255]), s[255:]
	}
	return &mdns.TXT{Hdr: mdns.RR_Header{Name: name, Rrtype: mdns.TypeTXT, Class: mdns.ClassINET, Ttl: textTTL}, Txt: append(parts, s)}
}

func addressRRs(name string, addrs Addresses, ttl uint32) []mdns.RR {
	var out []mdns.RR
	for _, a := range addrs {
		h := mdns.RR_Header{Name: name, Rrtype: mdns.TypeA, Class: mdns.ClassINET, Ttl: ttl}
		if a.Is4() {
			out = append(out, &mdns.A{Hdr: h, A: a.AsSlice()})
			continue
		}
		h.Rrtype = mdns.TypeAAAA
		out = append(out, &mdns.AAAA{Hdr: h, AAAA: a.AsSlice()})
	}
	return out
}
