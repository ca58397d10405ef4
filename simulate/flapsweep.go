package simulate

import (
	"context"
	"fmt"
	"time"
)

// flapSafeguards lists the safeguards of specification C.
var flapSafeguards = []struct {
	name, doc string
	apply     func(*FlapSettings)
}{
	{"none", "as in October 2025: one pass brings a node in", func(*FlapSettings) {}},
	{"velocity-cap", "failover may take away 10 % of all nodes in 10 minutes (AWS's choice)", func(s *FlapSettings) { s.Failover.MaxRemove = 10 }},
	{"min-published", "failover leaves at least 60 % of all nodes published", func(s *FlapSettings) { s.Failover.MinPublished = 60 }},
	{"fail-open", "failover does nothing when more than half of all nodes look unhealthy", func(s *FlapSettings) { s.Failover.FailOpen = 50 }},
	{"hysteresis", "three passes bring a node in", func(s *FlapSettings) { s.Node.PassAfter = 3 }},
	{"hold-down", "a node that left stays out for a minute, doubled every time", func(s *FlapSettings) {
		s.Node.HoldDown, s.Node.MaxHoldDown = time.Minute, 30*time.Minute
	}},
	{"readiness-gate", "a node comes in only once its network state has propagated", func(s *FlapSettings) { s.Node.Gate = true }},
	{"load-shedding", "a late check says nothing; no checks are made while behind", func(s *FlapSettings) { s.Checker.ShedLate = true }},
	{"quorum", "two of three vantage points, each with a checker of its own", func(s *FlapSettings) { s.Vantage = 3 }},
	{"kill-switch", "the automation is switched off 10 minutes after the first new node", func(s *FlapSettings) { s.KillAt = s.JoinAt + 10*time.Minute }},
	{"gate+shedding", "readiness gate and load shedding", func(s *FlapSettings) { s.Node.Gate, s.Checker.ShedLate = true, true }},
}

func flapSimulation() Simulation {
	var names []string
	for _, g := range flapSafeguards {
		names = append(names, g.name)
	}
	return Simulation{
		Name: "flap", Title: "health checks that flap while network state propagates, and failover that takes capacity away",
		Settings: []Setting{
			{"safeguard", "what is done against it", "none", names},
			{"sweep", "what to show beside the one run", "safeguards", []string{"none", "safeguards", "phase", "all"}},
			{"new-nodes", "nodes that join each zone", "10", nil},
			{"extra-checks", "further checks that a change of state costs", "20", nil},
			{"check-time", "work of one check", "50ms", nil},
			{"propagation", "time until a node's network state is everywhere", "20m", nil},
			{"seeds", "runs for each line or cell of a sweep", "5", nil},
			{"seed", "first seed", "1", nil},
		},
		run: runFlap,
	}
}

func runFlap(ctx context.Context, in settings, progress func(int, int)) (*Result, error) {
	s := BaseFlap()
	s.NewNodes, s.Checker.Extra = min(200, int(in.number("new-nodes"))), min(1000, int(in.number("extra-checks")))
	s.Checker.CheckTime, s.Propagation, s.Seed = max(time.Millisecond, in.duration("check-time")), in.duration("propagation"), uint64(in.number("seed"))
	base := s
	for _, g := range flapSafeguards {
		if g.name == in["safeguard"] {
			g.apply(&s)
		}
	}
	run := SimulateFlap(s)
	r := &Result{Title: "Health-check flapping, safeguard: " + in["safeguard"], Note: scaledNote, Charts: flapCharts(s, run, 0)}
	r.Summary = append(r.Summary, run.tell())
	seeds := max(1, min(20, int(in.number("seeds"))))
	if in["sweep"] == "safeguards" || in["sweep"] == "all" {
		out, err := CompareFlapSafeguards(ctx, base, seeds, progress)
		if err != nil {
			return nil, err
		}
		r.Tables = append(r.Tables, flapTable(out))
	}
	if in["sweep"] == "phase" || in["sweep"] == "all" {
		g, err := FlapPhases(ctx, seeds, progress)
		if err != nil {
			return nil, err
		}
		r.Grids = append(r.Grids, g)
	}
	return r, nil
}

// tell says in a sentence what the run came to.
func (r FlapRun) tell() string {
	s := fmt.Sprintf("%d changes of state, %.1f %% of the checks late, %d healthy nodes taken out, %d zones removed wrongly, %.0f s of full outage",
		r.Flips, 100*r.LateShare, r.FalseLeaves, r.WrongRemovals, r.Unserved)
	if r.FlipsAfter > 20 {
		s += fmt.Sprintf("; it sustains itself: %d changes after everything had propagated", r.FlipsAfter)
	}
	return s
}

// flapCharts draws a run; shift is added to its times.
func flapCharts(s FlapSettings, run FlapRun, shift float64) []Chart {
	published, serving := Curve{Name: "published"}, Curve{Name: "published and healthy"}
	backlog, flips := Curve{Name: "seconds of work before the checker"}, Curve{Name: "changes of state in 10 s"}
	for _, p := range run.Series {
		t := p.T + shift
		published.X, published.Y = append(published.X, t), append(published.Y, p.Published)
		serving.X, serving.Y = append(serving.X, t), append(serving.Y, p.Serving)
		backlog.X, backlog.Y = append(backlog.X, t), append(backlog.Y, p.Backlog)
		flips.X, flips.Y = append(flips.X, t), append(flips.Y, float64(p.Flips))
	}
	need := Curve{Name: "demand"}
	if n := len(published.X); n > 0 {
		need.X, need.Y = []float64{published.X[0], published.X[n-1]}, []float64{1, 1}
	}
	var marks []Mark
	if s.KillAt > 0 {
		marks = append(marks, Mark{s.KillAt.Seconds() + shift, "automation switched off"})
	}
	return []Chart{
		{Title: "Capacity in DNS, over the demand", YLabel: "share", Curves: []Curve{published, serving, need}, Marks: marks},
		{Title: "The checker", YLabel: "s, changes", Curves: []Curve{backlog, flips}},
	}
}

// FlapOutcome is the mean of a safeguard's runs.
type FlapOutcome struct {
	Safeguard, Doc                                                        string
	Flips, FlipsAfter, FalseLeaves, LateShare, WrongRemovals, Lowest, Out float64
}

// CompareFlapSafeguards runs every safeguard alone, over base.
func CompareFlapSafeguards(ctx context.Context, base FlapSettings, seeds int, progress func(done, total int)) ([]FlapOutcome, error) {
	out := make([]FlapOutcome, len(flapSafeguards))
	err := sweep(ctx, len(out), progress, func(i int) {
		o := FlapOutcome{Safeguard: flapSafeguards[i].name, Doc: flapSafeguards[i].doc}
		for seed := range seeds {
			s := base
			s.Seed = uint64(seed + 1)
			flapSafeguards[i].apply(&s)
			r, n := SimulateFlap(s), float64(seeds)
			o.Flips += float64(r.Flips) / n
			o.FlipsAfter += float64(r.FlipsAfter) / n
			o.FalseLeaves += float64(r.FalseLeaves) / n
			o.LateShare += r.LateShare / n
			o.WrongRemovals += float64(r.WrongRemovals) / n
			o.Lowest += r.LowestServing / n
			o.Out += r.Unserved / n
		}
		out[i] = o
	})
	return out, err
}

func flapTable(out []FlapOutcome) Table {
	t := Table{Title: "Safeguards, each alone (mean of the seeds)", Header: []string{"safeguard", "what it does", "changes", "after propagation", "healthy nodes taken out", "late checks", "zones removed wrongly", "lowest capacity", "full outage"}}
	for _, o := range out {
		t.Rows = append(t.Rows, []string{o.Safeguard, o.Doc, fmt.Sprintf("%.0f", o.Flips), fmt.Sprintf("%.0f", o.FlipsAfter), fmt.Sprintf("%.0f", o.FalseLeaves),
			fmt.Sprintf("%.1f %%", 100*o.LateShare), fmt.Sprintf("%.1f", o.WrongRemovals), fmt.Sprintf("%.2f", o.Lowest), fmt.Sprintf("%.0f s", o.Out)})
	}
	return t
}

// Regions of the flapping phase diagram.
var flapRegions = []CellKind{
	{"harmless", "new nodes flap, no capacity is missing", "#bfe3d5"},
	{"passing", "capacity is missing while network state propagates", "#fbe3ad"},
	{"sustained", "flapping goes on after everything has propagated", "#f0a58f"},
}

var (
	flapNewNodes = []int{2, 5, 10, 20}
	flapExtras   = []int{2, 5, 10, 20, 40, 80, 160}
)

// FlapPhases is the phase diagram of joining nodes and the cost of a change.
func FlapPhases(ctx context.Context, seeds int, progress func(done, total int)) (Grid, error) {
	g := Grid{Title: "Flapping: seconds of full outage by nodes that join and cost of a change", XLabel: "further checks that a change costs", YLabel: "joining", Legend: flapRegions}
	for _, e := range flapExtras {
		g.X = append(g.X, fmt.Sprint(e))
	}
	for _, n := range flapNewNodes {
		g.Y = append(g.Y, fmt.Sprintf("%d a zone", n))
		g.Cells = append(g.Cells, make([]Cell, len(flapExtras)))
	}
	err := sweep(ctx, len(flapNewNodes)*len(flapExtras), progress, func(i int) {
		n, e := i/len(flapExtras), i%len(flapExtras)
		out, after := 0.0, 0
		for seed := range seeds {
			s := BaseFlap()
			s.Seed, s.NewNodes, s.Checker.Extra = uint64(seed+1), flapNewNodes[n], flapExtras[e]
			r := SimulateFlap(s)
			out += r.Unserved / float64(seeds)
			after += r.FlipsAfter
		}
		c := Cell{"harmless", fmt.Sprintf("%.0f s", out)}
		switch {
		case after > 100*seeds:
			c.Kind = "sustained"
		case out >= 1:
			c.Kind = "passing"
		}
		g.Cells[n][e] = c
	})
	return g, err
}
