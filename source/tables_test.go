package source

import (
	"testing"

	"ddx"
)

func TestJoinTables(t *testing.T) {
	read := func(origin, content string) (out []ddx.Fact) {
		it := &Item{Origin: origin, Name: origin, Data: []byte(content)}
		rd, err := ReadItem(it, func(f ddx.Fact) { out = append(out, f) })
		if err != nil || rd == nil {
			t.Fatalf("%s: %v, %v", origin, readerName(rd), err)
		}
		return out
	}
	var facts []ddx.Fact
	facts = append(facts, read("/proc/sys/net/netfilter/nf_conntrack_count", "60000\n")...)
	facts = append(facts, read("/proc/sys/net/netfilter/nf_conntrack_max", "65536\n")...)
	facts = append(facts, read("/proc/net/sockstat", "TCP: inuse 5 orphan 0 tw 10 alloc 7 mem 300\n")...)
	facts = append(facts, ddx.Fact{Kind: "sysctl", Fields: map[string]any{"name": "net.ipv4.tcp_mem", "value": "100\t200\t400"}})

	got := map[string]ddx.Fact{}
	for _, f := range JoinTables(facts) {
		if err := f.Check(); err != nil {
			t.Error(err)
		}
		if f.Kind == "table" {
			if _, twice := got[f.String("name")]; twice {
				t.Errorf("two facts for table %s", f.String("name"))
			}
			got[f.String("name")] = f
		}
	}
	for _, want := range []struct {
		name    string
		percent float64
		sources int
	}{{"conntrack", 100 * 60000. / 65536, 2}, {"tcp-memory-pages", 75, 1}} {
		f := got[want.name]
		if p, _ := f.Float("percent"); p != want.percent || len(f.Evidence) != want.sources {
			t.Errorf("%s: %v%% from %d lines, want %v%% from %d", want.name, p, len(f.Evidence), want.percent, want.sources)
		}
	}
	if f := got["tcp-orphans"]; f.Fields["max"] != nil || f.Fields["percent"] != nil {
		t.Errorf("tcp-orphans has a limit that nobody stated: %v", f.Fields)
	}
}
