package failover

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"ddx/controlplane"
)

func addrs(s ...string) Addresses {
	var out []netip.Addr
	for _, a := range s {
		out = append(out, netip.MustParseAddr(a))
	}
	return Sorted(out...)
}

func testEnactor(z *fakeZone, owner string) *Enactor {
	return &Enactor{Provider: Batch{z}, Name: raceName, Owner: owner, Nonce: NewNonce, Wait: func(context.Context, int) error { return nil }}
}

// next decides for the generation after the one that is there.
func next(set Addresses) func(Current) Decision {
	return func(cur Current) Decision {
		if cur.Addresses.String() == set.String() {
			return Decision{Verdict: VerdictUnchanged}
		}
		return Decision{Verdict: VerdictChange, Change: Change{Record: Record{Generation: cur.Record.Generation + 1, Hash: hash(set, 30)}, Addresses: set, TTL: 30}}
	}
}

// once returns a function that is true the first n times.
func once(n int) func() bool {
	return func() bool { n--; return n >= 0 }
}

func TestEnact(t *testing.T) {
	set, other := addrs("10.0.0.1", "10.0.0.2"), addrs("10.9.9.9")
	start := func() (*fakeZone, *Enactor) {
		z := &fakeZone{}
		z.edit(model{Record{Generation: 7, Hash: hash(other, 30)}.String(), other})
		return z, testEnactor(z, "me")
	}
	t.Run("applies", func(t *testing.T) {
		_, e := start()
		res, err := e.Enact(t.Context(), next(set))
		if err != nil || !res.Applied || res.Attempts != 1 || res.Current.Record.Generation != 8 || res.Current.Record.Owner != "me" {
			t.Errorf("%+v %v", res, err)
		}
	})
	t.Run("answer lost: recognises its own write", func(t *testing.T) {
		z, e := start()
		z.lost = once(1)
		res, err := e.Enact(t.Context(), next(set))
		if err != nil || !res.Applied || res.Current.Record.Generation != 8 {
			t.Errorf("%+v %v", res, err)
		}
	})
	t.Run("request lost: sends it again", func(t *testing.T) {
		z, e := start()
		z.drop = once(2)
		res, err := e.Enact(t.Context(), next(set))
		if err != nil || !res.Applied || res.Current.Record.Generation != 8 || res.Attempts < 3 {
			t.Errorf("%+v %v", res, err)
		}
	})
	t.Run("every request lost: gives up and says so", func(t *testing.T) {
		z, e := start()
		z.drop = func() bool { return true }
		res, err := e.Enact(t.Context(), next(set))
		if err == nil || res.Applied || !strings.Contains(err.Error(), "gave up") {
			t.Errorf("%+v %v", res, err)
		}
	})
	t.Run("somebody was faster: decides anew on what is there", func(t *testing.T) {
		z, e := start()
		meet := once(1)
		z.before = func() {
			if meet() {
				z.edit(model{Record{Generation: 20, Hash: "x", Nonce: "theirs"}.String(), other})
			}
		}
		res, err := e.Enact(t.Context(), next(set))
		if err != nil || !res.Applied || res.Attempts != 2 || res.Current.Record.Generation != 21 {
			t.Errorf("%+v %v", res, err)
		}
	})
	t.Run("a person changed the addresses only: not overwritten by the old decision", func(t *testing.T) {
		z, e := start()
		meet := once(1)
		z.before = func() {
			if meet() {
				z.edit(model{Record{Generation: 7, Hash: hash(other, 30)}.String(), addrs("10.7.7.7")})
			}
		}
		decisions := 0
		res, err := e.Enact(t.Context(), func(cur Current) Decision {
			if decisions++; cur.Drifted() {
				return held("changed by others")
			}
			return next(set)(cur)
		})
		if err != nil || res.Applied || decisions != 2 || res.Current.Addresses.String() != "10.7.7.7" {
			t.Errorf("%+v %v", res, err)
		}
	})
	t.Run("denied", func(t *testing.T) {
		z, e := start()
		z.denied = true
		res, err := e.Enact(t.Context(), next(set))
		if err == nil || res.Applied || res.Attempts != 1 {
			t.Errorf("%+v %v", res, err)
		}
	})
	t.Run("an older generation is never written", func(t *testing.T) {
		_, e := start()
		res, err := e.Enact(t.Context(), func(Current) Decision {
			return Decision{Verdict: VerdictChange, Change: Change{Record: Record{Generation: 6, Hash: "x"}, Addresses: set, TTL: 30}}
		})
		if err == nil || res.Applied {
			t.Errorf("%+v %v", res, err)
		}
	})
	t.Run("an empty set is never written", func(t *testing.T) {
		_, e := start()
		res, err := e.Enact(t.Context(), func(Current) Decision {
			return Decision{Verdict: VerdictChange, Change: Change{Record: Record{Generation: 9, Hash: "x"}, TTL: 30}}
		})
		if err == nil || res.Applied {
			t.Errorf("%+v %v", res, err)
		}
	})
}

// watched sees every state that the zone ever has.
type watched struct {
	t       *testing.T
	highest controlplane.Generation
	changes int
}

func (w *watched) see(z controlplane.Zone) {
	n, gen := 0, controlplane.Generation(0)
	for _, k := range z.Keys() {
		s, _ := z.Set(k)
		switch k.Type {
		case "A":
			n += len(s.Data)
		case "TXT":
			r, err := ParseRecord(unquote(s.Data[0]))
			if err != nil {
				w.t.Error(err)
			}
			gen = r.Generation
		}
	}
	if n == 0 || gen <= w.highest {
		w.t.Errorf("%d addresses at generation %d after %d", n, gen, w.highest)
	}
	w.changes++
	w.highest = gen
}

// Many enactors side by side over a zone that loses requests and answers: it is
// never empty, never goes back, and no write that was told as applied is lost.
func TestEnactorsSideBySide(t *testing.T) {
	w := &watched{t: t, highest: 1}
	z := &fakeZone{after: w.see}
	z.edit(model{Record{Generation: 1, Hash: "x"}.String(), addrs("10.0.0.1")})
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(1, 2))
	chance := func(p float64) func() bool {
		return func() bool { mu.Lock(); defer mu.Unlock(); return rng.Float64() < p }
	}
	z.lost, z.drop = chance(0.1), chance(0.1)
	applied := 0
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			e := testEnactor(z, fmt.Sprint(i))
			for k := range 50 {
				set := addrs(fmt.Sprintf("10.1.%d.%d", i, k))
				res, err := e.Enact(context.Background(), next(set))
				mu.Lock()
				if err == nil && res.Applied {
					applied++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	t.Logf("%d changes in the zone, %d told as applied", w.changes, applied)
	if applied > w.changes || w.changes < 50 {
		t.Errorf("%d told as applied, %d changes", applied, w.changes)
	}
}

func TestRecord(t *testing.T) {
	r := Record{Generation: 4294967294, Hash: "ab", Owner: "o", Nonce: "n", Site: "east", Frozen: true, Since: time.Unix(1760942880, 0).UTC(), Size: 4}
	got, err := ParseRecord(r.String())
	if err != nil || got != r {
		t.Errorf("%+v %v", got, err)
	}
	for _, bad := range []string{"", "v=spf1", "ddx2 gen=1 hash=x", "ddx1 gen=1", "ddx1 gen=-1 hash=x", "ddx1 gen=1 hash=x gen=2", "ddx1 gen=1 hash=x new=field", "ddx1 gen=4294967295 hash=x"} {
		if r, err := ParseRecord(bad); err == nil {
			t.Errorf("%q: %+v", bad, r)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add(Record{Generation: 7, Hash: "ab", Owner: "o", Nonce: "n", Site: "s", Frozen: true}.String())
	f.Add("ddx1 gen=1 hash=x since=-5 size=99999999999999999999")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRecord(text)
		if err != nil {
			return
		}
		if again, err := ParseRecord(r.String()); err != nil || again != r {
			t.Errorf("%q: %+v, again %+v %v", text, r, again, err)
		}
	})
}
