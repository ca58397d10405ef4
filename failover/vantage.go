package failover

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"ddx/controlplane"
)

// Vantage looks at the targets from one place.
type Vantage struct {
	Name    string
	Check   CheckConfig
	Gate    controlplane.NodeConfig
	Targets []netip.Addr
	Now     func() time.Time

	mu    sync.Mutex
	gates map[netip.Addr]Gate
	at    time.Time
}

// Look checks every target once, all at the same time.
func (v *Vantage) Look(ctx context.Context) {
	results := make([]Health, len(v.Targets))
	var wg sync.WaitGroup
	for i, ip := range v.Targets {
		wg.Go(func() { results[i], _ = Probe(ctx, v.Check, ip) })
	}
	wg.Wait()
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.Now()
	if v.gates == nil {
		v.gates = map[netip.Addr]Gate{}
	}
	for i, ip := range v.Targets {
		v.gates[ip] = StepGate(v.Gate, v.gates[ip], results[i], time.Duration(now.UnixNano()))
	}
	v.at = now
}

// Vote is what this vantage point says now. Its time is that of the last look,
// so that a vantage point that hangs loses its voice.
func (v *Vantage) Vote() Vote {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := Vote{Vantage: v.Name, At: v.at, Health: map[netip.Addr]Health{}}
	for ip, g := range v.gates {
		out.Health[ip] = g.Health
	}
	return out
}
