package source

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"ddx"
)

var (
	resolvConf = Reader{
		Name: "resolv-conf", Doc: "/etc/resolv.conf: the resolver's configuration",
		Kinds: []string{"dns.config"},
		Files: []string{"etc/resolv.conf"},
		Match: anyLine(`^\s*nameserver\s+[0-9A-Fa-f.:%\w]*[.:][0-9A-Fa-f.:%\w]*\s*(?:[#;].*)?$|^\s*options\s+(?:.*\s)?(?:ndots|timeout|attempts):\d`),
		Read:  readResolvConf,
	}
	resolvectl = Reader{
		Name: "resolvectl", Doc: "resolvectl status, systemd-resolve --status: servers and search domains; resolvectl query: answers",
		Kinds:    []string{"dns.config", "dns.answer"},
		Commands: [][]string{{"resolvectl", "status", "--no-pager"}},
		Match:    anyLine(`^\s*(?:Current DNS Server(?:s)?: \S|DNS Servers?: [0-9a-f]*[.:]|DNSSEC NTA: |resolv\.conf mode: |-- Information acquired via protocol |\S+: (?:resolve call failed: |[0-9a-f]*[.:][0-9a-f.:]* +-- link: ))`),
		Read:     readResolvectl,
	}
)

// readResolvConf gives what the C library makes of the file: the last of
// "search" and "domain" wins, options add up. All nameserver lines are listed,
// though it uses only the first three.
func readResolvConf(it *Item, emit func(ddx.Fact)) error {
	f := ddx.Fact{Kind: "dns.config", Subject: host, Time: it.Time, Fields: map[string]any{}}
	servers, search, options := []string{}, []string{}, []string{}
	it.lines(func(n int, line string) {
		body := line
		if i := strings.IndexAny(body, "#;"); i >= 0 {
			body = body[:i]
		}
		w := strings.Fields(body)
		if len(w) < 2 {
			return
		}
		switch w[0] {
		case "nameserver":
			servers = append(servers, w[1])
		case "search", "domain":
			search = w[1:]
		case "options":
			options = append(options, w[1:]...)
		default:
			return
		}
		it.cite(&f, n, line)
	})
	if len(f.Evidence) == 0 {
		return nil
	}
	f.Fields["nameservers"], f.Fields["search"], f.Fields["options"] = servers, search, options
	f.Fields["servers"] = int64(len(servers))
	for _, o := range options {
		if value, ok := strings.CutPrefix(o, "ndots:"); ok {
			if v, err := strconv.ParseInt(value, 10, 64); err == nil {
				f.Fields["ndots"] = v
			}
		}
	}
	emit(f)
	return nil
}

var (
	resolvectlQuery  = lazy(`^(\S+): ([0-9a-fA-F]*[.:][0-9a-fA-F.:]*)(?:%\d+)?(?: +-- link: \S+)?$`)
	resolvectlFailed = lazy(`^(\S+): resolve call failed: (.*)$`)
)

// readResolvectl joins the servers of all links: the one in use first.
func readResolvectl(it *Item, emit func(ddx.Fact)) error {
	f := ddx.Fact{Kind: "dns.config", Subject: host, Time: it.Time, Fields: map[string]any{}}
	var servers, search []string
	add := func(list []string, words []string) []string {
		for _, w := range words {
			if !slices.Contains(list, w) {
				list = append(list, w)
			}
		}
		return list
	}
	key := ""
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		trimmed := strings.TrimSpace(line)
		if m := resolvectlFailed.FindStringSubmatch(trimmed); m != nil {
			emit(it.fact("dns.answer", endpoint(dnsName(m[1])), n, line, "rcode", resolvedCode(m[2])))
			return
		}
		if m := resolvectlQuery.FindStringSubmatch(trimmed); m != nil {
			emit(it.fact("dns.answer", endpoint(dnsName(m[1])), n, line, "rcode", "NOERROR", "type", addressType(m[2]), "answers", 1, "values", []string{m[2]}))
			return
		}
		k, value, ok := strings.Cut(trimmed, ": ")
		// further servers and domains stand below the first, under its column
		if !ok && len(strings.Fields(trimmed)) == 1 && (key == "DNS Servers" || key == "DNS Domain") {
			k, value = key, trimmed
		} else if !ok {
			key = strings.TrimSuffix(trimmed, ":")
			return
		}
		key = k
		switch k {
		case "Current DNS Server":
			servers = slices.Insert(servers, 0, strings.Fields(value)...)
			servers = add(nil, servers)
		case "DNS Servers", "DNS Server":
			servers = add(servers, strings.Fields(value))
		case "DNS Domain", "DNS Domains":
			for _, d := range strings.Fields(value) {
				if !strings.HasPrefix(d, "~") {
					search = add(search, []string{d})
				}
			}
		default:
			return
		}
		it.cite(&f, n, line)
	})
	if len(f.Evidence) > 0 {
		f.Fields["nameservers"], f.Fields["servers"] = servers, int64(len(servers))
		if search != nil {
			f.Fields["search"] = search
		}
		emit(f)
	}
	return nil
}

// addressType returns the record type that holds an address.
func addressType(address string) any {
	a, err := netip.ParseAddr(address)
	switch {
	case err != nil:
		return nil
	case a.Is4():
		return "A"
	}
	return "AAAA"
}

// resolvedCode gives a failure of systemd-resolved the name of its DNS code.
func resolvedCode(reason string) string {
	switch lower := strings.ToLower(reason); {
	case strings.Contains(lower, "not found"):
		return "NXDOMAIN"
	case strings.Contains(lower, "does not have any rr"):
		return "NOERROR"
	case strings.Contains(lower, "timed out") || strings.Contains(lower, "timeout"):
		return "timeout"
	case strings.Contains(lower, "refused"):
		return "REFUSED"
	}
	return "SERVFAIL"
}
