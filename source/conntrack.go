package source

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"ddx"
)

var (
	conntrackStatistics = Reader{
		Name: "conntrack-statistics", Doc: "conntrack -S: connection tracking counters",
		Kinds:    []string{"conntrack.counter", "table"},
		Commands: [][]string{{"conntrack", "-S"}},
		Twice:    true,
		Match:    anyLine(`^\s*(?:cpu=\d+\s+.*\binsert_failed=\d+|entries\s+\d+\s*\n\s*(?:searched|clashres|found)\s+\d+)`),
		Read:     readConntrackStatistics,
	}
	conntrackList = Reader{
		Name: "conntrack-list", Doc: "conntrack -L or /proc/net/nf_conntrack: tracked connections, counted",
		Kinds: []string{"conntrack.entries", "table"},
		Match: anyLine(`^\s*(?:ipv[46]\s+\d+\s+)?(?:tcp|udp|icmp|icmpv6|sctp|dccp|gre|udplite|unknown)\s+\d+ \d+ (?:[A-Z_]+2? )?src=\S+ dst=\S+`),
		Read:  readConntrackList,
	}
)

var (
	conntrackPair = lazy(`([a-z_]+)=(\d+)`)
	conntrackWord = lazy(`^\s*([a-z_]+)\s+(\d+)$`)
	// the tool's names for counters that the kernel's file calls otherwise
	conntrackNames = map[string]string{"clash_resolve": "clashres", "error": "icmp_error"}
)

// readConntrackStatistics sums the lines of the CPUs; releases before 1.2
// print the sums themselves, one a line.
func readConntrackStatistics(it *Item, emit func(ddx.Fact)) error {
	type sum struct {
		value int64
		n     int
		line  string
	}
	sums, order := map[string]*sum{}, []string(nil)
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		pairs := conntrackPair.FindAllStringSubmatch(line, -1)
		if m := conntrackWord.FindStringSubmatch(line); m != nil {
			pairs = [][]string{m}
		} else if !strings.HasPrefix(strings.TrimSpace(line), "cpu=") {
			return
		}
		for _, p := range pairs {
			v, err := strconv.ParseInt(p[2], 10, 64)
			if err != nil || p[1] == "cpu" {
				continue
			}
			name := p[1]
			if known := conntrackNames[name]; known != "" {
				name = known
			}
			s := sums[name]
			if s == nil {
				s = &sum{n: n, line: line}
				sums[name], order = s, append(order, name)
			}
			// the line that counted most is the evidence
			if v > 0 && s.value == 0 {
				s.n, s.line = n, line
			}
			s.value += v
		}
	})
	for _, name := range order {
		s := sums[name]
		if name == "entries" {
			emit(it.fact("table", host, s.n, s.line, "name", "conntrack", "used", s.value))
			continue
		}
		emit(it.fact("conntrack.counter", host, s.n, s.line, "name", name, "value", s.value))
	}
	return nil
}

var (
	conntrackEntry  = lazy(`^\s*(?:(?:ipv[46])\s+\d+\s+)?([a-z0-9]+)\s+\d+ \d+ (?:([A-Z_]+2?) )?src=(\S+) dst=(\S+)(?: type=\d+ code=\d+ id=\d+)?(?: sport=(\d+) dport=(\d+))?`)
	conntrackFooter = lazy(`^\s*conntrack v\S+ \(conntrack-tools\): (\d+) flow entries have been shown`)
)

// readConntrackList counts the entries by protocol and state, and names the
// destination that most of them go to. At most 1,000 destinations of a state
// are told apart.
func readConntrackList(it *Item, emit func(ddx.Fact)) error {
	type group struct {
		proto, state     string
		count, unreplied int64
		n                int
		line             string
		peers            tally
	}
	groups := map[string]*group{}
	total, first, firstLine, exact := int64(0), 0, "", false
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if m := conntrackFooter.FindStringSubmatch(line); m != nil {
			if v, err := strconv.ParseInt(m[1], 10, 64); err == nil {
				emit(it.fact("table", host, n, line, "name", "conntrack", "used", v))
				exact = true
			}
			return
		}
		m := conntrackEntry.FindStringSubmatch(line)
		if m == nil {
			return
		}
		total++
		if first == 0 {
			first, firstLine = n, line
		}
		g := groups[m[1]+" "+m[2]]
		if g == nil {
			g = &group{proto: m[1], state: m[2], n: n, line: line}
			groups[m[1]+" "+m[2]] = g
		}
		g.count++
		if strings.Contains(line, "[UNREPLIED]") {
			g.unreplied++
		}
		peer := m[4]
		if m[6] != "" {
			peer += ":" + m[6]
		}
		g.peers.add(peer)
	})
	// the kernel's own file is the whole table; a fragment of a listing is not
	if !exact && total > 0 && strings.HasSuffix(it.Origin, "net/nf_conntrack") {
		emit(it.fact("table", host, first, firstLine, "name", "conntrack", "used", total))
	}
	for _, key := range sortedKeys(groups) {
		g := groups[key]
		peer, n := g.peers.most()
		emit(it.fact("conntrack.entries", host, g.n, g.line, "proto", g.proto, "state", text(g.state),
			"count", g.count, "unreplied", g.unreplied, "peer", peer, "peer_count", n))
	}
	return nil
}

// tally counts names, telling at most 1,000 apart.
type tally map[string]int64

func (t *tally) add(name string) {
	if *t == nil {
		*t = tally{}
	}
	if _, known := (*t)[name]; known || len(*t) < 1000 {
		(*t)[name]++
	}
}

// most returns the name with the highest count, the first in order of those
// with the same.
func (t tally) most() (string, int64) {
	names := sortedKeys(t)
	if len(names) == 0 {
		return "", 0
	}
	best := slices.MaxFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(t[a], t[b]), cmp.Compare(b, a)) })
	return best, t[best]
}
