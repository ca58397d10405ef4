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

// OpenRoute53 is a Route 53 hosted zone at a URL, with the credentials that the
// fake takes, and StartRoute53 starts such a fake. They are set by the tests of
// package failover_test, which may import what imports this package.
var (
	OpenRoute53  func(url string) Batcher
	StartRoute53 func(t testing.TB, ip string, port int) FakeRoute53
)

// FakeRoute53 is what the tests here need of the fake.
type FakeRoute53 struct {
	URL, DNS    string
	Start, Kill func()
	Replace     func(names []string, sets []RRSet) // behind the fence's back
	Denied      func() Batcher                     // with credentials that allow nothing
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
// it, for ever. The server is a name server's address or the URL of a Route 53.
func enactorProcess(mode, server, planFile, owner string) {
	var old oldDesign = dynamicTrees{&RFC2136{Zone: raceZone, Server: server, KeyName: dnstest.KeyName, KeyAlgo: dnstest.KeyAlgo, Secret: dnstest.KeySecret, Timeout: 500 * time.Millisecond}}
	if strings.HasPrefix(server, "http") {
		old = batchTrees{Batch{OpenRoute53(server)}}
	}
	for {
		gen := newest(planFile)
		worked := false
		switch mode {
		case "trees":
			worked = trees(old, gen)
		case "fenced":
			worked = fenced(slow{old}, gen, owner)
		case "bare":
			worked = fenced(bare{old}, gen, owner)
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
type slow struct{ Provider }

func (s slow) Commit(ctx context.Context, name string, expect Current, to Change) (controlplane.Status, error) {
	stall()
	return s.Provider.Commit(ctx, name, expect, to)
}

// bare is the same enactor without the fence: the same single message, but for
// what it requires to be there.
type bare struct{ oldDesign }

func (b bare) Commit(ctx context.Context, name string, _ Current, to Change) (controlplane.Status, error) {
	stall()
	return b.overwrite(ctx, name, to)
}

// oldDesign is a provider without the fence: how the enactors of October 2025
// write, on each kind of server.
type oldDesign interface {
	Provider
	overwrite(ctx context.Context, name string, to Change) (controlplane.Status, error)
	active() int       // the tree that the alias points to, -1 when that cannot be read
	build(gen int)     // a tree
	flip(gen int) bool // the alias
	clean(from, to int)
}

// trees is the design of October 2025 in DNS: the records of each generation
// under a name of their own, an alias that is switched to them after one look
// at freshness, and a cleaner that removes what is old in the eyes of the one
// who cleans. There is no prerequisite in any message.
func trees(z oldDesign, gen int) bool {
	if z.active() >= gen {
		return false
	}
	stall()
	z.build(gen)
	if z.flip(gen) {
		fmt.Println("applied")
	}
	z.clean(gen-keep-40, gen-keep)
	return true
}

func tree(gen int) string { return fmt.Sprintf("g%d.tree.%s", gen, raceZone) }

// generationOf reads the generation out of an alias target, -1 without one.
func generationOf(target string) int {
	label, _, _ := strings.Cut(strings.TrimPrefix(target, "g"), ".")
	if n, err := strconv.Atoi(label); err == nil {
		return n
	}
	return -1
}

// dynamicTrees writes by dynamic updates without a prerequisite.
type dynamicTrees struct{ *RFC2136 }

func (d dynamicTrees) update(build func(m *mdns.Msg)) (controlplane.Status, error) {
	m := new(mdns.Msg)
	m.SetUpdate(raceZone)
	build(m)
	return d.send(context.Background(), "race", m)
}

func (d dynamicTrees) overwrite(_ context.Context, name string, to Change) (controlplane.Status, error) {
	return d.update(func(m *mdns.Msg) {
		gen := dns.GenerationName(name)
		m.RemoveRRset([]mdns.RR{header(gen, mdns.TypeTXT), header(name, mdns.TypeA)})
		m.Insert(append([]mdns.RR{text(gen, to.Record.String())}, addressRRs(name, to.Addresses, to.TTL)...))
	})
}

func (d dynamicTrees) build(gen int) {
	d.update(func(m *mdns.Msg) { m.Insert(addressRRs(tree(gen), planned(gen), 1)) })
}

func (d dynamicTrees) flip(gen int) bool {
	status, _ := d.update(func(m *mdns.Msg) {
		m.RemoveRRset([]mdns.RR{header(raceName, mdns.TypeCNAME)})
		m.Insert([]mdns.RR{&mdns.CNAME{Hdr: mdns.RR_Header{Name: raceName, Rrtype: mdns.TypeCNAME, Class: mdns.ClassINET, Ttl: 1}, Target: tree(gen)}})
	})
	return status == controlplane.Applied
}

func (d dynamicTrees) clean(from, to int) {
	d.update(func(m *mdns.Msg) {
		for g := max(0, from); g <= to; g++ {
			m.RemoveRRset([]mdns.RR{header(tree(g), mdns.TypeA)})
		}
	})
}

func (d dynamicTrees) active() int {
	q := new(mdns.Msg)
	q.SetQuestion(raceName, mdns.TypeCNAME)
	m, _, err := d.client().Exchange(q, d.Server)
	if err != nil || len(m.Answer) == 0 {
		return -1
	}
	return treeOf(m)
}

// treeOf reads the generation out of an alias, -1 without one.
func treeOf(m *mdns.Msg) int {
	for _, rr := range m.Answer {
		if c, ok := rr.(*mdns.CNAME); ok {
			return generationOf(c.Target)
		}
	}
	return -1
}

// batchTrees writes by batches that overwrite.
type batchTrees struct{ Batch }

const upsert Action = "UPSERT" // the product never overwrites

func (b batchTrees) overwrite(ctx context.Context, name string, to Change) (controlplane.Status, error) {
	var changes []BatchChange
	for _, s := range content(name, true, to.Record.String(), textTTL, to.Addresses, to.TTL) {
		changes = append(changes, BatchChange{upsert, s})
	}
	if err := b.Zone.Apply(ctx, changes); err != nil {
		return controlplane.Unknown, err
	}
	return controlplane.Applied, nil
}

func (b batchTrees) set(gen int) RRSet {
	return RRSet{Name: tree(gen), Type: "A", TTL: 1, Values: strings.Fields(planned(gen).String())}
}

func (b batchTrees) build(gen int) {
	b.Zone.Apply(context.Background(), []BatchChange{{upsert, b.set(gen)}})
}

func (b batchTrees) flip(gen int) bool {
	return b.Zone.Apply(context.Background(), []BatchChange{{upsert, RRSet{Name: raceName, Type: "CNAME", TTL: 1, Values: []string{tree(gen)}}}}) == nil
}

// clean asks what is there first: a batch that deletes what is not fails whole.
func (b batchTrees) clean(from, to int) {
	var changes []BatchChange
	for g := max(0, from, to-8); g <= to; g++ {
		if sets, err := b.Zone.List(context.Background(), tree(g)); err == nil && len(sets) > 0 {
			changes = append(changes, BatchChange{Delete, b.set(g)})
		}
	}
	if len(changes) > 0 {
		b.Zone.Apply(context.Background(), changes)
	}
}

func (b batchTrees) active() int {
	sets, err := b.Zone.List(context.Background(), raceName)
	if err != nil || len(sets) == 0 || sets[0].Type != "CNAME" {
		return -1
	}
	return generationOf(sets[0].Values[0])
}
