package controlplane

import (
	"testing"
	"time"
)

func TestNode(t *testing.T) {
	pass, fail := NodeEvent{Result: CheckPassed, At: time.Hour}, NodeEvent{Result: CheckFailed, At: time.Hour}
	ready := NodeEvent{Result: CheckPassed, Propagated: true, At: time.Hour}
	tests := []struct {
		name   string
		cfg    NodeConfig
		from   Node
		events []NodeEvent
		in     bool
	}{
		{"one pass brings it in", NodeConfig{FailAfter: 2, PassAfter: 1}, Node{}, []NodeEvent{pass}, true},
		{"one failure does not take it out", NodeConfig{FailAfter: 2, PassAfter: 1}, Node{InService: true}, []NodeEvent{fail}, true},
		{"two do", NodeConfig{FailAfter: 2, PassAfter: 1}, Node{InService: true}, []NodeEvent{fail, fail}, false},
		{"not if one passes between", NodeConfig{FailAfter: 2, PassAfter: 1}, Node{InService: true}, []NodeEvent{fail, pass, fail}, true},
		{"unknown is no failure", NodeConfig{FailAfter: 1, PassAfter: 1}, Node{InService: true}, []NodeEvent{{Result: CheckUnknown}}, true},
		{"hysteresis", NodeConfig{FailAfter: 2, PassAfter: 3}, Node{}, []NodeEvent{pass, pass}, false},
		{"gate shut", NodeConfig{FailAfter: 2, PassAfter: 1, Gate: true}, Node{}, []NodeEvent{pass, pass, pass}, false},
		{"gate open", NodeConfig{FailAfter: 2, PassAfter: 1, Gate: true}, Node{}, []NodeEvent{ready}, true},
		{"held down", NodeConfig{FailAfter: 1, PassAfter: 1, HoldDown: time.Minute, MaxHoldDown: time.Hour}, Node{InService: true}, []NodeEvent{fail, pass}, false},
		{"hold-down over", NodeConfig{FailAfter: 1, PassAfter: 1, HoldDown: time.Minute, MaxHoldDown: time.Hour}, Node{InService: true}, []NodeEvent{fail, {Result: CheckPassed, At: time.Hour + time.Minute}}, true},
		{"hold-down doubles", NodeConfig{FailAfter: 1, PassAfter: 1, HoldDown: time.Minute, MaxHoldDown: time.Hour}, Node{InService: true, Leaves: 1}, []NodeEvent{fail, {Result: CheckPassed, At: time.Hour + time.Minute}}, false},
	}
	for _, tt := range tests {
		n := tt.from
		for _, ev := range tt.events {
			n, _ = StepNode(&tt.cfg, n, ev)
		}
		if n.InService != tt.in {
			t.Errorf("%s: in service %v", tt.name, n.InService)
		}
	}
}

func TestChecker(t *testing.T) {
	cfg := CheckerConfig{CheckTime: time.Second, Timeout: 3 * time.Second, Extra: 5}
	c, timing := StepChecker(&cfg, Checker{}, CheckDue, time.Minute)
	if timing.Late || timing.Ends != time.Minute+time.Second {
		t.Errorf("first: %+v", timing)
	}
	c, _ = StepChecker(&cfg, c, StateChanged, time.Minute)
	if _, timing = StepChecker(&cfg, c, CheckDue, time.Minute); !timing.Late {
		t.Errorf("behind a change: %+v, want it late", timing)
	}
	cfg.ShedLate = true
	if after, timing := StepChecker(&cfg, c, CheckDue, time.Minute); after != c || !timing.Late || timing.Ends != time.Minute {
		t.Errorf("shedding: %+v %+v, want the check not made", after, timing)
	}
}

func TestMajority(t *testing.T) {
	for _, tt := range []struct {
		results []CheckResult
		want    CheckResult
	}{
		{[]CheckResult{CheckPassed}, CheckPassed},
		{[]CheckResult{CheckPassed, CheckFailed, CheckFailed}, CheckFailed},
		{[]CheckResult{CheckPassed, CheckFailed, CheckUnknown}, CheckUnknown},
		{[]CheckResult{CheckPassed, CheckFailed}, CheckUnknown},
	} {
		if got := Majority(tt.results); got != tt.want {
			t.Errorf("%v: %d, want %d", tt.results, got, tt.want)
		}
	}
}

func TestZoneFailover(t *testing.T) {
	base := ZoneFailoverConfig{Threshold: 50, RestoreAfter: 2, Window: time.Minute}
	look := func(unhealthy ...int) ZoneFailoverEvent {
		ev := ZoneFailoverEvent{Zones: len(unhealthy), At: time.Hour}
		for z, n := range unhealthy {
			ev.View[z] = ZoneView{Nodes: 10, Unhealthy: n, InService: 10 - n}
		}
		return ev
	}
	with := func(f func(*ZoneFailoverConfig)) ZoneFailoverConfig { c := base; f(&c); return c }
	tests := []struct {
		name   string
		cfg    ZoneFailoverConfig
		events []ZoneFailoverEvent
		out    [3]bool
	}{
		{"half is not more than half", base, []ZoneFailoverEvent{look(5, 0, 0)}, [3]bool{}},
		{"one zone goes", base, []ZoneFailoverEvent{look(6, 0, 0)}, [3]bool{true}},
		{"all three go", base, []ZoneFailoverEvent{look(6, 6, 6)}, [3]bool{true, true, true}},
		{"one good look is not enough", base, []ZoneFailoverEvent{look(6, 0, 0), look(0, 0, 0)}, [3]bool{true}},
		{"two are", base, []ZoneFailoverEvent{look(6, 0, 0), look(0, 0, 0), look(0, 0, 0)}, [3]bool{}},
		{"velocity cap", with(func(c *ZoneFailoverConfig) { c.MaxRemove = 20 }), []ZoneFailoverEvent{look(6, 6, 6)}, [3]bool{true}},
		{"minimum published", with(func(c *ZoneFailoverConfig) { c.MinPublished = 40 }), []ZoneFailoverEvent{look(6, 0, 0), look(6, 6, 0)}, [3]bool{true}},
		{"fail open", with(func(c *ZoneFailoverConfig) { c.FailOpen = 50 }), []ZoneFailoverEvent{look(6, 6, 6)}, [3]bool{}},
		{"kill switch", base, []ZoneFailoverEvent{look(6, 0, 0), {Kind: FailoverOff}, look(9, 9, 9)}, [3]bool{}},
		{"on again", base, []ZoneFailoverEvent{{Kind: FailoverOff}, {Kind: FailoverOn}, look(9, 0, 0)}, [3]bool{true}},
	}
	for _, tt := range tests {
		var f ZoneFailover
		for _, ev := range tt.events {
			f = StepZoneFailover(&tt.cfg, f, ev)
		}
		if got := [3]bool(f.Out[:3]); got != tt.out {
			t.Errorf("%s: out %v, want %v", tt.name, got, tt.out)
		}
	}
}
