package source

import (
	"bytes"
	"ddx/golden"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"ddx"
)

// networkNames are the commands of fixtures whose facts need one: the output
// alone does not name the interface, table or target.
var networkNames = map[string]string{
	"ethtool-driver/ena.txt":     "ethtool -i ens5",
	"sys-class-net/mtu.txt":      "/sys/class/net/eth0/mtu",
	"sys-class-net/carrier.txt":  "/sys/class/net/eth1/carrier",
	"sys-class-net/flags.txt":    "/sys/class/net/eth1/flags",
	"ip-route/table.txt":         "ip route show table 10001",
	"conntrack-list/file.txt":    "/proc/net/nf_conntrack",
	"net-stat-neighbour/arp.txt": "/proc/net/stat/arp_cache",
	"getent/ahosts.txt":          "getent ahosts www.example.com",
	"ethtool-statistics/ena.txt": "sos_commands/networking/ethtool_-S_ens5",
}

// render writes a fact as one line: line number, kind, subject and the fields
// in order of their names.
func renderFact(it *Item, f ddx.Fact) string {
	var b strings.Builder
	for _, e := range f.Evidence[:1] {
		b.WriteString(strings.TrimPrefix(e.Origin, it.Origin+":"))
	}
	fmt.Fprintf(&b, " %s %s", f.Kind, f.Subject)
	names := make([]string, 0, len(f.Fields))
	for name := range f.Fields {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(&b, " %s=%s", name, strconv.Quote(f.String(name)))
	}
	return b.String()
}

// TestNetworkReaders feeds every fixture through recognition by content alone,
// requires the reader after which its folder is named, checks each fact
// against the vocabulary and its evidence against the fixture, and compares
// the facts with the .want file.
func TestNetworkReaders(t *testing.T) {
	for i := range networkReaders {
		rd := &networkReaders[i]
		t.Run(rd.Name, func(t *testing.T) {
			files, _ := filepath.Glob(filepath.Join("testdata", rd.Name, "*.txt"))
			if len(files) == 0 {
				t.Fatalf("reader %s has no fixture", rd.Name)
			}
			for _, file := range files {
				t.Run(filepath.Base(file), func(t *testing.T) { checkFixture(t, rd, file) })
			}
		})
	}
}

func checkFixture(t *testing.T, rd *Reader, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	key := rd.Name + "/" + filepath.Base(file)
	name := networkNames[key]
	if !nameOnly[rd.Name] {
		got, err := Recognise(&Item{Origin: "unnamed", Data: data})
		if err != nil || got == nil || got.Name != rd.Name {
			t.Fatalf("recognised as %v (%v) without a name", readerName(got), err)
		}
	}
	it := &Item{Origin: name, Name: filepath.Base(name), Data: data}
	if strings.Contains(name, " ") || !strings.Contains(name, "/") {
		it.Name = name
	}
	if name == "" {
		it.Origin = "pasted"
	}
	var facts []ddx.Fact
	got, err := readItem(it, func(f ddx.Fact) { facts = append(facts, f) })
	if err != nil || got == nil || got.Name != rd.Name {
		t.Fatalf("read as %v: %v", readerName(got), err)
	}
	lines := strings.Split(strings.ReplaceAll(string(data), "\r", ""), "\n")
	var out bytes.Buffer
	for _, f := range facts {
		if err := f.Check(); err != nil {
			t.Error(err)
		}
		if !slices.Contains(rd.Kinds, f.Kind) {
			t.Errorf("emits %s, which Kinds does not list", f.Kind)
		}
		for _, e := range f.Evidence {
			n, err := strconv.Atoi(strings.TrimPrefix(e.Origin, it.Origin+":"))
			if err != nil || n < 1 || n > len(lines) || !strings.Contains(strings.Join(lines[n-1:], "\n"), e.Text) || e.Text == "" {
				t.Errorf("evidence %q of %s is not at %s", e.Text, f.Kind, e.Origin)
			}
		}
		fmt.Fprintln(&out, renderFact(it, f))
	}
	golden.Compare(t, strings.TrimSuffix(file, ".txt")+".want", out.Bytes())
}

// nameOnly are the readers of files whose content is a lone word: the path
// tells what it means.
var nameOnly = map[string]bool{"sys-class-net": true}

// TestEmptyRuleset: a tool that was asked and printed nothing says that there
// is no rule; an empty file of unknown origin says nothing.
func TestEmptyRuleset(t *testing.T) {
	for _, tt := range []struct {
		reader, name string
		facts        int
	}{{"iptables-save", "iptables-save -c", 1}, {"nft-ruleset", "nft list ruleset", 1}, {"iptables-save", "rules.v4", 0}} {
		var facts []ddx.Fact
		if _, err := readItem(&Item{Origin: tt.name, Name: tt.name, Reader: tt.reader}, func(f ddx.Fact) { facts = append(facts, f) }); err != nil {
			t.Fatal(err)
		}
		if len(facts) != tt.facts {
			t.Errorf("%s: %d facts, want %d", tt.name, len(facts), tt.facts)
		}
		for _, f := range facts {
			if n, ok := f.Int("rules"); !ok || n != 0 {
				t.Errorf("%s: rules = %d, %v", tt.name, n, ok)
			}
		}
	}
}
