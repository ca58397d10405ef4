package source

import (
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"

	"ddx"
)

var (
	routeTable = Reader{
		Name: "route", Doc: "route -n, netstat -rn (IPv4): the main routing table",
		Kinds: []string{"route"},
		Match: anyLine(`^\s*(?:Destination\s+Gateway\s+Genmask\s+Flags|(?:\d+\.){3}\d+\s+(?:\d+\.){3}\d+\s+(?:\d+\.){3}\d+\s+!?U?[GHRDMACI!]*\s+\d+\s+\d+\s+\d+\s+\S+\s*$)`),
		Read:  readRouteTable,
	}
	procNetRoute = Reader{
		Name: "net-route", Doc: "/proc/net/route: the main routing table",
		Kinds: []string{"route"},
		Files: []string{"proc/net/route"},
		Match: anyLine(`^\s*(?:Iface\s+Destination\s+Gateway\s+Flags\s+RefCnt|[\w.@-]+\t[0-9A-F]{8}\t[0-9A-F]{8}\t[0-9A-F]{4}\t)`),
		Read:  readProcNetRoute,
	}
)

// routeLine is one line of route -n; netstat -rn has MSS, window and irtt in
// the three columns where route has metric, references and use.
var routeLine = lazy(`^\s*(\S+)\s+(\S+)\s+((?:\d+\.){3}\d+)\s+([U!][A-Z!]*|!H|!)\s+(\d+|-)\s+(\d+|-)\s+(\d+|-)\s+(\S+)\s*$`)

func readRouteTable(it *Item, emit func(ddx.Fact)) error {
	metric := true
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if strings.Contains(line, "Genmask") {
			metric = !strings.Contains(line, "MSS")
			return
		}
		m := routeLine.FindStringSubmatch(line)
		if m == nil {
			return
		}
		p, ok := maskLength(m[3])
		if !ok {
			return
		}
		f := it.fact("route", host, n, line, "dst", destination(m[1], p), "table", "main", "type", "unicast")
		if strings.Contains(m[4], "!") {
			f.Fields["type"] = "unreachable"
		}
		if strings.Contains(m[4], "G") {
			f.Fields["via"] = m[2]
		}
		if m[8] != "-" && m[8] != "*" {
			f.Fields["dev"] = m[8]
		}
		if v, err := strconv.ParseInt(m[5], 10, 64); err == nil && metric {
			f.Fields["metric"] = v
		}
		emit(f)
	})
	return nil
}

// destination writes a destination as ip route does.
func destination(address string, prefix int64) string {
	switch {
	case address == "default" || address == "0.0.0.0" && prefix == 0:
		return "default"
	case prefix == 32:
		return address
	}
	return address + "/" + strconv.FormatInt(prefix, 10)
}

// littleEndian reads an address of /proc/net/route as little-endian machines
// write it.
func littleEndian(s string) (netip.Addr, bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 4 {
		return netip.Addr{}, false
	}
	return netip.AddrFrom4([4]byte{b[3], b[2], b[1], b[0]}), true
}

func readProcNetRoute(it *Item, emit func(ddx.Fact)) error {
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		w := strings.Fields(line)
		if len(w) < 8 {
			return
		}
		dst, ok1 := littleEndian(w[1])
		via, ok2 := littleEndian(w[2])
		mask, ok3 := littleEndian(w[7])
		flags, err := strconv.ParseUint(w[3], 16, 32)
		p, ok4 := maskLength(mask.String())
		if !ok1 || !ok2 || !ok3 || !ok4 || err != nil {
			return
		}
		f := it.fact("route", host, n, line, "dst", destination(dst.String(), p), "table", "main", "type", "unicast")
		if w[0] != "*" {
			f.Fields["dev"] = w[0]
		}
		if flags&0x2 != 0 {
			f.Fields["via"] = via.String()
		}
		if flags&0x200 != 0 {
			f.Fields["type"] = "unreachable"
		}
		if v, err := strconv.ParseInt(w[6], 10, 64); err == nil {
			f.Fields["metric"] = v
		}
		emit(f)
	})
	return nil
}
