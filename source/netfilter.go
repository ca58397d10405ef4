package source

import (
	"slices"
	"strconv"
	"strings"

	"ddx"
)

var (
	iptablesSave = Reader{
		Name: "iptables-save", Doc: "iptables-save, ip6tables-save (also -c): rules that decide, and a summary",
		Kinds:    []string{"netfilter.rule", "netfilter.summary"},
		Commands: [][]string{{"iptables-save", "-c"}, {"ip6tables-save", "-c"}},
		Twice:    true,
		Match:    anyLine(`^\s*(?:\*(?:filter|nat|mangle|raw|security)\s*$|:[\w-]+ (?:ACCEPT|DROP|-) \[\d+:\d+\]|(?:\[\d+:\d+\] )?-[AP] (?:[A-Z]\S* +(?:!|-\w|--\w)|\S+ .*-j [A-Z]))`),
		Read:     readIPTablesSave,
	}
	iptablesList = Reader{
		Name: "iptables-list", Doc: "iptables -L (-n -v): rules that decide, and a summary",
		Kinds: []string{"netfilter.rule", "netfilter.summary"},
		Match: anyLine(`^\s*(?:Chain \S+ \((?:policy [A-Z]+|\d+ references)|(?:num +)?(?:pkts +bytes +)?target +prot +opt +(?:in +out +)?source +destination|\d+[KMG]? +\d+[KMG]? +(?:DROP|REJECT|ACCEPT|MASQUERADE|SNAT|DNAT|NOTRACK) +\w+ +(?:--|  ) +\S+ +\S+ +\S+ +\S+)`),
		Read:  readIPTablesList,
	}
	nftRuleset = Reader{
		Name: "nft-ruleset", Doc: "nft list ruleset: rules that decide, and a summary",
		Kinds:    []string{"netfilter.rule", "netfilter.summary"},
		Commands: [][]string{{"nft", "list", "ruleset"}},
		Twice:    true,
		Match:    anyLine(`^\s*(?:table (?:ip|ip6|inet|arp|bridge|netdev) \S+ \{|type (?:filter|nat|route) hook \w+ (?:device \S+ )?priority )`),
		Read:     readNFT,
	}
)

// ruleLimit is how many rules of one target become facts; a node of a cluster
// can have tens of thousands that all translate. The summary counts them all.
const ruleLimit = 256

// decisive are the targets that become facts.
var decisive = map[string]bool{
	"DROP": true, "REJECT": true, "MASQUERADE": true, "SNAT": true, "DNAT": true, "NOTRACK": true, "ACCEPT": true,
}

// ruleset collects over one listing.
type ruleset struct {
	it       *Item
	emit     func(ddx.Fact)
	seen     map[string]int
	policies map[string]string // by built-in chain of the filter table
	sources  []string
	masks    bool
	rules    int64
	backend  string
	first    []ddx.Evidence
}

// rule is one rule as a listing gives it.
type rule struct {
	table, chain, target, text          string
	proto, dport, src, dst, input, outp string
	packets                             any
}

func (r *ruleset) note(n int, line string) {
	if r.first == nil {
		r.first = r.it.evidence(n, line)
	}
}

// ruleCounters are the counters as the listings print them within a rule.
var ruleCounters = lazy(`^\[\d+:\d+\] | \[\d+:\d+\]$| -c \d+ \d+\b| packets \d+ bytes \d+\b| \d+[KMGT]? packets, \d+[KMGT]? bytes`)

// bareRule is a rule without its counters, so that two samples of it are known
// to be the same rule.
func bareRule(line string) string {
	return ruleCounters.ReplaceAllString(strings.TrimSpace(line), "")
}

func (r *ruleset) policy(n int, line, table, chain, policy string, packets any) {
	r.note(n, line)
	r.emit(r.it.fact("netfilter.rule", host, n, line, "table", text(table), "chain", chain, "target", "policy-"+policy,
		"text", bareRule(line), "packets", packets))
	if table == "filter" || table == "" {
		r.base(chain, policy)
	}
}

// base notes the policy of a base chain of the filter table. A packet must
// pass every chain on its hook: one that drops decides.
func (r *ruleset) base(chain, policy string) {
	if r.policies == nil {
		r.policies = map[string]string{}
	}
	if r.policies[chain] != "DROP" {
		r.policies[chain] = policy
	}
}

func (r *ruleset) add(n int, line string, x rule) {
	r.note(n, line)
	r.rules++
	if x.target == "MASQUERADE" || x.target == "SNAT" {
		r.masks = true
		source := x.src
		if source == "" {
			source = "0.0.0.0/0"
		}
		if len(r.sources) < ruleLimit && !slices.Contains(r.sources, source) {
			r.sources = append(r.sources, source)
		}
	}
	if r.seen == nil {
		r.seen = map[string]int{}
	}
	if !decisive[x.target] || r.seen[x.target] >= ruleLimit {
		return
	}
	r.seen[x.target]++
	r.emit(r.it.fact("netfilter.rule", host, n, line, "table", text(x.table), "chain", x.chain, "target", x.target, "text", x.text,
		"proto", text(x.proto), "dport", text(x.dport), "src", text(x.src), "dst", text(x.dst), "in_dev", text(x.input), "out_dev", text(x.outp),
		"packets", x.packets))
}

// end emits the summary. A tool that was asked and printed nothing says that
// there is no rule.
func (r *ruleset) end() {
	if r.first == nil && len(r.it.Data) == 0 && r.it.invoked("iptables-save", "ip6tables-save", "nft") != nil {
		r.first = []ddx.Evidence{{Kind: r.it.Reader, Origin: r.it.Origin, Host: r.it.Host, Time: r.it.Time}}
	}
	if r.first == nil {
		return
	}
	f := ddx.Fact{Kind: "netfilter.summary", Subject: host, Time: r.it.Time, Evidence: r.first, Fields: map[string]any{
		"masquerade": r.masks, "rules": r.rules, "backend": r.backend,
	}}
	if r.sources != nil {
		f.Fields["masquerade_sources"] = r.sources
	}
	for chain, field := range map[string]string{"FORWARD": "forward_policy", "INPUT": "input_policy", "OUTPUT": "output_policy"} {
		if p := r.policies[chain]; p != "" {
			f.Fields[field] = p
		}
	}
	r.emit(f)
}

var (
	savePolicy = lazy(`^\s*:(\S+) (ACCEPT|DROP) \[(\d+):\d+\]`)
	savePlain  = lazy(`^\s*-P (\S+) (ACCEPT|DROP)(?: -c (\d+) \d+)?`)
	saveRule   = lazy(`^\s*(?:\[(\d+):\d+\] )?-A (\S+) (.*)$`)
	saveCount  = lazy(` -c (\d+) \d+`)
)

// readIPTablesSave also reads iptables -S, which has no table lines.
func readIPTablesSave(it *Item, emit func(ddx.Fact)) error {
	r := &ruleset{it: it, emit: emit}
	table := after(it.invoked("iptables", "ip6tables"), "-t", "--table")
	if table == "" && len(it.invoked("iptables", "ip6tables")) > 0 {
		table = "filter"
	}
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		trimmed := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(trimmed, "*"):
			table = trimmed[1:]
			return
		case strings.HasPrefix(trimmed, "#"):
			switch {
			case strings.Contains(line, "nf_tables") || strings.Contains(line, "nft-save"):
				r.backend = "nft"
			case strings.Contains(line, "(legacy)") && r.backend == "":
				r.backend = "legacy"
			}
			return
		}
		if m := savePolicy.FindStringSubmatch(line); m != nil {
			packets, _ := strconv.ParseInt(m[3], 10, 64)
			r.policy(n, line, table, m[1], m[2], packets)
			return
		}
		if m := savePlain.FindStringSubmatch(line); m != nil {
			r.policy(n, line, table, m[1], m[2], countOf(m[3]))
			return
		}
		m := saveRule.FindStringSubmatch(line)
		if m == nil {
			return
		}
		w := strings.Fields(m[3])
		x := rule{
			table: table, chain: m[2], target: after(w, "-j", "--jump"), text: bareRule(line), proto: after(w, "-p"),
			dport: after(w, "--dport", "--dports"), src: negated(w, "-s"), dst: negated(w, "-d"),
			input: negated(w, "-i"), outp: negated(w, "-o"), packets: countOf(m[1]),
		}
		if c := saveCount.FindStringSubmatch(line); c != nil && m[1] == "" {
			x.packets = countOf(c[1])
		}
		if x.target == "CT" && slices.Contains(w, "--notrack") {
			x.target = "NOTRACK"
		}
		r.add(n, line, x)
	})
	r.end()
	return nil
}

// negated returns the word behind a key with "!" in front when it is negated.
func negated(w []string, key string) string {
	i := slices.Index(w, key)
	if i < 0 || i+1 >= len(w) {
		return ""
	}
	if i > 0 && w[i-1] == "!" {
		return "!" + w[i+1]
	}
	return w[i+1]
}

// countOf returns a number that may be scaled, nil when there is none.
func countOf(s string) any {
	if v, ok := scaled(s); ok {
		return v
	}
	return nil
}

var (
	listChain  = lazy(`^\s*Chain (\S+) \((?:policy ([A-Z]+)(?: (\S+) packets)?|\d+ references)`)
	listPort   = lazy(`\b(?:dpt:|dpts:|dports )(\S+)`)
	protoNames = map[string]string{"0": "all", "1": "icmp", "6": "tcp", "17": "udp", "58": "ipv6-icmp"}
)

// readIPTablesList reads the columns that the header names. The output does
// not say which table it is: the command does, or a target that only nat has.
func readIPTablesList(it *Item, emit func(ddx.Fact)) error {
	r := &ruleset{it: it, emit: emit}
	w := it.invoked("iptables", "ip6tables")
	table := after(w, "-t", "--table")
	if table == "" {
		switch body := string(it.Data); {
		case w != nil:
			table = "filter"
		case strings.Contains(body, "MASQUERADE") || strings.Contains(body, "DNAT") || strings.Contains(body, "SNAT"):
			table = "nat"
		case strings.Contains(body, "Chain FORWARD") && !strings.Contains(body, "Chain PREROUTING"):
			table = "filter"
		}
	}
	chain, verbose, shift := "", true, 0
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if m := listChain.FindStringSubmatch(line); m != nil {
			chain = m[1]
			r.note(n, line)
			if m[2] == "ACCEPT" || m[2] == "DROP" {
				r.policy(n, line, table, chain, m[2], countOf(m[3]))
			}
			return
		}
		w := strings.Fields(line)
		if len(w) > 3 && slices.Contains(w, "target") && slices.Contains(w, "destination") {
			verbose, shift = slices.Contains(w, "pkts"), 0
			if w[0] == "num" {
				shift = 1
			}
			return
		}
		if x, ok := listedRule(w, verbose, shift); ok {
			w = w[shift:]
			if verbose {
				w = w[2:]
			}
			x.table, x.chain, x.text = table, chain, strings.Join(w, " ")
			if m := listPort.FindStringSubmatch(line); m != nil {
				x.dport = m[1]
			}
			if x.target == "CT" && slices.Contains(w, "NOTRACK") {
				x.target = "NOTRACK"
			}
			r.add(n, line, x)
		}
	})
	r.end()
	return nil
}

// listedRule splits a line of iptables -L. A rule without a target has an
// empty column there, and newer releases print -- as blanks for IPv6.
func listedRule(w []string, verbose bool, shift int) (rule, bool) {
	if len(w) <= shift {
		return rule{}, false
	}
	w = w[shift:]
	x := rule{}
	if verbose {
		if len(w) < 7 || countOf(w[0]) == nil || countOf(w[1]) == nil {
			return x, false
		}
		x.packets, w = countOf(w[0]), w[2:]
	}
	isProto := func(s string) bool {
		_, number := protoNames[s]
		return number || slices.Contains([]string{"all", "tcp", "udp", "icmp", "ipv6-icmp", "icmpv6", "sctp", "esp", "ah", "gre", "udplite", "2", "50", "51", "47", "132"}, s)
	}
	if len(w) > 1 && !isProto(w[0]) {
		x.target, w = w[0], w[1:]
	}
	if len(w) < 3 || !isProto(w[0]) {
		return x, false
	}
	x.proto = w[0]
	if p := protoNames[x.proto]; p != "" {
		x.proto = p
	}
	w = w[1:]
	if w[0] == "--" || w[0] == "-f" || w[0] == "!f" {
		w = w[1:]
	}
	if verbose {
		if len(w) < 4 {
			return x, false
		}
		x.input, x.outp, w = w[0], w[1], w[2:]
	}
	if len(w) < 2 {
		return x, false
	}
	x.src, x.dst = w[0], w[1]
	for _, field := range []*string{&x.input, &x.outp} {
		if *field == "*" || *field == "any" {
			*field = ""
		}
	}
	for _, field := range []*string{&x.src, &x.dst} {
		if *field == "0.0.0.0/0" || *field == "::/0" || *field == "anywhere" {
			*field = ""
		}
	}
	return x, true
}
