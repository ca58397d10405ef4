package source

import (
	"strconv"
	"strings"

	"ddx"
)

var (
	procNetDev = Reader{
		Name: "net-dev", Doc: "/proc/net/dev: interface counters",
		Kinds: []string{"nic.counter"},
		Files: []string{"proc/net/dev"},
		Twice: true, Basic: true,
		Match: anyLine(`^\s*(?:Inter-\|\s+Receive\s+\||face \|bytes +packets|[\w.@-]+:[ \t]*\d+(?:[ \t]+\d+){15}[ \t\r]*$)`),
		Read:  readNetDev,
	}
	netstatInterfaces = Reader{
		Name: "netstat-interfaces", Doc: "netstat -i: interface counters",
		Kinds: []string{"nic.counter", "nic.link"},
		Match: anyLine(`^\s*Iface\s+MTU\s+(?:Met\s+)?RX-OK\s`),
		Read:  readNetstatInterfaces,
	}
	sysClassNet = Reader{
		Name: "sys-class-net", Doc: "/sys/class/net: MTU, hardware address and state (carrier, which a downed interface refuses, when it is given), one file each or as grep prints them",
		Kinds: []string{"nic.link", "nic.counter"},
		Files: []string{"sys/class/net/*/mtu", "sys/class/net/*/address", "sys/class/net/*/operstate", "sys/class/net/*/flags"},
		Match: matchSysClassNet,
		Read:  readSysClassNet,
	}
)

// The drop column of /proc/net/dev includes packets that the hardware missed,
// and frame every kind of damaged frame.
var netDevColumns = []string{
	"rx_bytes", "rx_packets", "rx_errors", "rx_dropped", "rx_fifo_errors", "rx_frame_errors", "rx_compressed", "multicast",
	"tx_bytes", "tx_packets", "tx_errors", "tx_dropped", "tx_fifo_errors", "collisions", "tx_carrier", "tx_compressed",
}

var netDevLine = lazy(`^\s*(\S+?):\s*(\d[\d\s]*)$`)

func readNetDev(it *Item, emit func(ddx.Fact)) error {
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		m := netDevLine.FindStringSubmatch(line)
		if m == nil {
			return
		}
		words := strings.Fields(m[2])
		if len(words) != len(netDevColumns) {
			return
		}
		for i, w := range words {
			if v, err := strconv.ParseInt(w, 10, 64); err == nil {
				emit(it.fact("nic.counter", nic(m[1]), n, line, "name", netDevColumns[i], "value", v))
			}
		}
	})
	return nil
}

// RX-OVR and TX-OVR are the fifo columns of /proc/net/dev.
var netstatColumns = map[string]string{
	"RX-OK": "rx_packets", "RX-ERR": "rx_errors", "RX-DRP": "rx_dropped", "RX-OVR": "rx_fifo_errors",
	"TX-OK": "tx_packets", "TX-ERR": "tx_errors", "TX-DRP": "tx_dropped", "TX-OVR": "tx_fifo_errors",
}

func readNetstatInterfaces(it *Item, emit func(ddx.Fact)) error {
	var columns []string
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		words := strings.Fields(line)
		if len(words) > 5 && words[0] == "Iface" {
			columns = words
			return
		}
		if columns == nil || len(words) != len(columns) {
			return
		}
		if mtu, err := strconv.ParseInt(words[1], 10, 64); err == nil {
			emit(it.fact("nic.link", nic(words[0]), n, line, "mtu", mtu, "up", strings.Contains(words[len(words)-1], "U")))
		}
		for i, c := range columns {
			v, err := strconv.ParseInt(words[i], 10, 64)
			if netstatColumns[c] != "" && err == nil {
				emit(it.fact("nic.counter", nic(words[0]), n, line, "name", netstatColumns[c], "value", v))
			}
		}
	})
	return nil
}

var (
	sysNetPath  = lazy(`(?:^|/)net/([^/]+)/(mtu|address|operstate|carrier|flags|statistics/\w+)$`)
	sysNetGrep  = lazy(`(?m)^\s*(/sys/class/net/[^/\s:]+/(?:mtu|address|operstate|carrier|flags|statistics/\w+)):\s*(\S+)\s*$`)
	sysNetValue = map[string]*lazyRegexp{
		"mtu":       lazy(`^\d{2,6}\s*$`),
		"address":   lazy(`^(?:[0-9a-f]{2}:){5,}[0-9a-f]{2}\s*$`),
		"operstate": lazy(`^(?:up|down|unknown|dormant|testing|notpresent|lowerlayerdown)\s*$`),
		"carrier":   lazy(`^[01]\s*$`),
		"flags":     lazy(`^0x[0-9a-f]+\s*$`),
	}
)

func matchSysClassNet(name string, head []byte) bool {
	if sysNetGrep.Match(head[:min(len(head), recogniseSize)]) {
		return true
	}
	re := sysNetValue[name[strings.LastIndexByte(name, '/')+1:]]
	return re != nil && re.Match(head)
}

func readSysClassNet(it *Item, emit func(ddx.Fact)) error {
	it.lines(func(n int, line string) {
		file, value := it.Origin, strings.TrimSpace(line)
		if m := sysNetGrep.FindStringSubmatch(line); m != nil {
			file, value = m[1], m[2]
		}
		m := sysNetPath.FindStringSubmatch(file)
		if m == nil || value == "" {
			return
		}
		number, err := strconv.ParseInt(value, 0, 64)
		line = strings.TrimRight(line, " \t")
		s := nic(m[1])
		switch {
		case m[2] == "address":
			emit(it.fact("nic.link", s, n, line, "mac", value))
		case m[2] == "operstate":
			emit(it.fact("nic.link", s, n, line, "state", strings.ToUpper(value)))
		case err != nil:
		case m[2] == "mtu":
			emit(it.fact("nic.link", s, n, line, "mtu", number))
		case m[2] == "carrier":
			emit(it.fact("nic.link", s, n, line, "carrier", number == 1))
		case m[2] == "flags":
			emit(it.fact("nic.link", s, n, line, "up", number&1 != 0))
		default:
			emit(it.fact("nic.counter", s, n, line, "name", statisticName(strings.TrimPrefix(m[2], "statistics/")), "value", number))
		}
	})
	return nil
}

// statisticName gives a file of /sys/class/net/*/statistics the name that the
// other listings use.
func statisticName(file string) string {
	if file == "tx_carrier_errors" {
		return "tx_carrier"
	}
	return file
}
