package controlplane

import (
	"testing"
	"time"
)

func TestPlanner(t *testing.T) {
	guarded := PlannerConfig{MinTargets: 2, MaxShrink: 50, Window: time.Minute, KeepLastGood: true}
	start := Planner{Published: Plan{Generation: 7, Targets: 0b1111}, WindowSize: 4}
	late := 5 * time.Second
	tests := []struct {
		name    string
		cfg     PlannerConfig
		from    Planner
		ev      PlannerEvent
		verdict PlannerVerdict
		targets Targets
	}{
		{"no change", guarded, start, PlannerEvent{Healthy: 0b1111, At: late}, PlanUnchanged, 0b1111},
		{"weights moved", guarded, start, PlannerEvent{Healthy: 0b1111, Reweighed: true, At: late}, PlanPublished, 0b1111},
		{"one down", guarded, start, PlannerEvent{Healthy: 0b0111, At: late}, PlanPublished, 0b0111},
		{"one not seen: stays", guarded, start, PlannerEvent{Healthy: 0b0111, Unsure: 0b1000, At: late}, PlanUnchanged, 0b1111},
		{"not seen and never published: stays out", guarded, start, PlannerEvent{Healthy: 0b1111, Unsure: 0b10000, At: late}, PlanUnchanged, 0b1111},
		{"three down at once", guarded, start, PlannerEvent{Healthy: 0b0001, At: late}, PlanHeldTooFew, 0b1111},
		{"none up", guarded, start, PlannerEvent{At: late}, PlanHeldNoneUp, 0b1111},
		{"none up, unguarded: an empty plan", PlannerConfig{}, start, PlannerEvent{At: late}, PlanPublished, 0},
		{"shrinks step by step within the window", PlannerConfig{MaxShrink: 50, Window: time.Minute}, Planner{Published: Plan{9, 0b0011}, WindowSize: 4}, PlannerEvent{Healthy: 0b0001, At: late}, PlanHeldShrinkRate, 0b0011},
		{"the window is over", PlannerConfig{MaxShrink: 50, Window: time.Minute}, Planner{Published: Plan{9, 0b0011}, WindowSize: 4}, PlannerEvent{Healthy: 0b0001, At: time.Hour}, PlanPublished, 0b0001},
		{"frozen", guarded, Planner{Published: start.Published, Frozen: true}, PlannerEvent{Healthy: 0b0111, At: late}, PlanHeldFrozen, 0b1111},
		{"operator rollback", guarded, start, PlannerEvent{Kind: PlannerRollback, Healthy: 1, At: late}, PlanPublished, 1},
		{"operator rollback while frozen", guarded, Planner{Published: start.Published, Frozen: true}, PlannerEvent{Kind: PlannerRollback, Healthy: 1}, PlanHeldFrozen, 0b1111},
	}
	for _, tt := range tests {
		p, verdict := StepPlanner(&tt.cfg, tt.from, tt.ev)
		if verdict != tt.verdict || p.Published.Targets != tt.targets {
			t.Errorf("%s: verdict %d targets %b, want %d %b", tt.name, verdict, p.Published.Targets, tt.verdict, tt.targets)
		}
		grew := p.Published.Generation - tt.from.Published.Generation
		if want := verdict == PlanPublished; (grew == 1) != want || grew > 1 {
			t.Errorf("%s: generation went up by %d", tt.name, grew)
		}
		if verdict.Held() != (verdict >= PlanHeldFrozen) {
			t.Errorf("%s: Held", tt.name)
		}
	}
	p, _ := StepPlanner(&guarded, start, PlannerEvent{Kind: PlannerFreeze})
	if p, _ = StepPlanner(&guarded, p, PlannerEvent{Kind: PlannerThaw}); p != start {
		t.Errorf("freeze and thaw: %+v", p)
	}
}
