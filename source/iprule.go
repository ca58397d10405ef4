package source

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"ddx"
)

var (
	ipRule = Reader{
		Name: "ip-rule", Doc: "ip rule: routing policy, and what a CNI keeps in pairs of rules",
		Kinds:    []string{"rule", "rule.summary"},
		Commands: [][]string{{"ip", "rule", "show"}},
		Match:    anyLine(`^\s*\d+:\s+(?:not )?from \S+ .*(?:lookup|goto|unreachable|blackhole|prohibit|\[detached\])`),
		Read:     readIPRule,
	}
	ipRuleJSON = Reader{
		Name: "ip-rule-json", Doc: "ip -j rule: the same as JSON",
		Kinds: []string{"rule", "rule.summary"},
		Match: anyLine(`\A[^\[{]{0,200}\[\s*\{\s*"priority": ?\d+,`),
		Read:  readIPRuleJSON,
	}
)

var ruleLine = lazy(`^\s*(\d+):\s+(?:not )?(from \S+.*)$`)

// ruleSummary collects over a listing. The VPC CNI gives each pod one rule "to
// ADDR" of priority 512 and, when its address belongs to a secondary
// interface, one rule "from ADDR" of priority 1536; older releases let the
// kernel number the latter downwards from 32765.
type ruleSummary struct {
	fact     *ddx.Fact
	to, from []string
}

func (s *ruleSummary) add(it *Item, f ddx.Fact) {
	if s.fact == nil {
		s.fact = &ddx.Fact{Kind: "rule.summary", Subject: host, Time: it.Time, Fields: map[string]any{}, Evidence: f.Evidence}
	}
	priority, _ := f.Int("priority")
	from, to := f.String("from"), f.String("to")
	single := func(a string) bool {
		_, length, ok := strings.Cut(a, "/")
		return a != "" && a != "all" && (!ok || length == "32" || length == "128")
	}
	switch {
	case priority == 512 && from == "all" && single(to):
		s.to = append(s.to, strings.TrimSuffix(to, "/32"))
	case (priority == 1536 || priority > 30000 && priority <= 32765) && single(from):
		s.from = append(s.from, strings.TrimSuffix(from, "/32"))
	}
}

func (s *ruleSummary) emit(emit func(ddx.Fact)) {
	if s.fact == nil {
		return
	}
	slices.Sort(s.to)
	slices.Sort(s.from)
	to, from := slices.Compact(slices.Clone(s.to)), slices.Compact(slices.Clone(s.from))
	missing := func(a, b []string) []string {
		out := []string{}
		for _, x := range a {
			if _, found := slices.BinarySearch(b, x); !found {
				out = append(out, x)
			}
		}
		return out
	}
	s.fact.Fields = map[string]any{
		"to_pod": int64(len(s.to)), "from_pod": int64(len(s.from)), "to": to, "from": from,
		"to_without_from": missing(to, from), "from_without_to": missing(from, to),
	}
	emit(*s.fact)
}

func readIPRule(it *Item, emit func(ddx.Fact)) error {
	var s ruleSummary
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		m := ruleLine.FindStringSubmatch(line)
		if m == nil {
			return
		}
		priority, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil {
			return
		}
		w := strings.Fields(m[2])
		f := it.fact("rule", host, n, line, "priority", priority, "from", after(w, "from"), "to", text(after(w, "to")),
			"table", text(after(w, "lookup", "table")), "fwmark", text(after(w, "fwmark")), "iif", text(after(w, "iif")))
		for _, action := range []string{"unreachable", "blackhole", "prohibit", "goto"} {
			if slices.Contains(w, action) {
				f.Fields["action"] = action
			}
		}
		emit(f)
		s.add(it, f)
	})
	s.emit(emit)
	return nil
}

func readIPRuleJSON(it *Item, emit func(ddx.Fact)) error {
	var s ruleSummary
	err := it.objects(func(n int, raw json.RawMessage) {
		var r struct {
			Priority *int64 `json:"priority"`
			Src      string `json:"src"`
			SrcLen   *int64 `json:"srclen"`
			Dst      string `json:"dst"`
			DstLen   *int64 `json:"dstlen"`
			Table    string `json:"table"`
			Mark     string `json:"fwmark"`
			Mask     string `json:"fwmask"`
			In       string `json:"iif"`
		}
		if json.Unmarshal(raw, &r) != nil || r.Priority == nil {
			return
		}
		withLength := func(a string, length *int64) string {
			if length != nil && a != "all" && a != "" {
				return a + "/" + strconv.FormatInt(*length, 10)
			}
			return a
		}
		if r.Mask != "" {
			r.Mark += "/" + r.Mask
		}
		f := it.fact("rule", host, n, string(raw), "priority", *r.Priority, "from", withLength(r.Src, r.SrcLen),
			"to", text(withLength(r.Dst, r.DstLen)), "table", text(r.Table), "fwmark", text(r.Mark), "iif", text(r.In))
		emit(f)
		s.add(it, f)
	})
	s.emit(emit)
	return err
}
