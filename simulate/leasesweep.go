package simulate

import (
	"context"
	"fmt"
	"math"
	"time"
)

// leaseMeasures lists the measures of control-plane.md 3.3, each alone.
var leaseMeasures = []struct {
	name, doc string
	apply     func(*LeaseSettings)
}{
	{"none", "first in, first out; a new attempt at once", func(*LeaseSettings) {}},
	{"drop-stale", "items nobody waits for are thrown away, not worked on", func(s *LeaseSettings) { s.Manager.DropStale = true }},
	{"supersede", "one queued item for each droplet", func(s *LeaseSettings) { s.Manager.Supersede = true }},
	{"lifo", "last in, first out", func(s *LeaseSettings) { s.Manager.LastInFirst = true }},
	{"bound-40", "queue bounded to 40 items: less time than the deadline", func(s *LeaseSettings) { s.Manager.Bound = 40 }},
	{"bound-1000", "queue bounded to 1000 items: more time than the deadline", func(s *LeaseSettings) { s.Manager.Bound = 1000 }},
	{"backoff", "exponential back-off with full jitter, 5 s up to 600 s", func(s *LeaseSettings) {
		s.Lease.Backoff, s.Lease.MaxWait = 5*time.Second, 600*time.Second
	}},
	{"renewals-first", "renewals go before establishments", func(s *LeaseSettings) { s.Manager.RenewalsFirst = true }},
	{"renewals-first+drop-stale", "both", func(s *LeaseSettings) { s.Manager.RenewalsFirst, s.Manager.DropStale = true, true }},
	{"rate-limit", "2 establishments a second begin, the queue stays", func(s *LeaseSettings) { s.Manager.EstablishGap = 500 * time.Millisecond }},
	{"deadline-from-start", "the deadline counts from the start of work", func(s *LeaseSettings) { s.Lease.DeadlineFromStart = true }},
	{"freeze", "leases do not run out while the store is unreachable", func(s *LeaseSettings) { s.Lease.KeepWhileDown = true }},
	{"restart", "the queue is cleared after an hour, no throttle", func(s *LeaseSettings) {
		s.Restarts = []LeaseRestart{{After: time.Hour}}
	}},
	{"restart+throttle", "cleared after an hour, then 2 a second come back", func(s *LeaseSettings) {
		s.Restarts = []LeaseRestart{{After: time.Hour, Throttle: 500 * time.Millisecond}}
	}},
	{"restart+weak-throttle", "cleared after an hour, then 8 a second come back", func(s *LeaseSettings) {
		s.Restarts = []LeaseRestart{{After: time.Hour, Throttle: 125 * time.Millisecond}}
	}},
}

func leaseSimulation() Simulation {
	var names []string
	for _, m := range leaseMeasures {
		names = append(names, m.name)
	}
	return Simulation{
		Name: "lease", Title: "a lease manager after its store was away: congestive collapse and its cures",
		Settings: []Setting{
			{"measure", "what is done against the collapse", "none", names},
			{"sweep", "what to show beside the one run", "phase", []string{"none", "phase", "law", "measures", "all"}},
			{"droplets", "hosts that hold a lease", "1800", nil},
			{"capacity", "work units a second", "20", nil},
			{"cost", "work units to establish a lease; a renewal costs 1", "5", nil},
			{"deadline", "how long an attempt is waited for", "2m", nil},
			{"period", "from a success to the next renewal", "3m", nil},
			{"ttl", "how long a lease lasts", "15m", nil},
			{"outage", "how long the store is unreachable", "40m", nil},
			{"horizon", "how long to watch afterwards", "2h", nil},
			{"seeds", "runs for each cell of a sweep", "1", nil},
			{"seed", "first seed", "1", nil},
		},
		run: runLease,
	}
}

const scaledNote = "All sizes and rates are scaled and ours: AWS published none."

// leaseSettings turns settings into one run.
func leaseSettings(in settings) LeaseSettings {
	s := BaseLease()
	s.Droplets = max(1, int(in.number("droplets")))
	s.Capacity = max(0.1, in.number("capacity"))
	s.EstablishCost = in.number("cost")
	s.Lease.Deadline = max(time.Second, in.duration("deadline"))
	s.Lease.Period, s.Lease.TTL = max(time.Second, in.duration("period")), max(time.Second, in.duration("ttl"))
	s.Outage, s.Horizon, s.Seed = in.duration("outage"), in.duration("horizon"), uint64(in.number("seed"))
	for _, m := range leaseMeasures {
		if m.name == in["measure"] {
			m.apply(&s)
		}
	}
	return s
}

func runLease(ctx context.Context, in settings, progress func(int, int)) (*Result, error) {
	s := leaseSettings(in)
	r := &Result{Title: "Lease manager, measure: " + in["measure"], Note: scaledNote}
	s.Whole = true
	run := SimulateLease(s)
	r.Charts = leaseCharts(s, run)
	r.Summary = append(r.Summary,
		fmt.Sprintf("X = time to establish all leases at full capacity / deadline = %.2f; the law says collapse above about 2", s.X()),
		run.tell())
	seeds := max(1, min(20, int(in.number("seeds"))))
	want := func(name string) bool { return in["sweep"] == name || in["sweep"] == "all" }
	if want("phase") {
		g, err := LeasePhases(ctx, seeds, progress)
		if err != nil {
			return nil, err
		}
		r.Grids = append(r.Grids, g)
	}
	if want("law") {
		g, err := LeaseLaw(ctx, seeds, progress)
		if err != nil {
			return nil, err
		}
		r.Grids = append(r.Grids, g)
	}
	if want("measures") {
		t, err := LeaseMeasures(ctx, seeds, progress)
		if err != nil {
			return nil, err
		}
		r.Tables = append(r.Tables, t)
	}
	return r, nil
}

// tell says in a sentence what became of the leases.
func (r LeaseRun) tell() string {
	switch {
	case r.LowestLeased > 0.999:
		return "stable: no lease was lost"
	case r.Recovered:
		return fmt.Sprintf("recovered: 99 %% of the leases were in force again %.0f s after the outage (goodput %.2f)", r.Recovery, r.Goodput)
	}
	return fmt.Sprintf("collapsed: %.0f %% of the leases in force at the end, goodput %.2f, up to %d items queued", 100*r.LastLeased, r.Goodput, r.MaxQueue)
}

func leaseCharts(s LeaseSettings, run LeaseRun) []Chart {
	leased, good, queue := Curve{Name: "leases in force"}, Curve{Name: "goodput"}, Curve{Name: "queue"}
	for _, p := range run.Series {
		leased.X, leased.Y = append(leased.X, p.T), append(leased.Y, p.Leased)
		good.X, good.Y = append(good.X, p.T), append(good.Y, p.Goodput)
		queue.X, queue.Y = append(queue.X, p.T), append(queue.Y, float64(p.Queue))
	}
	marks := []Mark{{s.OutageAt.Seconds(), "store away"}, {(s.OutageAt + s.Outage).Seconds(), "store back"}}
	for _, x := range s.Restarts {
		text := "restart"
		if x.Throttle > 0 {
			text = "restart and throttle"
		}
		marks = append(marks, Mark{(s.OutageAt + s.Outage + x.After).Seconds(), text})
	}
	return []Chart{
		{Title: "Leases in force and useful share of the work", YLabel: "share", Max: 1, Curves: []Curve{leased, good}, Marks: marks},
		{Title: "Items queued at the manager", YLabel: "items", Curves: []Curve{queue}},
	}
}

// Regions of the lease manager's phase diagram.
var leaseRegions = []CellKind{
	{"stable", "no lease is lost", "#bfe3d5"},
	{"recovers", "leases are lost and come back by themselves", "#fbe3ad"},
	{"mixed", "some seeds recover, some collapse", "#f6c28b"},
	{"collapsed", "no progress: still without leases when the watch ends", "#f0a58f"},
}

// region runs the seeds of one cell and says which region it is in.
func region(seeds int, s LeaseSettings) Cell {
	stable, back := 0, 0
	for seed := range seeds {
		s.Seed = uint64(seed + 1)
		switch r := SimulateLease(s); {
		case r.LowestLeased > 0.999:
			stable++
		case r.Recovered:
			back++
		}
	}
	text := fmt.Sprintf("%d/%d", stable+back, seeds)
	switch {
	case stable == seeds:
		return Cell{"stable", text}
	case stable+back == seeds:
		return Cell{"recovers", text}
	case stable+back == 0:
		return Cell{"collapsed", text}
	}
	return Cell{"mixed", text}
}

var (
	phaseOutages = []int{300, 600, 720, 780, 840, 900, 1200, 2400}
	phaseXs      = []float64{1, 1.5, 2, 2.25, 3, 3.75, 6}
	lawLoads     = []float64{0.1, 0.5, 0.8}
	lawXs        = []float64{1.5, 1.6, 1.7, 1.8, 1.9, 2.0, 2.1}
)

// LeasePhases is the phase diagram of outage length and X, at utilisation 0.5.
func LeasePhases(ctx context.Context, seeds int, progress func(done, total int)) (Grid, error) {
	g := Grid{Title: "Outage length and X: what becomes of the leases (share of seeds that keep or regain them)", XLabel: "X", YLabel: "outage", Legend: leaseRegions}
	for _, x := range phaseXs {
		g.X = append(g.X, short(x))
	}
	for _, o := range phaseOutages {
		g.Y = append(g.Y, fmt.Sprintf("%d s", o))
		g.Cells = append(g.Cells, make([]Cell, len(phaseXs)))
	}
	err := sweep(ctx, len(phaseOutages)*len(phaseXs), progress, func(i int) {
		o, x := i/len(phaseXs), i%len(phaseXs)
		s := BaseLease()
		s.Outage, s.Horizon = time.Duration(phaseOutages[o])*time.Second, time.Hour
		s.EstablishCost = phaseXs[x] * s.Capacity * s.Lease.Deadline.Seconds() / float64(s.Droplets)
		g.Cells[o][x] = region(seeds, s)
	})
	return g, err
}

// LeaseLaw is the border of collapse at three utilisations.
func LeaseLaw(ctx context.Context, seeds int, progress func(done, total int)) (Grid, error) {
	g := Grid{Title: "The law: collapse above X of about 2, almost whatever the spare capacity", XLabel: "X", YLabel: "utilisation", Legend: leaseRegions}
	for _, x := range lawXs {
		g.X = append(g.X, short(x))
	}
	for _, l := range lawLoads {
		g.Y = append(g.Y, short(l))
		g.Cells = append(g.Cells, make([]Cell, len(lawXs)))
	}
	err := sweep(ctx, len(lawLoads)*len(lawXs), progress, func(i int) {
		l, x := i/len(lawXs), i%len(lawXs)
		s := BaseLease()
		s.Outage, s.Horizon = 960*time.Second, 40*time.Minute
		s.Capacity = float64(s.Droplets) / (s.Lease.Period.Seconds() * lawLoads[l])
		s.EstablishCost = lawXs[x] * s.Capacity * s.Lease.Deadline.Seconds() / float64(s.Droplets)
		g.Cells[l][x] = region(seeds, s)
	})
	return g, err
}

// MeasureOutcome is what one measure does at one X.
type MeasureOutcome struct {
	Measure   string
	X         float64
	Recovered int // seeds
	Stable    bool
	From, To  float64 // seconds from the end of the outage to 99 %, over the seeds that recovered
}

// CompareMeasures runs every measure at X = 3.75 and X = 15.
func CompareMeasures(ctx context.Context, seeds int, horizon time.Duration, progress func(done, total int)) ([]MeasureOutcome, error) {
	out := make([]MeasureOutcome, 2*len(leaseMeasures))
	err := sweep(ctx, len(out), progress, func(i int) {
		m := leaseMeasures[i/2]
		o := MeasureOutcome{Measure: m.name, From: math.Inf(1), Stable: true}
		for seed := range seeds {
			s := BaseLease()
			s.Seed, s.Horizon = uint64(seed+1), horizon
			if i%2 == 1 {
				s.EstablishCost *= 4
			}
			m.apply(&s)
			o.X = s.X()
			r := SimulateLease(s)
			o.Stable = o.Stable && r.LowestLeased > 0.999
			if r.Recovered {
				o.Recovered++
				o.From, o.To = min(o.From, r.Recovery), max(o.To, r.Recovery)
			}
		}
		out[i] = o
	})
	return out, err
}

// LeaseMeasures is the table of measures.
func LeaseMeasures(ctx context.Context, seeds int, progress func(done, total int)) (Table, error) {
	t := Table{Title: "Measures, each alone: seeds that recover, seconds to 99 % of the leases", Header: []string{"measure", "what it does", "X = 3.75", "X = 15"}}
	out, err := CompareMeasures(ctx, seeds, 4*time.Hour, progress)
	if err != nil {
		return t, err
	}
	for i, m := range leaseMeasures {
		t.Rows = append(t.Rows, []string{m.name, m.doc, out[2*i].tell(seeds), out[2*i+1].tell(seeds)})
	}
	return t, nil
}

func (o MeasureOutcome) tell(seeds int) string {
	switch {
	case o.Stable:
		return fmt.Sprintf("%d/%d, never lost", o.Recovered, seeds)
	case o.Recovered == 0:
		return fmt.Sprintf("0/%d", seeds)
	case o.To-o.From < 5:
		return fmt.Sprintf("%d/%d, %.0f s", o.Recovered, seeds, o.To)
	}
	return fmt.Sprintf("%d/%d, %.0f to %.0f s", o.Recovered, seeds, o.From, o.To)
}
