package controlplane

import (
	"testing"
	"time"
)

func TestLease(t *testing.T) {
	cfg := LeaseConfig{Period: 180 * time.Second, TTL: 900 * time.Second, Deadline: 120 * time.Second}
	at := 1000 * time.Second
	l, cmd := StepLease(&cfg, Lease{Held: true, Expiry: at + time.Hour}, LeaseEvent{Kind: LeaseDue, At: at})
	if cmd != (LeaseCommand{Kind: LeaseSubmit, Attempt: 1, Until: at + cfg.Deadline}) || !l.Queued {
		t.Fatalf("due: %+v %+v", l, cmd)
	}
	timed, cmd := StepLease(&cfg, l, LeaseEvent{Kind: LeaseTimedOut, Attempt: 1, At: at + cfg.Deadline})
	if cmd.Kind != LeaseSubmit || cmd.Attempt != 2 {
		t.Fatalf("timed out: %+v, want a fresh attempt", cmd)
	}
	if again, cmd := StepLease(&cfg, timed, LeaseEvent{Kind: LeaseDone, Attempt: 1, At: at}); again != timed || cmd.Kind != LeaseNothing {
		t.Errorf("work on a stale attempt counted: %+v %+v", again, cmd)
	}
	done, cmd := StepLease(&cfg, timed, LeaseEvent{Kind: LeaseDone, Attempt: 2, At: at, Random: 0.5})
	if !done.Held || done.Expiry != at+cfg.TTL || cmd.Kind != LeaseWait || cmd.Until != at+cfg.Period {
		t.Errorf("done: %+v %+v", done, cmd)
	}
	if out, _ := StepLease(&cfg, done, LeaseEvent{Kind: LeaseRanOut, At: at + time.Second}); !out.Held {
		t.Error("ran out too early")
	}
	out, _ := StepLease(&cfg, done, LeaseEvent{Kind: LeaseRanOut, At: at + cfg.TTL})
	if _, cmd = StepLease(&cfg, out, LeaseEvent{Kind: LeaseDue, At: at}); out.Held || !cmd.Establish {
		t.Errorf("ran out: %+v %+v", out, cmd)
	}
	frozen := LeaseConfig{TTL: cfg.TTL, KeepWhileDown: true}
	if kept, _ := StepLease(&frozen, done, LeaseEvent{Kind: LeaseRanOut, At: at + cfg.TTL, StoreDown: true}); !kept.Held {
		t.Error("ran out while the store was unreachable")
	}
	backoff := LeaseConfig{Backoff: 5 * time.Second, MaxWait: 60 * time.Second}
	l = Lease{Queued: true, Attempt: 1}
	for i, limit := range []time.Duration{5, 10, 20, 40, 60, 60} {
		l, cmd = StepLease(&backoff, l, LeaseEvent{Kind: LeaseFailed, Attempt: l.Attempt, Random: 1})
		if cmd.Kind != LeaseWait || cmd.Until != limit*time.Second {
			t.Errorf("failure %d: waits %v, want %v", i+1, cmd.Until, limit*time.Second)
		}
		l.Queued = true
	}
}

func TestLeaseManager(t *testing.T) {
	offer := LeaseManagerEvent{Kind: ManagerOffered, Establish: true, At: time.Minute}
	cfg := LeaseManagerConfig{Bound: 1, ComebackGap: time.Second, EstablishGap: time.Second, DropStale: true, Supersede: true}
	m, v := StepLeaseManager(&cfg, LeaseManager{}, offer)
	if v != LeaseQueue || m.Queued != 1 {
		t.Fatalf("first: %d %+v", v, m)
	}
	if _, v = StepLeaseManager(&cfg, m, offer); v != LeaseReject {
		t.Errorf("queue full: %d", v)
	}
	if _, v = StepLeaseManager(&cfg, m, LeaseManagerEvent{Kind: ManagerOffered, Replaces: true}); v != LeaseReplace {
		t.Errorf("retry: %d, want it in place of the old item", v)
	}
	if _, v = StepLeaseManager(&cfg, m, LeaseManagerEvent{Kind: ManagerFree, Stale: true}); v != LeaseDrop {
		t.Errorf("stale: %d", v)
	}
	m, v = StepLeaseManager(&cfg, m, LeaseManagerEvent{Kind: ManagerFree, Establish: true, At: time.Minute})
	if v != LeaseWork {
		t.Errorf("free: %d", v)
	}
	if _, v = StepLeaseManager(&cfg, m, LeaseManagerEvent{Kind: ManagerFree, Establish: true, At: time.Minute}); v != LeaseHold {
		t.Errorf("second establishment within the gap: %d", v)
	}
	m, _ = StepLeaseManager(&cfg, m, LeaseManagerEvent{Kind: ManagerThrottle, At: time.Minute})
	if m, v = StepLeaseManager(&cfg, m, offer); v != LeaseQueue {
		t.Errorf("throttled, first: %d", v)
	}
	m.Queued = 0
	if m, v = StepLeaseManager(&cfg, m, offer); v != LeaseLater || m.NextComeback != time.Minute+2*time.Second {
		t.Errorf("throttled, second: %d, next %v", v, m.NextComeback)
	}
	offer.Reserved = true
	if m, v = StepLeaseManager(&cfg, m, offer); v != LeaseQueue {
		t.Errorf("comes back at its time: %d", v)
	}
	if m, _ = StepLeaseManager(&cfg, m, LeaseManagerEvent{Kind: ManagerRestarted}); m.Queued != 0 || !m.Throttled {
		t.Errorf("restarted: %+v", m)
	}
	if m, _ = StepLeaseManager(&cfg, m, LeaseManagerEvent{Kind: ManagerRelease}); m.Throttled {
		t.Error("released and still throttled")
	}
}

func TestNetwork(t *testing.T) {
	cfg := NetworkConfig{Each: time.Minute, MaxWait: 90 * time.Second}
	var n Network
	for i, want := range []bool{true, true, false} {
		var v NetworkVerdict
		n, v = StepNetwork(&cfg, n, NetworkEvent{At: time.Hour})
		if v.Accepted != want {
			t.Errorf("launch %d accepted: %v, want %v", i+1, v.Accepted, want)
		}
	}
	n, v := StepNetwork(&cfg, n, NetworkEvent{At: time.Hour, Termination: true})
	if !v.Accepted || v.Propagated != time.Hour+3*time.Minute || n.Wait(time.Hour) != 3*time.Minute || n.Wait(3*time.Hour) != 0 {
		t.Errorf("termination: %+v %+v", n, v)
	}
}
