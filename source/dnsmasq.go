package source

import (
	"net/netip"
	"slices"
	"strings"

	"ddx"
)

// dnsmasqLog reads the queries that dnsmasq and Pi-hole log. Of the thousands
// of answers only those become facts that deny one type of a name and not the
// other, and queries that go back to who asked them.
var dnsmasqLog = Reader{
	Name: "dnsmasq", Doc: "query log of dnsmasq and Pi-hole: names denied for one type only, queries sent back to who asked",
	Kinds: []string{"dns.answer", "dns.verdict"},
	Match: func(_ string, head []byte) bool {
		ours, lines := 0, 0
		for line := range strings.Lines(string(head[:min(len(head), recogniseSize)])) {
			if line = strings.TrimSpace(line); line != "" {
				lines++
				if strings.Contains(line, " is ") || strings.Contains(line, "query[") || strings.Contains(line, "forwarded ") {
					if dnsmasqLine.MatchString(line) {
						ours++
					}
				}
			}
		}
		return ours > 1 && 2*ours >= lines
	},
	Read: readDnsmasq,
}

// With log-queries=extra a number and the asker stand before each message.
var dnsmasqLine = lazy(`^(?:[^\[\]]{0,80}\bdnsmasq\[\d+\]: |(?:[A-Z][a-z]{2} +\d+ )?\d\d:\d\d:\d\d:? )(?:\d+ \S+/\d+ )?(?:query\[(\w+)\] (\S+) from (\S+)|forwarded (\S+) to ([^\s#]+)(?:#\d+)?|(?:config|reply|cached|cached-stale|DHCP|/\S+) (\S+) is (\S+))$`)

// dnsmasqName is what was asked and answered about one name.
type dnsmasqName struct {
	from       string
	asked      []string // types
	open       []string // types without an answer yet, oldest first
	values     map[string][]string
	denied     []string
	fact       ddx.Fact // the denial
	back       int      // times it was sent to who had asked, without an answer to anything between
	backAt     int      // line of the last of them
	last       ddx.Fact
	evidenceOf map[string]ddx.Fact
}

func readDnsmasq(it *Item, emit func(ddx.Fact)) error {
	names, order := map[string]*dnsmasqName{}, []string(nil)
	of := func(name string) *dnsmasqName {
		name = dnsName(name)
		if names[name] == nil && len(names) < coreLimit {
			names[name], order = &dnsmasqName{values: map[string][]string{}, evidenceOf: map[string]ddx.Fact{}}, append(order, name)
		}
		return names[name]
	}
	answered := 0 // line of the last answer to anything
	it.lines(func(n int, line string) {
		line = strings.TrimSpace(line)
		m := dnsmasqLine.FindStringSubmatch(line)
		if m == nil {
			return
		}
		d := of(m[2] + m[4] + m[6])
		if d == nil {
			return
		}
		switch {
		case m[2] != "":
			if d.from = m[3]; !slices.Contains(d.open, m[1]) {
				d.asked, d.open = append(d.asked, m[1]), append(d.open, m[1])
			}
		case m[4] != "":
			if d.from != "" && d.from == m[5] {
				if d.back > 0 && d.backAt < answered && d.back < 3 {
					d.back = 0
				}
				d.backAt = n
				if d.back++; d.back == 1 {
					d.last = it.fact("dns.verdict", endpoint(dnsName(m[4])), n, line, "class", "forwarding-loop", "detail", "sent to "+m[5]+", which had asked", "expected", true)
				} else if d.back < 8 {
					it.cite(&d.last, n, line)
				}
			}
		default:
			answered = n
			d.answer(it, n, line, dnsName(m[6]), m[7])
		}
	})
	for _, name := range order {
		names[name].emit(emit)
	}
	return nil
}

// answer takes the value of a line "NAME is VALUE".
func (d *dnsmasqName) answer(it *Item, n int, line, name, value string) {
	kind := ""
	switch {
	case value == "NXDOMAIN" && len(d.open) > 0:
		kind = d.open[0] // the log does not say which
		if d.denied = append(d.denied, kind); len(d.denied) == 1 {
			d.fact = it.fact("dns.answer", endpoint(name), n, line, "rcode", "NXDOMAIN")
		}
	case value == "NODATA-IPv6":
		kind = "AAAA"
	case value == "NODATA-IPv4":
		kind = "A"
	default:
		if _, err := netip.ParseAddr(value); err != nil {
			return
		}
		kind, _ = addressType(value).(string)
		d.values[kind] = append(d.values[kind], value)
		if len(d.values[kind]) == 1 {
			d.evidenceOf[kind] = it.fact("dns.answer", endpoint(name), n, line, "type", kind, "rcode", "NOERROR")
		}
	}
	d.open = slices.DeleteFunc(d.open, func(k string) bool { return k == kind })
}

func (d *dnsmasqName) emit(emit func(ddx.Fact)) {
	if d.back > 1 { // once may be a server that asks about a name of its own, and has its answer
		emit(d.last)
	}
	if len(d.denied) == 0 {
		return
	}
	for _, kinds := range [][2]string{{"A", "AAAA"}, {"AAAA", "A"}} {
		has, lacks := kinds[0], kinds[1]
		if values := d.values[has]; len(values) > 0 && len(d.values[lacks]) == 0 {
			known := d.evidenceOf[has]
			known.Fields["values"], known.Fields["answers"] = values, int64(len(values))
			emit(known)
			d.fact.Fields["type"] = lacks
			emit(d.fact)
			return
		}
	}
	if !slices.Contains(d.asked, "A") && d.denied[0] == "AAAA" {
		d.fact.Fields["type"] = "AAAA"
		emit(d.fact)
	}
}
