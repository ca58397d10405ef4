package controlplane

// EnactorConfig says how an enactor applies a plan. The zero value with
// Endpoints set is the enactor of October 2025 without its lock: one look at
// the active generation before it starts, then blind writes.
type EnactorConfig struct {
	Endpoints uint8      // endpoints of a plan, applied in order
	Retain    Generation // generations behind the newest at which a plan expires

	Lock              bool // take the lock record before working on an endpoint
	Fence             bool // every transaction requires that the lock is still ours
	Recheck           bool // read the active generation just before the write
	CompareGeneration bool // the write requires the generation that was read
	OnlyNewer         bool // the provider itself refuses an older generation
	ExpirePlan        bool // give up a plan that is Retain behind, read before the write
	ExpireAtomic      bool // the same, judged inside the transaction
	CheckTarget       bool // the write requires that the new tree exists
	OneBatch          bool // build and switch in one transaction
	CarryTree         bool // the switch carries the whole tree again, although it was built before
	RollbackApart     bool // the rollback alias may fail without failing the switch
	RefuseEmpty       bool // never apply a plan without targets
	Clean             bool // run the cleaner after a plan
}

// EnactorPhase says what an enactor does next.
type EnactorPhase uint8

const (
	EnactorIdle EnactorPhase = iota
	EnactorLocking
	EnactorBuilding
	EnactorReading
	EnactorCommitting
	enactorPhases
)

// Enactor is the state of an enactor. Variables that the phase does not need
// are zero, so that equal behaviour means equal state. A driver gives the lock
// of an endpoint back as soon as the enactor has left that endpoint.
type Enactor struct {
	Phase    EnactorPhase
	Endpoint uint8
	Plan     Generation
	Seen     Generation // active generation as last read, for CompareGeneration
}

// EnactorEventKind names what happened to an enactor.
type EnactorEventKind uint8

const (
	EnactorPlanSeen EnactorEventKind = iota // the newest plan and the state of the zone were looked at
	EnactorAnswered                         // the provider answered the pending command
	EnactorCrashed                          // the process died: everything local is forgotten
)

// EnactorEvent is one event. For EnactorPlanSeen, Answer.Latest is the newest
// plan, Answer.Active the oldest generation active on any endpoint and
// Answer.Empty whether any endpoint is empty; NoTargets says that the newest
// plan has no targets.
type EnactorEvent struct {
	Kind      EnactorEventKind
	NoTargets bool
	Answer    Answer
}

// EnactorOutcome tells the driver what a step finished.
type EnactorOutcome uint8

const (
	EnactorWorking    EnactorOutcome = iota
	EnactorSkipped                   // the plan was not taken: nothing to do, or it has no targets
	EnactorFinished                  // every endpoint has the plan or a newer one; the cleaner may start
	EnactorSuperseded                // the plan is too old: it was dropped
	EnactorRejected                  // the provider refused: the plan was dropped, raise an alarm
)

// StepEnactor advances an enactor by one event.
func StepEnactor(cfg *EnactorConfig, e Enactor, ev EnactorEvent) (Enactor, EnactorOutcome) {
	switch ev.Kind {
	case EnactorCrashed:
		return Enactor{}, EnactorWorking
	case EnactorPlanSeen:
		behind := ev.Answer.Latest > ev.Answer.Active || ev.Answer.Empty
		if e.Phase != EnactorIdle || !behind || cfg.RefuseEmpty && ev.NoTargets {
			return e, EnactorSkipped
		}
		return cfg.begin(ev.Answer.Latest, 0), EnactorWorking
	}
	a := ev.Answer
	switch e.Phase {
	case EnactorLocking:
		if a.Status == Applied {
			e.Phase = cfg.afterLock()
		}
	case EnactorBuilding:
		if a.Status == Applied {
			e.Phase = cfg.afterBuild()
		}
	case EnactorReading:
		return cfg.judge(e, a)
	case EnactorCommitting:
		return cfg.committed(e, a)
	}
	return e, EnactorWorking
}

// begin starts the work on endpoint ep.
func (cfg *EnactorConfig) begin(plan Generation, ep uint8) Enactor {
	e := Enactor{Endpoint: ep, Plan: plan, Phase: EnactorLocking}
	if !cfg.Lock {
		e.Phase = cfg.afterLock()
	}
	return e
}

func (cfg *EnactorConfig) afterLock() EnactorPhase {
	if cfg.OneBatch {
		return cfg.afterBuild()
	}
	return EnactorBuilding
}

func (cfg *EnactorConfig) afterBuild() EnactorPhase {
	if cfg.reads() {
		return EnactorReading
	}
	return EnactorCommitting
}

// reads reports whether the enactor looks at the zone just before the write.
func (cfg *EnactorConfig) reads() bool {
	return cfg.Recheck || cfg.CompareGeneration || cfg.ExpirePlan
}

// judge decides, on what was just read, whether the write still makes sense.
func (cfg *EnactorConfig) judge(e Enactor, a Answer) (Enactor, EnactorOutcome) {
	if a.Status != Applied {
		return e, EnactorWorking
	}
	if cfg.ExpirePlan && a.Latest-e.Plan >= cfg.Retain {
		return Enactor{}, EnactorSuperseded
	}
	if (cfg.Recheck || cfg.CompareGeneration) && a.Active >= e.Plan && !(a.Active == e.Plan && a.Empty) {
		return cfg.advance(e)
	}
	e.Phase = EnactorCommitting
	if cfg.CompareGeneration {
		e.Seen = a.Active
	}
	return e, EnactorWorking
}

// committed takes the outcome of the write.
func (cfg *EnactorConfig) committed(e Enactor, a Answer) (Enactor, EnactorOutcome) {
	switch a.Status {
	case Applied:
		return cfg.advance(e)
	case Unknown:
		// Look before writing again, if this enactor can look at all; our own
		// generation is then recognised as done.
		e.Phase, e.Seen = cfg.afterBuild(), 0
		return e, EnactorWorking
	case Conflict:
		switch {
		case cfg.CompareGeneration:
			e.Phase, e.Seen = EnactorReading, 0
			return e, EnactorWorking
		case cfg.OnlyNewer:
			return cfg.advance(e)
		}
		return Enactor{}, EnactorSuperseded
	case LockLost:
		return cfg.begin(e.Plan, e.Endpoint), EnactorWorking
	}
	return Enactor{}, EnactorRejected
}

// advance goes to the next endpoint of the plan, or ends the plan. An endpoint
// that has something newer is passed over: the plan may still be news to the
// next one.
func (cfg *EnactorConfig) advance(e Enactor) (Enactor, EnactorOutcome) {
	if e.Endpoint+1 < cfg.Endpoints {
		return cfg.begin(e.Plan, e.Endpoint+1), EnactorWorking
	}
	return Enactor{}, EnactorFinished
}

// Pending returns the command whose answer the enactor waits for. Sender is
// the enactor's own number, from 1; empty says that its plan has no targets.
func (e Enactor) Pending(cfg *EnactorConfig, sender uint8, empty bool) Command {
	c := Command{Endpoint: e.Endpoint, Sender: sender, Plan: e.Plan, Empty: empty}
	switch e.Phase {
	case EnactorIdle:
		c.Op = OpPick
	case EnactorLocking:
		c.Op = OpLock
	case EnactorBuilding:
		c.Op = OpBuild
	case EnactorReading:
		c.Op = OpRead
	case EnactorCommitting:
		c.Op, c.Build, c.Release = OpCommit, cfg.OneBatch || cfg.CarryTree, cfg.Lock
		c.Expect, c.Retain, c.Require = e.Seen, cfg.Retain, cfg.requires()
	}
	return c
}

// requires returns the conditions of the write.
func (cfg *EnactorConfig) requires() Require {
	var r Require
	if cfg.Fence {
		r |= RequireHolder
	}
	if cfg.CompareGeneration {
		r |= RequireGeneration
	}
	if cfg.OnlyNewer {
		r |= RequireOlder
	}
	if cfg.ExpireAtomic {
		r |= RequireFresh
	}
	if cfg.CheckTarget {
		r |= RequireTarget
	}
	if !cfg.RollbackApart {
		r |= RequireRollback
	}
	return r
}
