package failover

import (
	"net/netip"
	"time"
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

// GateConfig says how many checks in a row move a target.
type GateConfig struct {
	DownAfter int // failed checks that make it down; 0: 3
	UpAfter   int // good checks that make it up; 0: 3
	Hold      int // extra good checks for each time it went down since it was last up for long; 0: 2
	Forget    int // good checks in a row after which earlier falls are forgotten; 0: 60
}

// Gate is one target as one vantage point sees it. The zero value knows nothing.
type Gate struct {
	Health Health
	Good   int // checks in a row
	Bad    int
	Falls  int // times it went down, for the growing hold: a flapping target stays out longer each time
}

// StepGate takes the result of one check; Unknown is a check that could not be
// made and changes no count.
func StepGate(cfg GateConfig, g Gate, result Health) Gate {
	if g.Health == "" {
		g.Health = Unknown
	}
	switch result {
	case Up:
		g.Good, g.Bad = g.Good+1, 0
	case Down:
		g.Good, g.Bad = 0, g.Bad+1
	default:
		return g
	}
	need := orDefault(cfg.UpAfter, 3)
	if g.Falls > 0 {
		need += (g.Falls - 1) * orDefault(cfg.Hold, 2)
	}
	switch {
	case g.Bad >= orDefault(cfg.DownAfter, 3):
		if g.Health == Up {
			g.Falls++
		}
		g.Health = Down
	case g.Good >= need:
		g.Health = Up
	}
	if g.Good >= orDefault(cfg.Forget, 60) {
		g.Falls = 0
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

func orDefault(n, def int) int {
	if n == 0 {
		return def
	}
	return n
}
