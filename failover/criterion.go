package failover

import (
	"fmt"
	"slices"
	"time"
)

// Costs are the inputs of the cut-over criterion. Money is in any one unit.
type Costs struct {
	Outage    float64         `yaml:"outage_per_minute"`   // while the side in service fails
	Degraded  float64         `yaml:"degraded_per_minute"` // while the other side serves: worse latency, less capacity
	Move      float64         `yaml:"move"`                // once: people, data to reconcile, the way back
	Warmup    time.Duration   `yaml:"warmup"`              // until the other side carries the load
	Risk      float64         `yaml:"risk"`                // probability that the move does not help, 0 to 1
	Durations []time.Duration `yaml:"past_outages"`        // how long outages of this kind lasted
}

// Criterion compares the expected cost of waiting with that of moving.
type Criterion struct {
	Waiting   float64       // expected cost of staying
	Moving    float64       // expected cost of moving now
	Move      bool          // moving is cheaper
	Remaining time.Duration // how long the outage is expected to last on
	BreakEven time.Duration // moving pays if it lasts longer than this; 0 always, negative never
	Basis     string        // where Remaining comes from
	Inputs    []string      // every number that went in, and the two formulas
}

// Weigh computes the criterion for an outage that has lasted elapsed, at an
// address TTL of ttl: for so long clients keep failing after the move, and the
// warm-up of the other side comes on top.
//
// With R the expected rest of the outage and T = ttl + warm-up:
//
//	waiting = outage * R
//	moving  = move + outage * min(T, R) + degraded * max(R - T, 0) + risk * outage * max(R - T, 0)
func Weigh(c Costs, elapsed, ttl time.Duration) Criterion {
	var k Criterion
	k.Remaining, k.Basis = remaining(c.Durations, elapsed)
	r, t := k.Remaining.Minutes(), (ttl + c.Warmup).Minutes()
	k.Waiting = c.Outage * r
	k.Moving = c.Move + c.Outage*min(t, r) + (c.Degraded+c.Risk*c.Outage)*max(r-t, 0)
	k.Move = k.Moving < k.Waiting
	gain := c.Outage - c.Degraded - c.Risk*c.Outage // a minute after the move
	switch {
	case gain <= 0:
		k.BreakEven = -1
	default:
		k.BreakEven = time.Duration((t + c.Move/gain) * float64(time.Minute)).Round(time.Second)
	}
	k.Inputs = []string{
		fmt.Sprintf("outage so far %s; expected to last on for %s (%s)", elapsed.Round(time.Second), k.Remaining.Round(time.Second), k.Basis),
		fmt.Sprintf("cost a minute: outage %.4g, on the other side %.4g; of the move itself %.4g; risk that it does not help %.0f %%", c.Outage, c.Degraded, c.Move, 100*c.Risk),
		fmt.Sprintf("time to move %s = address TTL %s + warm-up %s", (ttl + c.Warmup).Round(time.Second), ttl, c.Warmup),
		fmt.Sprintf("waiting = outage x rest = %.4g", k.Waiting),
		fmt.Sprintf("moving = move + outage x time to move + (other side + risk x outage) x what remains = %.4g", k.Moving),
	}
	return k
}

// remaining is how long an outage that has lasted elapsed is expected to last
// on: the mean rest of the past outages that lasted longer, if there are at
// least three; else as long as it has lasted, which is the median of what is
// left when nothing is known about the scale of the cause.
func remaining(past []time.Duration, elapsed time.Duration) (time.Duration, string) {
	var rest []time.Duration
	for _, d := range past {
		if d > elapsed {
			rest = append(rest, d-elapsed)
		}
	}
	if len(rest) >= 3 {
		slices.Sort(rest)
		var sum time.Duration
		for _, d := range rest {
			sum += d
		}
		return sum / time.Duration(len(rest)), fmt.Sprintf("mean rest of the %d past outages that lasted longer", len(rest))
	}
	return max(elapsed, time.Minute), "as long again as it has lasted: fewer than three past outages lasted longer"
}
