package capture

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// DNSMessage is what the analysis needs of a DNS message (RFC 1035).
type DNSMessage struct {
	ID         uint16
	Response   bool
	Truncated  bool
	Rcode      int
	Name, Type string // of the question; empty in text captures' answers
	Answers    int    // records in the answer section; -1 if not said
	Addrs      []netip.Addr
}

var errDNS = errors.New("not a dns message")

var dnsTypes = map[uint16]string{1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA",
	33: "SRV", 35: "NAPTR", 43: "DS", 46: "RRSIG", 48: "DNSKEY", 64: "SVCB", 65: "HTTPS", 255: "ANY", 257: "CAA"}

var dnsRcodes = []string{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
	"NXRRSET", "NOTAUTH", "NOTZONE"}

func RcodeName(code int) string {
	if code < len(dnsRcodes) {
		return dnsRcodes[code]
	}
	return fmt.Sprintf("RCODE%d", code)
}

// ParseDNS reads a message, as far as the capture holds it.
func ParseDNS(b []byte) (DNSMessage, error) {
	if len(b) < 12 {
		return DNSMessage{}, errDNS
	}
	m := DNSMessage{
		ID: be.Uint16(b), Response: b[2]&0x80 != 0, Truncated: b[2]&2 != 0,
		Rcode: int(b[3] & 15), Answers: int(be.Uint16(b[6:])),
	}
	questions := be.Uint16(b[4:])
	if b[2]>>3&15 != 0 || questions > 1 || questions == 0 && !m.Response {
		return m, errDNS // not a standard query
	}
	off := 12
	if questions == 1 {
		name, next, ok := dnsName(b, off)
		if !ok || next+4 > len(b) {
			return m, errDNS
		}
		kind := be.Uint16(b[next:])
		m.Name, m.Type = name, dnsTypes[kind]
		if m.Type == "" {
			m.Type = fmt.Sprintf("TYPE%d", kind)
		}
		off = next + 4
	}
	for range min(m.Answers, 64) {
		_, next, ok := dnsName(b, off)
		if !ok || next+10 > len(b) {
			break
		}
		kind, size := be.Uint16(b[next:]), int(be.Uint16(b[next+8:]))
		data := next + 10
		if data+size > len(b) {
			break
		}
		if kind == 1 && size == 4 || kind == 28 && size == 16 {
			a, _ := netip.AddrFromSlice(b[data : data+size])
			m.Addrs = append(m.Addrs, a)
		}
		off = data + size
	}
	return m, nil
}

// dnsName reads a possibly compressed name in lower case without the final dot.
func dnsName(b []byte, off int) (name string, next int, ok bool) {
	var labels []string
	total := 0
	for jumps := 0; ; {
		if off >= len(b) {
			return "", 0, false
		}
		n := int(b[off])
		switch {
		case n == 0:
			if jumps == 0 {
				next = off + 1
			}
			return strings.ToLower(strings.Join(labels, ".")), next, true
		case n&0xc0 == 0xc0:
			if off+2 > len(b) || jumps > 16 {
				return "", 0, false
			}
			if jumps == 0 {
				next = off + 2
			}
			jumps++
			off = int(be.Uint16(b[off:]) & 0x3fff)
		case n > 63 || off+1+n > len(b) || total+n > 255:
			return "", 0, false
		default:
			labels = append(labels, string(b[off+1:off+1+n]))
			total += n + 1
			off += 1 + n
		}
	}
}

// noData reports an answer that denies nothing and holds nothing.
func (m *DNSMessage) NoData() bool {
	return m.Response && m.Rcode == 0 && m.Answers == 0 && !m.Truncated
}
