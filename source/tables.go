package source

import (
	"strconv"
	"strings"

	"ddx"
)

// sysctlTables are the sysctls that say how full a kernel table is or what
// limits it, with the column of the value that does.
var sysctlTables = map[string]struct {
	table, field string
	column       int
}{
	"net.netfilter.nf_conntrack_count":      {"conntrack", "used", 0},
	"net.netfilter.nf_conntrack_max":        {"conntrack", "max", 0},
	"net.nf_conntrack_max":                  {"conntrack", "max", 0},
	"net.ipv4.netfilter.ip_conntrack_count": {"conntrack", "used", 0},
	"net.ipv4.netfilter.ip_conntrack_max":   {"conntrack", "max", 0},
	"net.ipv4.neigh.default.gc_thresh3":     {"neighbours-ipv4", "max", 0},
	"net.ipv6.neigh.default.gc_thresh3":     {"neighbours-ipv6", "max", 0},
	"net.ipv4.tcp_mem":                      {"tcp-memory-pages", "max", 2},
	"net.ipv4.tcp_max_orphans":              {"tcp-orphans", "max", 0},
	"net.ipv4.tcp_max_tw_buckets":           {"tcp-timewait", "max", 0},
}

// SysctlTables returns facts with, behind them, what their sysctls say of the
// kernel's network tables: one fact of kind table for each, with either how
// full it is or its limit, and the sysctl's evidence. A table whose half is
// stated already, by its own file, gets no second one.
func SysctlTables(facts []ddx.Fact) []ddx.Fact {
	key := func(f ddx.Fact, table, field string) string {
		if len(f.Evidence) > 0 {
			table = f.Evidence[0].Host + " " + table
		}
		return table + " " + field
	}
	stated := map[string]bool{}
	for _, f := range facts {
		if f.Kind == "table" {
			for _, field := range []string{"used", "max"} {
				if _, ok := f.Int(field); ok {
					stated[key(f, f.String("name"), field)] = true
				}
			}
		}
	}
	out := facts[:len(facts):len(facts)]
	for _, f := range facts {
		t, known := sysctlTables[f.String("name")]
		words := strings.Fields(f.String("value"))
		if f.Kind != "sysctl" || !known || t.column >= len(words) || stated[key(f, t.table, t.field)] {
			continue
		}
		v, err := strconv.ParseInt(words[t.column], 10, 64)
		if err != nil {
			continue
		}
		stated[key(f, t.table, t.field)] = true
		out = append(out, ddx.Fact{Kind: "table", Subject: host, Time: f.Time, Evidence: f.Evidence,
			Fields: map[string]any{"name": t.table, t.field: v}})
	}
	return out
}
