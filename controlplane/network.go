package controlplane

import "time"

// NetworkConfig says how a network manager spreads the network state of
// instances. The zero value with Each set takes whatever comes.
type NetworkConfig struct {
	Each    time.Duration // work to propagate the state of one instance
	MaxWait time.Duration // turn launches away whose state would wait longer; 0 for never
}

// Network is the state of a network manager: one queue, first in, first out.
type Network struct {
	Free     time.Duration // when everything queued is propagated
	Accepted int
	Rejected int
}

// NetworkEvent is an instance whose network state changes. A termination
// changes network state too, and is never turned away.
type NetworkEvent struct {
	Termination bool
	At          time.Duration
}

// NetworkVerdict says what becomes of a change.
type NetworkVerdict struct {
	Accepted   bool
	Propagated time.Duration // when the state is everywhere
}

// StepNetwork queues one change. The bound is one of time, not of items: what
// matters is how long the last one waits.
func StepNetwork(cfg *NetworkConfig, n Network, ev NetworkEvent) (Network, NetworkVerdict) {
	n.Free = max(n.Free, ev.At)
	if cfg.MaxWait > 0 && !ev.Termination && n.Free-ev.At > cfg.MaxWait {
		n.Rejected++
		return n, NetworkVerdict{}
	}
	n.Free += cfg.Each
	n.Accepted++
	return n, NetworkVerdict{Accepted: true, Propagated: n.Free}
}

// Wait returns how long a change that comes now would wait.
func (n Network) Wait(at time.Duration) time.Duration { return max(0, n.Free-at) }
