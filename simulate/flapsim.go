package simulate

import (
	"math/rand/v2"
	"time"

	"ddx/controlplane"
)

// FlapSettings is one run of the health-check simulator: a load balancer over
// several zones, into which new nodes come before their network state has
// propagated. All figures are scaled and ours.
type FlapSettings struct {
	Zones       int
	Nodes       int           // established nodes in a zone
	NewNodes    int           // nodes that join each zone
	JoinAt      time.Duration // when they begin to join
	JoinEvery   time.Duration // distance between two of them, in all zones together
	Propagation time.Duration // how long the network state of each takes to be everywhere
	Demand      float64       // share of the established nodes that the traffic needs
	Grows       bool          // the traffic grows with the nodes that join
	Interval    time.Duration // between two checks of a node
	Vantage     int           // independent vantage points, each with a checker of its own
	Joins       []FlapJoin    // if set, who joins when, instead of NewNodes to Propagation
	KillAt      time.Duration // when an operator switches the automation off, 0 for never
	ReviveAt    time.Duration // when it is switched on again, 0 for never
	Horizon     time.Duration
	Seed        uint64

	Checker  controlplane.CheckerConfig
	Node     controlplane.NodeConfig
	Failover controlplane.ZoneFailoverConfig
}

// FlapJoin is one node that joins.
type FlapJoin struct{ At, Propagated time.Duration }

// BaseFlap returns the figures that the safeguards are compared at.
func BaseFlap() FlapSettings {
	return FlapSettings{
		Zones: 3, Nodes: 20, NewNodes: 10, JoinAt: 5 * time.Minute, JoinEvery: 2 * time.Second,
		Propagation: 20 * time.Minute, Demand: 0.8, Interval: 10 * time.Second, Vantage: 1, Horizon: time.Hour,
		Checker:  controlplane.CheckerConfig{CheckTime: 50 * time.Millisecond, Timeout: 5 * time.Second, Extra: 20},
		Node:     controlplane.NodeConfig{FailAfter: 2, PassAfter: 1},
		Failover: controlplane.ZoneFailoverConfig{Threshold: 50, RestoreAfter: 3, Window: 10 * time.Minute},
	}
}

// FlapRun is what a run showed. "Established" nodes are healthy throughout.
type FlapRun struct {
	Flips         int     // changes of service of any node
	FlipsAfter    int     // of these, after every node had propagated: flapping that sustains itself
	FalseLeaves   int     // established nodes taken out of service
	LateShare     float64 // checks that ended too late
	WrongRemovals int     // zones taken out although more than Threshold percent were truly healthy
	LowestServing float64 // smallest capacity that was published and truly healthy, over the demand
	Unserved      float64 // seconds of full outage that the shortfall amounts to
	Series        []FlapPoint
}

// FlapPoint is a sample of a run, one every ten seconds.
type FlapPoint struct {
	T         float64 `json:"t"`         // seconds
	Published float64 `json:"published"` // nodes published, over the demand
	Serving   float64 `json:"serving"`   // of these, truly healthy
	Backlog   float64 `json:"backlog"`   // seconds of work before the checker
	ZonesOut  int     `json:"zones_out"` // zones taken out of DNS
	Flips     int     `json:"flips"`     // changes since the last sample
}

const (
	timerCheck uint8 = iota
	timerChecked
	timerLook
	timerKill
	timerRevive
	timerFlapSample
)

type flapNode struct {
	state      controlplane.Node
	zone       int
	since      time.Duration // joined
	propagated time.Duration // network state everywhere
}

type flapSim struct {
	FlapSettings
	clock    clock
	random   *rand.Rand
	nodes    []flapNode
	checkers []controlplane.Checker
	pending  []controlplane.CheckResult // result of each node's check under way
	failover controlplane.ZoneFailover
	run      FlapRun
	checks   int
	late     int
	flips    int // since the last sample
	settled  time.Duration
}

// SimulateFlap runs the health checker once. Equal settings give equal runs.
func SimulateFlap(s FlapSettings) FlapRun {
	m := &flapSim{FlapSettings: s, random: rand.New(rand.NewPCG(s.Seed, 0xf1a9)), checkers: make([]controlplane.Checker, s.Vantage)}
	m.run.LowestServing = 1e9
	for i := range s.Zones * s.Nodes {
		m.nodes = append(m.nodes, flapNode{zone: i % s.Zones, state: controlplane.Node{InService: true}})
	}
	joins := s.Joins
	if joins == nil {
		for i := range s.Zones * s.NewNodes {
			at := s.JoinAt + time.Duration(i)*s.JoinEvery
			joins = append(joins, FlapJoin{at, at + s.Propagation})
		}
	}
	for i, j := range joins {
		m.nodes = append(m.nodes, flapNode{zone: i % s.Zones, since: j.At, propagated: j.Propagated})
		m.settled = max(m.settled, j.Propagated)
	}
	m.pending = make([]controlplane.CheckResult, len(m.nodes))
	for i, n := range m.nodes {
		m.clock.set(n.since+time.Duration(m.random.Float64()*float64(s.Interval)), timerCheck, int32(i), 0)
	}
	m.clock.set(0, timerLook, 0, 0)
	m.clock.set(0, timerFlapSample, 0, 0)
	if s.KillAt > 0 {
		m.clock.set(s.KillAt, timerKill, 0, 0)
	}
	if s.ReviveAt > 0 {
		m.clock.set(s.ReviveAt, timerRevive, 0, 0)
	}
	for {
		t, ok := m.clock.next()
		if !ok || t.at > s.Horizon {
			break
		}
		switch t.kind {
		case timerCheck:
			m.check(t.who)
		case timerChecked:
			m.checked(t.who)
		case timerLook:
			m.look()
		case timerKill:
			m.failover = controlplane.StepZoneFailover(&m.Failover, m.failover, controlplane.ZoneFailoverEvent{Kind: controlplane.FailoverOff})
		case timerRevive:
			m.failover = controlplane.StepZoneFailover(&m.Failover, m.failover, controlplane.ZoneFailoverEvent{Kind: controlplane.FailoverOn})
		case timerFlapSample:
			m.sample()
		}
	}
	if m.checks > 0 {
		m.run.LateShare = float64(m.late) / float64(m.checks)
	}
	return m.run
}

// check sends one check of a node to every vantage point. A node whose network
// state is half propagated answers half of the checks.
func (m *flapSim) check(i int32) {
	n := &m.nodes[i]
	now := m.clock.now
	reach := 1.0
	if n.propagated > now {
		reach = float64(now-n.since) / float64(n.propagated-n.since)
	}
	results := make([]controlplane.CheckResult, m.Vantage)
	ends := now
	for v := range m.checkers {
		c, timing := controlplane.StepChecker(&m.Checker, m.checkers[v], controlplane.CheckDue, now)
		m.checkers[v] = c
		ends = max(ends, timing.Ends)
		m.checks++
		switch {
		case timing.Late:
			m.late++
			results[v] = controlplane.CheckFailed
			if m.Checker.ShedLate {
				results[v] = controlplane.CheckUnknown
			}
		case m.random.Float64() >= reach:
			results[v] = controlplane.CheckFailed
		}
	}
	m.pending[i] = controlplane.Majority(results)
	m.clock.set(ends, timerChecked, i, 0)
}

func (m *flapSim) checked(i int32) {
	n := &m.nodes[i]
	now := m.clock.now
	state, change := controlplane.StepNode(&m.Node, n.state, controlplane.NodeEvent{
		Result: m.pending[i], Propagated: n.propagated <= now, At: now,
	})
	n.state = state
	if change != controlplane.NodeStays {
		m.flips++
		m.run.Flips++
		if now > m.settled+5*time.Minute {
			m.run.FlipsAfter++
		}
		if change == controlplane.NodeLeaves && n.propagated <= now {
			m.run.FalseLeaves++
		}
		for v := range m.checkers {
			m.checkers[v], _ = controlplane.StepChecker(&m.Checker, m.checkers[v], controlplane.StateChanged, now)
		}
	}
	m.clock.set(now+m.Interval, timerCheck, i, 0)
}

// look lets the automation judge the zones.
func (m *flapSim) look() {
	ev := controlplane.ZoneFailoverEvent{Zones: m.Zones, At: m.clock.now}
	var healthy [controlplane.MaxZones]int
	for i := range m.nodes {
		n := &m.nodes[i]
		if n.since > m.clock.now {
			continue
		}
		v := &ev.View[n.zone]
		v.Nodes++
		if n.state.InService {
			v.InService++
		} else {
			v.Unhealthy++
		}
		if n.propagated <= m.clock.now {
			healthy[n.zone]++
		}
	}
	was := m.failover
	m.failover = controlplane.StepZoneFailover(&m.Failover, m.failover, ev)
	for z := range m.Zones {
		if m.failover.Out[z] && !was.Out[z] && healthy[z]*100 > ev.View[z].Nodes*(100-m.Failover.Threshold) {
			m.run.WrongRemovals++
		}
	}
	m.clock.set(m.clock.now+10*time.Second, timerLook, 0, 0)
}

func (m *flapSim) sample() {
	published, serving, need := 0, 0, m.Zones*m.Nodes
	for i := range m.nodes {
		n := &m.nodes[i]
		if m.Grows && n.since > 0 && n.since <= m.clock.now {
			need++
		}
		if n.since > m.clock.now || !n.state.InService || m.failover.Out[n.zone] {
			continue
		}
		published++
		if n.propagated <= m.clock.now {
			serving++
		}
	}
	demand := m.Demand * float64(need)
	p := FlapPoint{
		T: m.clock.now.Seconds(), Published: float64(published) / demand, Serving: float64(serving) / demand,
		Backlog: max(0, (m.checkers[0].Free - m.clock.now).Seconds()), Flips: m.flips,
	}
	for _, out := range m.failover.Out {
		if out {
			p.ZonesOut++
		}
	}
	m.flips = 0
	m.run.LowestServing = min(m.run.LowestServing, p.Serving)
	m.run.Unserved += 10 * max(0, 1-p.Serving)
	m.run.Series = append(m.run.Series, p)
	m.clock.set(m.clock.now+10*time.Second, timerFlapSample, 0, 0)
}
