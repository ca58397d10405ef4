package failover

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"ddx/dns"
)

// Readiness is one line of a rehearsal. Unknown is not ready.
type Readiness struct {
	Name   string // health, capacity, ttl, credentials, record, zone
	Ready  Health // Up: ready, Down: not ready, Unknown: could not be looked at
	Detail string
}

// Rehearse proves, without changing anything, that a move to the given side
// would work: its targets are up and carry the load, clients would follow soon,
// and the provider would take the change. answers are a look at the endpoint in
// DNS, for the settings of its zone; nil when none could be had.
func Rehearse(ctx context.Context, p Policy, prov Provider, health map[netip.Addr]Tally, site string, answers *dns.Answers) []Readiness {
	var out []Readiness
	add := func(name string, ready Health, format string, args ...any) {
		out = append(out, Readiness{name, ready, fmt.Sprintf(format, args...)})
	}
	if !p.hasSite(site) {
		add("health", Down, "no target at %q; sites: %s", site, strings.Join(p.sites(), " "))
		return out
	}
	out = append(out, p.readyTargets(health, site)...)

	cur, err := prov.Read(ctx, p.Name)
	switch {
	case err != nil:
		add("record", Unknown, "%v", err)
	case !cur.Owned:
		add("record", Down, "%s carries no generation record: adopt it first", p.Name)
	case cur.Drifted():
		add("record", Down, "%s was changed by others since generation %d", p.Name, cur.Record.Generation)
	case cur.Record.Frozen:
		add("record", Down, "frozen since generation %d by %s", cur.Record.Generation, cur.Record.Owner)
	default:
		add("record", Up, "generation %d by %s, at side %q", cur.Record.Generation, cur.Record.Owner, cur.Record.Site)
	}
	if err == nil && len(cur.Addresses) > 0 {
		if limit := uint32(60); cur.TTL > limit {
			add("ttl", Down, "addresses are published with a TTL of %d s: clients follow that late; publish %d s or less now", cur.TTL, limit)
		} else {
			add("ttl", Up, "addresses are published with a TTL of %d s", cur.TTL)
		}
	}
	if err := prov.Verify(ctx, p.Name); err != nil {
		add("credentials", Down, "%v", err)
	} else {
		add("credentials", Up, "a change that changes nothing would be taken")
	}
	if answers == nil {
		add("zone", Unknown, "the endpoint was not looked at in DNS")
		return out
	}
	advice := dns.Lint(*answers)
	for _, a := range advice {
		ready := Down
		switch a.Rule {
		case "not-examined":
			ready = Unknown
		case "one-address", "one-server", "one-network", "address-ttl":
			continue // said above, or a risk of the day, not of the move
		}
		add("zone", ready, "%s: %s", a.Rule, a.Text)
	}
	if out[len(out)-1].Name != "zone" {
		add("zone", Up, "nothing in the zone would delay the move")
	}
	return out
}

// readyTargets says whether a side is up and carries the demand.
func (p Policy) readyTargets(health map[netip.Addr]Tally, site string) []Readiness {
	up, all, capacity := 0, 0, 0.0
	var not []string
	for _, t := range p.Targets {
		if t.Site != site {
			continue
		}
		all++
		if h := health[t.Address].Health; h == Up {
			up++
			capacity += t.Capacity
		} else {
			not = append(not, fmt.Sprintf("%s %s", t.Address, h))
		}
	}
	h := Readiness{"health", Up, fmt.Sprintf("%d of %d targets at %q are up", up, all, site)}
	if up < max(1, p.Minimum) {
		h.Ready = Down
		h.Detail += fmt.Sprintf(", at least %d are needed: %s", max(1, p.Minimum), strings.Join(not, ", "))
	}
	c := Readiness{"capacity", Up, fmt.Sprintf("targets that are up carry %.4g of a demand of %.4g", capacity, p.Demand)}
	switch {
	case p.Demand == 0:
		c.Ready, c.Detail = Unknown, "no demand is configured, so capacity cannot be judged"
	case capacity < p.Demand:
		c.Ready = Down
	}
	return []Readiness{h, c}
}
