package controlplane

import "time"

// LeaseConfig says how one droplet (a physical host) keeps its lease, the
// requester's half of the lease manager.
type LeaseConfig struct {
	Period   time.Duration // from a success to the next renewal
	Jitter   float64       // share of Period by which renewals are spread, both ways
	TTL      time.Duration // how long a lease lasts after a success
	Deadline time.Duration // how long an attempt is waited for, from when it is queued
	Backoff  time.Duration // first cap of the exponential back-off with full jitter; 0 retries at once
	MaxWait  time.Duration // largest cap of the back-off

	DeadlineFromStart bool // the deadline counts from the start of work
	KeepWhileDown     bool // a lease does not run out while the store is unreachable
}

// Lease is the state of one droplet.
type Lease struct {
	Expiry  time.Duration // when the lease runs out
	Attempt uint32        // the attempt whose answer counts; later ones have higher numbers
	Tries   uint16        // failures since the last success
	Queued  bool          // an attempt is under way
	Held    bool          // the lease is in force: the droplet is a launch candidate
}

// LeaseEventKind names what happened to a droplet's lease.
type LeaseEventKind uint8

const (
	LeaseDue      LeaseEventKind = iota // the timer set by a LeaseWait ran out
	LeaseTimedOut                       // the deadline of Attempt passed
	LeaseDone                           // work on Attempt ended well
	LeaseFailed                         // work on Attempt ended badly: the store is unreachable
	LeaseRejected                       // the manager did not take Attempt into its queue
	LeaseDeferred                       // the manager told Attempt to come back at Until
	LeaseRanOut                         // the lease's time is over
	LeaseReset                          // the manager restarted and forgot its queue
)

// LeaseEvent is one event. Random is uniform in [0,1).
type LeaseEvent struct {
	Kind      LeaseEventKind
	Attempt   uint32
	At        time.Duration
	Until     time.Duration
	Random    float64
	StoreDown bool
}

// LeaseCommandKind names what a droplet wants.
type LeaseCommandKind uint8

const (
	LeaseNothing LeaseCommandKind = iota
	LeaseSubmit                   // queue Attempt at the manager
	LeaseWait                     // deliver LeaseDue at Until
)

// LeaseCommand is what a droplet wants. Establish says that the lease is gone,
// so that the attempt costs an establishment and not a renewal. Until is when
// to wake up, and for LeaseSubmit the deadline; a deadline that counts from the
// start of work is zero here and set by the driver.
type LeaseCommand struct {
	Kind      LeaseCommandKind
	Establish bool
	Attempt   uint32
	Until     time.Duration
}

// StepLease advances a droplet's lease by one event. An answer to an attempt
// that is not the current one is useless and changes nothing: nobody told the
// manager that it is stale.
func StepLease(cfg *LeaseConfig, l Lease, ev LeaseEvent) (Lease, LeaseCommand) {
	switch ev.Kind {
	case LeaseRanOut:
		if l.Held && ev.At >= l.Expiry && !(cfg.KeepWhileDown && ev.StoreDown) {
			l.Held = false
		}
		return l, LeaseCommand{}
	case LeaseDue:
		if l.Queued {
			return l, LeaseCommand{}
		}
		return l.submit(cfg, ev.At)
	case LeaseReset:
		l.Queued = false
		if l.Held {
			return l, LeaseCommand{Kind: LeaseWait, Until: ev.At + time.Duration(ev.Random*float64(cfg.Period))}
		}
		return l.submit(cfg, ev.At)
	}
	if ev.Attempt != l.Attempt || !l.Queued {
		return l, LeaseCommand{}
	}
	l.Queued = false
	if ev.Kind == LeaseDone {
		l.Held, l.Tries, l.Expiry = true, 0, ev.At+cfg.TTL
		spread := 1 + cfg.Jitter*(2*ev.Random-1)
		return l, LeaseCommand{Kind: LeaseWait, Until: ev.At + time.Duration(spread*float64(cfg.Period))}
	}
	if ev.Kind == LeaseDeferred {
		return l, LeaseCommand{Kind: LeaseWait, Until: ev.Until}
	}
	if l.Tries < 60 {
		l.Tries++
	}
	if cfg.Backoff == 0 && ev.Kind != LeaseRejected {
		return l.submit(cfg, ev.At)
	}
	return l, LeaseCommand{Kind: LeaseWait, Until: ev.At + cfg.pause(l.Tries, ev.Random)}
}

// rejectedPause is how long a droplet waits that was turned away and has no
// back-off of its own.
const rejectedPause = 10 * time.Second

// pause returns the wait before the next attempt: full jitter below a cap that
// doubles with every failure.
func (cfg *LeaseConfig) pause(tries uint16, random float64) time.Duration {
	limit := rejectedPause
	if cfg.Backoff > 0 {
		limit = cfg.Backoff
		for i := uint16(1); i < tries && limit < cfg.MaxWait; i++ {
			limit *= 2
		}
		limit = min(limit, cfg.MaxWait)
	}
	return time.Duration(random * float64(limit))
}

func (l Lease) submit(cfg *LeaseConfig, at time.Duration) (Lease, LeaseCommand) {
	l.Attempt++
	l.Queued = true
	c := LeaseCommand{Kind: LeaseSubmit, Establish: !l.Held, Attempt: l.Attempt}
	if !cfg.DeadlineFromStart {
		c.Until = at + cfg.Deadline
	}
	return l, c
}
