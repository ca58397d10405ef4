package source

import (
	"strconv"
	"strings"

	"ddx"
)

var (
	ethtoolDriver = Reader{
		Name: "ethtool-driver", Doc: "ethtool -i: driver, version and bus address of an interface",
		Kinds:    []string{"nic.driver"},
		Commands: [][]string{{"ethtool", "-i", "{nic}"}},
		Match:    anyLine(`^\s*driver: *\S+\s*\n\s*(?:version|firmware-version|bus-info):`),
		Read:     readEthtoolDriver,
	}
	ethtoolRings = Reader{
		Name: "ethtool-rings", Doc: "ethtool -g: ring sizes",
		Kinds:    []string{"nic.ring"},
		Commands: [][]string{{"ethtool", "-g", "{nic}"}},
		Match:    anyLine(`^\s*(?:Ring parameters for \S+:|RX Mini:\s)`),
		Read:     readEthtoolRings,
	}
	ethtoolChannels = Reader{
		Name: "ethtool-channels", Doc: "ethtool -l: queue counts",
		Kinds:    []string{"nic.channels"},
		Commands: [][]string{{"ethtool", "-l", "{nic}"}},
		Match:    anyLine(`^\s*(?:Channel parameters for \S+:|Combined:\s+(?:\d+|n/a)\s*$)`),
		Read:     readEthtoolChannels,
	}
	ethtoolCoalesce = Reader{
		Name: "ethtool-coalesce", Doc: "ethtool -c: interrupt moderation",
		Kinds:    []string{"nic.coalesce"},
		Commands: [][]string{{"ethtool", "-c", "{nic}"}},
		Match:    anyLine(`^\s*(?:Coalesce parameters for \S+:|Adaptive RX: \S+ +TX: |rx-usecs: +(?:\d+|n/a)\s*$)`),
		Read:     readEthtoolCoalesce,
	}
	ethtoolFeatures = Reader{
		Name: "ethtool-features", Doc: "ethtool -k: offloads",
		Kinds:    []string{"nic.feature"},
		Commands: [][]string{{"ethtool", "-k", "{nic}"}},
		Match:    anyLine(`^\s*(?:Features for \S+:|Offload parameters for \S+:|(?:[rt]x-checksumming|scatter-gather|tcp-segmentation-offload|generic-(?:receive|segmentation)-offload): (?:on|off)\b)`),
		Read:     readEthtoolFeatures,
	}
	ethtoolSettings = Reader{
		Name: "ethtool-settings", Doc: "ethtool: link state",
		Kinds: []string{"nic.link"},
		Match: anyLine(`^\s*(?:Settings for \S+:|Link detected: (?:yes|no)\b)`),
		Read:  readEthtoolSettings,
	}
	ethtoolPermanent = Reader{
		Name: "ethtool-permanent", Doc: "ethtool -P: permanent hardware address",
		Kinds:    []string{"nic.link"},
		Commands: [][]string{{"ethtool", "-P", "{nic}"}},
		Match:    anyLine(`^\s*Permanent address: (?:(?:[0-9a-f]{2}:){5}|not set)`),
		Read:     readEthtoolPermanent,
	}
)

var (
	ethtoolHeading = lazy(`^\s*(?:Ring|Channel|Coalesce|Offload|Pause) parameters for (\S+?):|^\s*(?:Features|Settings) for (\S+?):|^\s*NIC statistics for (\S+?):`)
	loneInterface  = lazy(`^\s*(?:[=#-]+\s*)?((?:lo|eth|en[opsx]|wl|bond|br|veth|eni|ib|team|docker|virbr|tun|tap|vif)[\w.@-]{0,13}):?(?:\s*[=#-]+)?\s*$`)
)

// interfaceOf follows which interface the lines of ethtool output are about:
// the command's operand, the heading of a block, or, in the output of a loop,
// the name alone on a line.
type interfaceOf struct{ name string }

func newInterfaceOf(it *Item) *interfaceOf {
	w := it.invoked("ethtool")
	return &interfaceOf{operand(w)}
}

// follow takes a line and reports whether it named another interface.
func (o *interfaceOf) follow(line string) bool {
	name := ""
	if m := ethtoolHeading.FindStringSubmatch(line); m != nil {
		name = m[1] + m[2] + m[3]
	} else if m := loneInterface.FindStringSubmatch(line); m != nil {
		name = m[1]
	} else if w := promptWords(line); len(w) > 0 && w[0] == "ethtool" {
		name = operand(w)
	}
	if name == "" {
		return false
	}
	o.name = name
	return true
}

// keyed splits "key: value".
func keyed(line string) (key, value string, ok bool) {
	key, value, ok = strings.Cut(line, ":")
	return strings.TrimSpace(key), strings.TrimSpace(value), ok
}

func readEthtoolDriver(it *Item, emit func(ddx.Fact)) error {
	of := newInterfaceOf(it)
	names := map[string]string{"driver": "driver", "version": "version", "firmware-version": "firmware", "bus-info": "bus"}
	var f *ddx.Fact
	flush := func() {
		if f != nil {
			emit(*f)
		}
		f = nil
	}
	it.lines(func(n int, line string) {
		if of.follow(line) {
			flush()
			return
		}
		key, value, ok := keyed(line)
		field := names[key]
		if !ok || field == "" {
			return
		}
		if f == nil || key == "driver" {
			flush()
			f = new(it.fact("nic.driver", nic(of.name), n, strings.TrimRight(line, " \t")))
		} else if value != "" {
			it.cite(f, n, line)
		}
		if value != "" {
			f.Fields[field] = value
		}
	})
	flush()
	return nil
}

// readEthtoolPairs reads the two blocks "Pre-set maximums" and "Current
// hardware settings" into one fact an interface; names maps a label to the
// field of the current value, the maximum is the field with "_max" when it is
// declared.
func readEthtoolPairs(it *Item, kind string, names map[string]string, emit func(ddx.Fact)) {
	of := newInterfaceOf(it)
	declared := ddx.LookupFact(kind)
	var f *ddx.Fact
	suffix := ""
	flush := func() {
		if f != nil && len(f.Fields) > 0 {
			emit(*f)
		}
		f, suffix = nil, ""
	}
	it.lines(func(n int, line string) {
		if of.follow(line) {
			flush()
			return
		}
		key, value, ok := keyed(line)
		if !ok {
			return
		}
		switch {
		case key == "Pre-set maximums":
			flush()
			suffix = "_max"
			return
		case key == "Current hardware settings":
			suffix = ""
			return
		}
		field, known := names[strings.ToLower(key)]
		v, err := strconv.ParseInt(value, 10, 64)
		if !known || err != nil || declared.Field(field+suffix) == nil {
			return
		}
		if f == nil {
			f = new(it.fact(kind, nic(of.name), n, strings.TrimRight(line, " \t")))
		} else {
			it.cite(f, n, line)
		}
		f.Fields[field+suffix] = v
	})
	flush()
}

func readEthtoolRings(it *Item, emit func(ddx.Fact)) error {
	readEthtoolPairs(it, "nic.ring", map[string]string{
		"rx": "rx", "tx": "tx", "tx push buff len": "tx_push_buf_len", "tx push buf len": "tx_push_buf_len",
	}, emit)
	return nil
}

func readEthtoolChannels(it *Item, emit func(ddx.Fact)) error {
	readEthtoolPairs(it, "nic.channels", map[string]string{"combined": "combined"}, emit)
	return nil
}

var adaptiveLine = lazy(`^\s*Adaptive RX: (on|off|n/a)`)

func readEthtoolCoalesce(it *Item, emit func(ddx.Fact)) error {
	of := newInterfaceOf(it)
	var f *ddx.Fact
	set := func(n int, line, field string, v any) {
		if f == nil {
			f = new(it.fact("nic.coalesce", nic(of.name), n, strings.TrimRight(line, " \t")))
		} else {
			it.cite(f, n, line)
		}
		f.Fields[field] = v
	}
	flush := func() {
		if f != nil {
			emit(*f)
		}
		f = nil
	}
	it.lines(func(n int, line string) {
		if of.follow(line) {
			flush()
			return
		}
		if m := adaptiveLine.FindStringSubmatch(line); m != nil {
			if m[1] != "n/a" {
				set(n, line, "adaptive_rx", m[1] == "on")
			}
			return
		}
		key, value, _ := keyed(line)
		v, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return
		}
		switch key {
		case "rx-usecs":
			set(n, line, "rx_usecs", v)
		case "tx-usecs":
			set(n, line, "tx_usecs", v)
		}
	})
	flush()
	return nil
}

var featureLine = lazy(`^\s*([a-z][a-z0-9-]+): (on|off)\b(.*)$`)

func readEthtoolFeatures(it *Item, emit func(ddx.Fact)) error {
	of := newInterfaceOf(it)
	it.lines(func(n int, line string) {
		if of.follow(line) {
			return
		}
		if m := featureLine.FindStringSubmatch(line); m != nil {
			emit(it.fact("nic.feature", nic(of.name), n, strings.TrimRight(line, " \t"),
				"name", m[1], "on", m[2] == "on", "fixed", strings.Contains(m[3], "[fixed]")))
		}
	})
	return nil
}

func readEthtoolSettings(it *Item, emit func(ddx.Fact)) error {
	of := newInterfaceOf(it)
	it.lines(func(n int, line string) {
		if of.follow(line) {
			return
		}
		key, value, _ := keyed(line)
		if key == "Link detected" {
			emit(it.fact("nic.link", nic(of.name), n, strings.TrimRight(line, " \t"), "carrier", strings.HasPrefix(value, "yes")))
		}
	})
	return nil
}

func readEthtoolPermanent(it *Item, emit func(ddx.Fact)) error {
	of := newInterfaceOf(it)
	it.lines(func(n int, line string) {
		if of.follow(line) {
			return
		}
		if key, value, _ := keyed(line); key == "Permanent address" && value != "00:00:00:00:00:00" && value != "not set" {
			emit(it.fact("nic.link", nic(of.name), n, strings.TrimRight(line, " \t"), "permanent_mac", value))
		}
	})
	return nil
}
