package failover

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ddx/controlplane"
)

// Target is an address that may be in service.
type Target struct {
	Address  netip.Addr `yaml:"address"`
	Site     string     `yaml:"site"`     // side it belongs to; "" where there is one only
	Capacity float64    `yaml:"capacity"` // what it can carry, in the unit of Policy.Demand
}

// Policy is what an operator allows.
type Policy struct {
	Name      string // endpoint
	TTL       uint32 // of the addresses, seconds
	Targets   []Target
	Minimum   int           // never fewer addresses than this; at least 1
	MaxShrink int           // percent of the addresses that may go within Window
	Window    time.Duration //
	Automatic bool          // a decision without a person may change sides
	Patience  time.Duration // how long a side must be down as a whole before that
	Demand    float64       // what the side in service must carry
}

// Order is what a person asks for beyond keeping the healthy targets in service.
type Order struct {
	Adopt  bool   // take over a name that has no record, or that others changed
	Site   string // cut over to this side
	Freeze *bool  // stop or allow all changes, by everybody
}

// Decision is the answer of Decide.
type Decision struct {
	Verdict   string // "change", "unchanged" or "held"
	Why       string
	Change    Change
	Added     Addresses
	Removed   Addresses
	DownSince time.Time // since when the side in service has been down as a whole
}

// Verdicts of a decision.
const (
	VerdictChange    = "change"
	VerdictUnchanged = "unchanged"
	VerdictHeld      = "held" // guards say no; an alarm for a person
)

// Decide is the planner: what the endpoint should hold, given what it holds, the
// health of the targets and an order. It is pure, so that it can be asked again
// after every conflict. downSince is the DownSince of the decision before.
//
// The guards are those of controlplane.StepPlanner; its state is read from the
// generation record, so that all enactors share one shrink window.
func Decide(p Policy, cur Current, health map[netip.Addr]Tally, order Order, downSince, now time.Time) Decision {
	if d, stop := p.ownership(cur, order); stop {
		return d
	}
	site := cur.Record.Site
	if site == "" || !p.hasSite(site) {
		site = p.siteOf(cur.Addresses)
	}
	if order.Freeze != nil {
		return p.freeze(cur, site, *order.Freeze, now)
	}
	if cur.Record.Frozen {
		return held("frozen since generation %d by %s; 'ddx failover freeze --off' allows changes again", cur.Record.Generation, cur.Record.Owner)
	}
	moving := order.Site != "" && order.Site != site
	since := time.Time{}
	if p.allDown(site, health) {
		if since = downSince; since.IsZero() {
			since = now
		}
		if to := p.otherSide(site, health); order.Site == "" && p.Automatic && to != "" && now.Sub(since) >= p.Patience {
			order.Site, moving = to, true
		}
	}
	if moving {
		if !p.hasSite(order.Site) {
			return held("there is no target at %q; sites: %s", order.Site, strings.Join(p.sites(), " "))
		}
		site = order.Site
	}
	d := p.plan(cur, site, moving, health, order.Adopt, now)
	d.DownSince = since
	return d
}

// ownership holds back from names that are not ours.
func (p Policy) ownership(cur Current, order Order) (Decision, bool) {
	switch {
	case order.Adopt:
	case !cur.Owned:
		return held("%s carries no generation record, so it is not ours to change; 'ddx failover enact --adopt' takes it over", p.Name), true
	case cur.Drifted():
		return held("%s was changed by others since generation %d: it holds %s; put it right, or take it over with 'ddx failover enact --adopt'", p.Name, cur.Record.Generation, orNone(cur.Addresses)), true
	}
	return Decision{}, false
}

// plan asks the step function of the control plane.
func (p Policy) plan(cur Current, site string, moving bool, health map[netip.Addr]Tally, adopt bool, now time.Time) Decision {
	table := p.table(cur)
	if len(table) > 64 {
		return held("%d addresses, of which at most 64 can be handled", len(table))
	}
	var published, healthy, unsure controlplane.Targets
	for i, ip := range table {
		bit := controlplane.Targets(1) << i
		if slices.Contains(cur.Addresses, ip) {
			published |= bit
		}
		if !p.at(ip, site) {
			continue
		}
		switch h := health[ip].Health; {
		case h == Up:
			healthy |= bit
		case h == Unknown || h == "":
			unsure |= bit
		}
	}
	cfg := controlplane.PlannerConfig{MinTargets: max(1, p.Minimum), MaxShrink: p.MaxShrink, Window: p.Window, KeepLastGood: true}
	state := controlplane.Planner{
		Published:   controlplane.Plan{Generation: cur.Record.Generation, Targets: published},
		WindowSince: time.Duration(cur.Record.Since.UnixNano()),
		WindowSize:  cur.Record.Size,
	}
	if cur.Record.Since.IsZero() {
		state.WindowSince, state.WindowSize = time.Duration(now.UnixNano()), len(cur.Addresses)
	}
	ev := controlplane.PlannerEvent{Kind: controlplane.PlannerObserved, Healthy: healthy, Unsure: unsure, At: time.Duration(now.UnixNano())}
	ev.Reweighed = adopt || cur.TTL != p.TTL && len(cur.Addresses) > 0
	if moving {
		// Only targets that are seen up take over, and a person or the patience
		// of the policy has decided: the shrink window begins anew.
		if healthy == 0 || healthy.Len() < cfg.MinTargets {
			return held("side %q has %d targets that are up, of at least %d that are needed", site, healthy.Len(), cfg.MinTargets)
		}
		ev.Kind = controlplane.PlannerRollback
	}
	next, verdict := controlplane.StepPlanner(&cfg, state, ev)
	switch verdict {
	case controlplane.PlanUnchanged:
		return Decision{Verdict: VerdictUnchanged, Why: fmt.Sprintf("generation %d already holds what is healthy", cur.Record.Generation)}
	case controlplane.PlanHeldNoneUp:
		return held("no target at %q looks healthy: the last good set stays", site)
	case controlplane.PlanHeldTooFew:
		return held("%d targets would be left, of at least %d that are needed: the last good set stays", (healthy | unsure&published).Len(), cfg.MinTargets)
	case controlplane.PlanHeldShrinkRate:
		return held("%d of the %d addresses at the beginning of the window would be left; more than %d %% must not go within %s", (healthy | unsure&published).Len(), state.WindowSize, p.MaxShrink, p.Window)
	case controlplane.PlanHeldFrozen:
		return held("frozen")
	}
	var addrs []netip.Addr
	for i, ip := range table {
		if next.Published.Targets>>i&1 != 0 {
			addrs = append(addrs, ip)
		}
	}
	set := Sorted(addrs...)
	rec := Record{Generation: next.Published.Generation, Hash: hash(set, p.TTL), Site: site, Since: time.Unix(0, int64(next.WindowSince)).UTC(), Size: next.WindowSize}
	if moving {
		rec.Since, rec.Size = now, len(set)
	}
	d := Decision{Verdict: VerdictChange, Change: Change{Record: rec, Addresses: set, TTL: p.TTL}}
	for _, ip := range set {
		if !slices.Contains(cur.Addresses, ip) {
			d.Added = append(d.Added, ip)
		}
	}
	for _, ip := range cur.Addresses {
		if !slices.Contains(set, ip) {
			d.Removed = append(d.Removed, ip)
		}
	}
	d.Why = fmt.Sprintf("generation %d -> %d at side %q: %d addresses, %d added, %d removed", cur.Record.Generation, rec.Generation, site, len(set), len(d.Added), len(d.Removed))
	return d
}

// freeze is a new generation with the same addresses and the switch set: so it
// passes the same fence, and every enactor reads it.
func (p Policy) freeze(cur Current, site string, on bool, now time.Time) Decision {
	if cur.Record.Frozen == on {
		return Decision{Verdict: VerdictUnchanged, Why: fmt.Sprintf("frozen is already %t", on)}
	}
	if len(cur.Addresses) == 0 {
		return held("%s has no address: there is nothing to freeze", p.Name)
	}
	rec := cur.Record
	rec.Generation, rec.Frozen, rec.Site, rec.Hash = rec.Generation+1, on, site, hash(cur.Addresses, cur.TTL)
	return Decision{Verdict: VerdictChange, Why: fmt.Sprintf("generation %d: frozen %t, addresses as they are", rec.Generation, on),
		Change: Change{Record: rec, Addresses: cur.Addresses, TTL: cur.TTL}}
}

// table lists every address that a bit stands for.
func (p Policy) table(cur Current) []netip.Addr {
	all := slices.Clone([]netip.Addr(cur.Addresses))
	for _, t := range p.Targets {
		all = append(all, t.Address)
	}
	return Sorted(all...)
}

func (p Policy) at(ip netip.Addr, site string) bool {
	return slices.ContainsFunc(p.Targets, func(t Target) bool { return t.Address == ip && t.Site == site })
}

// sites lists the sides in the order of the policy.
func (p Policy) sites() []string {
	var out []string
	for _, t := range p.Targets {
		if !slices.Contains(out, t.Site) {
			out = append(out, t.Site)
		}
	}
	return out
}

func (p Policy) hasSite(site string) bool { return slices.Contains(p.sites(), site) }

// siteOf is the side that most of the addresses belong to, the first of the
// policy when none does.
func (p Policy) siteOf(addrs Addresses) string {
	best, most := "", -1
	for _, s := range p.sites() {
		n := 0
		for _, ip := range addrs {
			if p.at(ip, s) {
				n++
			}
		}
		if n > most {
			best, most = s, n
		}
	}
	return best
}

// allDown reports that every target of a side is seen down; one unknown is
// enough to say no.
func (p Policy) allDown(site string, health map[netip.Addr]Tally) bool {
	n := 0
	for _, t := range p.Targets {
		if t.Site == site {
			n++
			if health[t.Address].Health != Down {
				return false
			}
		}
	}
	return n > 0
}

// otherSide is the first other side with enough targets up, "" when none has.
func (p Policy) otherSide(site string, health map[netip.Addr]Tally) string {
	for _, s := range p.sites() {
		up, capacity := 0, 0.0
		for _, t := range p.Targets {
			if t.Site == s && health[t.Address].Health == Up {
				up++
				capacity += t.Capacity
			}
		}
		if s != site && up >= max(1, p.Minimum) && capacity >= p.Demand {
			return s
		}
	}
	return ""
}

func held(format string, args ...any) Decision {
	return Decision{Verdict: VerdictHeld, Why: fmt.Sprintf(format, args...)}
}

func orNone(a Addresses) string {
	if len(a) == 0 {
		return "no address"
	}
	return a.String()
}
