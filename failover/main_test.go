package failover

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"ddx/controlplane"
	"ddx/dns"
	"ddx/dnstest"

	mdns "github.com/miekg/dns"
)

// The race is run by real processes: the test binary executes itself with this
// variable set and is then one enactor.
const asEnactor = "DDX_TEST_ENACTOR"

func TestMain(m *testing.M) {
	if mode := os.Getenv(asEnactor); mode != "" {
		enactorProcess(mode, os.Args[1], os.Args[2], os.Args[3])
		return
	}
	os.Exit(m.Run())
}

const (
	raceZone = "race.example."
	raceName = "api.race.example."
	keep     = 3 // generations that the cleaner of the old design spares
)

// planned is the content of a generation: three addresses that spell its number.
func planned(gen int) Addresses {
	var out []netip.Addr
	for i := range 3 {
		out = append(out, netip.AddrFrom4([4]byte{byte(10 + i), byte(gen >> 16), byte(gen >> 8), byte(gen)}))
	}
	return Sorted(out...)
}

// spelt reads the generation back out of an address.
func spelt(ip netip.Addr) int {
	b := ip.As4()
	return int(b[1])<<16 | int(b[2])<<8 | int(b[3])
}

// newest reads the planner's file: the newest generation.
func newest(file string) int {
	b, _ := os.ReadFile(file)
	n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return n
}

// enactorProcess takes the newest plan, is now and then delayed, and applies
// it, for ever.
func enactorProcess(mode, server, planFile, owner string) {
	prov := &RFC2136{Zone: raceZone, Server: server, KeyName: dnstest.KeyName, KeyAlgo: dnstest.KeyAlgo, Secret: dnstest.KeySecret, Timeout: 500 * time.Millisecond}
	for {
		gen := newest(planFile)
		worked := false
		switch mode {
		case "trees":
			worked = trees(prov, gen)
		case "fenced":
			worked = fenced(slow{prov}, gen, owner)
		case "bare":
			worked = fenced(bare{prov}, gen, owner)
		}
		if !worked {
			time.Sleep(3 * time.Millisecond) // pace of the loop, not waiting for anything
		}
	}
}

// stall is the delay that one run in ten meets.
func stall() {
	if rand.IntN(10) == 0 {
		time.Sleep(time.Duration(100+rand.IntN(150)) * time.Millisecond)
	}
}

// fenced is the enactor of the product, with a plan picked before the delay.
func fenced(prov Provider, gen int, owner string) bool {
	e := &Enactor{Provider: prov, Name: raceName, Owner: owner, Nonce: NewNonce, Wait: func(context.Context, int) error { return nil }}
	res, err := e.Enact(context.Background(), func(cur Current) Decision {
		if controlplane.Generation(gen) <= cur.Record.Generation {
			return Decision{Verdict: VerdictUnchanged}
		}
		set := planned(gen)
		return Decision{Verdict: VerdictChange, Change: Change{Record: Record{Generation: controlplane.Generation(gen), Hash: hash(set, 1), Since: time.Unix(1, 0), Size: 3}, Addresses: set, TTL: 1}}
	})
	switch {
	case err != nil:
		fmt.Println("error")
	case res.Applied:
		fmt.Println("applied")
	}
	if res.Attempts > 1 {
		fmt.Println("conflict")
	}
	return res.Applied
}

// slow delays a write between the decision and the message.
type slow struct{ *RFC2136 }

func (s slow) Commit(ctx context.Context, name string, expect Current, to Change) (controlplane.Status, error) {
	stall()
	return s.RFC2136.Commit(ctx, name, expect, to)
}

// bare is the same enactor without the fence: the same single message, but for
// its prerequisites.
type bare struct{ *RFC2136 }

func (b bare) Commit(ctx context.Context, name string, _ Current, to Change) (controlplane.Status, error) {
	stall()
	m := new(mdns.Msg)
	m.SetUpdate(b.Zone)
	gen := dns.GenerationName(name)
	m.RemoveRRset([]mdns.RR{header(gen, mdns.TypeTXT), header(name, mdns.TypeA)})
	m.Insert(append([]mdns.RR{text(gen, to.Record.String())}, addressRRs(name, to.Addresses, to.TTL)...))
	return b.send(ctx, "commit", m)
}

// trees is the design of October 2025 in DNS: the records of each generation
// under a name of their own, an alias that is switched to them after one look
// at freshness, and a cleaner that removes what is old in the eyes of the one
// who cleans. There is no prerequisite in any message.
func trees(prov *RFC2136, gen int) bool {
	ctx := context.Background()
	if active(prov) >= gen {
		return false
	}
	stall()
	tree := func(g int) string { return fmt.Sprintf("g%d.tree.%s", g, raceZone) }
	send := func(build func(m *mdns.Msg)) bool {
		m := new(mdns.Msg)
		m.SetUpdate(raceZone)
		build(m)
		status, _ := prov.send(ctx, "trees", m)
		return status == controlplane.Applied
	}
	send(func(m *mdns.Msg) { m.Insert(addressRRs(tree(gen), planned(gen), 1)) })
	ok := send(func(m *mdns.Msg) {
		m.RemoveRRset([]mdns.RR{header(raceName, mdns.TypeCNAME)})
		m.Insert([]mdns.RR{&mdns.CNAME{Hdr: mdns.RR_Header{Name: raceName, Rrtype: mdns.TypeCNAME, Class: mdns.ClassINET, Ttl: 1}, Target: tree(gen)}})
	})
	if ok {
		fmt.Println("applied")
	}
	send(func(m *mdns.Msg) {
		for g := max(0, gen-keep-40); g <= gen-keep; g++ {
			m.RemoveRRset([]mdns.RR{header(tree(g), mdns.TypeA)})
		}
	})
	return true
}

// active asks which tree the alias points to, -1 when that cannot be read.
func active(prov *RFC2136) int {
	q := new(mdns.Msg)
	q.SetQuestion(raceName, mdns.TypeCNAME)
	m, _, err := prov.client().Exchange(q, prov.Server)
	if err != nil || len(m.Answer) == 0 {
		return -1
	}
	return treeOf(m)
}

// treeOf reads the generation out of an alias, -1 without one.
func treeOf(m *mdns.Msg) int {
	for _, rr := range m.Answer {
		if c, ok := rr.(*mdns.CNAME); ok {
			label, _, _ := strings.Cut(strings.TrimPrefix(c.Target, "g"), ".")
			if n, err := strconv.Atoi(label); err == nil {
				return n
			}
		}
	}
	return -1
}
