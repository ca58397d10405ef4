package source

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"ddx"
)

var (
	ipLink = Reader{
		Name: "ip-link", Doc: "ip link, ip addr (also -s, -s -s, -d, -o, -br): interfaces, their counters and addresses",
		Kinds:    []string{"nic.link", "nic.counter", "nic.address"},
		Commands: [][]string{{"ip", "-s", "-s", "-d", "addr", "show"}},
		Twice:    true, Basic: true,
		Match: anyLine(`^\s*(?:(?:\[LINK\])?\d+: [^\s:]+:? +(?:<[A-Z0-9_,-]*> mtu|inet6? \S+/\d)|inet6? [0-9a-f.:]+(?:/\d+| peer).* scope (?:global|link|host)|\S+ +(?:UP|DOWN|UNKNOWN|LOWERLAYERDOWN|DORMANT) +(?:(?:[0-9a-f]{2}:){5}[0-9a-f]{2} <|[0-9a-f.:]+/\d+))`),
		Read:  readIPLink,
	}
	ipLinkJSON = Reader{
		Name: "ip-link-json", Doc: "ip -j link, ip -j addr: the same as JSON",
		Kinds: []string{"nic.link", "nic.counter", "nic.address"},
		Match: anyLine(`\A[^\[{]{0,200}\[\s*(?:\{\s*\},?\s*)*\{\s*"ifindex": ?\d+,\s*"(?:ifname|link|link_index)":`),
		Read:  readIPLinkJSON,
	}
)

var (
	linkHeader  = lazy(`^\s*(?:\[LINK\])?(\d+): ([^\s:@]+)(?:@([^\s:]+))?:? +<([A-Z0-9_,-]*)> mtu (\d+)\b(.*)$`)
	onelinePart = lazy(`^\s*(\d+): ([^\s:@]+)(?:@\S+)? +(inet6? .*)$`)
	briefLine   = lazy(`^\s*(\S+) +(UP|DOWN|UNKNOWN|LOWERLAYERDOWN|DORMANT|NOTPRESENT) +(.*)$`)
	linkKind    = lazy(`^\s+(veth|bridge|bond|vlan|vxlan|ipvlan|macvlan|macvtap|wireguard|dummy|tun|geneve|gre|gretap|ipip|sit|vrf|ifb|team|erspan|ip6tnl|vti)\b(?: |$)`)
	linkMAC     = lazy(`^\s+link/(\S+)(?: ((?:[0-9a-f]{2}:){5}[0-9a-f]{2}))?\b`)
)

// linkState is one interface while its lines are read.
type linkState struct {
	it   *Item
	emit func(ddx.Fact)
	fact *ddx.Fact // the nic.link fact, emitted when the next interface begins
	addr *ddx.Fact // a nic.address fact whose life time may follow on the next line
	name string
	// header of the counter line that must follow, with its direction
	columns   []string
	direction string
	virtual   bool // the lines are about a virtual function of the interface
}

func (l *linkState) flush() {
	l.flushAddress()
	if l.fact != nil {
		l.emit(*l.fact)
	}
	*l = linkState{it: l.it, emit: l.emit}
}

func (l *linkState) flushAddress() {
	if l.addr != nil {
		l.emit(*l.addr)
	}
	l.addr = nil
}

func readIPLink(it *Item, emit func(ddx.Fact)) error {
	l := &linkState{it: it, emit: emit}
	it.lines(func(n int, line string) {
		for i, part := range strings.Split(line, `\ `) {
			if i > 0 {
				part = "    " + strings.TrimLeft(part, " ")
			}
			l.read(n, strings.TrimRight(line, " \t"), part)
		}
	})
	l.flush()
	return nil
}

// read takes one line, or one part of a line of ip -o; whole is the line.
func (l *linkState) read(n int, whole, line string) {
	columns, direction := l.columns, l.direction
	l.columns = nil
	words := strings.Fields(line)
	switch {
	case len(words) == 0:
	case columns != nil && l.counters(n, whole, columns, direction, words):
	case linkHeader.MatchString(line):
		l.header(n, whole, linkHeader.FindStringSubmatch(line))
	case onelinePart.MatchString(line):
		m := onelinePart.FindStringSubmatch(line)
		if m[2] != l.name {
			l.flush()
			l.name = m[2]
		}
		l.address(n, whole, strings.Fields(m[3]))
	case words[0] == "inet" || words[0] == "inet6":
		l.address(n, whole, words)
	case words[0] == "valid_lft" && l.addr != nil:
		if v, ok := strings.CutSuffix(words[1%len(words)], "sec"); ok {
			if seconds, err := strconv.ParseInt(v, 10, 64); err == nil {
				l.addr.Fields["valid"] = seconds
				if whole != l.addr.Evidence[0].Text {
					l.it.cite(l.addr, n, whole)
				}
			}
		}
	case briefLine.MatchString(line):
		l.brief(n, whole, briefLine.FindStringSubmatch(line))
	case (words[0] == "RX:" || words[0] == "TX:") && len(words) > 2:
		l.direction, l.columns = strings.ToLower(words[0][:2])+"_", words[1:]
	case (words[0] == "RX" || words[0] == "TX") && len(words) > 2 && strings.HasPrefix(words[1], "errors:"):
		// "RX errors: length ..." and, in some releases, "RX errors:length ..."
		l.direction = strings.ToLower(words[0]) + "_"
		l.columns = strings.Fields(strings.SplitN(line, ":", 2)[1])
		for i, c := range l.columns {
			l.columns[i] = "errors " + c
		}
	case words[0] == "vf":
		l.virtual = true
	case l.fact == nil || l.virtual:
	case linkMAC.MatchString(line):
		m := linkMAC.FindStringSubmatch(line)
		if m[2] != "" {
			l.fact.Fields["mac"] = m[2]
		}
		l.fact.Fields["type"] = m[1]
		for key, field := range map[string]string{"permaddr": "permanent_mac", "link-netns": "netns"} {
			if v := after(words, key); v != "" {
				l.fact.Fields[field] = v
			}
		}
		if whole != l.fact.Evidence[0].Text {
			l.it.cite(l.fact, n, whole)
		}
	case linkKind.MatchString(line):
		l.fact.Fields["type"] = linkKind.FindStringSubmatch(line)[1]
	}
}

func (l *linkState) header(n int, whole string, m []string) {
	l.flush()
	l.name = m[2]
	flags := strings.FieldsFunc(m[4], func(r rune) bool { return r == ',' })
	mtu, _ := strconv.ParseInt(m[5], 10, 64)
	index, _ := strconv.ParseInt(m[1], 10, 64)
	words := strings.Fields(m[6])
	l.fact = new(l.it.fact("nic.link", nic(l.name), n, whole, "mtu", mtu, "index", index,
		"qdisc", text(after(words, "qdisc")), "master", text(after(words, "master"))))
	linkFlags(l.fact, flags)
	// bridge link prints the state of the port, not of the interface
	if s := after(words, "state"); s != "" && strings.ToUpper(s) == s {
		l.fact.Fields["state"] = s
	}
}

// linkFlags sets the fields that the kernel's interface flags decide.
func linkFlags(f *ddx.Fact, flags []string) {
	f.Fields["flags"] = flags
	up := slices.Contains(flags, "UP")
	f.Fields["up"] = up
	switch {
	case slices.Contains(flags, "LOWER_UP"):
		f.Fields["carrier"] = true
	case slices.Contains(flags, "NO-CARRIER"):
		f.Fields["carrier"] = false
	}
}

// brief reads a line of ip -br link or ip -br addr.
func (l *linkState) brief(n int, whole string, m []string) {
	l.flush()
	name, _, _ := strings.Cut(m[1], "@")
	f := l.it.fact("nic.link", nic(name), n, whole, "state", m[2])
	l.name = name
	words := strings.Fields(m[3])
	for _, w := range words {
		switch {
		case strings.HasPrefix(w, "<"):
			linkFlags(&f, strings.FieldsFunc(strings.Trim(w, "<>"), func(r rune) bool { return r == ',' }))
		case strings.Count(w, ":") == 5 && len(w) == 17:
			f.Fields["mac"] = w
		}
	}
	l.emit(f)
	for _, w := range words {
		if a, prefix, ok := splitPrefix(w); ok {
			l.emit(l.it.fact("nic.address", nic(name), n, whole, "address", a, "prefix", prefix, "cidr", network(a, prefix)))
		}
	}
}

// splitPrefix splits ADDRESS/LENGTH.
func splitPrefix(s string) (address string, prefix int64, ok bool) {
	address, rest, ok := strings.Cut(s, "/")
	prefix, err := strconv.ParseInt(rest, 10, 64)
	return address, prefix, ok && err == nil && network(address, prefix) != nil
}

// address reads "inet ADDR/LEN ... scope S [flags] [label]"; the life times
// follow in the next line.
func (l *linkState) address(n int, whole string, words []string) {
	if len(words) < 2 {
		return
	}
	a, prefix, ok := splitPrefix(words[1])
	if !ok {
		// a point-to-point address carries its length behind the peer
		a = words[1]
		if _, p, pok := splitPrefix(after(words, "peer")); pok {
			prefix = p
		} else {
			return
		}
	}
	name := l.name
	if name == "" && words[0] == "inet" {
		if last := words[len(words)-1]; last != "secondary" && last != "dynamic" && last != "noprefixroute" && last != after(words, "scope") {
			name = last
		}
	}
	l.flushAddress()
	l.addr = new(l.it.fact("nic.address", nic(name), n, whole,
		"address", a, "prefix", prefix, "cidr", network(a, prefix), "scope", text(after(words, "scope")),
		"secondary", slices.Contains(words, "secondary"), "dynamic", slices.Contains(words, "dynamic")))
}

// counterColumns name the columns of ip -s link as the kernel's own counters.
var counterColumns = map[string]string{
	"bytes": "bytes", "packets": "packets", "errors": "errors", "dropped": "dropped", "overrun": "over_errors",
	"missed": "missed_errors", "carrier": "carrier",
	"errors length": "length_errors", "errors crc": "crc_errors", "errors frame": "frame_errors", "errors fifo": "fifo_errors",
	"errors missed": "missed_errors", "errors overrun": "over_errors", "errors aborted": "aborted_errors",
	"errors window": "window_errors", "errors heartbt": "heartbeat_errors", "errors heartbeat": "heartbeat_errors", "errors nohandler": "nohandler",
}

// counters reads the values under a header; it reports false when the line is
// none.
func (l *linkState) counters(n int, whole string, columns []string, direction string, words []string) bool {
	values := make([]int64, len(words))
	for i, w := range words {
		v, ok := scaled(w)
		if !ok {
			return false
		}
		values[i] = v
	}
	if l.virtual {
		return true
	}
	for i, c := range columns[:min(len(columns), len(values))] {
		name := counterColumns[c]
		switch {
		case name != "":
			name = direction + name
		case c == "mcast":
			name = "multicast"
		case c == "collsns":
			name = "collisions"
		case c == "errors transns":
			name = "carrier_changes"
		default:
			continue
		}
		l.emit(l.it.fact("nic.counter", nic(l.name), n, whole, "name", name, "value", values[i]))
	}
	return true
}

// jsonLink is an element of ip -j link and ip -j addr.
type jsonLink struct {
	Index     *int64   `json:"ifindex"`
	Name      string   `json:"ifname"`
	Flags     []string `json:"flags"`
	MTU       *int64   `json:"mtu"`
	Qdisc     string   `json:"qdisc"`
	State     string   `json:"operstate"`
	Type      string   `json:"link_type"`
	Master    string   `json:"master"`
	MAC       string   `json:"address"`
	Permanent string   `json:"permaddr"`
	Netns     string   `json:"link_netns"`
	Info      struct {
		Kind string `json:"info_kind"`
	} `json:"linkinfo"`
	Addresses []struct {
		Local     string `json:"local"`
		Prefix    int64  `json:"prefixlen"`
		Scope     string `json:"scope"`
		Secondary bool   `json:"secondary"`
		Dynamic   bool   `json:"dynamic"`
		Valid     int64  `json:"valid_life_time"`
	} `json:"addr_info"`
	Stats64 map[string]map[string]int64 `json:"stats64"`
	Stats   map[string]map[string]int64 `json:"stats"`
}

func readIPLinkJSON(it *Item, emit func(ddx.Fact)) error {
	return it.objects(func(n int, raw json.RawMessage) {
		var l jsonLink
		if json.Unmarshal(raw, &l) != nil || l.Name == "" {
			return
		}
		s, line := nic(l.Name), string(raw)
		kind := l.Type
		if l.Info.Kind != "" {
			kind = l.Info.Kind
		}
		f := it.fact("nic.link", s, n, line, "state", text(l.State), "mac", text(l.MAC), "permanent_mac", text(l.Permanent),
			"master", text(l.Master), "type", text(kind), "qdisc", text(l.Qdisc), "netns", text(l.Netns))
		if l.MTU != nil {
			f.Fields["mtu"] = *l.MTU
		}
		if l.Index != nil {
			f.Fields["index"] = *l.Index
		}
		if l.Flags != nil {
			linkFlags(&f, l.Flags)
		}
		emit(f)
		for _, a := range l.Addresses {
			var valid any
			if a.Dynamic && a.Valid < 1<<32-1 {
				valid = a.Valid
			}
			emit(it.fact("nic.address", s, n, line, "address", a.Local, "prefix", a.Prefix, "cidr", network(a.Local, a.Prefix),
				"scope", text(a.Scope), "secondary", a.Secondary, "dynamic", a.Dynamic, "valid", valid))
		}
		stats := l.Stats64
		if stats == nil {
			stats = l.Stats
		}
		for _, direction := range []string{"rx", "tx"} {
			for _, name := range sortedKeys(stats[direction]) {
				full := direction + "_" + name
				switch full {
				case "rx_multicast":
					full = "multicast"
				case "tx_collisions":
					full = "collisions"
				case "tx_carrier_errors":
					full = "tx_carrier"
				}
				emit(it.fact("nic.counter", s, n, line, "name", full, "value", stats[direction][name]))
			}
		}
	})
}
