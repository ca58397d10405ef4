package controlplane

import "testing"

// The enactor that the daemon runs: one message, fenced by the generation.
var daemon = EnactorConfig{Endpoints: 1, CompareGeneration: true, OneBatch: true, RollbackApart: true, RefuseEmpty: true}

func answered(s Status, active Generation) EnactorEvent {
	return EnactorEvent{Kind: EnactorAnswered, Answer: Answer{Status: s, Active: active}}
}

func TestEnactor(t *testing.T) {
	seen := func(latest, active Generation) EnactorEvent {
		return EnactorEvent{Kind: EnactorPlanSeen, Answer: Answer{Latest: latest, Active: active}}
	}
	tests := []struct {
		name    string
		events  []EnactorEvent
		phase   EnactorPhase
		outcome EnactorOutcome
		op      Op
	}{
		{"nothing new", []EnactorEvent{seen(3, 3)}, EnactorIdle, EnactorSkipped, OpPick},
		{"new plan: look first", []EnactorEvent{seen(4, 3)}, EnactorReading, EnactorWorking, OpRead},
		{"still older: write", []EnactorEvent{seen(4, 3), answered(Applied, 3)}, EnactorCommitting, EnactorWorking, OpCommit},
		{"applied", []EnactorEvent{seen(4, 3), answered(Applied, 3), answered(Applied, 4)}, EnactorIdle, EnactorFinished, OpPick},
		{"conflict: look again", []EnactorEvent{seen(4, 3), answered(Applied, 3), answered(Conflict, 0)}, EnactorReading, EnactorWorking, OpRead},
		{"newer is active: done", []EnactorEvent{seen(4, 3), answered(Applied, 5)}, EnactorIdle, EnactorFinished, OpPick},
		{"answer lost: look again", []EnactorEvent{seen(4, 3), answered(Applied, 3), answered(Unknown, 0)}, EnactorReading, EnactorWorking, OpRead},
		{"answer lost, own write recognised", []EnactorEvent{seen(4, 3), answered(Applied, 3), answered(Unknown, 0), answered(Applied, 4)}, EnactorIdle, EnactorFinished, OpPick},
		{"look fails: keep looking", []EnactorEvent{seen(4, 3), answered(Unknown, 0)}, EnactorReading, EnactorWorking, OpRead},
		{"refused: drop the plan", []EnactorEvent{seen(4, 3), answered(Applied, 3), answered(Refused, 0)}, EnactorIdle, EnactorRejected, OpPick},
		{"crash", []EnactorEvent{seen(4, 3), answered(Applied, 3), {Kind: EnactorCrashed}}, EnactorIdle, EnactorWorking, OpPick},
		{"plan without targets", []EnactorEvent{{Kind: EnactorPlanSeen, NoTargets: true, Answer: Answer{Latest: 4, Active: 3}}}, EnactorIdle, EnactorSkipped, OpPick},
		{"a second plan while at work", []EnactorEvent{seen(4, 3), seen(5, 3)}, EnactorReading, EnactorSkipped, OpRead},
	}
	for _, tt := range tests {
		var e Enactor
		var out EnactorOutcome
		for _, ev := range tt.events {
			e, out = StepEnactor(&daemon, e, ev)
		}
		if e.Phase != tt.phase || out != tt.outcome {
			t.Errorf("%s: phase %d outcome %d, want %d %d", tt.name, e.Phase, out, tt.phase, tt.outcome)
		}
		if c := e.Pending(&daemon, 1, false); c.Op != tt.op {
			t.Errorf("%s: pending %d, want %d", tt.name, c.Op, tt.op)
		}
	}
}

func TestEnactorCommit(t *testing.T) {
	e := Enactor{Phase: EnactorCommitting, Plan: 9, Seen: 7}
	c := e.Pending(&daemon, 2, false)
	if c.Require != RequireGeneration || c.Expect != 7 || !c.Build || c.Plan != 9 || c.Sender != 2 {
		t.Errorf("got %+v", c)
	}
	fenced := EnactorConfig{Endpoints: 1, Lock: true, Fence: true, CheckTarget: true}
	if c := e.Pending(&fenced, 1, false); c.Require != RequireHolder|RequireTarget|RequireRollback || !c.Release {
		t.Errorf("fenced: got %+v", c)
	}
}

func TestEnactorLock(t *testing.T) {
	cfg := EnactorConfig{Endpoints: 2, Lock: true, Fence: true}
	e, _ := StepEnactor(&cfg, Enactor{}, EnactorEvent{Kind: EnactorPlanSeen, Answer: Answer{Latest: 1}})
	if e, _ = StepEnactor(&cfg, e, answered(LockLost, 0)); e.Phase != EnactorLocking {
		t.Fatalf("somebody else holds the lock: phase %d", e.Phase)
	}
	e, _ = StepEnactor(&cfg, e, answered(Applied, 0))
	e, _ = StepEnactor(&cfg, e, answered(Applied, 0))
	if e, _ = StepEnactor(&cfg, e, answered(LockLost, 0)); e.Phase != EnactorLocking || e.Plan != 1 {
		t.Fatalf("lock lost before the write: %+v, want to lock again", e)
	}
	for range 3 {
		e, _ = StepEnactor(&cfg, e, answered(Applied, 0))
	}
	if e.Endpoint != 1 || e.Phase != EnactorLocking {
		t.Fatalf("after the first endpoint: %+v", e)
	}
}

func TestCleaner(t *testing.T) {
	cfg := CleanerConfig{Endpoints: 1, Retain: 2}
	list := Answer{Trees: 0b1111, Active: 1, Rollback: 0}
	c := StepCleaner(&cfg, StartCleaner(&cfg, 3), list)
	if cmd := c.Pending(&cfg, 1); cmd.Op != OpDelete || cmd.Delete != 0b11 || cmd.Require != 0 {
		t.Errorf("two behind plan 3: got %+v", cmd)
	}
	safe := CleanerConfig{Endpoints: 1, Retain: 2, Conditional: true, ProtectRollback: true}
	e := Endpoint{Trees: 0b1111, Active: 1, Rollback: 0}
	after, _ := e.Apply(c.Pending(&safe, 1), 3)
	if after.Trees != 0b1111 {
		t.Errorf("the deletion took a tree in use: %b", after.Trees)
	}
	active := CleanerConfig{Endpoints: 1, Retain: 2, AgeFromActive: true}
	if c := StepCleaner(&active, StartCleaner(&active, 3), list); c != (Cleaner{}) {
		t.Errorf("nothing is two behind the active plan 1: got %+v", c)
	}
	if c = StepCleaner(&cfg, c, Answer{Status: Unknown}); c.Phase != CleanerDeleting {
		t.Errorf("answer lost: got %+v, want to delete again", c)
	}
}

// States and commands are values that can be compared and used as keys.
func TestComparable(t *testing.T) {
	keys := map[any]bool{}
	for _, v := range []any{Planner{}, Enactor{}, Cleaner{}, Endpoint{}, Lease{}, LeaseManager{}, Network{}, Checker{}, Node{}, ZoneFailover{},
		Command{}, LeaseCommand{}, NetworkVerdict{}, CheckTiming{}, Answer{}} {
		keys[v] = true
	}
	if len(keys) != 15 {
		t.Errorf("%d distinct keys, want 15", len(keys))
	}
}

func TestSet(t *testing.T) {
	s := Set(0).With(0).With(2).With(63)
	if !s.Has(63) || s.Has(1) || s.Has(None) || s.Len() != 3 || s.Without(None) != s || s.Without(2).Has(2) {
		t.Errorf("got %b", s)
	}
	for _, tt := range []struct {
		ref, k Generation
		want   Set
	}{{2, 1, 1}, {2, 2, 1}, {2, 3, 0}, {3, 1, 5}, {63, 1, 5}} {
		if got := s.Behind(tt.ref, tt.k); got != tt.want {
			t.Errorf("Behind(%d, %d) = %b, want %b", tt.ref, tt.k, got, tt.want)
		}
	}
}
