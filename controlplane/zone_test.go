package controlplane

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func fencedZone(t *testing.T) Zone {
	t.Helper()
	z, rcode := NewZone("example.", "ns1.example.").Update(nil, []RecordUpdate{
		{Kind: AddRecord, Name: "_ddx.api.example.", Type: "TXT", TTL: 30, Data: "gen=7 owner=a"},
		{Kind: AddRecord, Name: "api.example.", Type: "A", TTL: 60, Data: "192.0.2.1"},
		{Kind: AddRecord, Name: "api.example.", Type: "A", TTL: 60, Data: "192.0.2.2"},
	})
	if rcode != RcodeNoError {
		t.Fatalf("set-up: rcode %d", rcode)
	}
	return z
}

// The outcomes are those that bind 9.18, Knot 3.2 and PowerDNS 4.7 gave alike.
func TestUpdate(t *testing.T) {
	gen := func(data ...string) Prerequisite {
		return Prerequisite{Kind: SetEquals, Name: "_DDX.api.example", Type: "txt", Data: data}
	}
	add := RecordUpdate{Kind: AddRecord, Name: "api.example.", Type: "A", TTL: 60, Data: "192.0.2.9"}
	tests := []struct {
		name   string
		pre    []Prerequisite
		update []RecordUpdate
		rcode  Rcode
		data   []string // of api.example A afterwards
	}{
		{"right value", []Prerequisite{gen("gen=7 owner=a")}, []RecordUpdate{add}, RcodeNoError, []string{"192.0.2.1", "192.0.2.2", "192.0.2.9"}},
		{"stale value", []Prerequisite{gen("gen=6 owner=a")}, []RecordUpdate{add}, RcodeNXRRSet, nil},
		{"must not exist, exists", []Prerequisite{{Kind: SetAbsent, Name: "api.example.", Type: "A"}}, []RecordUpdate{add}, RcodeYXRRSet, nil},
		{"must exist, does not", []Prerequisite{{Kind: SetExists, Name: "api.example.", Type: "AAAA"}}, []RecordUpdate{add}, RcodeNXRRSet, nil},
		{"name in use, is not", []Prerequisite{{Kind: NameInUse, Name: "none.example."}}, []RecordUpdate{add}, RcodeNXDomain, nil},
		{"name not in use, is", []Prerequisite{{Kind: NameNotInUse, Name: "api.example."}}, []RecordUpdate{add}, RcodeYXDomain, nil},
		{"whole set in another order", []Prerequisite{{Kind: SetEquals, Name: "api.example.", Type: "A", Data: []string{"192.0.2.2", "192.0.2.1"}}}, []RecordUpdate{add}, RcodeNoError, []string{"192.0.2.1", "192.0.2.2", "192.0.2.9"}},
		{"subset", []Prerequisite{{Kind: SetEquals, Name: "api.example.", Type: "A", Data: []string{"192.0.2.1"}}}, []RecordUpdate{add}, RcodeNXRRSet, nil},
		{"one record outside the zone: the good half is not applied", nil, []RecordUpdate{add, {Kind: AddRecord, Name: "api.example.org.", Type: "A", Data: "192.0.2.1"}}, RcodeNotZone, nil},
		{"deleting the last address is accepted", nil, []RecordUpdate{{Kind: DeleteSet, Name: "api.example.", Type: "A"}}, RcodeNoError, []string{}},
		{"a CNAME beside data is ignored", nil, []RecordUpdate{{Kind: AddRecord, Name: "api.example.", Type: "CNAME", Data: "x.example."}}, RcodeNoError, []string{"192.0.2.1", "192.0.2.2"}},
		{"deleting one record", nil, []RecordUpdate{{Kind: DeleteRecord, Name: "api.example.", Type: "A", Data: "192.0.2.1"}}, RcodeNoError, []string{"192.0.2.2"}},
		{"the apex keeps its NS set", nil, []RecordUpdate{{Kind: DeleteName, Name: "example."}, {Kind: DeleteRecord, Name: "example.", Type: "NS", Data: "ns1.example."}}, RcodeNoError, []string{"192.0.2.1", "192.0.2.2"}},
	}
	for _, tt := range tests {
		before := fencedZone(t)
		z, rcode := before.Update(tt.pre, tt.update)
		if rcode != tt.rcode {
			t.Errorf("%s: rcode %d, want %d", tt.name, rcode, tt.rcode)
		}
		want := tt.data
		if want == nil {
			want = []string{"192.0.2.1", "192.0.2.2"}
		}
		if _, got := z.Lookup("api.example.", "A"); !slices.Equal(got, want) {
			t.Errorf("%s: addresses %v, want %v", tt.name, got, want)
		}
		if _, got := before.Lookup("api.example.", "A"); len(got) != 2 {
			t.Errorf("%s: the zone before the update changed", tt.name)
		}
		if r, _ := z.Lookup("example.", "NS"); r != ReplyData {
			t.Errorf("%s: the zone lost its name servers", tt.name)
		}
		if changed := z.Serial() != before.Serial(); changed == (rcode != RcodeNoError) && tt.data != nil && len(tt.data) != 2 {
			t.Errorf("%s: serial %d after %d", tt.name, z.Serial(), before.Serial())
		}
	}
}

// With the generation record below the endpoint, an endpoint without addresses
// answers NODATA, not NXDOMAIN.
func TestLookup(t *testing.T) {
	z, _ := fencedZone(t).Update(nil, []RecordUpdate{{Kind: DeleteSet, Name: "api.example.", Type: "A"}})
	for name, want := range map[string]Reply{"api.example.": ReplyNoData, "none.example.": ReplyNXDomain, "example.org.": ReplyNotZone, "_ddx.api.example.": ReplyNoData} {
		if got, _ := z.Lookup(name, "A"); got != want {
			t.Errorf("%s: reply %d, want %d", name, got, want)
		}
	}
	z, err := z.Change(BatchRules{}, []Change{
		{Create, Key{"cdn.example.", "CNAME", ""}, RecordSet{TTL: 60, Data: []string{"api.example."}}},
		{Create, Key{"loop.example.", "CNAME", ""}, RecordSet{TTL: 60, Data: []string{"loop.example."}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cdn.example.", "loop.example."} {
		if got, _ := z.Lookup(name, "A"); got != ReplyNoData {
			t.Errorf("%s: reply %d, want no data", name, got)
		}
	}
}

func TestChange(t *testing.T) {
	a := Key{"api.example.", "A", ""}
	now := RecordSet{TTL: 60, Data: []string{"192.0.2.2", "192.0.2.1"}}
	tests := []struct {
		name  string
		batch []Change
		err   string
	}{
		{"empty", nil, "empty batch"},
		{"create what exists", []Change{{Create, a, now}}, "already exists"},
		{"delete exactly", []Change{{Delete, a, now}}, ""},
		{"delete with another TTL", []Change{{Delete, a, RecordSet{TTL: 61, Data: now.Data}}}, "do not match"},
		{"delete a subset", []Change{{Delete, a, RecordSet{TTL: 60, Data: now.Data[:1]}}}, "do not match"},
		{"delete what is not there", []Change{{Delete, Key{"no.example.", "A", ""}, now}}, "not found"},
		{"delete and create again", []Change{{Delete, a, now}, {Create, a, RecordSet{TTL: 5, Data: []string{"192.0.2.3"}}}}, ""},
		{"upsert outside", []Change{{Upsert, Key{"api.example.org.", "A", ""}, now}}, "outside the zone"},
		{"no value", []Change{{Upsert, a, RecordSet{TTL: 1}}}, "needs a value"},
		{"CNAME beside data", []Change{{Upsert, Key{"api.example.", "CNAME", ""}, RecordSet{TTL: 1, Data: []string{"x.example."}}}}, "CNAME"},
		{"weighted beside simple", []Change{{Create, Key{"api.example.", "A", "w1"}, now}}, "weighted"},
		{"apex NS", []Change{{Delete, Key{"example.", "NS", ""}, RecordSet{TTL: 3600, Data: []string{"ns1.example."}}}}, "top of the zone"},
		{"alias to nothing", []Change{{Upsert, a, RecordSet{Alias: "tree-9.example."}}}, "does not exist"},
	}
	for _, tt := range tests {
		before := fencedZone(t)
		z, err := before.Change(BatchRules{ValidateAlias: true}, tt.batch)
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.err)
		}
		if err != nil && z.Serial() != before.Serial() {
			t.Errorf("%s: refused and applied", tt.name)
		}
	}
}

// The two models of the zone give the same outcomes: any sequence of the
// enactor's commands does to an Endpoint what its Route 53 batches do to a Zone.
func TestEndpointRefinesZone(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		e, z := NewEndpoint(), endpointZone(t)
		for n := range 60 {
			c := randomCommand(r, e)
			next, ans := e.Apply(c, 5)
			zone, err := z.Change(BatchRules{ValidateAlias: true}, batchFor(c, e))
			if applied := ans.Status == Applied; applied != (err == nil) {
				t.Fatalf("seed %d step %d: %+v on %+v: endpoint says %d, zone says %v", seed, n, c, e, ans.Status, err)
			}
			if e = next; err == nil {
				z = zone
			}
			if kind, _ := z.Lookup("api.example.", "A"); (kind != ReplyData) != e.Empty() {
				t.Fatalf("seed %d step %d: zone answers %d, endpoint empty: %v", seed, n, kind, e.Empty())
			}
			if alias, _ := z.Set(Key{"api.example.", "A", ""}); alias.Alias != treeName(e.Active) {
				t.Fatalf("seed %d step %d: alias %s, endpoint %d", seed, n, alias.Alias, e.Active)
			}
		}
	}
}

func treeName(g Generation) string { return "t" + string(rune('0'+g)) + ".example." }

func endpointZone(t *testing.T) Zone {
	t.Helper()
	z, err := NewZone("example.", "ns1.example.").Change(BatchRules{ValidateAlias: true}, []Change{
		{Create, Key{treeName(0), "A", ""}, tree(0)},
		{Create, Key{"api.example.", "A", ""}, RecordSet{Alias: treeName(0)}},
		{Create, Key{"_gen.api.example.", "TXT", ""}, genRecord(0)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func tree(g Generation) RecordSet {
	return RecordSet{TTL: 5, Data: []string{"192.0.2." + string(rune('0'+g))}}
}

func genRecord(g Generation) RecordSet {
	return RecordSet{TTL: 5, Data: []string{"gen=" + string(rune('0'+g))}}
}

// randomCommand draws a command as an enactor or cleaner would send it.
func randomCommand(r *rand.Rand, e Endpoint) Command {
	plan := Generation(r.IntN(6))
	switch r.IntN(3) {
	case 0:
		return Command{Op: OpBuild, Plan: plan}
	case 1:
		doomed := e.Trees & Set(r.Uint64N(64))
		return Command{Op: OpDelete, Delete: doomed | e.Trees&-e.Trees}
	}
	c := Command{Op: OpCommit, Plan: plan, Require: RequireTarget | RequireRollback | RequireGeneration, Expect: e.Active, Build: r.IntN(2) == 0}
	if r.IntN(3) == 0 {
		c.Expect = Generation(r.IntN(6))
	}
	return c
}

// batchFor writes a command as the batch that a Route 53 driver would send.
func batchFor(c Command, e Endpoint) []Change {
	gen := Key{"_gen.api.example.", "TXT", ""}
	switch c.Op {
	case OpBuild:
		return []Change{{Upsert, Key{treeName(c.Plan), "A", ""}, tree(c.Plan)}}
	case OpDelete:
		batch := []Change{{Delete, gen, genRecord(e.Active)}, {Create, gen, genRecord(e.Active)}}
		for g := range Generation(6) {
			if c.Delete.Has(g) {
				batch = append(batch, Change{Delete, Key{treeName(g), "A", ""}, tree(g)})
			}
		}
		return batch
	}
	batch := []Change{{Delete, gen, genRecord(c.Expect)}, {Create, gen, genRecord(c.Plan)}}
	if c.Build {
		batch = append(batch, Change{Upsert, Key{treeName(c.Plan), "A", ""}, tree(c.Plan)})
	}
	return append(batch,
		Change{Upsert, Key{"api.example.", "A", ""}, RecordSet{Alias: treeName(c.Plan)}},
		Change{Upsert, Key{"rollback.example.", "A", ""}, RecordSet{Alias: treeName(e.Active)}})
}
