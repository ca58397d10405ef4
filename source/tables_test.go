package source

import (
	"slices"
	"testing"

	"ddx"
)

func TestSysctlTables(t *testing.T) {
	sysctl := func(name, value string) ddx.Fact {
		return ddx.Fact{Kind: "sysctl", Fields: map[string]any{"name": name, "value": value}, Evidence: []ddx.Evidence{{Origin: name, Host: "a"}}}
	}
	facts := []ddx.Fact{
		sysctl("net.netfilter.nf_conntrack_count", "60000"),
		sysctl("net.netfilter.nf_conntrack_max", "65536"),
		sysctl("net.nf_conntrack_max", "65536"),
		sysctl("net.ipv4.tcp_mem", "100\t200\t400"),
		sysctl("net.ipv4.tcp_max_orphans", "none"),
		sysctl("net.ipv4.ip_forward", "1"),
		{Kind: "table", Fields: map[string]any{"name": "neighbours-ipv4", "max": int64(1024)}, Evidence: []ddx.Evidence{{Host: "a"}}},
		sysctl("net.ipv4.neigh.default.gc_thresh3", "1024"),
	}
	before := len(facts)
	var got []string
	for _, f := range SysctlTables(facts)[before:] {
		if err := f.Check(); err != nil {
			t.Error(err)
		}
		got = append(got, f.String("name")+" used="+f.String("used")+" max="+f.String("max")+" from "+f.Evidence[0].Origin)
	}
	want := []string{
		"conntrack used=60000 max= from net.netfilter.nf_conntrack_count",
		"conntrack used= max=65536 from net.netfilter.nf_conntrack_max",
		"tcp-memory-pages used= max=400 from net.ipv4.tcp_mem",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
