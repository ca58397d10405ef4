package source

import (
	"encoding/json"
	"strconv"
	"strings"

	"ddx"
)

var (
	ipNeigh = Reader{
		Name: "ip-neigh", Doc: "ip neigh (also -s): the neighbour table",
		Kinds:    []string{"neighbour"},
		Commands: [][]string{{"ip", "-s", "neigh", "show"}},
		Match:    anyLine(`^\s*[0-9a-f]*[.:][0-9a-f.:]* dev \S+ [^\n]*\b(?:` + neighbourStates + `)\s*$`),
		Read:     readIPNeigh,
	}
	ipNeighJSON = Reader{
		Name: "ip-neigh-json", Doc: "ip -j neigh: the same as JSON",
		Kinds: []string{"neighbour"},
		Match: anyLine(`\A[^\[{]{0,200}\[\s*\{\s*"dst": ?"[^"]*",\s*"dev": ?"[^"]*",[^}]*"state": ?\[`),
		Read:  readIPNeighJSON,
	}
	arpTable = Reader{
		Name: "arp", Doc: "arp -n, arp -a: the neighbour table of IPv4",
		Kinds: []string{"neighbour"},
		Match: anyLine(`^\s*(?:Address\s+HWtype\s+HWaddress\s+Flags|\S+ \([\d.]+\) at (?:[0-9a-f]{2}:|<incomplete>)|[\d.]+\s+(?:ether\s+(?:[0-9a-f]{2}:){5}|\(incomplete\)\s))`),
		Read:  readARP,
	}
	procNetARP = Reader{
		Name: "net-arp", Doc: "/proc/net/arp: the neighbour table of IPv4",
		Kinds: []string{"neighbour"},
		Files: []string{"proc/net/arp"},
		Match: anyLine(`^\s*(?:IP address\s+HW type\s+Flags|[\d.]+\s+0x\d+\s+0x[0-9a-f]+\s+(?:[0-9a-f]{2}:){5})`),
		Read:  readProcNetARP,
	}
)

const neighbourStates = `REACHABLE|STALE|DELAY|PROBE|FAILED|INCOMPLETE|PERMANENT|NOARP|NONE`

var neighbourLine = lazy(`^\s*(\S+) dev (\S+)\s+(.*?)(` + neighbourStates + `)$`)

func readIPNeigh(it *Item, emit func(ddx.Fact)) error {
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if m := neighbourLine.FindStringSubmatch(line); m != nil {
			emit(it.fact("neighbour", nic(m[2]), n, line, "address", m[1], "state", m[4],
				"mac", text(after(strings.Fields(m[3]), "lladdr"))))
		}
	})
	return nil
}

func readIPNeighJSON(it *Item, emit func(ddx.Fact)) error {
	return it.objects(func(n int, raw json.RawMessage) {
		var r struct {
			Dst   string   `json:"dst"`
			Dev   string   `json:"dev"`
			MAC   string   `json:"lladdr"`
			State []string `json:"state"`
		}
		if json.Unmarshal(raw, &r) == nil && r.Dst != "" {
			emit(it.fact("neighbour", nic(r.Dev), n, string(raw), "address", r.Dst, "mac", text(r.MAC), "state", text(strings.Join(r.State, ","))))
		}
	})
}

var (
	arpColumns = lazy(`^\s*(\S+)\s+(?:ether\s+([0-9a-fA-F:]{17})\s+(\w+)\s+(?:\S+\s+)?|\(incomplete\)\s+(?:\w+\s+)?)(\S+)$`)
	arpSpoken  = lazy(`^\s*\S+ \(([\d.]+)\) at (?:([0-9a-fA-F:]{17})|<incomplete>)(.*) on (\S+)`)
)

// arp shows a complete entry without saying whether it is fresh: the state is
// left out then.
func readARP(it *Item, emit func(ddx.Fact)) error {
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		address, mac, flags, dev := "", "", "", ""
		if m := arpSpoken.FindStringSubmatch(line); m != nil {
			address, mac, dev = m[1], m[2], m[4]
			if strings.Contains(m[3], "PERM") {
				flags = "M"
			}
		} else if m := arpColumns.FindStringSubmatch(line); m != nil {
			address, mac, flags, dev = m[1], m[2], m[3], m[4]
		} else {
			return
		}
		var state any
		switch {
		case mac == "":
			state = "INCOMPLETE"
		case strings.Contains(flags, "M"):
			state = "PERMANENT"
		}
		emit(it.fact("neighbour", nic(dev), n, line, "address", address, "mac", text(strings.ToLower(mac)), "state", state))
	})
	return nil
}

var procARPLine = lazy(`^\s*([\d.]+)\s+0x\d+\s+0x([0-9a-f]+)\s+([0-9a-f:]{17})\s+\S+\s+(\S+)$`)

func readProcNetARP(it *Item, emit func(ddx.Fact)) error {
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		m := procARPLine.FindStringSubmatch(line)
		if m == nil {
			return
		}
		flags, err := strconv.ParseUint(m[2], 16, 16)
		if err != nil {
			return
		}
		f := it.fact("neighbour", nic(m[4]), n, line, "address", m[1])
		switch {
		case flags&0x2 == 0:
			f.Fields["state"] = "INCOMPLETE"
		case flags&0x4 != 0:
			f.Fields["state"] = "PERMANENT"
		}
		if flags&0x2 != 0 {
			f.Fields["mac"] = m[3]
		}
		emit(f)
	})
	return nil
}
