package source

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"ddx"
)

var connectReader = Reader{
	Name: "connect", Doc: "nc, ncat, telnet, ssh, curl -v, wget, bash's /dev/tcp: attempts to connect",
	Kinds: []string{"probe"},
	Match: anyLine(`^\s*(?:Connection to \S+(?: \(\S+\))? \d+ port \[|nc: connect to |Ncat: (?:Connect|TIMEOUT|No route|Network is)|\S+ \[[\d.]+\] \d+ \(\S+\) (?:open|: )|telnet: |ssh: connect to host |(?:-?bash: )?(?:line \d+: )?/dev/tcp/|-?bash: (?:line \d+: )?/dev/tcp/|\* +(?:Trying \S+|Connected to \S+ \(|connect to \S+ port \d+ )|curl: \((?:7|28|35|52|56)\) |Connecting to \S+(?: \(\S+\))?\S*\.\.\. (?:connected|failed)|wget: can't connect)`),
	Read:  readConnect,
}

// connectResults map what the C library and the tools say to a result. EHOSTUNREACH
// ("No route to host") is an answer of a neighbour or router, ENETUNREACH is the
// lack of a route of one's own.
var connectResults = []struct{ word, result string }{
	{"refused", "refused"}, {"timed out", "timeout"}, {"timeout", "timeout"}, {"no route to host", "unreachable"}, {"host is unreachable", "unreachable"},
	{"network is unreachable", "no-route"}, {"reset by peer", "reset"}, {"empty reply", "reset"}, {"cannot assign requested address", "address-unavailable"},
	{"can't assign requested address", "address-unavailable"}, {"operation not permitted", "prohibited"}, {"permission denied", "prohibited"},
}

func connectResult(reason string) string {
	reason = strings.ToLower(reason)
	for _, r := range connectResults {
		if strings.Contains(reason, r.word) {
			return r.result
		}
	}
	return ""
}

// connectLine is one form of line; the groups are named. fixed is the result
// where the form itself tells it.
type connectLine struct {
	re    *lazyRegexp
	kind  string
	fixed string
}

var connectLines = []connectLine{
	{lazy(`^\s*Connection to (?P<name>\S+)(?: \((?P<address>\S+)\))? (?P<port>\d+) port \[(?P<kind>\w+)/\S+\] succeeded`), "tcp", "ok"},
	{lazy(`^\s*nc: connect to (?P<name>\S+)(?: \((?P<address>\S+)\))? port (?P<port>\d+) \((?P<kind>\w+)\) failed: (?P<reason>.*)`), "tcp", ""},
	{lazy(`^\s*nc: connect to (?P<name>\S+)(?: \((?P<address>\S+)\))? port (?P<port>\d+) \((?P<kind>\w+)\) timed out`), "tcp", "timeout"},
	{lazy(`^\s*Ncat: Connected to (?P<name>\S+):(?P<port>\d+)\.`), "tcp", "ok"},
	{lazy(`^\s*Ncat: (?P<reason>Connection|TIMEOUT|No route to host|Network is unreachable)`), "tcp", ""},
	{lazy(`^\s*(?P<name>\S+) \[(?P<address>[\d.]+)\] (?P<port>\d+) \(\S+\) open`), "tcp", "ok"},
	{lazy(`^\s*(?P<name>\S+) \[(?P<address>[\d.]+)\] (?P<port>\d+) \(\S+\) : (?P<reason>.*)`), "tcp", ""},
	{lazy(`^\s*telnet: connect to address (?P<name>\S+): (?P<reason>.*)`), "tcp", ""},
	{lazy(`^\s*telnet: [Uu]nable to connect to remote host: (?P<reason>.*)`), "tcp", ""},
	{lazy(`^\s*telnet: can't connect to remote host \((?P<name>[^)]+)\): (?P<reason>.*)`), "tcp", ""},
	{lazy(`^\s*Connected to (?P<name>\S+)\.$`), "tcp", "ok"},
	{lazy(`^\s*ssh: connect to host (?P<name>\S+) port (?P<port>\d+): (?P<reason>.*)`), "tcp", ""},
	{lazy(`^\s*(?:-?bash: )?(?:line \d+: )?/dev/tcp/(?P<name>[^/]+)/(?P<port>\d+): (?P<reason>.*)`), "tcp", ""},
	{lazy(`^\s*\* +Connected to (?P<name>\S+) \((?P<address>[^)]+)\) port (?P<port>\d+)`), "tcp", "ok"},
	{lazy(`^\s*\* +connect to (?P<name>\S+) port (?P<port>\d+)(?: from \S+ port \d+)? failed: (?P<reason>.*)`), "tcp", ""},
	{lazy(`^\s*curl: \((?:7|28)\) (?i:failed to connect|connection timed out|couldn't connect|could not connect)(?: to (?P<name>\S+) port (?P<port>\d+)(?: after \d+ ms)?)?(?P<reason>.*)`), "tcp", ""},
	{lazy(`^\s*curl: \(28\) Operation timed out`), "http", "timeout"},
	{lazy(`^\s*curl: \((?:35|52|56)\) (?P<reason>.*)`), "http", ""},
	{lazy(`^\s*Connecting to (?P<name>[^\s|(]+)(?: \([^)]*\))?(?:\|(?P<address>[^|]+)\|)?:(?P<port>\d+)\.\.\. connected`), "tcp", "ok"},
	{lazy(`^\s*Connecting to (?P<name>[^\s|(]+)(?: \([^)]*\))?(?:\|(?P<address>[^|]+)\|)?:(?P<port>\d+)\.\.\. failed: (?P<reason>.*)`), "tcp", ""},
	{lazy(`^\s*wget: can't connect to remote host \((?P<name>[^)]+)\): (?P<reason>.*)`), "tcp", ""},
}

// connectTarget reads the target out of a command line.
func connectTarget(w []string) (name string, port int64) {
	if len(w) == 0 {
		return "", 0
	}
	var plain []string
	for i := 1; i < len(w); i++ {
		a := strings.Trim(w[i], `'"`)
		switch {
		case strings.Contains(a, "://"):
			if u, err := url.Parse(a); err == nil {
				port, _ = strconv.ParseInt(u.Port(), 10, 32)
				if port == 0 {
					port = map[string]int64{"http": 80, "https": 443}[u.Scheme]
				}
				return u.Hostname(), port
			}
		case slices.Contains([]string{"-w", "-m", "--connect-timeout", "--max-time", "-o", "-H", "-X", "-T", "-t", "-s", "-p"}, a):
			i++
		case !strings.HasPrefix(a, "-") && !strings.ContainsAny(a, "|<>&;"):
			plain = append(plain, a)
		}
	}
	if len(plain) == 0 {
		return "", 0
	}
	if len(plain) > 1 {
		port, _ = strconv.ParseInt(plain[1], 10, 32)
	} else if host, p, ok := strings.Cut(plain[0], ":"); ok && w[0] == "curl" {
		plain[0] = host
		port, _ = strconv.ParseInt(p, 10, 32)
	}
	return plain[0], port
}

var connectTools = []string{"nc", "ncat", "netcat", "telnet", "ssh", "curl", "wget"}

// readConnect folds what one run of a tool says of one target: curl tells the
// reason of a failure in one line and the name in another.
func readConnect(it *Item, emit func(ddx.Fact)) error {
	asked := it.invoked(connectTools...)
	reasons := map[string]string{} // by port: why curl could not connect to an address
	seen := map[string]bool{}
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if w := promptWords(line); len(w) > 0 {
			asked, reasons, seen = w, map[string]string{}, map[string]bool{}
			return
		}
		// the progress meter ends without a new line
		if i := strings.LastIndex(line, "--:--:--"); i >= 0 {
			if at := strings.IndexAny(line[i:], "*c"); at >= 0 {
				line = line[i+at:]
			}
		}
		for _, form := range connectLines {
			m := form.re.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			group := func(name string) string {
				if i := form.re.SubexpIndex(name); i >= 0 {
					return m[i]
				}
				return ""
			}
			name, kind, result := group("name"), form.kind, form.fixed
			port, _ := strconv.ParseInt(group("port"), 10, 32)
			askedName, askedPort := connectTarget(asked)
			if name == "" || name == "(UNKNOWN)" {
				name = askedName
				if group("address") != "" {
					name = group("address")
				}
			}
			if port == 0 {
				port = askedPort
			}
			if k := group("kind"); k != "" {
				kind = k
			}
			key := strconv.FormatInt(port, 10)
			if result == "" {
				result = connectResult(line)
			}
			if strings.HasPrefix(strings.TrimSpace(line), "* connect to") {
				reasons[key] = result
				return
			}
			if r := reasons[key]; r != "" && strings.Contains(line, "curl: (7)") {
				result = r
			}
			if name == "" || result == "" || seen[name+" "+kind+" "+key+" "+result] {
				return
			}
			seen[name+" "+kind+" "+key+" "+result] = true
			f := it.fact("probe", endpoint(strings.Trim(name, "[]")), n, line, "kind", kind, "result", result, "address", text(group("address")))
			if port > 0 {
				f.Fields["port"] = port
			}
			emit(f)
			return
		}
	})
	return nil
}
