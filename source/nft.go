package source

import (
	"strings"

	"ddx"
)

var (
	nftTable   = lazy(`^\s*table (\w+) (\S+) \{`)
	nftChain   = lazy(`^\s*chain (\S+) \{`)
	nftHook    = lazy(`^\s*type (\w+) hook (\w+) (?:device \S+ )?priority [^;]*;(?: policy (\w+);)?`)
	nftCounter = lazy(`\bcounter packets (\d+)`)
	nftVerdict = lazy(`(?:^|\s)(drop|reject|accept|masquerade|snat|dnat|notrack|xt target "?(\w+)"?|(MASQUERADE|REJECT|SNAT|DNAT)\b)`)
	nftQuoted  = lazy(`"[^"]*"`)
	nftSource  = lazy(`\bip6? saddr (!= )?(\{[^}]*\}|\S+)`)
	nftDest    = lazy(`\bip6? daddr (!= )?(\{[^}]*\}|\S+)`)
	nftPort    = lazy(`\b(tcp|udp|th|sctp) dport (!= )?(\{[^}]*\}|\S+)`)
	nftProto   = lazy(`\b(?:meta l4proto|ip protocol|ip6 nexthdr) (\w+)`)
	nftIn      = lazy(`\biif(?:name)? (!= )?(\{[^}]*\}|\S+)`)
	nftOut     = lazy(`\boif(?:name)? (!= )?(\{[^}]*\}|\S+)`)
)

// nftHooks are the hooks of filter chains, as iptables calls its chains.
var nftHooks = map[string]string{"input": "INPUT", "forward": "FORWARD", "output": "OUTPUT"}

// nftValue returns what an expression compares with, "!" in front when negated.
func nftValue(re *lazyRegexp, line string, group int) string {
	m := re.FindStringSubmatch(line)
	if m == nil {
		return ""
	}
	value := strings.Trim(strings.Join(strings.Fields(m[group+1]), ""), `{}"`)
	if m[group] != "" {
		return "!" + value
	}
	return value
}

// readNFT reads the ruleset as nft prints it, one statement a line. The table
// of a fact is the table's name without its family.
func readNFT(it *Item, emit func(ddx.Fact)) error {
	r := &ruleset{it: it, emit: emit, backend: "nft"}
	table, chain := "", ""
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if m := nftTable.FindStringSubmatch(line); m != nil {
			table, chain = m[2], ""
			r.note(n, line)
			return
		}
		if m := nftChain.FindStringSubmatch(line); m != nil {
			chain = m[1]
			return
		}
		if m := nftHook.FindStringSubmatch(line); m != nil {
			policy := strings.ToUpper(m[3])
			if policy == "" {
				return
			}
			r.policy(n, line, table, chain, policy, nil)
			if hook := nftHooks[m[2]]; hook != "" && m[1] == "filter" {
				r.base(hook, policy)
			}
			return
		}
		trimmed := strings.TrimSpace(line)
		if trimmed == "}" {
			chain = ""
			return
		}
		if chain == "" || trimmed == "" || strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, "comment ") {
			return
		}
		x := rule{
			table: table, chain: chain, text: bareRule(line), proto: nftProtocol(line), dport: nftValue(nftPort, line, 2),
			src: nftValue(nftSource, line, 1), dst: nftValue(nftDest, line, 1),
			input: nftValue(nftIn, line, 1), outp: nftValue(nftOut, line, 1),
		}
		// a word inside a comment or a log prefix is no verdict
		bare := nftQuoted.ReplaceAllStringFunc(line, func(q string) string {
			if strings.Contains(line, `target `+q) {
				return strings.Trim(q, `"`)
			}
			return `""`
		})
		if m := nftVerdict.FindStringSubmatch(bare); m != nil {
			x.target = strings.ToUpper(m[1])
			if m[2] != "" {
				x.target = strings.ToUpper(m[2])
			}
		}
		if m := nftCounter.FindStringSubmatch(line); m != nil {
			x.packets = countOf(m[1])
		}
		r.add(n, line, x)
	})
	r.end()
	return nil
}

func nftProtocol(line string) string {
	if m := nftPort.FindStringSubmatch(line); m != nil && m[1] != "th" {
		return m[1]
	}
	if m := nftProto.FindStringSubmatch(line); m != nil {
		return m[1]
	}
	return ""
}
