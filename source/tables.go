package source

import (
	"path"
	"strconv"
	"strings"

	"ddx"
)

// kernelTables reads the sizes of the connection tracking and neighbour tables
// from their sysctl files. Each file is one half of a fact: JoinTables puts
// what is used and the limit together.
var kernelTables = Reader{
	Name: "kernel-tables", Doc: "/proc/sys: size and limit of the connection tracking and neighbour tables",
	Kinds: []string{"table", "sysctl"},
	Files: []string{
		"proc/sys/net/netfilter/nf_conntrack_count", "proc/sys/net/netfilter/nf_conntrack_max",
		"proc/sys/net/ipv4/neigh/default/gc_thresh3", "proc/sys/net/ipv6/neigh/default/gc_thresh3",
	},
	Match: func(name string, head []byte) bool {
		name = path.Base(name)
		if name != "nf_conntrack_count" && name != "nf_conntrack_max" && name != "gc_thresh3" {
			return false
		}
		_, err := strconv.ParseInt(strings.TrimSpace(string(head[:min(len(head), 64)])), 10, 64)
		return err == nil
	},
	Read: readKernelTables,
}

func readKernelTables(it *Item, emit func(ddx.Fact)) error {
	line := strings.TrimSpace(string(it.Data))
	v, err := strconv.ParseInt(line, 10, 64)
	if err != nil {
		return err
	}
	name, field := "", "max"
	switch {
	case strings.HasSuffix(it.Origin, "nf_conntrack_count"):
		name, field = "conntrack", "used"
	case strings.HasSuffix(it.Origin, "nf_conntrack_max"):
		name = "conntrack"
	case strings.Contains(it.Origin, "ipv4/neigh/default/"):
		name = "neighbours-ipv4"
	case strings.Contains(it.Origin, "ipv6/neigh/default/"):
		name = "neighbours-ipv6"
	}
	if name != "" {
		emit(it.fact("table", host, 1, line, "name", name, field, v))
	}
	if _, key, ok := strings.Cut(it.Origin, "proc/sys/"); ok {
		emit(it.fact("sysctl", host, 1, line, "name", strings.ReplaceAll(key, "/", "."), "value", line, "number", v))
	}
	return nil
}

// tableLimits are the sysctls that limit a table, with the column of the value
// that does.
var tableLimits = map[string]struct {
	table  string
	column int
}{
	"net.netfilter.nf_conntrack_max":      {"conntrack", 0},
	"net.nf_conntrack_max":                {"conntrack", 0},
	"net.ipv4.netfilter.ip_conntrack_max": {"conntrack", 0},
	"net.ipv4.neigh.default.gc_thresh3":   {"neighbours-ipv4", 0},
	"net.ipv6.neigh.default.gc_thresh3":   {"neighbours-ipv6", 0},
	"net.ipv4.tcp_mem":                    {"tcp-memory-pages", 2},
	"net.ipv4.tcp_max_orphans":            {"tcp-orphans", 0},
	"net.ipv4.tcp_max_tw_buckets":         {"tcp-timewait", 0},
}

// tableUses are the sysctls that say how full a table is.
var tableUses = map[string]string{
	"net.netfilter.nf_conntrack_count":      "conntrack",
	"net.ipv4.netfilter.ip_conntrack_count": "conntrack",
}

// JoinTables puts the halves of table facts together: files and commands state
// either how full a table is or its limit, in facts of kind table or sysctl.
// It returns all other facts unchanged, in order, followed by one whole table
// fact for each table and host, with the largest use that was seen, the
// percentage where the limit is known, and the evidence of both halves.
func JoinTables(facts []ddx.Fact) []ddx.Fact {
	type key struct{ host, table string }
	type half struct {
		value    int64
		evidence []ddx.Evidence
	}
	type table struct {
		used, max *half
		whole     ddx.Fact
	}
	tables, order := map[key]*table{}, []key(nil)
	at := func(f ddx.Fact, name string) *table {
		k := key{table: name}
		if len(f.Evidence) > 0 {
			k.host = f.Evidence[0].Host
		}
		if tables[k] == nil {
			tables[k] = &table{whole: f}
			order = append(order, k)
		}
		return tables[k]
	}
	out := make([]ddx.Fact, 0, len(facts))
	for _, f := range facts {
		if f.Kind == "table" {
			t := at(f, f.String("name"))
			if v, ok := f.Int("used"); ok && (t.used == nil || v > t.used.value) {
				t.used = &half{v, f.Evidence}
			}
			if v, ok := f.Int("max"); ok {
				t.max = &half{v, f.Evidence}
			}
			continue
		}
		out = append(out, f)
		if f.Kind != "sysctl" {
			continue
		}
		words := strings.Fields(f.String("value"))
		if limit, ok := tableLimits[f.String("name")]; ok && limit.column < len(words) {
			if v, err := strconv.ParseInt(words[limit.column], 10, 64); err == nil {
				at(f, limit.table).max = &half{v, f.Evidence}
			}
		}
		if name, ok := tableUses[f.String("name")]; ok && len(words) > 0 {
			if v, err := strconv.ParseInt(words[0], 10, 64); err == nil {
				if t := at(f, name); t.used == nil || v > t.used.value {
					t.used = &half{v, f.Evidence}
				}
			}
		}
	}
	for _, k := range order {
		t := tables[k]
		f := ddx.Fact{Kind: "table", Subject: host, Time: t.whole.Time, Fields: map[string]any{"name": k.table}}
		for _, h := range []struct {
			field string
			*half
		}{{"used", t.used}, {"max", t.max}} {
			if h.half == nil {
				continue
			}
			f.Fields[h.field] = h.value
			for _, e := range h.evidence {
				if len(f.Evidence) == 0 || f.Evidence[len(f.Evidence)-1] != e {
					f.Evidence = append(f.Evidence, e)
				}
			}
		}
		if t.used != nil && t.max != nil && t.max.value > 0 {
			f.Fields["percent"] = 100 * float64(t.used.value) / float64(t.max.value)
		}
		out = append(out, f)
	}
	return out
}
