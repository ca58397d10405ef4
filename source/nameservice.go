package source

import (
	"strings"

	"ddx"
)

var (
	hostReader = Reader{
		Name: "host", Doc: "host: DNS answers in words",
		Kinds: []string{"dns.answer"},
		Match: anyLine(`^\s*(?:\S+ has (?:IPv6 )?address [0-9a-f.:]+\s*$|\S+ is an alias for \S+\.\s*$|Host \S+ not found: \d\(\w+\)|\S+ has no \w+ record|;; connection timed out; no servers could be reached|\S+ (?:mail is handled by \d|domain name pointer ))`),
		Read:  readHost,
	}
	nslookupReader = Reader{
		Name: "nslookup", Doc: "nslookup, also of busybox: DNS answers",
		Kinds: []string{"dns.answer"},
		Match: anyLine(`^\s*(?:\*\* server can't find \S+: |\*\*\* Can't find \S+: |Server:\s+\S+\s*\n\s*Address(?: 1)?:\s*\S+|Non-authoritative answer:|[^\n]{0,80}[$#] nslookup \S|nslookup: can't resolve ')`),
		Read:  readNslookup,
	}
	getentReader = Reader{
		Name: "getent", Doc: "getent ahosts, getent hosts: what the C library resolves",
		Kinds: []string{"dns.answer"},
		Match: anyLine(`^\s*[0-9a-f]*[.:][0-9a-f.:]*\s+(?:STREAM|DGRAM|RAW)\b`),
		Read:  readGetent,
	}
)

// spoken collects the answers to one name and type.
type spoken struct {
	order []string
	facts map[string]*ddx.Fact
}

// add puts a value to the answer for a name and type; an empty value is an
// answer without records.
func (s *spoken) add(it *Item, n int, line, name, kind, rcode, server, value string) *ddx.Fact {
	name = dnsName(name)
	key := name + " " + kind
	f := s.facts[key]
	if f == nil {
		f = new(it.fact("dns.answer", endpoint(name), n, line, "type", text(kind), "rcode", rcode, "server", text(server)))
		if s.facts == nil {
			s.facts = map[string]*ddx.Fact{}
		}
		s.facts[key], s.order = f, append(s.order, key)
		if rcode == "NOERROR" {
			f.Fields["answers"] = int64(0)
		}
	} else if len(f.Evidence) < 8 {
		it.cite(f, n, line)
	}
	if value != "" {
		values := append(f.Strings("values"), value)
		f.Fields["values"], f.Fields["answers"] = values, int64(len(values))
	}
	return f
}

// deny notes that a name was denied without saying for which type: for the one
// that the same answer does not have, or for all.
func (s *spoken) deny(it *Item, n int, line, name, rcode, server string) {
	s.add(it, n, line, name, "", rcode, server, "")
}

// untold are the types that tools ask for on their own, in the order in which
// one of them is denied beside an answer for the others.
var untold = []string{"A", "AAAA", "MX"}

func (s *spoken) emit(emit func(ddx.Fact)) {
	for _, key := range s.order {
		f := s.facts[key]
		if f.String("type") == "" {
			for _, kind := range untold {
				if f.Fields["type"] = kind; s.facts[key+kind] == nil {
					break
				}
			}
		}
		emit(*f)
	}
	s.order, s.facts = nil, nil
}

var (
	hostAddress  = lazy(`^\s*(\S+) has (IPv6 )?address ([0-9a-f.:]+)$`)
	hostAlias    = lazy(`^\s*(\S+) is an alias for (\S+)\.$`)
	hostNotFound = lazy(`^\s*Host (\S+) not found: \d\((\w+)\)`)
	hostNoRecord = lazy(`^\s*(\S+) has no (\w+) record`)
	hostServer   = lazy(`^\s*Address: ([0-9a-fA-F.:]+)#\d+$`)
	hostPointer  = lazy(`^\s*(\S+) domain name pointer (\S+)\.$`)
)

// readHost gives an alias its target's addresses: host asks for the name, and
// the addresses are printed under the name at the end of the chain.
func readHost(it *Item, emit func(ddx.Fact)) error {
	var s spoken
	server, aliases := "", map[string]string{}
	asked := dnsName(hostOperand(it.invoked("host")))
	original := func(name string) string {
		name = dnsName(name)
		for i := 0; i < 16 && aliases[name] != ""; i++ {
			name = aliases[name]
		}
		return name
	}
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if w := promptWords(line); len(w) > 0 && w[0] == "host" {
			s.emit(emit)
			asked, server, aliases = dnsName(hostOperand(w)), "", map[string]string{}
			return
		}
		switch {
		case hostServer.MatchString(line):
			server = hostServer.FindStringSubmatch(line)[1]
		case hostAlias.MatchString(line):
			m := hostAlias.FindStringSubmatch(line)
			if target := dnsName(m[2]); target != original(m[1]) {
				aliases[target] = dnsName(m[1])
			}
		case hostAddress.MatchString(line):
			m := hostAddress.FindStringSubmatch(line)
			kind := "A"
			if m[2] != "" {
				kind = "AAAA"
			}
			s.add(it, n, line, original(m[1]), kind, "NOERROR", server, m[3])
		case hostPointer.MatchString(line):
			m := hostPointer.FindStringSubmatch(line)
			s.add(it, n, line, m[1], "PTR", "NOERROR", server, dnsName(m[2]))
		case hostNoRecord.MatchString(line):
			m := hostNoRecord.FindStringSubmatch(line)
			s.add(it, n, line, original(m[1]), m[2], "NOERROR", server, "")
		case hostNotFound.MatchString(line):
			m := hostNotFound.FindStringSubmatch(line)
			s.deny(it, n, line, original(m[1]), m[2], server)
		case strings.Contains(line, "no servers could be reached") && asked != "":
			s.add(it, n, line, asked, "A", "timeout", server, "")
		}
	})
	s.emit(emit)
	return nil
}

// hostOperand returns the name that host was asked for: its first operand, not
// the server that may follow.
func hostOperand(w []string) string {
	for i := 1; i < len(w); i++ {
		switch {
		case w[i] == "-t" || w[i] == "-W" || w[i] == "-R" || w[i] == "-c":
			i++
		case !strings.HasPrefix(w[i], "-"):
			return w[i]
		}
	}
	return ""
}

var (
	nslookupServer  = lazy(`^\s*Server:\s+(\S+)`)
	nslookupName    = lazy(`^\s*Name:\s+(\S+)`)
	nslookupAddress = lazy(`^\s*Address(?: \d+)?:\s*([0-9a-fA-F.:]+)(?:#\d+)?(?: \S+)?$`)
	nslookupFailed  = lazy(`^\s*\*\* server can't find (\S+): (\w+)`)
	nslookupNone    = lazy(`^\s*\*\*\* Can't find (\S+): No answer`)
	nslookupBusybox = lazy(`^\s*nslookup: can't resolve '([^']+)'`)
)

func readNslookup(it *Item, emit func(ddx.Fact)) error {
	var s spoken
	server, name := "", ""
	asked := hostOperand(it.invoked("nslookup"))
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if w := promptWords(line); len(w) > 0 && w[0] == "nslookup" {
			s.emit(emit)
			asked, server, name = hostOperand(w), "", ""
			return
		}
		switch {
		case nslookupServer.MatchString(line):
			server, name = nslookupServer.FindStringSubmatch(line)[1], ""
		case nslookupName.MatchString(line):
			name = nslookupName.FindStringSubmatch(line)[1]
		case nslookupAddress.MatchString(line):
			address := nslookupAddress.FindStringSubmatch(line)[1]
			if name != "" {
				kind, _ := addressType(address).(string)
				s.add(it, n, line, name, kind, "NOERROR", server, address)
			}
		case nslookupFailed.MatchString(line):
			m := nslookupFailed.FindStringSubmatch(line)
			s.deny(it, n, line, m[1], m[2], server)
		case nslookupNone.MatchString(line):
			s.add(it, n, line, nslookupNone.FindStringSubmatch(line)[1], "A", "NOERROR", server, "")
		case nslookupBusybox.MatchString(line):
			// busybox does not say why: the type and code stay open
			f := s.add(it, n, line, nslookupBusybox.FindStringSubmatch(line)[1], "A", "", server, "")
			delete(f.Fields, "rcode")
		case strings.Contains(line, "no servers could be reached") && asked != "":
			s.add(it, n, line, asked, "A", "timeout", server, "")
		}
	})
	s.emit(emit)
	return nil
}

var getentLine = lazy(`^\s*([0-9a-fA-F]*[.:][0-9a-fA-F.:]*)\s+(STREAM|DGRAM|RAW)?\s*(\S*)`)

// readGetent reads ahosts, whose STREAM lines name each address once. getent
// hosts looks like a hosts file: only its command tells them apart.
func readGetent(it *Item, emit func(ddx.Fact)) error {
	var s spoken
	w := it.invoked("getent")
	asked := operand(w)
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if p := promptWords(line); len(p) > 0 && p[0] == "getent" {
			s.emit(emit)
			asked = operand(p)
			return
		}
		m := getentLine.FindStringSubmatch(line)
		if m == nil || m[2] != "STREAM" && m[2] != "" {
			return
		}
		name := asked
		if name == "" && m[3] != "" {
			name, asked = m[3], m[3]
		}
		kind, _ := addressType(m[1]).(string)
		if name != "" && kind != "" {
			s.add(it, n, line, name, kind, "NOERROR", "", m[1])
		}
	})
	s.emit(emit)
	return nil
}
