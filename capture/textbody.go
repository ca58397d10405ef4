package capture

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// portNames are the services tcpdump prints by name without -n, as far as cloud
// hosts use them (IANA service names).
var portNames = map[string]uint16{
	"ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "bootps": 67, "bootpc": 68, "tftp": 69, "http": 80,
	"kerberos": 88, "pop3": 110, "sunrpc": 111, "ntp": 123, "netbios-ns": 137, "netbios-ssn": 139, "imap2": 143,
	"snmp": 161, "bgp": 179, "ldap": 389, "https": 443, "microsoft-ds": 445, "syslog": 514, "submission": 587,
	"ldaps": 636, "imaps": 993, "pop3s": 995, "nfs": 2049, "mysql": 3306, "ms-wbt-server": 3389, "iscsi-target": 3260,
	"postgresql": 5432, "mdns": 5353, "amqp": 5672, "redis": 6379, "http-alt": 8080, "webcache": 8080, "https-alt": 8443,
	"pcsync-https": 8443, "zookeeper": 2181, "etcd-client": 2379, "epmd": 4369, "mongodb": 27017,
}

// PortNumber reads a port number or a service name; -1 if it is neither.
func PortNumber(s string) int {
	if n, err := strconv.Atoi(s); err == nil && n >= 0 && n < 1<<16 {
		return n
	}
	if n, ok := portNames[s]; ok {
		return int(n)
	}
	return -1
}

// network reads what follows the protocol's name.
func (t *text) network(kind, rest string, p *Packet) bool {
	if kind == "ARP" {
		return arpText(rest, p)
	}
	if strings.HasPrefix(rest, "(") {
		end := closing(rest)
		if end < 0 {
			return false
		}
		header := rest[:end]
		p.IPLength = max(0, after(header, ", length "))
		if n := after(header, "payload length: "); n >= 0 {
			p.IPLength = n + 40
		}
		p.TTL = uint8(max(0, after(header, "ttl "), after(header, "hlim ")))
		p.IPID = uint32(max(0, after(header, ", id ")))
		rest = strings.TrimSpace(rest[end+1:])
		if rest == "" {
			t.verb = p
			return false
		}
	}
	return t.body(rest, p)
}

// closing finds the parenthesis that closes the first one.
func closing(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// endpointText reads HOST.PORT; an IPv4 address of four parts has no port.
func endpointText(s string) (Endpoint, bool) {
	if s == "" || len(s) > 300 || strings.ContainsAny(s, " \t,()") {
		return Endpoint{}, false
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return Endpoint{Host: Host{Addr: a.Unmap()}}, true
	}
	i := strings.LastIndexByte(s, '.')
	if i <= 0 {
		return Endpoint{Host: ParseHost(s)}, true
	}
	if n, err := strconv.ParseUint(s[i+1:], 10, 64); err == nil && n > 65535 {
		return Endpoint{Host: ParseHost(s[:i])}, true // an RPC xid in the port's place
	} else if err == nil {
		return Endpoint{ParseHost(s[:i]), uint16(n)}, true
	}
	if n, ok := portNames[s[i+1:]]; ok {
		return Endpoint{ParseHost(s[:i]), n}, true
	}
	return Endpoint{Host: ParseHost(s)}, true
}

// body reads SRC > DST: and what follows.
func (t *text) body(s string, p *Packet) bool {
	if rest, ok := strings.CutPrefix(s, "truncated-ip"); ok {
		_, s, _ = strings.Cut(rest, "missing! ")
	}
	from, rest, ok := strings.Cut(s, " > ")
	if !ok {
		return false
	}
	to, rest, ok := strings.Cut(rest, ": ")
	if !ok {
		return false
	}
	if p.Src, ok = endpointText(from); !ok {
		return false
	}
	if p.Dst, ok = endpointText(strings.TrimSuffix(to, ":")); !ok {
		return false
	}
	if strings.HasPrefix(rest, "[") { // -vv on the checksum of UDP
		_, rest, _ = strings.Cut(rest, "] ")
	}
	headers := 20
	if p.Src.Addr.Is6() {
		headers = 40
	}
	switch {
	case strings.HasPrefix(rest, "Flags ["):
		t.tcpText(rest, p)
		headers += 20
		if i := strings.Index(rest, "TS val"); i >= 0 {
			headers += 12
		}
	case strings.HasPrefix(rest, "ICMP"), p.Src.Port == 0 && strings.Contains(rest, "ICMP6, "):
		if i := strings.Index(rest, "ICMP6, "); i > 0 { // behind extension headers, or "[icmp6 sum ok]"
			rest = rest[i:]
		}
		icmpText(rest, p)
		p.PayloadLength = max(0, after(rest, ", length "))
	case oldTCP.MatchString(rest):
		t.oldTCPText(rest, p)
		headers += 20
	default:
		p.Kind = UDP
		headers += 8
		p.PayloadLength = max(0, after(rest, "length "))
		switch {
		case p.Src.Port == 53 || p.Dst.Port == 53 || p.Src.Port == 5353:
			p.DNS = dnsText(rest, p)
		case p.Dst.Port == 2049 || p.Src.Port == 2049:
			nfsDatagram(from, to, rest, p)
		case p.Src.Port == 0 && p.Dst.Port == 0 && !strings.HasPrefix(rest, "UDP"):
			p.Kind = Other // a protocol without ports
		}
	}
	if p.IPLength == 0 {
		p.IPLength = headers + p.PayloadLength
	}
	p.Length = p.IPLength
	return true
}

func (t *text) tcpText(s string, p *Packet) {
	p.Kind = TCP
	flags, rest, _ := strings.Cut(s[len("Flags ["):], "]")
	p.Flags = flagText(flags)
	from, to := after(rest, "seq "), -1
	if i := strings.Index(rest, "seq "); i >= 0 {
		if _, tail := number(rest[i+4:]); strings.HasPrefix(tail, ":") {
			to, _ = number(tail[1:])
		}
	}
	ack := after(rest, "ack ")
	if ack >= 0 {
		p.Flags |= ACK
	}
	p.Window = uint16(max(0, after(rest, "win ")))
	if i := strings.LastIndex(rest, "length "); i >= 0 {
		p.PayloadLength = max(0, after(rest[i:], "length "))
	} else if to > from {
		p.PayloadLength = to - from
	}
	if i := strings.Index(rest, "sack "); i >= 0 {
		t.sackText(rest[i:], p)
	}
	t.relative(from, ack, p)
	if i := strings.Index(rest, "NFS re"); i >= 0 {
		p.RPC = nfsText(rest[i+4:])
	}
	if (p.Src.Port == 53 || p.Dst.Port == 53) && p.PayloadLength > 0 {
		if _, tail, ok := strings.Cut(rest, "length "); ok {
			_, tail = number(tail)
			p.DNS = dnsText(strings.TrimLeft(tail, ": "), p)
		}
	}
}

// flagText reads tcpdump's letters; the dot is ACK.
func flagText(s string) (f Flags) {
	for _, c := range s {
		switch c {
		case 'S':
			f |= SYN
		case 'F':
			f |= FIN
		case 'R':
			f |= RST
		case 'P':
			f |= PSH
		case '.':
			f |= ACK
		}
	}
	return f
}

// relative makes all sequence numbers count from the SYN: tcpdump prints it as
// it is, and what follows relative to it (or, with -S, absolute too).
func (t *text) relative(seq, ack int, p *Packet) {
	mine, theirs := [2]Endpoint{p.Src, p.Dst}, [2]Endpoint{p.Dst, p.Src}
	_, knowMine := t.isn[mine]
	_, knowTheirs := t.isn[theirs]
	if !knowMine && !knowTheirs && p.Flags&SYN == 0 && max(seq, ack) > 1<<24 && ack > 0 {
		// The first packet of a connection whose SYN was not captured.
		t.isn[theirs] = uint32(ack - 1)
		if seq >= 0 {
			t.isn[mine] = uint32(seq)
		}
	}
	if p.Flags&SYN != 0 && seq >= 0 {
		if old, ok := t.isn[mine]; !ok || old != uint32(seq) {
			if len(t.isn) > 100_000 {
				clear(t.isn)
			}
			t.isn[mine] = uint32(seq)
		}
		seq = 0
	} else if isn, ok := t.isn[mine]; ok && seq >= 0 && uint32(seq)-isn < 1<<30 && isn > 1<<16 {
		seq = int(uint32(seq) - isn)
	}
	if isn, ok := t.isn[theirs]; ok && ack > 1 && uint32(ack)-isn < 1<<30 && isn > 1<<16 {
		ack = int(uint32(ack) - isn)
	} else if !ok && p.Flags&SYN != 0 && ack > 0 {
		ack = 1 // the SYN it acknowledges is not in the text
	}
	p.Ack = uint32(max(0, ack))
	p.Seq = uint32(max(0, seq))
	if seq < 0 { // a pure acknowledgement: tcpdump prints no number
		p.Seq = t.isn[mine]
		p.Flags |= ACK
		p.NoSeq = true
	}
}

func (t *text) sackText(s string, p *Packet) {
	isn, known := t.isn[[2]Endpoint{p.Dst, p.Src}]
	for _, block := range strings.Split(s, "{")[1:] {
		from, tail := number(block)
		if from < 0 || !strings.HasPrefix(tail, ":") || p.SackBlocks == len(p.Sack) {
			return
		}
		to, _ := number(tail[1:])
		b := [2]uint32{uint32(from), uint32(to)}
		if known && isn > 1<<16 && b[0]-isn < 1<<30 {
			b[0], b[1] = b[0]-isn, b[1]-isn
		}
		p.Sack[p.SackBlocks] = b
		p.SackBlocks++
	}
}

// oldTCP is the form before tcpdump 4: "P 1:245(244) ack 1 win 46".
var oldTCP = regexp.MustCompile(`^([SFRPWE.]+) (?:(\d+):(\d+)\((\d+)\)|ack )`)

func (t *text) oldTCPText(s string, p *Packet) {
	p.Kind = TCP
	m := oldTCP.FindStringSubmatch(s)
	p.Flags = flagText(strings.ReplaceAll(m[1], ".", ""))
	seq := -1
	if m[2] != "" {
		seq, _ = number(m[2])
		p.PayloadLength, _ = number(m[4])
	}
	ack := after(s, "ack ")
	if ack >= 0 {
		p.Flags |= ACK
	}
	p.Window = uint16(max(0, after(s, "win ")))
	t.relative(seq, ack, p)
}

// arpText reads a question or an answer; the words differ little by version.
func arpText(s string, p *Packet) bool {
	p.Kind, p.Length = Neighbour, 42
	if _, rest, ok := strings.Cut(s, "who-has "); ok {
		wanted, rest, _ := strings.Cut(rest, " ")
		_, asker, ok := strings.Cut(rest, "tell ")
		asker = strings.TrimRight(strings.SplitN(asker, " ", 2)[0], ",")
		p.Neighbour = NeighbourMessage{Asker: ParseHost(asker), Wanted: ParseHost(wanted)}
		return ok
	}
	before, mac, ok := strings.Cut(s, " is-at ")
	words := strings.Fields(before)
	if !ok || len(words) == 0 {
		return false
	}
	h := ParseHost(words[len(words)-1])
	mac = strings.TrimRight(strings.SplitN(mac, " ", 2)[0], ",")
	p.Neighbour = NeighbourMessage{Reply: true, Asker: h, Wanted: h, MAC: mac}
	return true
}

// dnsText reads tcpdump's short form of a DNS message; nil if it is none.
func dnsText(s string, p *Packet) *DNSMessage {
	id, rest := number(s)
	if id < 0 || id > 65535 {
		return nil
	}
	m := &DNSMessage{ID: uint16(id), Answers: -1, Response: p.Src.Port == 53}
	m.Truncated = strings.HasPrefix(strings.TrimLeft(rest, "*-$+%"), "|")
	for _, w := range strings.Fields(rest) {
		bare := strings.TrimRight(w, "*-$|%+")
		if code := rcodeText(bare); code > 0 {
			m.Rcode, m.Response = code, true
			continue
		}
		if kind, ok := strings.CutSuffix(w, "?"); ok && kind != "" {
			_, name, _ := strings.Cut(rest, w+" ")
			m.Name = strings.TrimSuffix(strings.ToLower(strings.SplitN(name, " ", 2)[0]), ".")
			m.Type = strings.ToUpper(kind)
			if !m.Response {
				return m
			}
		}
		if parts := strings.Split(w, "/"); len(parts) == 3 {
			n, tail := number(parts[0])
			if n >= 0 && tail == "" {
				m.Answers, m.Response = n, true
				break
			}
		}
	}
	for _, f := range strings.Split(rest, ", ") {
		if i := strings.LastIndex(f, " "); i > 0 && (strings.HasSuffix(f[:i], " A") || strings.HasSuffix(f[:i], "AAAA")) {
			if a, err := netip.ParseAddr(f[i+1:]); err == nil {
				m.Addrs = append(m.Addrs, a)
			}
		} else if w := strings.Fields(f); len(w) >= 2 {
			for i := 0; i+1 < len(w); i++ {
				if a, err := netip.ParseAddr(w[i+1]); err == nil && (w[i] == "A" || w[i] == "AAAA") {
					m.Addrs = append(m.Addrs, a)
				}
			}
		}
	}
	if m.Name == "" && m.Answers < 0 && m.Rcode == 0 {
		return nil
	}
	return m
}

func rcodeText(s string) int {
	switch s {
	case "FormErr":
		return 1
	case "ServFail":
		return 2
	case "NXDomain":
		return 3
	case "NotImp":
		return 4
	case "Refused":
		return 5
	}
	return 0
}
