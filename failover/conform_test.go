package failover

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ddx/controlplane"
	"ddx/dns"
	"ddx/dnstest"

	mdns "github.com/miekg/dns"
)

// model is an endpoint as the fence's rules say it behaves: a pure value.
type model struct {
	text  string // generation record, "" without one
	addrs Addresses
}

// commit is the fence. pinsAbsence says whether "no record of this family" can
// be required: a dynamic update can, a batch only if it creates that family.
func (m model) commit(expect Current, to Change, pinsAbsence bool) (model, controlplane.Status) {
	if len(to.Addresses) == 0 {
		return m, controlplane.Refused
	}
	want := ""
	if expect.Owned {
		want = expect.Text
	}
	if m.text != want {
		return m, controlplane.Conflict
	}
	next := slices.Clone(to.Addresses)
	for _, typ := range []string{"A", "AAAA"} {
		have, expected, created := m.addrs.Type(typ), expect.Addresses.Type(typ), to.Addresses.Type(typ)
		switch {
		case have.String() == expected.String():
		case len(expected) == 0 && len(created) == 0 && !pinsAbsence:
			next = append(next, have...) // what others added meanwhile stays; the hash tells
		default:
			return m, controlplane.Conflict
		}
	}
	return model{to.Record.String(), Sorted(next...)}, controlplane.Applied
}

func (m model) current() Current {
	c := Current{Text: m.text, Owned: m.text != "", Addresses: m.addrs, TextTTL: textTTL, TTL: 30}
	if c.Owned {
		c.Record, _ = ParseRecord(m.text)
	}
	return c
}

// fakeZone is a zone with batches that match exactly, as Route 53 has: the pure
// model behind a network that can lose requests and answers, or deny.
type fakeZone struct {
	mu     sync.Mutex
	zone   *controlplane.Zone
	before func()                  // called before a batch is looked at, without the lock
	after  func(controlplane.Zone) // called with each new state, under the lock: no state goes unseen
	lost   func() bool             // the answer of this batch gets lost after it was applied
	drop   func() bool             // this batch gets lost before it is looked at
	denied bool
}

var errNetwork = errors.New("connection reset")

// now returns the zone; the caller holds the lock.
func (z *fakeZone) now() controlplane.Zone {
	if z.zone == nil {
		fresh := controlplane.NewZone(raceZone, "ns."+raceZone)
		z.zone = &fresh
	}
	return *z.zone
}

func (z *fakeZone) List(_ context.Context, name string) ([]RRSet, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	var out []RRSet
	for _, k := range z.now().Keys() {
		if s, _ := z.now().Set(k); k.Name == name {
			out = append(out, RRSet{Name: k.Name, Type: k.Type, TTL: s.TTL, Values: s.Data})
		}
	}
	return out, nil
}

func (z *fakeZone) Apply(_ context.Context, changes []BatchChange) error {
	if z.before != nil {
		z.before()
	}
	if z.drop != nil && z.drop() {
		return errNetwork
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.denied {
		return fmt.Errorf("%w: not authorised", ErrBatchDenied)
	}
	var batch []controlplane.Change
	for _, c := range changes {
		action := controlplane.Create
		if c.Action == Delete {
			action = controlplane.Delete
		}
		batch = append(batch, controlplane.Change{Action: action, Key: controlplane.Key{Name: c.Set.Name, Type: c.Set.Type}, Set: controlplane.RecordSet{TTL: c.Set.TTL, Data: c.Set.Values}})
	}
	next, err := z.now().Change(controlplane.BatchRules{}, batch)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBatchInvalid, err)
	}
	z.zone = &next
	if z.after != nil {
		z.after(next)
	}
	if z.lost != nil && z.lost() {
		return errNetwork
	}
	return nil
}

func (z *fakeZone) InSync(context.Context) (bool, error) { return true, nil }

// edit changes the zone behind the fence's back, as a person would.
func (z *fakeZone) edit(m model) {
	z.mu.Lock()
	defer z.mu.Unlock()
	fresh := controlplane.NewZone(raceZone, "ns."+raceZone)
	var batch []controlplane.Change
	for _, s := range content(raceName, m.text != "", m.text, textTTL, m.addrs, 30) {
		batch = append(batch, controlplane.Change{Key: controlplane.Key{Name: s.Name, Type: s.Type}, Set: controlplane.RecordSet{TTL: s.TTL, Data: s.Values}})
	}
	if next, err := fresh.Change(controlplane.BatchRules{}, batch); err == nil {
		fresh = next
	}
	z.zone = &fresh
}

// subject is a provider under test and the way to edit behind its back.
type subject struct {
	prov    Provider
	edit    func(model)
	denied  Provider // the same zone with the wrong credentials
	absence bool     // the fence can require that there is none
}

func dynamicSubject(t *testing.T, p *dnstest.Process) subject {
	prov := raceProvider(p)
	wrong := *prov
	wrong.Secret = "d3JvbmcgYnV0IHdlbGwgZm9ybWVkIGtleSBvZiAzMiBieXRlcw=="
	return subject{prov: prov, denied: &wrong, absence: true, edit: func(m model) {
		msg := new(mdns.Msg)
		msg.SetUpdate(raceZone)
		gen, host := dns.GenerationName(raceName), raceName
		msg.RemoveRRset([]mdns.RR{header(gen, mdns.TypeTXT), header(host, mdns.TypeA), header(host, mdns.TypeAAAA)})
		if m.text != "" {
			msg.Insert([]mdns.RR{text(gen, m.text)})
		}
		msg.Insert(addressRRs(host, m.addrs, 30))
		if status, err := prov.send(context.Background(), "edit", msg); status != controlplane.Applied {
			t.Fatalf("edit: %s %v", statusName(status), err)
		}
	}}
}

// conform runs one random sequence of commands against a subject and the model.
func conform(t *testing.T, s subject, seed uint64, commands int) (tally map[controlplane.Status]int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 2136))
	ctx := context.Background()
	tally = map[controlplane.Status]int{}
	pool := []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")}
	some := func(least int) Addresses {
		n := least + rng.IntN(len(pool)-least)
		p := rng.Perm(len(pool))[:n]
		var out []netip.Addr
		for _, i := range p {
			out = append(out, pool[i])
		}
		return Sorted(out...)
	}
	record := func() Record {
		return Record{Generation: controlplane.Generation(rng.IntN(6) + 1), Hash: fmt.Sprint(rng.IntN(3)), Owner: "o", Nonce: fmt.Sprint(rng.IntN(4)), Since: time.Unix(9, 0).UTC(), Size: rng.IntN(3), Frozen: rng.IntN(4) == 0}
	}
	m := model{}
	s.edit(m)
	seen := []Current{{}}
	for i := range commands {
		switch k := rng.IntN(12); {
		case k < 2: // somebody edits behind our back, down to nothing
			m = model{addrs: some(0)}
			if rng.IntN(3) > 0 {
				m.text = record().String()
			}
			s.edit(m)
		case k == 2:
			if err := s.prov.Verify(ctx, raceName); err != nil {
				t.Fatalf("seed %d command %d: verify: %v", seed, i, err)
			}
		case k == 3:
			if status, err := s.denied.Commit(ctx, raceName, m.current(), Change{record(), some(1), 30}); status != controlplane.Refused || err == nil {
				t.Fatalf("seed %d command %d: wrong credentials: %s %v", seed, i, statusName(status), err)
			}
			if err := s.denied.Verify(ctx, raceName); err == nil {
				t.Fatalf("seed %d command %d: wrong credentials verify", seed, i)
			}
		default:
			expect := seen[len(seen)-1]
			switch rng.IntN(6) {
			case 0: // what was read some time ago
				expect = seen[rng.IntN(len(seen))]
			case 1: // right record, other addresses: a part or more of the set
				expect = m.current()
				expect.Addresses = some(0)
			case 2: // right addresses, other record
				expect = m.current()
				expect.Record = record()
				expect.Text, expect.Owned = expect.Record.String(), true
			case 3:
				expect = m.current()
				expect.Owned, expect.Text = false, ""
			}
			to := Change{record(), nil, 30}
			if rng.IntN(8) > 0 {
				to.Addresses = some(1)
			}
			var want controlplane.Status
			m, want = m.commit(expect, to, s.absence)
			got, err := s.prov.Commit(ctx, raceName, expect, to)
			tally[got]++
			if got != want {
				t.Fatalf("seed %d command %d: commit expecting %q %s: %s %v, the model says %s", seed, i, expect.Text, expect.Addresses, statusName(got), err, statusName(want))
			}
		}
		cur, err := s.prov.Read(ctx, raceName)
		if err != nil {
			t.Fatalf("seed %d command %d: read: %v", seed, i, err)
		}
		if cur.Text != m.text || cur.Addresses.String() != m.addrs.String() {
			t.Fatalf("seed %d command %d: holds %q %s, the model %q %s", seed, i, cur.Text, cur.Addresses, m.text, m.addrs)
		}
		seen = append(seen, cur)
	}
	return tally
}

// TestConformance puts the same random commands to the pure model, to the model
// with exact-match batches, to Route 53 (its fake, over HTTP and the SDK) and to
// the real servers: all outcomes agree.
func TestConformance(t *testing.T) {
	subjects := map[string]func(*testing.T) subject{"batch": func(*testing.T) subject {
		z := &fakeZone{}
		return subject{prov: Batch{z}, edit: z.edit, denied: Batch{&fakeZone{denied: true}}}
	}}
	subjects["route53"] = func(t *testing.T) subject {
		f := StartRoute53(t, "127.0.0.1", dnstest.FreePort(t))
		return subject{prov: Batch{OpenRoute53(f.URL)}, denied: Batch{f.Denied()}, edit: func(m model) {
			f.Replace([]string{raceName, dns.GenerationName(raceName)}, content(raceName, m.text != "", m.text, textTTL, m.addrs, 30))
		}}
	}
	order := []string{"batch", "route53"}
	for _, s := range raceServers {
		order = append(order, s.name)
		subjects[s.name] = func(t *testing.T) subject {
			return dynamicSubject(t, s.start(t, "127.0.0.1", dnstest.FreePort(t), dnstest.Zones{raceZone: emptyZone}))
		}
	}
	for _, name := range order {
		t.Run(name, func(t *testing.T) {
			s := subjects[name](t)
			sum := map[controlplane.Status]int{}
			for seed := range uint64(6) {
				for k, v := range conform(t, s, seed, 80) {
					sum[k] += v
				}
			}
			t.Logf("commits applied %d, conflict %d, refused %d", sum[controlplane.Applied], sum[controlplane.Conflict], sum[controlplane.Refused])
			if sum[controlplane.Applied] < 20 || sum[controlplane.Conflict] < 20 {
				t.Error("too little happened to prove anything")
			}
		})
	}
}

// What the real servers say to a record outside the zone: the whole message is
// refused, also the good half.
func TestForeignNameIsRefused(t *testing.T) {
	for _, s := range raceServers {
		t.Run(s.name, func(t *testing.T) {
			prov := raceProvider(s.start(t, "127.0.0.1", dnstest.FreePort(t), dnstest.Zones{raceZone: emptyZone}))
			status, err := prov.Commit(t.Context(), "api.other.example.", Current{}, Change{Record{Generation: 1, Hash: "x"}, planned(1), 30})
			if status != controlplane.Refused || err == nil || !strings.Contains(err.Error(), "check the zone") {
				t.Errorf("%s %v", statusName(status), err)
			}
		})
	}
}

// The server's policy of docs/failover.md is enough, and not one name more.
func TestLeastPrivilege(t *testing.T) {
	const policy = "update-policy { grant ddx-test name api.race.example. A AAAA; grant ddx-test name _ddx.api.race.example. TXT; grant ddx-test name _rehearse._ddx.api.race.example. TXT; };"
	prov := raceProvider(dnstest.BindPolicy(t, "127.0.0.1", dnstest.FreePort(t), dnstest.Zones{raceZone: emptyZone}, "", policy))
	if err := prov.Verify(t.Context(), raceName); err != nil {
		t.Error(err)
	}
	change := Change{Record{Generation: 1, Hash: hash(planned(1), 30)}, planned(1), 30}
	if status, err := prov.Commit(t.Context(), raceName, Current{}, change); status != controlplane.Applied {
		t.Errorf("own name: %s %v", statusName(status), err)
	}
	if status, err := prov.Commit(t.Context(), "www."+raceZone, Current{}, change); status != controlplane.Refused || err == nil {
		t.Errorf("another name: %s %v", statusName(status), err)
	}
	if err := prov.Verify(t.Context(), "www."+raceZone); err == nil {
		t.Error("another name verifies")
	}
}
