package source

import (
	"strconv"
	"strings"

	"ddx"
)

var ifconfigReader = Reader{
	Name: "ifconfig", Doc: "ifconfig, of net-tools 1 and 2 and busybox: interfaces, addresses, counters",
	Kinds: []string{"nic.link", "nic.counter", "nic.address"},
	Match: anyLine(`^\s*(?:\S+\s+Link encap:\S|\s*\S+: flags=\d+<\S*>\s+mtu \d|RX packets[: ]\d+\s+(?:bytes|errors))`),
	Read:  readIfconfig,
}

var (
	ifconfigOld     = lazy(`^\s*(\S+)\s+Link encap:(\S+)(?:.*HWaddr ([0-9A-Fa-f:]{17}))?`)
	ifconfigNew     = lazy(`^\s*(\S+): flags=\d+<([A-Z,]*)>\s+mtu (\d+)`)
	ifconfigFlags   = lazy(`^\s+([A-Z][A-Z ]*?)\s+MTU:(\d+)\s+Metric`)
	ifconfigInetOld = lazy(`^\s+inet addr:(\S+)(?:.*Mask:(\S+))?`)
	ifconfigInetNew = lazy(`^\s+inet (\d\S+)(?:.* netmask (\S+))?`)
	ifconfigSix     = lazy(`^\s+inet6 (?:addr: )?([0-9a-f:]+)(?:/(\d+))?(?:.*prefixlen (\d+))?(?:.*(?:Scope:|<)(\w+))?`)
	ifconfigEther   = lazy(`^\s+ether ((?:[0-9a-f]{2}:){5}[0-9a-f]{2})`)
	ifconfigCount   = lazy(`(bytes|packets|errors|dropped|overruns|frame|carrier|collisions)[: ](\d+)`)
	ifconfigWay     = lazy(`(RX|TX) (?:bytes|packets|errors)`)
)

// ifconfig takes its numbers from /proc/net/dev: its overruns are the kernel's
// fifo errors there, and dropped includes what the hardware missed.
var ifconfigNames = map[string]string{
	"bytes": "bytes", "packets": "packets", "errors": "errors", "dropped": "dropped",
	"overruns": "fifo_errors", "frame": "frame_errors", "carrier": "carrier",
}

func readIfconfig(it *Item, emit func(ddx.Fact)) error {
	var f *ddx.Fact
	flush := func() {
		if f != nil {
			emit(*f)
		}
		f = nil
	}
	name := ""
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if m := ifconfigOld.FindStringSubmatch(line); m != nil {
			flush()
			name = m[1]
			f = new(it.fact("nic.link", nic(name), n, line, "mac", text(strings.ToLower(m[3]))))
			return
		}
		if m := ifconfigNew.FindStringSubmatch(line); m != nil {
			flush()
			name = m[1]
			mtu, _ := strconv.ParseInt(m[3], 10, 64)
			f = new(it.fact("nic.link", nic(name), n, line, "mtu", mtu))
			ifconfigLink(f, strings.Split(m[2], ","))
			return
		}
		if m := ifconfigFlags.FindStringSubmatch(line); m != nil && f != nil {
			f.Fields["mtu"], _ = strconv.ParseInt(m[2], 10, 64)
			it.cite(f, n, line)
			ifconfigLink(f, strings.Fields(m[1]))
			return
		}
		if m := ifconfigEther.FindStringSubmatch(line); m != nil && f != nil {
			f.Fields["mac"] = m[1]
			it.cite(f, n, line)
			return
		}
		m := ifconfigInetOld.FindStringSubmatch(line)
		if m == nil {
			m = ifconfigInetNew.FindStringSubmatch(line)
		}
		if m != nil {
			a := it.fact("nic.address", nic(name), n, line, "address", m[1])
			if p, ok := maskLength(m[2]); ok && network(m[1], p) != nil {
				a.Fields["prefix"], a.Fields["cidr"] = p, network(m[1], p)
			}
			emit(a)
			return
		}
		if m := ifconfigSix.FindStringSubmatch(line); m != nil {
			if p, err := strconv.ParseInt(m[2]+m[3], 10, 64); err == nil && network(m[1], p) != nil {
				emit(it.fact("nic.address", nic(name), n, line, "address", m[1], "prefix", p, "cidr", network(m[1], p), "scope", text(strings.ToLower(m[4]))))
			}
			return
		}
		readIfconfigCounters(it, emit, name, n, line)
	})
	flush()
	return nil
}

// ifconfigLink sets the fields that the flags decide; RUNNING is ifconfig's
// word for a carrier.
func ifconfigLink(f *ddx.Fact, flags []string) {
	linkFlags(f, flags)
	if up, _ := f.Bool("up"); up {
		running := false
		for _, w := range flags {
			running = running || w == "RUNNING"
		}
		f.Fields["carrier"] = running
	}
}

// readIfconfigCounters reads "RX packets:1 errors:0 ...", "TX errors 0  dropped
// 0 ..." and "RX bytes:1 (...)  TX bytes:2 (...)".
func readIfconfigCounters(it *Item, emit func(ddx.Fact), name string, n int, line string) {
	ways := ifconfigWay.FindAllStringSubmatchIndex(line, -1)
	for _, m := range ifconfigCount.FindAllStringSubmatchIndex(line, -1) {
		word := line[m[2]:m[3]]
		v, err := strconv.ParseInt(line[m[4]:m[5]], 10, 64)
		if err != nil {
			continue
		}
		full := word
		if word != "collisions" {
			way := ""
			for _, w := range ways {
				if w[0] <= m[0] {
					way = strings.ToLower(line[w[2]:w[3]])
				}
			}
			if way == "" || ifconfigNames[word] == "" {
				continue
			}
			full = way + "_" + ifconfigNames[word]
		}
		emit(it.fact("nic.counter", nic(name), n, line, "name", full, "value", v))
	}
}
