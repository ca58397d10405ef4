package packet

import (
	"net/netip"
	"strings"

	"ddx/capture"
)

// truth is three-valued: a primitive this reader does not know is unknown.
type truth int8

const (
	no truth = iota - 1
	unknown
	yes
)

func (t truth) String() string { return [...]string{"no", "unknown", "yes"}[t+1] }

func both(a, b truth) truth   { return min(a, b) }
func either(a, b truth) truth { return max(a, b) }

// probe is a packet that a filter expression is asked about.
type probe struct {
	proto string // tcp, udp, icmp, arp
	v6    bool
	dst   netip.Addr
	port  uint16 // of dst
}

// boundary asks what the capture's filter lets through: requests to the target,
// ARP (or neighbour discovery) for it, and ICMP errors to anyone.
func (a *Analyser) boundary(expr string) *Filter {
	f := &Filter{Expression: expr}
	var to probe
	if len(a.t.Addrs) > 0 {
		to.dst = a.t.Addrs[0]
	}
	to.v6, to.port, to.proto = to.dst.Is6(), a.t.Port, "tcp"
	tcp := evaluate(expr, to)
	to.proto = "udp"
	f.Target = either(tcp, evaluate(expr, to)).String()
	to.port = 0
	to.proto = "arp"
	f.Neighbours = evaluate(expr, to).String()
	f.ICMP = evaluate(expr, probe{proto: "icmp", v6: to.v6}).String()
	return f
}

// evaluate answers whether a pcap-filter(7) expression accepts the probe. It
// knows protocols, [src|dst] host, net, port and portrange, and, or, not and
// parentheses; anything else is unknown and stays so in what it is joined with.
func evaluate(expr string, p probe) truth {
	r := strings.NewReplacer("(", " ( ", ")", " ) ", "!", " not ", "&&", " and ", "||", " or ", "not  =", "!=")
	e := &expression{words: strings.Fields(strings.ToLower(r.Replace(expr))), probe: p}
	if len(e.words) == 0 {
		return yes
	}
	v := e.or(0)
	if e.at < len(e.words) {
		return unknown
	}
	return v
}

type expression struct {
	words []string
	at    int
	probe probe
	qual  []string // qualifiers of the last primitive: "port 53 or 54" repeats them
}

func (e *expression) peek() string {
	if e.at < len(e.words) {
		return e.words[e.at]
	}
	return ""
}

func (e *expression) take() string {
	w := e.peek()
	e.at++
	return w
}

const maxNesting = 100

// or: "and" and "or" have equal precedence and group to the left.
func (e *expression) or(depth int) truth {
	v := e.term(depth)
	for {
		switch e.peek() {
		case "and":
			e.at++
			v = both(v, e.term(depth))
		case "or":
			e.at++
			v = either(v, e.term(depth))
		default:
			return v
		}
	}
}

func (e *expression) term(depth int) truth {
	switch {
	case depth > maxNesting:
		e.at = len(e.words)
		return unknown
	case e.peek() == "not":
		e.at++
		return -e.term(depth + 1)
	case e.peek() == "(":
		e.at++
		v := e.or(depth + 1)
		if e.take() != ")" {
			return unknown
		}
		return v
	}
	return e.primitive()
}

func (e *expression) primitive() truth {
	var qual []string
	for {
		w := e.peek()
		switch w {
		case "ip", "ip6", "arp", "tcp", "udp", "icmp", "icmp6", "ether", "src", "dst", "host", "net", "port", "portrange":
			qual = append(qual, w)
			e.at++
			continue
		}
		break
	}
	id := e.peek()
	if id == "" || id == "and" || id == "or" || id == ")" { // a protocol alone
		if len(qual) == 0 {
			e.at++
			return unknown
		}
		v := yes
		for _, q := range qual {
			v = both(v, e.protocol(q))
		}
		return v
	}
	e.at++
	if len(qual) == 0 {
		qual = e.qual
	}
	e.qual = qual
	v, kind, way := yes, "", ""
	for i, q := range qual {
		switch q {
		case "src", "dst":
			way = q
			if i+2 < len(qual) && (qual[i+1] == "or" || qual[i+1] == "and") {
				return unknown
			}
		case "host", "net", "port", "portrange":
			kind = q
		default:
			v = both(v, e.protocol(q))
		}
	}
	return both(v, e.match(kind, way, id))
}

func (e *expression) protocol(q string) truth {
	is := func(b bool) truth {
		if b {
			return yes
		}
		return no
	}
	p := &e.probe
	switch q {
	case "ip":
		return is(!p.v6 && p.proto != "arp")
	case "ip6":
		return is(p.v6)
	case "arp", "tcp", "udp":
		return is(p.proto == q && !(q == "arp" && p.v6))
	case "icmp":
		return is(p.proto == "icmp" && !p.v6)
	case "icmp6":
		return is(p.v6 && (p.proto == "icmp" || p.proto == "arp"))
	}
	return unknown
}

func (e *expression) match(kind, way, id string) truth {
	p := &e.probe
	switch kind {
	case "port", "portrange":
		if p.proto == "icmp" || p.proto == "arp" {
			return no
		}
		from, to, ranged := strings.Cut(id, "-")
		if !ranged {
			to = from
		}
		lo, hi := capture.PortNumber(from), capture.PortNumber(to)
		if lo < 0 || hi < 0 || p.port == 0 {
			return unknown
		}
		if inside := int(p.port) >= lo && int(p.port) <= hi; inside && way != "src" {
			return yes
		}
		if way == "dst" {
			return no
		}
		if way == "src" {
			return unknown // the client's port is not known
		}
		return no // a client's port that happens to match is no design
	case "host", "":
		addr, err := netip.ParseAddr(id)
		if err != nil {
			return unknown
		}
		return e.hostMatch(way, func(a netip.Addr) bool { return a == addr })
	case "net":
		for strings.Count(id, ".") < 3 && !strings.ContainsAny(id, "/:") {
			return unknown
		}
		prefix, err := netip.ParsePrefix(id)
		if err != nil {
			return unknown
		}
		return e.hostMatch(way, prefix.Contains)
	}
	return unknown
}

func (e *expression) hostMatch(way string, is func(netip.Addr) bool) truth {
	p := &e.probe
	if p.dst.IsValid() && way != "src" && is(p.dst) {
		return yes
	}
	if way == "dst" && p.dst.IsValid() {
		return no
	}
	return unknown // the other side's address is not known
}
