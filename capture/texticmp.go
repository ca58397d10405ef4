package capture

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	icmpPort    = regexp.MustCompile(`^(\S+) (tcp|udp) port (\S+) unreachable`)
	icmp6Port   = regexp.MustCompile(`unreachable port, (\S+) (tcp|udp) port (\S+?)(?:,|$)`)
	icmpHost    = regexp.MustCompile(`^(host|net) (\S+) unreachable(?: - (.*?))?(?:,|$)`)
	icmpFrag    = regexp.MustCompile(`^(\S+) unreachable - need to frag(?: \(mtu (\d+)\))?`)
	icmpProto   = regexp.MustCompile(`^(\S+) protocol \d+ (?:port \d+ )?unreachable`)
	nfsRequest  = regexp.MustCompile(`^request xid (\d+) \d+ (\S+)`)
	nfsReply    = regexp.MustCompile(`^reply xid (\d+) reply (\S+)`)
	nfsAsked    = regexp.MustCompile(`^\d+ ([a-z]\w*)`)
	nfsAnswered = regexp.MustCompile(`^reply (\S+) \d+`)
)

// icmpText reads what follows "ICMP " or "ICMP6, ". The quoted packet was sent
// by the receiver of the message; its destination is the host that is named.
func icmpText(s string, p *Packet) {
	p.Kind = ICMP
	m := &p.ICMP
	s, m.V6 = strings.CutPrefix(s, "ICMP6, ")
	if m.V6 {
		icmp6Text(s, p)
		return
	}
	s = strings.TrimPrefix(s, "ICMP ")
	m.Type = 255
	m.QuotedSrc = Endpoint{Host: p.Dst.Host}
	switch {
	case echoText(s, p):
	case strings.HasPrefix(s, "time exceeded"):
		m.Type = 11
	case strings.HasPrefix(s, "redirect"):
		m.Type = 5
	default:
		if f := icmpFrag.FindStringSubmatch(s); f != nil {
			m.Type, m.Code = 3, 4
			m.MTU, _ = strconv.Atoi(f[2])
			m.QuotedDst = Endpoint{Host: ParseHost(f[1])}
		} else if f := icmpPort.FindStringSubmatch(s); f != nil {
			m.Type, m.Code = 3, 3
			m.quotePort(f[1], f[2], f[3])
		} else if f := icmpHost.FindStringSubmatch(s); f != nil {
			m.Type, m.Code = 3, 1
			if f[1] == "net" {
				m.Code = 0
			}
			if strings.HasPrefix(f[3], "admin prohibited") {
				m.Code = map[string]uint8{"net": 9, "host": 10}[f[1]]
				if strings.Contains(f[3], "filter") {
					m.Code = 13
				}
			}
			m.QuotedDst = Endpoint{Host: ParseHost(f[2])}
		} else if f := icmpProto.FindStringSubmatch(s); f != nil {
			m.Type, m.Code = 3, 2
			m.QuotedDst = Endpoint{Host: ParseHost(f[1])}
		}
	}
}

func icmp6Text(s string, p *Packet) {
	m := &p.ICMP
	m.Type = 255
	m.QuotedSrc = Endpoint{Host: p.Dst.Host}
	switch {
	case echoText(s, p):
		m.Type = map[uint8]uint8{8: 128, 0: 129}[m.Type]
	case strings.HasPrefix(s, "packet too big"):
		m.Type, m.MTU = 2, max(0, after(s, "mtu "))
	case strings.HasPrefix(s, "time exceeded"):
		m.Type = 3
	case strings.HasPrefix(s, "destination unreachable"), strings.HasPrefix(s, "unreachable"):
		m.Type = 1
		for code, words := range []string{"unreachable route", "unreachable prohibited", "beyond scope", "unreachable address"} {
			if _, rest, ok := strings.Cut(s, words+" "); ok || strings.Contains(s, words) {
				m.Code = uint8(code)
				m.QuotedDst = Endpoint{Host: ParseHost(strings.TrimRight(strings.SplitN(rest, " ", 2)[0], ","))}
			}
		}
		if f := icmp6Port.FindStringSubmatch(s); f != nil {
			m.Code = 4
			m.quotePort(f[1], f[2], f[3])
		}
	case strings.HasPrefix(s, "neighbor solicitation"):
		p.Kind = Neighbour
		_, wanted, _ := strings.Cut(s, "who has ")
		p.Neighbour = NeighbourMessage{Asker: p.Src.Host, Wanted: ParseHost(strings.TrimRight(strings.SplitN(wanted, " ", 2)[0], ","))}
	case strings.HasPrefix(s, "neighbor advertisement"):
		p.Kind = Neighbour
		_, about, _ := strings.Cut(s, "tgt is ")
		p.Neighbour = NeighbourMessage{Reply: true, Asker: p.Src.Host, Wanted: ParseHost(strings.TrimRight(strings.SplitN(about, " ", 2)[0], ","))}
	}
}

func echoText(s string, p *Packet) bool {
	switch {
	case strings.HasPrefix(s, "echo request"):
		p.ICMP.Type = 8
	case strings.HasPrefix(s, "echo reply"):
		p.ICMP.Type = 0
	default:
		return false
	}
	p.ICMP.ID, p.ICMP.Seq = uint16(max(0, after(s, "id "))), uint16(max(0, after(s, "seq ")))
	return true
}

func (m *ICMPMessage) quotePort(host, proto, port string) {
	m.Quoted = TCP
	if proto == "udp" {
		m.Quoted = UDP
	}
	m.QuotedDst = Endpoint{Host: ParseHost(host)}
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		m.QuotedDst.Port = uint16(n)
	} else {
		m.QuotedDst.Port = portNames[port]
	}
}

// quoted reads the quotation that -v prints below an ICMP error: it adds the
// ports to the message held back.
func (t *text) quoted(line string) {
	if t.held == nil || t.held.Kind != ICMP || !t.held.ICMP.IsError() {
		return
	}
	s := strings.TrimSpace(line)
	if strings.HasPrefix(s, "IP") {
		i := closing(s)
		if i < 0 {
			return
		}
		s = strings.TrimSpace(s[i+1:])
	}
	q := Packet{}
	if s == "" || !(&text{isn: map[[2]Endpoint]uint32{}}).body(s, &q) {
		return
	}
	m := &t.held.ICMP
	m.Quoted, m.QuotedSrc, m.QuotedDst, m.QuotedLen = q.Kind, q.Src, q.Dst, q.IPLength
}

// nfsText reads "request xid N LEN PROC" and "reply xid N reply ok LEN".
func nfsText(s string) *RPCMessage {
	if m := nfsRequest.FindStringSubmatch(s); m != nil {
		xid, _ := strconv.ParseUint(m[1], 10, 32)
		return nfsCall(uint32(xid), m[2])
	}
	if m := nfsReply.FindStringSubmatch(s); m != nil {
		xid, _ := strconv.ParseUint(m[1], 10, 32)
		return nfsAnswer(uint32(xid), m[2])
	}
	return nil
}

func nfsCall(xid uint32, name string) *RPCMessage {
	c := &RPCMessage{XID: xid, Program: ProgramNFS, Version: 3, Name: strings.ToUpper(name)}
	for n, known := range nfs3Procs {
		if known == c.Name {
			c.Procedure = uint32(n)
		}
	}
	return c
}

func nfsAnswer(xid uint32, word string) *RPCMessage {
	r := &RPCMessage{XID: xid, Reply: true}
	if word != "ok" {
		r.Problem = "reply " + word
	}
	return r
}

// nfsDatagram reads the older form, with the xid in the place of the client's
// port: "10.0.0.1.3456 > 10.0.0.2.nfs: 40 null".
func nfsDatagram(from, to, s string, p *Packet) {
	xid := func(e string) uint32 {
		v, _ := strconv.ParseUint(e[strings.LastIndexByte(e, '.')+1:], 10, 32)
		return uint32(v)
	}
	if m := nfsAsked.FindStringSubmatch(s); m != nil && p.Dst.Port == 2049 {
		p.RPC, p.Src.Port = nfsCall(xid(from), m[1]), 0
	} else if m := nfsAnswered.FindStringSubmatch(s); m != nil && p.Src.Port == 2049 {
		p.RPC, p.Dst.Port = nfsAnswer(xid(strings.TrimSuffix(to, ":")), m[1]), 0
	}
}
