package failover

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ddx/controlplane"
	"ddx/dnstest"

	mdns "github.com/miekg/dns"
)

// TestZoneModel puts random dynamic updates, with every kind of prerequisite
// and of change, to the pure zone that the explorer uses and to the real
// servers: the response codes and the content agree after each.
func TestZoneModel(t *testing.T) {
	for _, s := range raceServers {
		t.Run(s.name, func(t *testing.T) {
			prov := raceProvider(s.start(t, "127.0.0.1", dnstest.FreePort(t), dnstest.Zones{raceZone: emptyZone}))
			codes := map[controlplane.Rcode]int{}
			zone := controlplane.NewZone(raceZone, "ns."+raceZone)
			rng := rand.New(rand.NewPCG(53, 2136))
			for i := range 300 {
				pre, up := randomUpdate(rng, zone)
				if s.name == "pdns" { // PowerDNS 4.7 does not delete what the same message added before
					slices.SortStableFunc(up, func(a, b controlplane.RecordUpdate) int {
						return int(min(1, b.Kind)) - int(min(1, a.Kind))
					})
				}
				m := message(pre, up)
				m.SetTsig(prov.KeyName, prov.KeyAlgo, 300, time.Now().Unix())
				r, _, err := prov.client().Exchange(m, prov.Server)
				if err != nil {
					t.Fatalf("update %d: %v\n%s", i, err, m)
				}
				next, want := zone.Update(pre, up)
				codes[want]++
				if controlplane.Rcode(r.Rcode) != want {
					t.Fatalf("update %d: %s, the model says %s\n%s", i, mdns.RcodeToString[r.Rcode], mdns.RcodeToString[int(want)], m)
				}
				zone = next
				sameContent(t, prov, zone, i, m)
			}
			t.Logf("response codes, the same in both: %v", codes)
			for _, c := range []controlplane.Rcode{controlplane.RcodeNoError, controlplane.RcodeNXDomain, controlplane.RcodeYXDomain, controlplane.RcodeYXRRSet, controlplane.RcodeNXRRSet, controlplane.RcodeNotZone} {
				if codes[c] == 0 {
					t.Errorf("%s never came up", mdns.RcodeToString[int(c)])
				}
			}
		})
	}
}

var (
	modelNames = []string{"a." + raceZone, "b." + raceZone, "_ddx.a." + raceZone}
	modelData  = map[string][]string{"A": {"10.0.0.1", "10.0.0.2", "10.0.0.3"}, "AAAA": {"2001:db8::1", "2001:db8::2"}, "TXT": {`"gen=1"`, `"gen=2"`}}
	modelTypes = []string{"A", "AAAA", "TXT"}
)

// randomUpdate makes a message whose prerequisites often hold.
func randomUpdate(rng *rand.Rand, z controlplane.Zone) (pre []controlplane.Prerequisite, up []controlplane.RecordUpdate) {
	pick := func() (string, string) {
		name := modelNames[rng.IntN(3)]
		if strings.HasPrefix(name, "_") {
			return name, "TXT" // BIND refuses addresses at names that are no host names
		}
		return name, modelTypes[rng.IntN(3)]
	}
	for range rng.IntN(3) {
		name, typ := pick()
		p := controlplane.Prerequisite{Kind: controlplane.PrerequisiteKind(rng.IntN(5)), Name: name, Type: typ}
		if p.Kind == controlplane.SetEquals {
			set, ok := z.Set(controlplane.Key{Name: name, Type: typ})
			if p.Data = slices.Clone(set.Data); !ok || rng.IntN(3) == 0 {
				p.Data = []string{modelData[typ][rng.IntN(2)]}
			}
			rng.Shuffle(len(p.Data), func(i, j int) { p.Data[i], p.Data[j] = p.Data[j], p.Data[i] })
			if slices.ContainsFunc(pre, func(o controlplane.Prerequisite) bool { return o.Kind == p.Kind && o.Name == name && o.Type == typ }) {
				continue
			}
		}
		pre = append(pre, p)
	}
	for range 1 + rng.IntN(3) {
		name, typ := pick()
		u := controlplane.RecordUpdate{Kind: controlplane.UpdateKind(rng.IntN(4)), Name: name, Type: typ, TTL: 30, Data: modelData[typ][rng.IntN(len(modelData[typ]))]}
		if rng.IntN(3) > 0 {
			u.Kind = controlplane.AddRecord
		}
		if rng.IntN(25) == 0 {
			// PowerDNS looks for foreign names before it looks at prerequisites,
			// RFC 2136 and the others after: nothing is applied either way.
			u.Name, pre = "a.other.example.", nil
		}
		up = append(up, u)
	}
	return pre, up
}

// message writes the model's update as a DNS message.
func message(pre []controlplane.Prerequisite, up []controlplane.RecordUpdate) *mdns.Msg {
	m := new(mdns.Msg)
	m.SetUpdate(raceZone)
	rr := func(name, typ, data string) []mdns.RR {
		r, err := mdns.NewRR(fmt.Sprintf("%s 30 IN %s %s", name, typ, data))
		if err != nil {
			panic(err) // the table above is wrong
		}
		return []mdns.RR{r}
	}
	for _, p := range pre {
		set := []mdns.RR{header(p.Name, mdns.StringToType[p.Type])}
		switch p.Kind {
		case controlplane.NameInUse:
			m.NameUsed(set)
		case controlplane.NameNotInUse:
			m.NameNotUsed(set)
		case controlplane.SetExists:
			m.RRsetUsed(set)
		case controlplane.SetAbsent:
			m.RRsetNotUsed(set)
		case controlplane.SetEquals:
			for _, d := range p.Data {
				m.Used(rr(p.Name, p.Type, d))
			}
		}
	}
	for _, u := range up {
		switch u.Kind {
		case controlplane.AddRecord:
			m.Insert(rr(u.Name, u.Type, u.Data))
		case controlplane.DeleteSet:
			m.RemoveRRset([]mdns.RR{header(u.Name, mdns.StringToType[u.Type])})
		case controlplane.DeleteName:
			m.RemoveName([]mdns.RR{header(u.Name, mdns.StringToType[u.Type])})
		case controlplane.DeleteRecord:
			m.Remove(rr(u.Name, u.Type, u.Data))
		}
	}
	return m
}

// sameContent compares what the server answers with what the model holds.
func sameContent(t *testing.T, prov *RFC2136, z controlplane.Zone, i int, m *mdns.Msg) {
	t.Helper()
	for _, name := range modelNames {
		for _, typ := range modelTypes {
			rrs, _, err := prov.ask(context.Background(), name, mdns.StringToType[typ])
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, rr := range rrs {
				got = append(got, strings.TrimPrefix(rr.String(), rr.Header().String()))
			}
			slices.Sort(got)
			want, _ := z.Set(controlplane.Key{Name: name, Type: typ})
			if !slices.Equal(got, want.Data) {
				t.Fatalf("update %d: %s %s holds %q, the model %q\n%s", i, name, typ, got, want.Data, m)
			}
		}
	}
}
