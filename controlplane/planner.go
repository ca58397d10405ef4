package controlplane

import "time"

// PlannerConfig holds the guards on the content of plans. A generation fence
// puts plans in order; only these keep the newest plan from being a bad one.
// The zero value guards nothing and publishes whatever is observed.
type PlannerConfig struct {
	MinTargets   int           // never publish fewer targets
	MaxShrink    int           // percent of the targets that may go within Window; 0 for no limit
	Window       time.Duration // length of the velocity window
	KeepLastGood bool          // if no target looks healthy, publish nothing and alarm
}

// Planner is the state of a planner.
type Planner struct {
	Published   Plan          // the newest plan
	Frozen      bool          // an operator stopped it
	WindowSince time.Duration // when the current velocity window began
	WindowSize  int           // targets published when it began
}

// PlannerEventKind names what a planner hears.
type PlannerEventKind uint8

const (
	PlannerObserved PlannerEventKind = iota // health and capacity were looked at
	PlannerRollback                         // an operator orders old content; it becomes a new generation
	PlannerFreeze                           // an operator stops publication
	PlannerThaw                             // an operator allows it again
)

// PlannerEvent is one event. Healthy are the targets seen up, Unsure those
// about which nothing is known: not seeing a target is not seeing it fail, so
// it stays as it was published. Reweighed says that weights moved, which makes
// a plan even when the targets are the same. For PlannerRollback, Healthy is
// the content to go back to.
type PlannerEvent struct {
	Kind      PlannerEventKind
	Reweighed bool
	Healthy   Targets
	Unsure    Targets
	At        time.Duration // since the planner started
}

// PlannerVerdict says what a planner decided.
type PlannerVerdict uint8

const (
	PlanUnchanged      PlannerVerdict = iota // nothing to publish
	PlanPublished                            // Published is new: store it, tell the enactors
	PlanHeldFrozen                           // held back: frozen
	PlanHeldNoneUp                           // held back: no target looks healthy, the last good plan stays
	PlanHeldTooFew                           // held back: fewer than MinTargets
	PlanHeldShrinkRate                       // held back: too much would go within the window
)

// Held reports whether the verdict is an alarm for a person.
func (v PlannerVerdict) Held() bool { return v >= PlanHeldFrozen }

// StepPlanner advances a planner by one event. When the verdict is
// PlanPublished the command is to publish the state's Published plan.
func StepPlanner(cfg *PlannerConfig, p Planner, ev PlannerEvent) (Planner, PlannerVerdict) {
	switch ev.Kind {
	case PlannerFreeze:
		p.Frozen = true
		return p, PlanUnchanged
	case PlannerThaw:
		p.Frozen = false
		return p, PlanUnchanged
	case PlannerRollback:
		// A person decided: only the frozen switch holds this back.
		if p.Frozen {
			return p, PlanHeldFrozen
		}
		return p.publish(ev.Healthy), PlanPublished
	}
	want := ev.Healthy | ev.Unsure&p.Published.Targets
	if want == p.Published.Targets && !ev.Reweighed {
		return p, PlanUnchanged
	}
	if cfg.Window > 0 && ev.At-p.WindowSince >= cfg.Window {
		p.WindowSince, p.WindowSize = ev.At, p.Published.Targets.Len()
	}
	switch n := want.Len(); {
	case p.Frozen:
		return p, PlanHeldFrozen
	case cfg.KeepLastGood && n == 0:
		return p, PlanHeldNoneUp
	case n < cfg.MinTargets:
		return p, PlanHeldTooFew
	case cfg.MaxShrink > 0 && (p.WindowSize-n)*100 > p.WindowSize*cfg.MaxShrink:
		return p, PlanHeldShrinkRate
	}
	return p.publish(want), PlanPublished
}

func (p Planner) publish(t Targets) Planner {
	p.Published = Plan{Generation: p.Published.Generation + 1, Targets: t}
	return p
}
