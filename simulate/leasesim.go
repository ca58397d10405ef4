package simulate

import (
	"math/rand/v2"
	"time"

	"ddx/controlplane"
)

// LeaseSettings is one run of the lease simulator. The base figures are scaled
// and ours: AWS published none.
type LeaseSettings struct {
	Droplets      int           // hosts that hold a lease
	Workers       int           // workers of the manager
	Capacity      float64       // work units a second, all workers together
	EstablishCost float64       // work units to establish a lease; a renewal costs 1
	FailCost      float64       // work units that an attempt takes which finds the store unreachable
	OutageAt      time.Duration // when the store becomes unreachable
	Outage        time.Duration // for how long
	Horizon       time.Duration // how long to watch after the outage
	Restarts      []LeaseRestart
	Whole         bool // watch the whole horizon, also after recovery
	Seed          uint64

	Lease   controlplane.LeaseConfig
	Manager controlplane.LeaseManagerConfig
}

// LeaseRestart is an operator's restart of the manager, which empties its queue.
type LeaseRestart struct {
	After    time.Duration // after the end of the outage
	Throttle time.Duration // least time between two establishments let in from then on, 0 for no limit
}

// BaseLease returns the figures that the measures are compared at: X = 3.75.
func BaseLease() LeaseSettings {
	return LeaseSettings{
		Droplets: 1800, Workers: 4, Capacity: 20, EstablishCost: 5, FailCost: 0.2,
		OutageAt: 1800 * time.Second, Outage: 2400 * time.Second, Horizon: 4 * time.Hour,
		Lease: controlplane.LeaseConfig{Period: 180 * time.Second, Jitter: 0.25, TTL: 900 * time.Second, Deadline: 120 * time.Second},
	}
}

// X is the time to establish every lease at full capacity over the deadline.
func (s LeaseSettings) X() float64 {
	return float64(s.Droplets) * s.EstablishCost / (s.Capacity * s.Lease.Deadline.Seconds())
}

// LeaseRun is what a run showed.
type LeaseRun struct {
	LowestLeased float64 // smallest leased share at any time
	Recovered    bool    // 99 % of the leases were in force again within the horizon
	Recovery     float64 // seconds from the end of the outage to that
	LastLeased   float64 // leased share at the end
	Goodput      float64 // useful work units over all, from the end of the outage on
	MaxQueue     int
	Series       []LeasePoint
}

// LeasePoint is a sample of a run, one every SampleEvery.
type LeasePoint struct {
	T       float64 `json:"t"`       // seconds
	Leased  float64 `json:"leased"`  // share of the leases in force
	Queue   int     `json:"queue"`   // items queued
	Goodput float64 `json:"goodput"` // useful share of the work of the interval
}

// SampleEvery is the distance of samples in a Series.
const SampleEvery = time.Minute

const (
	timerDue uint8 = iota
	timerDeadline
	timerWorked
	timerRanOut
	timerWake
	timerStoreDown
	timerStoreUp
	timerRestart
	timerSample
)

type leaseItem struct {
	droplet   int32
	attempt   uint32
	establish bool
}

// leaseSim drives the lease steps on a virtual clock.
type leaseSim struct {
	LeaseSettings
	clock    clock
	random   *rand.Rand
	leases   []controlplane.Lease
	reserved []bool
	manager  controlplane.LeaseManager
	urgent   deque // renewals, if they go first
	queue    deque
	queued   []uint16 // items of each droplet in the queue
	working  []leaseItem
	idle     []int32
	sleeping bool // a worker waits for NextEstablish
	down     bool
	held     int

	run                LeaseRun
	useful, all        float64
	lastUseful, lastAl float64
}

// SimulateLease runs the lease manager once. Equal settings give equal runs.
func SimulateLease(s LeaseSettings) LeaseRun {
	m := &leaseSim{
		LeaseSettings: s, random: rand.New(rand.NewPCG(s.Seed, 0x1ea5e)),
		leases: make([]controlplane.Lease, s.Droplets), reserved: make([]bool, s.Droplets),
		queued: make([]uint16, s.Droplets), working: make([]leaseItem, s.Workers), held: s.Droplets,
		run: LeaseRun{LowestLeased: 1},
	}
	for d := range m.leases {
		// Every droplet last succeeded at a random time within the last period.
		age := time.Duration(m.random.Float64() * float64(s.Lease.Period))
		m.leases[d] = controlplane.Lease{Held: true, Expiry: s.Lease.TTL - age}
		m.clock.set(s.Lease.Period-age, timerDue, int32(d), 0)
		m.clock.set(s.Lease.TTL-age, timerRanOut, int32(d), 0)
	}
	for w := range s.Workers {
		m.idle = append(m.idle, int32(w))
	}
	end := s.OutageAt + s.Outage
	m.clock.set(s.OutageAt, timerStoreDown, 0, 0)
	m.clock.set(end, timerStoreUp, 0, 0)
	last := end
	for i, r := range s.Restarts {
		last = end + r.After
		m.clock.set(last, timerRestart, int32(i), 0)
	}
	m.clock.set(0, timerSample, 0, 0)
	for {
		t, ok := m.clock.next()
		if !ok || t.at > end+s.Horizon {
			break
		}
		m.fire(t)
		if t.at >= end && !m.run.Recovered && m.held*100 >= 99*s.Droplets && t.at >= last {
			m.run.Recovered, m.run.Recovery = true, (t.at - end).Seconds()
		}
		if !s.Whole && m.run.Recovered && t.at > end+time.Duration(m.run.Recovery*float64(time.Second))+10*time.Minute {
			break
		}
	}
	m.run.LastLeased = m.share()
	if m.all > 0 {
		m.run.Goodput = m.useful / m.all
	}
	return m.run
}

func (m *leaseSim) share() float64 { return float64(m.held) / float64(m.Droplets) }

func (m *leaseSim) fire(t timer) {
	switch t.kind {
	case timerDue:
		m.step(t.who, controlplane.LeaseEvent{Kind: controlplane.LeaseDue})
	case timerDeadline:
		m.step(t.who, controlplane.LeaseEvent{Kind: controlplane.LeaseTimedOut, Attempt: t.attempt})
	case timerRanOut:
		m.step(t.who, controlplane.LeaseEvent{Kind: controlplane.LeaseRanOut})
	case timerWorked:
		m.worked(t.who)
	case timerWake:
		m.sleeping = false
		m.dispatch()
	case timerStoreDown:
		m.down = true
	case timerStoreUp:
		m.storeUp()
	case timerRestart:
		m.restart(m.Restarts[t.who])
	case timerSample:
		m.sample()
	}
}

// step gives one event to a droplet and does what it asks for.
func (m *leaseSim) step(d int32, ev controlplane.LeaseEvent) {
	ev.At, ev.Random, ev.StoreDown = m.clock.now, m.random.Float64(), m.down
	was := m.leases[d].Held
	l, cmd := controlplane.StepLease(&m.Lease, m.leases[d], ev)
	m.leases[d] = l
	if l.Held != was {
		if l.Held {
			m.held++
		} else {
			m.held--
			m.run.LowestLeased = min(m.run.LowestLeased, m.share())
		}
	}
	switch cmd.Kind {
	case controlplane.LeaseWait:
		m.clock.set(cmd.Until, timerDue, d, 0)
	case controlplane.LeaseSubmit:
		m.offer(d, cmd)
	}
}

// offer brings an attempt to the manager.
func (m *leaseSim) offer(d int32, cmd controlplane.LeaseCommand) {
	mgr, verdict := controlplane.StepLeaseManager(&m.Manager, m.manager, controlplane.LeaseManagerEvent{
		Kind: controlplane.ManagerOffered, Establish: cmd.Establish, At: m.clock.now,
		Replaces: m.queued[d] > 0, Reserved: m.reserved[d],
	})
	m.manager = mgr
	m.reserved[d] = false
	switch verdict {
	case controlplane.LeaseQueue:
		q := &m.queue
		if m.Manager.RenewalsFirst && !cmd.Establish {
			q = &m.urgent
		}
		q.pushBack(leaseItem{d, cmd.Attempt, cmd.Establish})
		m.queued[d]++
		m.run.MaxQueue = max(m.run.MaxQueue, m.manager.Queued)
	case controlplane.LeaseReject:
		m.step(d, controlplane.LeaseEvent{Kind: controlplane.LeaseRejected, Attempt: cmd.Attempt})
		return
	case controlplane.LeaseLater:
		m.reserved[d] = true
		m.step(d, controlplane.LeaseEvent{Kind: controlplane.LeaseDeferred, Attempt: cmd.Attempt, Until: m.manager.NextComeback - m.Manager.ComebackGap})
		return
	}
	if cmd.Until > 0 {
		m.clock.set(cmd.Until, timerDeadline, d, cmd.Attempt)
	}
	m.dispatch()
}

// dispatch hands items to idle workers.
func (m *leaseSim) dispatch() {
	for len(m.idle) > 0 && !m.sleeping {
		q := &m.queue
		if m.urgent.len() > 0 {
			q = &m.urgent
		}
		item, ok := q.peek(m.Manager.LastInFirst)
		if !ok {
			return
		}
		l := m.leases[item.droplet]
		if m.Manager.Supersede {
			item.attempt, item.establish = l.Attempt, !l.Held
		}
		var verdict controlplane.LeaseVerdict
		m.manager, verdict = controlplane.StepLeaseManager(&m.Manager, m.manager, controlplane.LeaseManagerEvent{
			Kind: controlplane.ManagerFree, Establish: item.establish, At: m.clock.now,
			Stale: !l.Queued || l.Attempt != item.attempt,
		})
		if verdict == controlplane.LeaseHold {
			m.sleeping = true
			m.clock.set(m.manager.NextEstablish, timerWake, 0, 0)
			return
		}
		q.drop(m.Manager.LastInFirst)
		m.queued[item.droplet]--
		if verdict == controlplane.LeaseWork {
			m.work(item)
		}
	}
}

// work begins an item on an idle worker.
func (m *leaseSim) work(item leaseItem) {
	w := m.idle[len(m.idle)-1]
	m.idle = m.idle[:len(m.idle)-1]
	m.working[w] = item
	units := m.cost(item)
	if m.Lease.DeadlineFromStart {
		m.clock.set(m.clock.now+m.Lease.Deadline, timerDeadline, item.droplet, item.attempt)
	}
	seconds := units * (0.5 + m.random.Float64()) * float64(m.Workers) / m.Capacity
	m.clock.set(m.clock.now+time.Duration(seconds*float64(time.Second)), timerWorked, w, 0)
}

// cost returns the work units that an item takes at present.
func (m *leaseSim) cost(item leaseItem) float64 {
	units := 1.0
	if item.establish {
		units = m.EstablishCost
	}
	if m.down {
		units = m.FailCost
	}
	return units
}

// worked ends the item of worker w.
func (m *leaseSim) worked(w int32) {
	item := m.working[w]
	m.idle = append(m.idle, w)
	ev := controlplane.LeaseEvent{Kind: controlplane.LeaseDone, Attempt: item.attempt}
	units := m.cost(item)
	m.all += units
	if m.down {
		ev.Kind = controlplane.LeaseFailed
	} else if l := m.leases[item.droplet]; l.Queued && l.Attempt == item.attempt {
		m.useful += units
		m.clock.set(m.clock.now+m.Lease.TTL, timerRanOut, item.droplet, 0)
	}
	m.step(item.droplet, ev)
	m.dispatch()
}

// storeUp ends the outage. Leases that were kept run out from now on.
func (m *leaseSim) storeUp() {
	m.down = false
	m.useful, m.all, m.lastUseful, m.lastAl = 0, 0, 0, 0
	for d := range m.leases {
		if l := &m.leases[d]; m.Lease.KeepWhileDown && l.Held {
			l.Expiry += m.Outage
			m.clock.set(l.Expiry, timerRanOut, int32(d), 0)
		}
	}
}

// restart clears the queue and, if told to, throttles what comes back.
func (m *leaseSim) restart(r LeaseRestart) {
	m.queue, m.urgent = deque{}, deque{}
	clear(m.queued)
	m.manager, _ = controlplane.StepLeaseManager(&m.Manager, m.manager, controlplane.LeaseManagerEvent{Kind: controlplane.ManagerRestarted, At: m.clock.now})
	if m.Manager.ComebackGap = r.Throttle; r.Throttle > 0 {
		m.manager, _ = controlplane.StepLeaseManager(&m.Manager, m.manager, controlplane.LeaseManagerEvent{Kind: controlplane.ManagerThrottle, At: m.clock.now})
	}
	for _, d := range m.random.Perm(m.Droplets) {
		m.step(int32(d), controlplane.LeaseEvent{Kind: controlplane.LeaseReset})
	}
}

func (m *leaseSim) sample() {
	p := LeasePoint{T: m.clock.now.Seconds(), Leased: m.share(), Queue: m.manager.Queued, Goodput: 1}
	if work := m.all - m.lastAl; work > 0 {
		p.Goodput = (m.useful - m.lastUseful) / work
	}
	m.lastUseful, m.lastAl = m.useful, m.all
	m.run.Series = append(m.run.Series, p)
	m.clock.set(m.clock.now+SampleEvery, timerSample, 0, 0)
}
