package lab

import (
	"ddx/controlplane"
)

// DNSConfig is one configuration of the DNS model: planner, enactors with their
// cleaners, and the provider's zone, as in October 2025.
type DNSConfig struct {
	Enactors  int `json:"enactors"`  // 1 to 4
	Retain    int `json:"retain"`    // K: generations behind at which a tree is cleaned
	Plans     int `json:"plans"`     // P: generations the planner makes, 1 to 7
	Endpoints int `json:"endpoints"` // 1 or 2

	Crashes     int `json:"crashes"`      // enactor crashes, 0 to 3
	LostAcks    int `json:"lost_acks"`    // transactions whose answer is lost, 0 to 3
	Rollbacks   int `json:"rollbacks"`    // operator rollbacks, 0 to 3
	BadPlans    int `json:"bad_plans"`    // observations in which no target looks healthy, 0 to 3
	SwitchBacks int `json:"switch_backs"` // times an operator points the alias at the rollback tree, 0 to 3

	LockExpires bool                       `json:"-"`
	Planner     controlplane.PlannerConfig `json:"-"`
	Enactor     controlplane.EnactorConfig `json:"-"`
	Cleaner     controlplane.CleanerConfig `json:"-"`
}

// Invariants of the DNS model, as bits of Edge.Broken.
const (
	neverEmpty = 1 << iota
	neverRegress
	neverDeleteInUse
	rollbackUsable
)

// DNSInvariants names the invariants of the DNS model in the order of their bits.
var DNSInvariants = []string{"NeverEmpty", "NeverRegress", "NeverDeleteInUse", "RollbackUsable"}

// dnsSpace is a DNS configuration as a packed transition system.
//
// Lo: newest plan 3 bits, plans without targets 8, then 18 for each endpoint
// (trees 8, active 3, rollback 4, lock holder 3), at bit 48 the budgets left,
// two bits each. Hi: 16 bits for each enactor (phase 4, plan 3, endpoint 1,
// payload 8). The payload is the generation read or the trees to delete.
type dnsSpace struct {
	cfg     DNSConfig
	planner controlplane.PlannerConfig
	enactor controlplane.EnactorConfig
	cleaner controlplane.CleanerConfig
	memo    []outcome
}

const (
	emptyShift    = 3
	endpointShift = 11
	endpointBits  = 18
	endpointMask  = 1<<endpointBits - 1
	actorBits     = 16
	actorMask     = 1<<actorBits - 1

	budgetCrash      = 48
	budgetLostAck    = 50
	budgetRollback   = 52
	budgetBadPlan    = 54
	budgetSwitchBack = 56
)

// allTargets is what a healthy plan publishes; one target is enough to tell a
// good plan from an empty one.
const allTargets controlplane.Targets = 1

// Verbs of the DNS model. An action is a verb, the actor from 1 (0 is the
// planner or an operator), the endpoint, the outcome and whether the answer
// was lost.
const (
	verbGenerate = iota
	verbBadPlan
	verbRollback
	verbSwitchBack
	verbExpire
	verbPick
	verbLock
	verbBuild
	verbRead
	verbCommit
	verbList
	verbDelete
	verbCrash
)

func action(verb, actor int, ep uint8, st controlplane.Status) uint32 {
	return uint32(verb) | uint32(actor)<<8 | uint32(ep)<<16 | uint32(st)<<20
}

// newDNSSpace fixes the parameters that both halves share.
func newDNSSpace(cfg DNSConfig) *dnsSpace {
	d := &dnsSpace{cfg: cfg, planner: cfg.Planner, enactor: cfg.Enactor, cleaner: cfg.Cleaner, memo: make([]outcome, 1<<memoBits)}
	d.enactor.Endpoints, d.cleaner.Endpoints = uint8(cfg.Endpoints), uint8(cfg.Endpoints)
	d.enactor.Retain, d.cleaner.Retain = controlplane.Generation(cfg.Retain), controlplane.Generation(cfg.Retain)
	return d
}

func (d *dnsSpace) Invariants() []string { return DNSInvariants }

func (d *dnsSpace) Start() []State {
	var s State
	for e := 0; e < d.cfg.Endpoints; e++ {
		s.Lo |= packEndpoint(controlplane.NewEndpoint()) << (endpointShift + e*endpointBits)
	}
	s.Lo |= uint64(d.cfg.Crashes)<<budgetCrash | uint64(d.cfg.LostAcks)<<budgetLostAck |
		uint64(d.cfg.Rollbacks)<<budgetRollback | uint64(d.cfg.BadPlans)<<budgetBadPlan |
		uint64(d.cfg.SwitchBacks)<<budgetSwitchBack
	return []State{s}
}

// Goal: every endpoint serves the last plan the planner makes, and serves it.
func (d *dnsSpace) Goal(s State) bool {
	if int(s.Lo&7) != d.cfg.Plans {
		return false
	}
	for e := 0; e < d.cfg.Endpoints; e++ {
		if z := d.endpoint(s, e); int(z.Active) != d.cfg.Plans || z.Empty() {
			return false
		}
	}
	return true
}

func (d *dnsSpace) endpoint(s State, e int) controlplane.Endpoint {
	return unpackEndpoint(s.Lo >> (endpointShift + e*endpointBits))
}

func packEndpoint(z controlplane.Endpoint) uint64 {
	roll := uint64(8)
	if z.Rollback != controlplane.None {
		roll = uint64(z.Rollback)
	}
	return uint64(z.Trees) | uint64(z.Active)<<8 | roll<<11 | uint64(z.Holder)<<15
}

func unpackEndpoint(w uint64) controlplane.Endpoint {
	z := controlplane.Endpoint{
		Trees:    controlplane.Set(w & 255),
		Active:   controlplane.Generation(w >> 8 & 7),
		Rollback: controlplane.Generation(w >> 11 & 15),
		Holder:   uint8(w >> 15 & 7),
	}
	if z.Rollback == 8 {
		z.Rollback = controlplane.None
	}
	return z
}

// Phases of an actor: those of the enactor, then those of its cleaner from
// cleanerPhase on. A cleaner runs only while its enactor is idle.
const cleanerPhase = 4 // CleanerLocking, the first that is not idle, becomes 5

func packEnactor(e controlplane.Enactor) uint64 {
	return uint64(e.Phase) | uint64(e.Plan)<<4 | uint64(e.Endpoint)<<7 | uint64(e.Seen)<<8
}

func unpackEnactor(w uint64) controlplane.Enactor {
	return controlplane.Enactor{
		Phase:    controlplane.EnactorPhase(w & 15),
		Plan:     controlplane.Generation(w >> 4 & 7),
		Endpoint: uint8(w >> 7 & 1),
		Seen:     controlplane.Generation(w >> 8 & 255),
	}
}

func packCleaner(c controlplane.Cleaner) uint64 {
	if c.Phase == controlplane.CleanerIdle {
		return 0
	}
	return uint64(c.Phase+cleanerPhase) | uint64(c.Applied)<<4 | uint64(c.Endpoint)<<7 | uint64(c.Doomed)<<8
}

func unpackCleaner(w uint64) controlplane.Cleaner {
	return controlplane.Cleaner{
		Phase:    controlplane.CleanerPhase(w&15) - cleanerPhase,
		Applied:  controlplane.Generation(w >> 4 & 7),
		Endpoint: uint8(w >> 7 & 1),
		Doomed:   controlplane.Set(w >> 8 & 255),
	}
}

// Canonical sorts the enactors by their state and by the locks they hold, and
// renumbers the lock holders accordingly: enactors are identical.
func (d *dnsSpace) Canonical(s State) State {
	n := d.cfg.Enactors
	if n == 1 {
		return s
	}
	var key [4]uint64
	for i := range n {
		key[i] = s.Hi >> (i * actorBits) & actorMask << 8
	}
	if d.enactor.Lock || d.cleaner.Lock {
		for e := range d.cfg.Endpoints {
			if h := s.Lo >> (endpointShift + e*endpointBits + 15) & 7; h != 0 {
				key[h-1] |= 1 << e
			}
		}
	}
	for i := 1; i < n; i++ {
		for j := i; j > 0 && key[j] > key[j-1]; j-- {
			key[j], key[j-1] = key[j-1], key[j]
		}
	}
	var t State
	t.Lo = s.Lo
	for e := range d.cfg.Endpoints {
		t.Lo &^= 7 << (endpointShift + e*endpointBits + 15)
	}
	for i := range n {
		t.Hi |= key[i] >> 8 << (i * actorBits)
		for e := range d.cfg.Endpoints {
			if key[i]>>e&1 != 0 {
				t.Lo |= uint64(i+1) << (endpointShift + e*endpointBits + 15)
			}
		}
	}
	return t
}
