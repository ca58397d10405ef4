package source

import (
	"encoding/json"
	"slices"
	"strings"

	"ddx"
)

var (
	ipRouteGet = Reader{
		Name: "ip-route-get", Doc: "ip route get: the way one destination takes",
		Kinds: []string{"route.get"},
		Match: matchRouteGet,
		Read:  readIPRouteGet,
	}
	ipRoute = Reader{
		Name: "ip-route", Doc: "ip route (main table or all): routes",
		Kinds:    []string{"route"},
		Commands: [][]string{{"ip", "route", "show", "table", "all"}},
		Match:    anyLine(`^\s*(?:(?:` + routeTypes + `)\s+)?(?:default|[0-9a-f]*[.:][0-9a-f.:]*(?:/\d+)?)\s+(?:via|dev|proto|nhid|encap|table|metric|scope)\s\S|^\s*(?:blackhole|unreachable|prohibit|throw) (?:default|[0-9a-f.:]+/\d+)\s*$`),
		Read:     readIPRoute,
	}
	ipRouteJSON = Reader{
		Name: "ip-route-json", Doc: "ip -j route and ip -j route get: the same as JSON",
		Kinds: []string{"route", "route.get"},
		Match: anyLine(`\A[^\[{]{0,200}\[\s*\{\s*(?:"type": ?"\w+",\s*)?"dst": ?"[^"]*",\s*"(?:gateway|dev|via|from|scope|flags|protocol|nexthops|nhid|metric|table|prefsrc)":[^}]*?"(?:flags|protocol|scope|prefsrc|uid|cache)"`),
		Read:  readIPRouteJSON,
	}
)

const routeTypes = `unicast|blackhole|unreachable|prohibit|throw|local|broadcast|multicast|anycast|nat`

var (
	routeType    = lazy(`^(?:` + routeTypes + `)$`)
	routeAddress = lazy(`^(?:default|[0-9a-f]*[.:][0-9a-f.:]*(?:/\d+)?|[0-9]+/\d+)$`)
	routeGetLine = lazy(`^\s*(?:(?:` + routeTypes + `) )?[0-9a-f.:]*[.:][0-9a-f.:]* (?:from \S+ )?(?:via \S+ |dev \S+ )`)
	routeCache   = lazy(`^\s+cache\b`)
)

// matchRouteGet tells an answer from a table by the address without a length
// that is followed by a line "cache", or carries a user id. Before Linux 3.6 a
// listing of all tables held such lines too, the route cache; the routes beside
// them say who made them, which an answer does not.
func matchRouteGet(_ string, head []byte) bool {
	previous, answer := "", false
	for line := range strings.Lines(string(head[:min(len(head), recogniseSize)])) {
		line = strings.TrimRight(line, "\r\n")
		if routeGetLine.MatchString(line) && strings.Contains(line, " uid ") ||
			routeGetLine.MatchString(previous) && routeCache.MatchString(line) {
			answer = true
		}
		if w := promptWords(line); len(w) > 2 && w[0] == "ip" && slices.Contains(w, "get") {
			return true
		}
		if strings.Contains(line, " proto kernel ") {
			return false
		}
		previous = line
	}
	return answer
}

func readIPRouteGet(it *Item, emit func(ddx.Fact)) error {
	asked := it.invoked("ip")
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if w := promptWords(line); len(w) > 0 {
			asked = w
			return
		}
		if answer, ok := strings.CutPrefix(strings.TrimSpace(line), "RTNETLINK answers: "); ok {
			if dst := after(asked, "get", "to"); dst != "" {
				emit(it.fact("route.get", host, n, line, "dst", dst, "error", answer))
			}
			return
		}
		words := strings.Fields(line)
		if !routeGetLine.MatchString(line) && !(len(words) > 1 && routeType.MatchString(words[0]) && routeAddress.MatchString(words[1])) {
			return
		}
		kind := ""
		if routeType.MatchString(words[0]) {
			kind, words = words[0], words[1:]
		}
		f := it.fact("route.get", host, n, line, "dst", words[0], "dev", text(after(words, "dev")),
			"via", text(after(words, "via")), "src", text(after(words, "src")))
		if kind == "unreachable" || kind == "prohibit" || kind == "blackhole" {
			f.Fields["error"] = kind
		}
		emit(f)
	})
	return nil
}

func readIPRoute(it *Item, emit func(ddx.Fact)) error {
	asked := it.invoked("ip")
	table := after(asked, "table")
	var first []string // the words of a route whose next hops follow
	firstLine, firstN := "", 0
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		if w := promptWords(line); len(w) > 0 {
			table, first = after(w, "table"), nil
			return
		}
		words := strings.Fields(strings.ReplaceAll(line, `\`, " "))
		if len(words) == 0 {
			return
		}
		if words[0] == "nexthop" && first != nil {
			f, ok := routeFact(it, n, line, slices.Concat(first, words[1:]), table)
			if ok {
				it.cite(&f, firstN, firstLine)
				emit(f)
			}
			return
		}
		first = nil
		f, ok := routeFact(it, n, line, words, table)
		switch {
		case !ok:
		case f.String("via") == "" && f.String("dev") == "" && f.String("type") == "unicast":
			first, firstLine, firstN = words, line, n
		default:
			emit(f)
		}
	})
	return nil
}

// routeFact reads the words of one route; table is the one that was asked for.
func routeFact(it *Item, n int, line string, words []string, table string) (ddx.Fact, bool) {
	kind := "unicast"
	if routeType.MatchString(words[0]) {
		kind, words = words[0], words[1:]
	}
	if len(words) == 0 || !routeAddress.MatchString(words[0]) {
		return ddx.Fact{}, false
	}
	switch {
	case after(words, "table") != "":
		table = after(words, "table")
	case table == "" || table == "all":
		table = "main"
	}
	via := after(words, "via")
	if via == "inet6" || via == "inet" {
		via = after(words, via)
	}
	return it.fact("route", host, n, line, "dst", words[0], "via", text(via), "dev", text(after(words, "dev")),
		"src", text(after(words, "src")), "table", table, "type", kind, "metric", attribute(words, "metric"),
		"proto", text(after(words, "proto")), "mtu", attribute(words, "mtu")), true
}

// jsonRoute is an element of ip -j route; route get adds uid and cache.
type jsonRoute struct {
	Type     string `json:"type"`
	Dst      string `json:"dst"`
	Gateway  string `json:"gateway"`
	Dev      string `json:"dev"`
	Src      string `json:"prefsrc"`
	Table    any    `json:"table"`
	Protocol string `json:"protocol"`
	Metric   any    `json:"metric"`
	Via      struct {
		Host string `json:"host"`
	} `json:"via"`
	Metrics []struct {
		MTU int64 `json:"mtu"`
	} `json:"metrics"`
	Hops []struct {
		Gateway string `json:"gateway"`
		Dev     string `json:"dev"`
	} `json:"nexthops"`
	UID   *int64           `json:"uid"`
	Cache *json.RawMessage `json:"cache"`
}

func readIPRouteJSON(it *Item, emit func(ddx.Fact)) error {
	table := after(it.invoked("ip"), "table")
	if table == "" || table == "all" {
		table = "main"
	}
	return it.objects(func(n int, raw json.RawMessage) {
		var r jsonRoute
		if json.Unmarshal(raw, &r) != nil || r.Dst == "" {
			return
		}
		via := r.Gateway + r.Via.Host
		if r.UID != nil || r.Cache != nil {
			emit(it.fact("route.get", host, n, string(raw), "dst", r.Dst, "dev", text(r.Dev), "via", text(via), "src", text(r.Src)))
			return
		}
		if r.Type == "" {
			r.Type = "unicast"
		}
		own := table
		if t, ok := r.Table.(string); ok && t != "" {
			own = t
		}
		var metric, mtu any
		if m, ok := r.Metric.(float64); ok {
			metric = int64(m)
		}
		for _, m := range r.Metrics {
			if m.MTU > 0 {
				mtu = m.MTU
			}
		}
		one := func(via, dev string) {
			emit(it.fact("route", host, n, string(raw), "dst", r.Dst, "via", text(via), "dev", text(dev), "src", text(r.Src),
				"table", own, "type", r.Type, "metric", metric, "proto", text(r.Protocol), "mtu", mtu))
		}
		for _, h := range r.Hops {
			one(h.Gateway, h.Dev)
		}
		if len(r.Hops) == 0 {
			one(via, r.Dev)
		}
	})
}
