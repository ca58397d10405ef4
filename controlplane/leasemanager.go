package controlplane

import "time"

// LeaseManagerConfig says what a lease manager takes into its queue and what
// it does with it. The zero value takes everything and works through it.
type LeaseManagerConfig struct {
	Bound         int           // items the queue holds at most; 0 for no bound
	DropStale     bool          // an item that nobody waits for any more is thrown away, not worked on
	EstablishGap  time.Duration // least time between two establishments that begin; 0 for no limit
	ComebackGap   time.Duration // least time between two establishments let into the queue; 0 for no limit
	RenewalsFirst bool          // renewals go before establishments
	LastInFirst   bool          // the newest item is worked on first
	Supersede     bool          // a retry takes the place of the droplet's item in the queue
}

// LeaseManager is the state of a lease manager: what its decisions need. The
// queued items themselves stay with the driver.
type LeaseManager struct {
	Queued        int
	NextEstablish time.Duration // earliest time at which the next establishment may begin
	NextComeback  time.Duration // earliest time at which the next establishment may be queued
	Throttled     bool          // an operator switched ComebackGap on
}

// LeaseManagerEventKind names what a manager decides about.
type LeaseManagerEventKind uint8

const (
	ManagerOffered   LeaseManagerEventKind = iota // a droplet submits an attempt
	ManagerFree                                   // a worker is free and this is the next item
	ManagerRestarted                              // an operator restarts it: the queue is empty afterwards
	ManagerThrottle                               // an operator limits what comes back to ComebackGap
	ManagerRelease                                // an operator lifts the limit
)

// LeaseManagerEvent is one event. For ManagerFree, Stale says that the item's
// droplet no longer waits for it.
type LeaseManagerEvent struct {
	Kind      LeaseManagerEventKind
	Establish bool
	Stale     bool
	Replaces  bool // the droplet has an older item in the queue
	Reserved  bool // the droplet comes back at the time it was given
	At        time.Duration
}

// LeaseVerdict is what a manager decided.
type LeaseVerdict uint8

const (
	LeaseIdle    LeaseVerdict = iota
	LeaseQueue                // offered: into the queue
	LeaseReplace              // offered: in place of the older item
	LeaseReject               // offered: turned away
	LeaseLater                // offered: come back ComebackGap before NextComeback, which is reserved
	LeaseHold                 // free: not before NextEstablish
	LeaseWork                 // free: work on the item
	LeaseDrop                 // free: throw the item away
)

// StepLeaseManager advances a lease manager by one event.
func StepLeaseManager(cfg *LeaseManagerConfig, m LeaseManager, ev LeaseManagerEvent) (LeaseManager, LeaseVerdict) {
	switch ev.Kind {
	case ManagerRestarted:
		m.Queued = 0
		return m, LeaseIdle
	case ManagerThrottle:
		m.Throttled, m.NextComeback = true, ev.At
		return m, LeaseIdle
	case ManagerRelease:
		m.Throttled = false
		return m, LeaseIdle
	case ManagerOffered:
		return m.offered(cfg, ev)
	}
	if cfg.DropStale && ev.Stale {
		m.Queued--
		return m, LeaseDrop
	}
	if ev.Establish && cfg.EstablishGap > 0 {
		if ev.At < m.NextEstablish {
			return m, LeaseHold
		}
		m.NextEstablish = max(ev.At, m.NextEstablish) + cfg.EstablishGap
	}
	m.Queued--
	return m, LeaseWork
}

func (m LeaseManager) offered(cfg *LeaseManagerConfig, ev LeaseManagerEvent) (LeaseManager, LeaseVerdict) {
	if cfg.Supersede && ev.Replaces {
		return m, LeaseReplace
	}
	if cfg.Bound > 0 && m.Queued >= cfg.Bound {
		return m, LeaseReject
	}
	if m.Throttled && ev.Establish && !ev.Reserved {
		slot := max(ev.At, m.NextComeback)
		m.NextComeback = slot + cfg.ComebackGap
		if slot > ev.At {
			return m, LeaseLater
		}
	}
	m.Queued++
	return m, LeaseQueue
}
