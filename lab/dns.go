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
// From bit 0 of Lo: newest plan 3 bits; each endpoint: trees 8, active 3,
// rollback 4 and, with locks, holder 3; with bad plans, the plans without
// targets 8; with budgets, five of 2 bits each. Then each enactor: phase 3,
// plan 3, payload 8 and, with two endpoints, endpoint 1. The payload is the
// generation read or the trees to delete. If all this exceeds 63 bits, the
// enactors are in Hi.
type dnsSpace struct {
	cfg     DNSConfig
	planner controlplane.PlannerConfig
	enactor controlplane.EnactorConfig
	cleaner controlplane.CleanerConfig
	memo    []outcome
	matters uint64 // bits of a memo's key beside actor and endpoint that matter

	endpointBits int
	emptyAt      int // where the plans without targets begin, 0 for none
	budgetAt     int // where the budgets begin, 0 for none
	actorAt      int // where the enactors begin
	actorBits    int
	actorsHigh   bool
	locks        bool
}

// Budgets, as offsets from budgetAt.
const (
	budgetCrash      = 0
	budgetLostAck    = 2
	budgetRollback   = 4
	budgetBadPlan    = 6
	budgetSwitchBack = 8
	budgetBits       = 10
)

const (
	newestMask   = 7
	endpointsAt  = 3
	holderAt     = 15 // within an endpoint
	planAt       = 3  // within an enactor
	payloadAt    = 6
	actorEnd     = 14
	phaseMask    = 7
	cleanerPhase = 4 // phases above are those of the cleaner
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
	return uint32(verb) | uint32(actor)<<actionActor | uint32(ep)<<16 | uint32(st)<<20
}

const actionActor = 8

// newDNSSpace fixes the parameters that the parts share and lays out the bits.
func newDNSSpace(cfg DNSConfig) *dnsSpace {
	d := &dnsSpace{cfg: cfg, planner: cfg.Planner, enactor: cfg.Enactor, cleaner: cfg.Cleaner, memo: make([]outcome, 1<<memoBits)}
	d.enactor.Endpoints, d.cleaner.Endpoints = uint8(cfg.Endpoints), uint8(cfg.Endpoints)
	d.enactor.Retain, d.cleaner.Retain = controlplane.Generation(cfg.Retain), controlplane.Generation(cfg.Retain)
	d.locks = d.enactor.Lock || d.cleaner.Lock
	if d.enactor.ExpirePlan || d.enactor.ExpireAtomic {
		d.matters |= 7 << 33
	}
	d.endpointBits, d.actorBits = holderAt, actorEnd
	if d.locks {
		d.endpointBits += 3
	}
	if cfg.Endpoints > 1 {
		d.actorBits++
	}
	end := endpointsAt + cfg.Endpoints*d.endpointBits
	if cfg.BadPlans > 0 {
		d.emptyAt = end
		end += 8
	}
	if cfg.Crashes+cfg.LostAcks+cfg.Rollbacks+cfg.BadPlans+cfg.SwitchBacks > 0 {
		d.budgetAt = end
		end += budgetBits
	}
	d.actorAt = end
	if end+cfg.Enactors*d.actorBits > 63 {
		d.actorAt, d.actorsHigh = 0, true
	}
	return d
}

func (d *dnsSpace) Width() int {
	if d.actorsHigh {
		return 64 + d.cfg.Enactors*d.actorBits
	}
	return d.actorAt + d.cfg.Enactors*d.actorBits
}

func (d *dnsSpace) Invariants() []string { return DNSInvariants }

func (d *dnsSpace) Start() []State {
	var s State
	for e := range d.cfg.Endpoints {
		s = d.withEndpoint(s, e, packEndpoint(controlplane.NewEndpoint()))
	}
	if d.budgetAt > 0 {
		s.Lo |= (uint64(d.cfg.Crashes)<<budgetCrash | uint64(d.cfg.LostAcks)<<budgetLostAck |
			uint64(d.cfg.Rollbacks)<<budgetRollback | uint64(d.cfg.BadPlans)<<budgetBadPlan |
			uint64(d.cfg.SwitchBacks)<<budgetSwitchBack) << d.budgetAt
	}
	return []State{s}
}

// Goal: every endpoint serves the last plan the planner makes, and serves it.
func (d *dnsSpace) Goal(s State) bool {
	if int(s.Lo&newestMask) != d.cfg.Plans {
		return false
	}
	for e := range d.cfg.Endpoints {
		if z := unpackEndpoint(d.endpoint(s, e)); int(z.Active) != d.cfg.Plans || z.Empty() {
			return false
		}
	}
	return true
}

// endpoint returns the packed endpoint e.
func (d *dnsSpace) endpoint(s State, e int) uint64 {
	return s.Lo >> (endpointsAt + e*d.endpointBits) & (1<<d.endpointBits - 1)
}

func (d *dnsSpace) withEndpoint(s State, e int, z uint64) State {
	at := endpointsAt + e*d.endpointBits
	s.Lo = s.Lo&^((1<<d.endpointBits-1)<<at) | z<<at
	return s
}

// actor returns the packed enactor i.
func (d *dnsSpace) actor(s State, i int) uint64 {
	w := s.Lo
	if d.actorsHigh {
		w = s.Hi
	}
	return w >> (d.actorAt + i*d.actorBits) & (1<<d.actorBits - 1)
}

func (d *dnsSpace) withActor(s State, i int, w uint64) State {
	at := d.actorAt + i*d.actorBits
	mask := uint64(1<<d.actorBits-1) << at
	if d.actorsHigh {
		s.Hi = s.Hi&^mask | w<<at
	} else {
		s.Lo = s.Lo&^mask | w<<at
	}
	return s
}

// left returns what is left of a budget.
func (d *dnsSpace) left(s State, budget int) uint64 {
	if d.budgetAt == 0 {
		return 0
	}
	return s.Lo >> (d.budgetAt + budget) & 3
}

func (d *dnsSpace) spend(s State, budget int) State {
	s.Lo -= 1 << (d.budgetAt + budget)
	return s
}

// noTargets reports whether plan g was published without targets.
func (d *dnsSpace) noTargets(s State, g controlplane.Generation) bool {
	return d.emptyAt > 0 && s.Lo>>d.emptyAt>>g&1 != 0
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

// An actor is an enactor or, while that is idle, its cleaner.

func packEnactor(e controlplane.Enactor) uint64 {
	return uint64(e.Phase) | uint64(e.Plan)<<planAt | uint64(e.Seen)<<payloadAt | uint64(e.Endpoint)<<actorEnd
}

func unpackEnactor(w uint64) controlplane.Enactor {
	return controlplane.Enactor{
		Phase:    controlplane.EnactorPhase(w & phaseMask),
		Plan:     controlplane.Generation(w >> planAt & 7),
		Seen:     controlplane.Generation(w >> payloadAt & 255),
		Endpoint: uint8(w >> actorEnd),
	}
}

func packCleaner(c controlplane.Cleaner) uint64 {
	if c.Phase == controlplane.CleanerIdle {
		return 0
	}
	return uint64(c.Phase+cleanerPhase) | uint64(c.Applied)<<planAt | uint64(c.Doomed)<<payloadAt | uint64(c.Endpoint)<<actorEnd
}

func unpackCleaner(w uint64) controlplane.Cleaner {
	return controlplane.Cleaner{
		Phase:    controlplane.CleanerPhase(w&phaseMask) - cleanerPhase,
		Applied:  controlplane.Generation(w >> planAt & 7),
		Doomed:   controlplane.Set(w >> payloadAt & 255),
		Endpoint: uint8(w >> actorEnd),
	}
}

// Canonical sorts the enactors by their state and by the locks they hold, and
// renumbers the lock holders accordingly: enactors are identical.
func (d *dnsSpace) Canonical(s State) State {
	n := d.cfg.Enactors
	if n == 1 {
		return s
	}
	key := d.actorKeys(s)
	sorted := true
	for i := 1; i < n; i++ {
		for j := i; j > 0 && key[j] > key[j-1]; j-- {
			key[j], key[j-1] = key[j-1], key[j]
			sorted = false
		}
	}
	if sorted {
		return s
	}
	for i := range n {
		s = d.withActor(s, i, key[i]>>2)
	}
	if d.locks {
		for e := range d.cfg.Endpoints {
			z := d.endpoint(s, e) &^ (7 << holderAt)
			for i := range n {
				z |= key[i] >> e & 1 * uint64(i+1) << holderAt
			}
			s = d.withEndpoint(s, e, z)
		}
	}
	return s
}

const maxEnactors = 4

// actorKeys returns for each enactor its state and, below, the locks it holds.
func (d *dnsSpace) actorKeys(s State) (key [maxEnactors]uint64) {
	for i := range d.cfg.Enactors {
		key[i] = d.actor(s, i) << 2
	}
	if d.locks {
		for e := range d.cfg.Endpoints {
			if h := d.endpoint(s, e) >> holderAt; h != 0 {
				key[h-1] |= 1 << e
			}
		}
	}
	return key
}

// Orbit counts the ways to number the enactors: N!, less what equal ones share.
func (d *dnsSpace) Orbit(s State) int {
	key := d.actorKeys(s)
	ways, same := 1, 1
	for i := 1; i < d.cfg.Enactors; i++ {
		ways *= i + 1
		if key[i] == key[i-1] {
			same++
			ways /= same
		} else {
			same = 1
		}
	}
	return ways
}
