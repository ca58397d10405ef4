package source

import (
	"fmt"
	"strconv"
	"strings"

	"ddx"
)

var (
	sockstatReader = Reader{
		Name: "sockstat", Doc: "/proc/net/sockstat and sockstat6: sockets by protocol",
		Kinds: []string{"sockets", "table"},
		Files: []string{"proc/net/sockstat", "proc/net/sockstat6"},
		Match: anyLine(`^\s*(?:sockets: used \d+|(?:TCP|UDP|RAW|FRAG)6?: inuse \d+)`),
		Read:  readSockstat,
	}
	softnetReader = Reader{
		Name: "softnet", Doc: "/proc/net/softnet_stat: receive work and drops by CPU",
		Kinds: []string{"softnet.counter"},
		Files: []string{"proc/net/softnet_stat"},
		Twice: true,
		Match: anyLine(`^\s*[0-9a-f]{8}(?: [0-9a-f]{8}){8,14}\s*$`),
		Read:  readSoftnet,
	}
	conntrackStat = Reader{
		Name: "net-stat-conntrack", Doc: "/proc/net/stat/nf_conntrack: connection tracking counters by CPU",
		Kinds: []string{"conntrack.counter", "table"},
		Files: []string{"proc/net/stat/nf_conntrack"},
		Twice: true,
		Match: anyLine(`^\s*entries +(?:searched|clashres) +found `),
		Read:  readConntrackStat,
	}
	neighbourStat = Reader{
		Name: "net-stat-neighbour", Doc: "/proc/net/stat/arp_cache and ndisc_cache: neighbour table counters by CPU",
		Kinds: []string{"neighbour.counter", "table"},
		Files: []string{"proc/net/stat/arp_cache", "proc/net/stat/ndisc_cache"},
		Twice: true,
		Match: anyLine(`^\s*entries +allocs +destroys +hash_grows `),
		Read:  readNeighbourStat,
	}
)

var sockstatLine = lazy(`^\s*(\w+): (.*)$`)

// readSockstat also states how full the TCP tables are; their limits are
// sysctls, a fact of their own.
func readSockstat(it *Item, emit func(ddx.Fact)) error {
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		m := sockstatLine.FindStringSubmatch(line)
		if m == nil {
			return
		}
		w := strings.Fields(m[2])
		f := it.fact("sockets", host, n, line, "proto", m[1], "inuse", attribute(w, "inuse"), "orphan", attribute(w, "orphan"),
			"tw", attribute(w, "tw"), "alloc", attribute(w, "alloc"), "mem", attribute(w, "mem"))
		if m[1] == "sockets" {
			f.Fields["proto"] = "all"
			if v := attribute(w, "used"); v != nil {
				f.Fields["inuse"] = v
			}
		}
		if len(f.Fields) < 2 {
			return
		}
		emit(f)
		if m[1] != "TCP" {
			return
		}
		for _, t := range [...]struct{ key, table string }{{"mem", "tcp-memory-pages"}, {"orphan", "tcp-orphans"}, {"tw", "tcp-timewait"}} {
			if v := attribute(w, t.key); v != nil {
				emit(it.fact("table", host, n, line, "name", t.table, "used", v))
			}
		}
	})
	return nil
}

// softnetColumns are the columns of softnet_stat by position; the thirteenth,
// since Linux 5.10, is the CPU, because lines of offline CPUs are missing.
var softnetColumns = []string{0: "processed", 1: "dropped", 2: "time_squeeze", 9: "received_rps", 10: "flow_limit"}

func readSoftnet(it *Item, emit func(ddx.Fact)) error {
	sums := make([]int64, len(softnetColumns))
	first, firstLine, cpus, columns := 0, "", 0, 0
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		w := strings.Fields(line)
		values := make([]int64, len(w))
		for i, x := range w {
			v, err := strconv.ParseUint(x, 16, 32)
			if err != nil || len(x) != 8 {
				return
			}
			values[i] = int64(v)
		}
		if len(values) < 9 {
			return
		}
		cpu := int64(cpus)
		if len(values) >= 13 {
			cpu = values[12]
		}
		cpus, columns = cpus+1, max(columns, len(values))
		if firstLine == "" {
			first, firstLine = n, line
		}
		for i, name := range softnetColumns {
			if name == "" || i >= len(values) {
				continue
			}
			sums[i] += values[i]
			emit(it.fact("softnet.counter", host, n, line, "name", name, "value", values[i], "cpu", strconv.FormatInt(cpu, 10)))
		}
	})
	for i, name := range softnetColumns {
		if name != "" && i < columns {
			emit(it.fact("softnet.counter", host, first, firstLine, "name", name, "value", sums[i], "cpu", "all"))
		}
	}
	return nil
}

// perCPU reads a table of /proc/net/stat: names, then a line of hexadecimal
// numbers for each CPU. It returns the sums, and the column "entries" of the
// first line, which is the same on every one. The evidence is the first line
// with numbers.
func (it *Item) perCPU() (names []string, sums []int64, entries int64, line int, text string, err error) {
	it.lines(func(n int, s string) {
		w := strings.Fields(s)
		switch {
		case len(w) > 3 && w[0] == "entries":
			names, sums = w, make([]int64, len(w))
			return
		case names == nil || len(w) == 0 || len(w) > 64:
			return
		}
		values := make([]int64, len(w))
		for i, x := range w {
			v, perr := strconv.ParseUint(x, 16, 63)
			if perr != nil {
				return
			}
			values[i] = int64(v)
		}
		if len(w) != len(names) && err == nil {
			err = fmt.Errorf("line %d: %d columns under %d names; the text may be cut off", n, len(w), len(names))
		}
		if text == "" {
			line, text, entries = n, strings.TrimRight(s, " \t"), values[0]
		}
		for i := range values[:min(len(values), len(sums))] {
			sums[i] += values[i]
		}
	})
	return names, sums, entries, line, text, err
}

func readConntrackStat(it *Item, emit func(ddx.Fact)) error {
	names, sums, entries, n, line, err := it.perCPU()
	if line == "" {
		return err
	}
	emit(it.fact("table", host, n, line, "name", "conntrack", "used", entries))
	for i, name := range names[1:] {
		emit(it.fact("conntrack.counter", host, n, line, "name", name, "value", sums[i+1]))
	}
	return err
}

// readNeighbourStat needs the file's name: the two families have one format.
func readNeighbourStat(it *Item, emit func(ddx.Fact)) error {
	names, sums, entries, n, line, err := it.perCPU()
	from := it.Name + " " + it.Origin + " " + strings.Join(it.invoked("cat", "head", "tail", "sudo"), " ")
	prefix, table := "", ""
	switch {
	case strings.Contains(from, "arp_cache"):
		prefix, table = "arp_", "neighbours-ipv4"
	case strings.Contains(from, "ndisc_cache"):
		prefix, table = "ndisc_", "neighbours-ipv6"
	}
	if line == "" || prefix == "" {
		return err
	}
	emit(it.fact("table", host, n, line, "name", table, "used", entries))
	for i, name := range names[1:] {
		emit(it.fact("neighbour.counter", host, n, line, "name", prefix+name, "value", sums[i+1]))
	}
	return err
}
