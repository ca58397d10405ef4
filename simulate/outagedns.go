package simulate

import (
	"fmt"
	"time"

	"ddx/controlplane"
)

// dnsReplay drives planner, enactors and cleaner against one endpoint on a
// virtual clock: the race of 19 October 2025 with the delays that make it.
type dnsReplay struct {
	clock   clock
	planner controlplane.Planner
	enactor controlplane.EnactorConfig
	cleaner controlplane.CleanerConfig
	zone    controlplane.Endpoint
	actors  [replayEnactors]struct {
		enactor controlplane.Enactor
		cleaner controlplane.Cleaner
	}
	refused   int
	emptyAt   time.Duration // when the endpoint became empty, 0 for never
	regressed bool
	active    Curve
	addresses Curve
	events    []TimedEvent
}

// TimedEvent is something that happened in a replay.
type TimedEvent struct {
	At   time.Duration
	Text string
}

// allTargets stands for every address of the endpoint.
const allTargets controlplane.Targets = 1

const (
	replayEnactors = 3
	planEvery      = 7 * time.Minute  // between two plans
	actionTime     = 20 * time.Second // an enactor's action without delay
	retryTime      = time.Minute      // an idle enactor looks for work

	timerPlan uint8 = iota
	timerAct
	timerRepair
	timerFreeze
)

// delays is an unusually high delay: what an enactor has pending in the phase
// given does not happen between from and until.
type delays struct {
	enactor     int
	phase       controlplane.EnactorPhase
	clean       controlplane.CleanerPhase
	from, until time.Duration
}

// replayDNS runs until end. The operator repairs the endpoint at repair and
// stops the planner at freeze.
func replayDNS(fence bool, slow []delays, repair, freeze, end time.Duration) *dnsReplay {
	r := &dnsReplay{
		enactor: controlplane.EnactorConfig{Endpoints: 1, Retain: 2, Clean: true, CompareGeneration: fence},
		cleaner: controlplane.CleanerConfig{Endpoints: 1, Retain: 2, Conditional: fence, ProtectRollback: fence},
		zone:    controlplane.NewEndpoint(),
		active:  Curve{Name: "active generation"}, addresses: Curve{Name: "endpoint has addresses"},
	}
	r.planner.Published.Targets = allTargets
	r.clock.set(0, timerPlan, 0, 0)
	for i := range replayEnactors {
		r.clock.set(time.Duration(i+1)*actionTime, timerAct, int32(i), 0)
	}
	r.clock.set(repair, timerRepair, 0, 0)
	r.clock.set(freeze, timerFreeze, 0, 0)
	r.note()
	for {
		t, ok := r.clock.next()
		if !ok || t.at > end {
			break
		}
		switch t.kind {
		case timerPlan:
			r.planner, _ = controlplane.StepPlanner(&controlplane.PlannerConfig{}, r.planner, controlplane.PlannerEvent{Healthy: allTargets, Reweighed: true, At: t.at})
			r.clock.set(t.at+planEvery, timerPlan, 0, 0)
		case timerFreeze:
			r.planner, _ = controlplane.StepPlanner(&controlplane.PlannerConfig{}, r.planner, controlplane.PlannerEvent{Kind: controlplane.PlannerFreeze})
		case timerRepair:
			r.repair()
		case timerAct:
			r.act(int(t.who), slow)
		}
	}
	r.note()
	return r
}

// repair is what the operators did by hand: the newest tree becomes active and
// the rollback alias is removed.
func (r *dnsReplay) repair() {
	if !r.zone.Empty() {
		return
	}
	g := r.planner.Published.Generation
	r.zone = controlplane.Endpoint{Trees: r.zone.Trees.With(g), Active: g, Rollback: controlplane.None}
	r.say("operators restore the records by hand, generation %d", g)
	r.note()
}

// act lets enactor i, or its cleaner, do what it has pending.
func (r *dnsReplay) act(i int, slow []delays) {
	a := &r.actors[i]
	for _, d := range slow {
		if d.enactor == i && d.phase == a.enactor.Phase && d.clean == a.cleaner.Phase && r.clock.now >= d.from && r.clock.now < d.until {
			r.clock.set(d.until, timerAct, int32(i), 0)
			return
		}
	}
	wait := actionTime
	switch {
	case a.cleaner.Phase != controlplane.CleanerIdle:
		var ans controlplane.Answer
		r.zone, ans = r.apply(i, a.cleaner.Pending(&r.cleaner, uint8(i+1)))
		a.cleaner = controlplane.StepCleaner(&r.cleaner, a.cleaner, ans)
	case a.enactor.Phase == controlplane.EnactorIdle:
		a.enactor, _ = controlplane.StepEnactor(&r.enactor, a.enactor, controlplane.EnactorEvent{
			Kind:   controlplane.EnactorPlanSeen,
			Answer: controlplane.Answer{Latest: r.planner.Published.Generation, Active: r.zone.Active, Empty: r.zone.Empty()},
		})
		if a.enactor.Phase == controlplane.EnactorIdle {
			wait = retryTime
		}
	default:
		plan := a.enactor.Plan
		var ans controlplane.Answer
		var out controlplane.EnactorOutcome
		r.zone, ans = r.apply(i, a.enactor.Pending(&r.enactor, uint8(i+1), false))
		a.enactor, out = controlplane.StepEnactor(&r.enactor, a.enactor, controlplane.EnactorEvent{Kind: controlplane.EnactorAnswered, Answer: ans})
		switch out {
		case controlplane.EnactorFinished:
			a.cleaner = controlplane.StartCleaner(&r.cleaner, plan)
		case controlplane.EnactorRejected:
			wait = retryTime
			if r.refused++; r.refused == 1 {
				r.say("enactor %d: batch refused, the rollback alias would point to nothing; all enactors are stuck", i+1)
			}
		}
	}
	r.clock.set(r.clock.now+wait, timerAct, int32(i), 0)
}

// apply performs a command and notes what it does to the endpoint.
func (r *dnsReplay) apply(i int, c controlplane.Command) (controlplane.Endpoint, controlplane.Answer) {
	before := r.zone
	z, ans := before.Apply(c, r.planner.Published.Generation)
	r.zone = z
	if c.Op == controlplane.OpCommit && ans.Status == controlplane.Conflict && c.Plan < z.Active {
		r.say("enactor %d: plan %d refused by the generation fence, plan %d is active", i+1, c.Plan, z.Active)
	}
	if z.Active < before.Active {
		r.regressed = true
		r.say("enactor %d, delayed, switches the endpoint from plan %d back to plan %d", i+1, before.Active, z.Active)
	}
	if z.Empty() && !before.Empty() {
		r.emptyAt = r.clock.now
		r.say("enactor %d's cleaner deletes the active tree: the endpoint is empty", i+1)
	}
	if z != before {
		r.note()
	}
	return z, ans
}

func (r *dnsReplay) say(format string, args ...any) {
	r.events = append(r.events, TimedEvent{r.clock.now, fmt.Sprintf(format, args...)})
}

// note adds the present state to the curves, as a step.
func (r *dnsReplay) note() {
	t, has := r.clock.now.Seconds(), 1.0
	if r.zone.Empty() {
		has = 0
	}
	step(&r.addresses, t, has)
	step(&r.active, t, float64(r.zone.Active))
}

// step appends a value to a curve that holds its value until the next one.
func step(k *Curve, x, y float64) {
	if n := len(k.Y); n > 0 && k.Y[n-1] != y {
		k.X, k.Y = append(k.X, x), append(k.Y, k.Y[n-1])
	}
	k.X, k.Y = append(k.X, x), append(k.Y, y)
}
