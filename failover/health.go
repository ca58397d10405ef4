package failover

import (
	"net/netip"
	"time"

	"ddx/controlplane"
)

// Health is what is known about a target. Unknown is not down: a vantage point
// that cannot look has not seen the target fail.
type Health string

// The three values.
const (
	Up      Health = "up"
	Down    Health = "down"
	Unknown Health = "unknown"
)

// Gate is one target as one vantage point sees it. The zero value knows nothing.
// The counting and the growing hold of a flapping target are those of
// controlplane.StepNode.
type Gate struct {
	Health Health
	Node   controlplane.Node
}

// StepGate takes the result of one check at a time, given as time since any
// fixed moment; Unknown is a check that could not be made and changes nothing.
func StepGate(cfg controlplane.NodeConfig, g Gate, result Health, at time.Duration) Gate {
	ev := controlplane.NodeEvent{At: at, Propagated: true}
	switch result {
	case Up:
		ev.Result = controlplane.CheckPassed
	case Down:
		ev.Result = controlplane.CheckFailed
	default:
		ev.Result = controlplane.CheckUnknown
	}
	var change controlplane.NodeChange
	g.Node, change = controlplane.StepNode(&cfg, g.Node, ev)
	if g.Health == "" {
		g.Health = Unknown
	}
	switch {
	case change == controlplane.NodeEnters:
		g.Health = Up
	case change == controlplane.NodeLeaves, !g.Node.InService && g.Node.Fails >= cfg.FailAfter:
		g.Health = Down
	}
	return g
}

// Vote is what one vantage point says of all targets.
type Vote struct {
	Vantage string                `json:"vantage"`
	At      time.Time             `json:"at"`
	Health  map[netip.Addr]Health `json:"health"`
}

// Tally is what all vantage points together say of one target.
type Tally struct {
	Health   Health
	Up, Down int
}

// Count joins the votes: a target is up or down when at least quorum fresh
// votes say so and they are more than those that say the opposite. Two votes of
// one vantage point count once, the newer. Votes older than maxAge, and from
// more than maxAge in the future, do not count.
func Count(votes []Vote, targets []netip.Addr, quorum int, maxAge time.Duration, now time.Time) map[netip.Addr]Tally {
	newest := map[string]Vote{}
	for _, v := range votes {
		age := now.Sub(v.At)
		if old, ok := newest[v.Vantage]; age <= maxAge && age >= -maxAge && (!ok || v.At.After(old.At)) {
			newest[v.Vantage] = v
		}
	}
	out := map[netip.Addr]Tally{}
	for _, ip := range targets {
		t := Tally{Health: Unknown}
		for _, v := range newest {
			switch v.Health[ip] {
			case Up:
				t.Up++
			case Down:
				t.Down++
			}
		}
		switch {
		case t.Up >= quorum && t.Up > t.Down:
			t.Health = Up
		case t.Down >= quorum && t.Down > t.Up:
			t.Health = Down
		}
		out[ip] = t
	}
	return out
}
