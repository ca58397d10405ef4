package source

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"ddx"
)

var (
	netProtocols = Reader{
		Name: "net-protocols", Doc: "/proc/net/snmp and /proc/net/netstat: protocol counters",
		Kinds: []string{"net.counter"},
		Files: []string{"proc/net/snmp", "proc/net/netstat"},
		Twice: true,
		Match: anyLine(`^\s*(?:Ip|Icmp|IcmpMsg|Tcp|Udp|UdpLite|TcpExt|IpExt|MPTcpExt): [A-Z]\w+ [^\n]*\n\s*(?:Ip|Icmp|IcmpMsg|Tcp|Udp|UdpLite|TcpExt|IpExt|MPTcpExt): -?\d`),
		Read:  readNetProtocols,
	}
	netSNMP6 = Reader{
		Name: "net-snmp6", Doc: "/proc/net/snmp6: protocol counters of IPv6",
		Kinds: []string{"net.counter"},
		Files: []string{"proc/net/snmp6"},
		Twice: true,
		Match: anyLine(`^\s*(?:Ip6|Icmp6|Udp6|UdpLite6)[A-Z]\w+ {1,}\t?\d+\s*$`),
		Read:  readNetSNMP6,
	}
	nstatReader = Reader{
		Name: "nstat", Doc: "nstat -az, also as JSON: protocol counters; without -a they count since nstat ran last",
		Kinds: []string{"net.counter"},
		Match: anyLine(`^\s*(?:#(?:kernel|\d+\.\d+ sampling)|\s*(?:Ip|Icmp|IcmpMsg|Tcp|Udp|UdpLite|TcpExt|IpExt|Ip6|Icmp6|Udp6|MPTcpExt)[A-Z]\w+ +\d+ +\d+\.\d+\s*$|\s*\{ ?"(?:kernel|\d+\.\d+ sampling[^"]*)": ?\{ ?")`),
		Read:  readNstat,
	}
)

// readNetProtocols reads pairs of lines: names, then numbers, both behind the
// protocol. The evidence is the line of numbers.
func readNetProtocols(it *Item, emit func(ddx.Fact)) error {
	protocol, names := "", []string(nil)
	var bad error
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		head, rest, ok := strings.Cut(strings.TrimLeft(line, " \t"), ":")
		if !ok || strings.ContainsAny(head, " \t") {
			return
		}
		words := strings.Fields(rest)
		if len(words) == 0 {
			return
		}
		if _, err := strconv.ParseInt(words[0], 10, 64); err != nil {
			protocol, names = head, words
			return
		}
		if head != protocol {
			return
		}
		if len(words) != len(names) && bad == nil {
			bad = fmt.Errorf("line %d: %s has %d names and %d numbers; the text may be cut off", n, head, len(names), len(words))
		}
		for i, w := range words[:min(len(words), len(names))] {
			if v, err := strconv.ParseInt(w, 10, 64); err == nil {
				emit(it.fact("net.counter", host, n, line, "name", head+names[i], "value", v))
			}
		}
		protocol, names = "", nil
	})
	return bad
}

var snmp6Line = lazy(`^\s*((?:Ip6|Icmp6|Udp6|UdpLite6)\w+)\s+(\d+)$`)

func readNetSNMP6(it *Item, emit func(ddx.Fact)) error {
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if m := snmp6Line.FindStringSubmatch(line); m != nil {
			if v, err := strconv.ParseInt(m[2], 10, 64); err == nil {
				emit(it.fact("net.counter", host, n, line, "name", m[1], "value", v))
			}
		}
	})
	return nil
}

var nstatLine = lazy(`^\s*([A-Z]\w+)\s+(\d+)\s+\d+\.\d+$`)

func readNstat(it *Item, emit func(ddx.Fact)) error {
	if i := strings.IndexByte(string(it.Data[:min(len(it.Data), 256)]), '{'); i >= 0 {
		return it.objects(func(n int, raw json.RawMessage) {
			var outer map[string]map[string]int64
			if json.Unmarshal(raw, &outer) != nil {
				return
			}
			for _, section := range sortedKeys(outer) {
				for _, name := range sortedKeys(outer[section]) {
					emit(it.fact("net.counter", host, n, string(raw), "name", name, "value", outer[section][name]))
				}
			}
		})
	}
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if m := nstatLine.FindStringSubmatch(line); m != nil {
			if v, err := strconv.ParseInt(m[2], 10, 64); err == nil {
				emit(it.fact("net.counter", host, n, line, "name", m[1], "value", v))
			}
		}
	})
	return nil
}
