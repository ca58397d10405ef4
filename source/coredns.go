package source

import (
	"strconv"
	"strings"

	"ddx"
)

// coreDNS reads the log of CoreDNS: queries, where the plugin "log" is on, and
// what its upstream servers did not answer.
var coreDNS = Reader{
	Name: "coredns", Doc: "log of CoreDNS: queries with their codes, and upstream servers that did not answer",
	Kinds: []string{"dns.answer"},
	Match: anyLine(`^[^\n"]{0,80}\[(?:INFO\] \[?[0-9a-f.:]+\]?:\d+ - \d+ "[A-Z0-9]+ IN \S+ (?:udp|tcp) |ERROR\] plugin/errors: \d \S+ [A-Z0-9]+: )`),
	Read:  readCoreDNS,
}

var (
	coreQuery = lazy(`\[INFO\] \S+:\d+ - \d+ "([A-Z0-9]+) IN (\S+) (udp|tcp) [^"]*" ([A-Z]+) (\S+) \d+ ([\d.]+)s`)
	coreError = lazy(`\[ERROR\] plugin/errors: \d (\S+) ([A-Z0-9]+): (.*)$`)
	coreTo    = lazy(`->\[?([0-9a-f.:]+?)\]?:\d+: `)
)

// coreLimit is how many different answers of a log become facts: the last of
// each name, type, code and server counts.
const coreLimit = 500

func readCoreDNS(it *Item, emit func(ddx.Fact)) error {
	facts, order := map[string]*ddx.Fact{}, []string(nil)
	put := func(f ddx.Fact) {
		key := f.Subject.Name + " " + f.String("type") + " " + f.String("rcode") + " " + f.String("server")
		if old := facts[key]; old != nil {
			*old = f
		} else if len(facts) < coreLimit {
			facts[key], order = &f, append(order, key)
		}
	}
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if m := coreQuery.FindStringSubmatch(line); m != nil {
			seconds, err := strconv.ParseFloat(m[6], 64)
			if err != nil {
				return
			}
			flags := "," + m[5] + ","
			put(it.fact("dns.answer", endpoint(dnsName(m[2])), n, line, "type", m[1], "rcode", m[4], "tcp", m[3] == "tcp",
				"authoritative", strings.Contains(flags, ",aa,"), "truncated", strings.Contains(flags, ",tc,"), "milliseconds", seconds*1000))
			return
		}
		m := coreError.FindStringSubmatch(line)
		if m == nil {
			return
		}
		rcode := "SERVFAIL"
		switch {
		case strings.Contains(m[3], "timeout") || strings.Contains(m[3], "deadline exceeded"):
			rcode = "timeout"
		case strings.Contains(m[3], "connection refused"):
			rcode = "refused-connection"
		}
		f := it.fact("dns.answer", endpoint(dnsName(m[1])), n, line, "type", m[2], "rcode", rcode)
		if to := coreTo.FindStringSubmatch(m[3]); to != nil {
			f.Fields["server"] = to[1]
		}
		put(f)
	})
	for _, key := range order {
		emit(*facts[key])
	}
	return nil
}
