package failover

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// testPolicy has four addresses at home and two away.
func testPolicy() Policy {
	p := Policy{Name: raceName, TTL: 30, Minimum: 1, MaxShrink: 50, Window: 10 * time.Minute, Demand: 20}
	for _, a := range addrs("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4") {
		p.Targets = append(p.Targets, Target{a, "home", 10})
	}
	for _, a := range addrs("10.1.0.1", "10.1.0.2") {
		p.Targets = append(p.Targets, Target{a, "away", 10})
	}
	return p
}

// holding is an endpoint that holds the given addresses since long ago.
func holding(set Addresses, change func(*Record)) Current {
	r := Record{Generation: 7, Hash: hash(set, 30), Owner: "o", Nonce: "n", Site: "home", Since: now.Add(-time.Hour), Size: len(set)}
	if change != nil {
		change(&r)
	}
	return Current{Record: r, Text: r.String(), Owned: true, Addresses: set, TTL: 30, TextTTL: textTTL}
}

// seen gives the health of targets: "1u 2d 3?" means that the first is up.
func seen(text string) map[netip.Addr]Tally {
	all := []string{"", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.1.0.1", "10.1.0.2"}
	out := map[netip.Addr]Tally{}
	for _, f := range strings.Fields(text) {
		out[netip.MustParseAddr(all[f[0]-'0'])] = Tally{Health: map[byte]Health{'u': Up, 'd': Down, '?': Unknown}[f[1]]}
	}
	return out
}

func TestDecide(t *testing.T) {
	four := addrs("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4")
	on, off := true, false
	for _, c := range []struct {
		name    string
		change  func(*Policy)
		cur     Current
		health  string
		order   Order
		down    time.Duration // how long the side has been down
		verdict string
		holds   string // the new addresses, or a part of the reason
	}{
		{"all up", nil, holding(four, nil), "1u 2u 3u 4u", Order{}, 0, VerdictUnchanged, "generation 7"},
		{"one down", nil, holding(four, nil), "1u 2u 3u 4d", Order{}, 0, VerdictChange, "10.0.0.1 10.0.0.2 10.0.0.3"},
		{"one unknown stays", nil, holding(four, nil), "1u 2u 3u 4?", Order{}, 0, VerdictUnchanged, ""},
		{"nothing known", nil, holding(four, nil), "", Order{}, 0, VerdictUnchanged, ""},
		{"unknown is not added", nil, holding(addrs("10.0.0.1"), nil), "1u 2? 3? 4?", Order{}, 0, VerdictUnchanged, ""},
		{"back up", nil, holding(addrs("10.0.0.1", "10.0.0.2"), nil), "1u 2u 3u 4u", Order{}, 0, VerdictChange, "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4"},
		{"too much at once", nil, holding(four, nil), "1u 2d 3d 4d", Order{}, 0, VerdictHeld, "more than 50 %"},
		{"too much in the window", nil, holding(addrs("10.0.0.1", "10.0.0.2"), func(r *Record) { r.Since, r.Size = now.Add(-time.Minute), 4 }), "1u 2d", Order{}, 0, VerdictHeld, "of the 4 addresses"},
		{"the window is over", nil, holding(addrs("10.0.0.1", "10.0.0.2"), func(r *Record) { r.Since, r.Size = now.Add(-11*time.Minute), 4 }), "1u 2d", Order{}, 0, VerdictChange, "10.0.0.1"},
		{"below the minimum", func(p *Policy) { p.Minimum, p.MaxShrink = 4, 100 }, holding(four, nil), "1u 2u 3u 4d", Order{}, 0, VerdictHeld, "at least 4"},
		{"nothing healthy keeps the last good set", func(p *Policy) { p.MaxShrink = 100 }, holding(four, nil), "1d 2d 3d 4d", Order{}, time.Hour, VerdictHeld, "the last good set stays"},
		{"without a person the sides do not change", nil, holding(four, nil), "1d 2d 3d 4d 5u 6u", Order{}, time.Hour, VerdictHeld, "the last good set stays"},
		{"automatic, but not long enough", func(p *Policy) { p.Automatic, p.Patience = true, 2*time.Minute }, holding(four, nil), "1d 2d 3d 4d 5u 6u", Order{}, time.Minute, VerdictHeld, ""},
		{"automatic", func(p *Policy) { p.Automatic, p.Patience = true, 2*time.Minute }, holding(four, nil), "1d 2d 3d 4d 5u 6u", Order{}, 3 * time.Minute, VerdictChange, "10.1.0.1 10.1.0.2"},
		{"automatic, one unknown at home", func(p *Policy) { p.Automatic = true }, holding(four, nil), "1d 2d 3d 4? 5u 6u", Order{}, time.Hour, VerdictHeld, ""},
		{"automatic, the other side cannot carry it", func(p *Policy) { p.Automatic, p.Demand = true, 21 }, holding(four, nil), "1d 2d 3d 4d 5u 6u", Order{}, time.Hour, VerdictHeld, ""},
		{"cut over", nil, holding(four, nil), "1u 2u 3u 4u 5u 6u", Order{Site: "away"}, 0, VerdictChange, "10.1.0.1 10.1.0.2"},
		{"cut over to what is unknown", nil, holding(four, nil), "1u 5? 6?", Order{Site: "away"}, 0, VerdictHeld, "has 0 targets that are up"},
		{"cut over to nowhere", nil, holding(four, nil), "1u", Order{Site: "moon"}, 0, VerdictHeld, "sites: home away"},
		{"cut over to where it is", nil, holding(four, nil), "1u 2u 3u 4u", Order{Site: "home"}, 0, VerdictUnchanged, ""},
		{"not ours", nil, Current{Addresses: four, TTL: 30}, "1u 2u 3u 4d", Order{}, 0, VerdictHeld, "--adopt"},
		{"adopt", nil, Current{Addresses: four, TTL: 30}, "1u 2u 3u 4u", Order{Adopt: true}, 0, VerdictChange, "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4"},
		{"changed by others", nil, holding(four, func(r *Record) { r.Hash = "else" }), "1u 2u 3u 4d", Order{}, 0, VerdictHeld, "changed by others"},
		{"emptied by others", nil, holding(nil, func(r *Record) { r.Hash = "else" }), "1u 2u", Order{}, 0, VerdictHeld, "it holds no address"},
		{"emptied by others, taken over", nil, holding(nil, func(r *Record) { r.Hash = "else" }), "1u 2u", Order{Adopt: true}, 0, VerdictChange, "10.0.0.1 10.0.0.2"},
		{"frozen", nil, holding(four, func(r *Record) { r.Frozen = true }), "1u 2u 3u 4d", Order{}, 0, VerdictHeld, "frozen since generation 7"},
		{"frozen, also for a person", nil, holding(four, func(r *Record) { r.Frozen = true }), "5u 6u", Order{Site: "away"}, 0, VerdictHeld, "frozen"},
		{"freeze", nil, holding(four, nil), "1d", Order{Freeze: &on}, 0, VerdictChange, "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4"},
		{"thaw", nil, holding(four, func(r *Record) { r.Frozen = true }), "", Order{Freeze: &off}, 0, VerdictChange, "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4"},
		{"freeze twice", nil, holding(four, func(r *Record) { r.Frozen = true }), "", Order{Freeze: &on}, 0, VerdictUnchanged, ""},
		{"another TTL", func(p *Policy) { p.TTL = 10 }, holding(four, nil), "1u 2u 3u 4u", Order{}, 0, VerdictChange, "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4"},
		{"removed from the configuration", func(p *Policy) { p.Targets = p.Targets[1:] }, holding(four, nil), "2u 3u 4u", Order{}, 0, VerdictChange, "10.0.0.2 10.0.0.3 10.0.0.4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := testPolicy()
			if c.change != nil {
				c.change(&p)
			}
			since := time.Time{}
			if c.down > 0 {
				since = now.Add(-c.down)
			}
			d := Decide(p, c.cur, seen(c.health), c.order, since, now)
			got := d.Why
			if d.Verdict == VerdictChange {
				got = d.Change.Addresses.String()
				if d.Change.Record.Generation != c.cur.Record.Generation+1 || d.Change.Record.Hash != hash(d.Change.Addresses, d.Change.TTL) || len(d.Change.Addresses) == 0 {
					t.Errorf("change %+v", d.Change)
				}
				if got != c.holds {
					t.Errorf("%s, want %s (%s)", got, c.holds, d.Why)
				}
			} else if !strings.Contains(d.Why, c.holds) {
				t.Errorf("%q, want %q in it", d.Why, c.holds)
			}
			if d.Verdict != c.verdict {
				t.Errorf("%s, want %s: %s", d.Verdict, c.verdict, got)
			}
		})
	}
}

// Whatever is there and whatever health says, no decision empties an endpoint,
// goes back, or falls below the minimum.
func FuzzDecide(f *testing.F) {
	f.Add(uint8(15), uint8(3), uint16(0x1111), uint8(1), false)
	f.Fuzz(func(t *testing.T, have, down uint8, unknown uint16, minimum uint8, move bool) {
		p := testPolicy()
		p.Minimum = int(minimum % 6)
		var set []netip.Addr
		health := map[netip.Addr]Tally{}
		for i, tg := range p.Targets {
			if have>>i&1 != 0 {
				set = append(set, tg.Address)
			}
			h := Up
			if down>>i&1 != 0 {
				h = Down
			}
			if unknown>>i&1 != 0 {
				h = Unknown
			}
			health[tg.Address] = Tally{Health: h}
		}
		order := Order{}
		if move {
			order.Site = "away"
		}
		cur := holding(Sorted(set...), nil)
		d := Decide(p, cur, health, order, time.Time{}, now)
		if d.Verdict != VerdictChange {
			return
		}
		if n := len(d.Change.Addresses); n < max(1, p.Minimum) || d.Change.Record.Generation != cur.Record.Generation+1 {
			t.Errorf("%d addresses, generation %d", n, d.Change.Record.Generation)
		}
		for _, ip := range d.Added {
			if health[ip].Health != Up {
				t.Errorf("%s is added and is %s", ip, health[ip].Health)
			}
		}
		if !move && 2*len(d.Change.Addresses) < len(cur.Addresses) {
			t.Errorf("from %d to %d addresses at once", len(cur.Addresses), len(d.Change.Addresses))
		}
	})
}
