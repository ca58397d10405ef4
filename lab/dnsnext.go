package lab

import "ddx/controlplane"

// Next appends every action of the planner, the operator, the lock's expiry and
// the enactors. An enactor's action is atomic: the provider performs its
// pending command and the answer arrives. A slow enactor is one that the others
// overtake before its action.
func (d *dnsSpace) Next(s State, edges []Edge) []Edge {
	newest := controlplane.Generation(s.Lo & newestMask)
	if int(newest) < d.cfg.Plans {
		edges = d.plannerActs(s, newest, edges)
	}
	if d.left(s, budgetSwitchBack) != 0 {
		edges = d.switchBacks(s, edges)
	}
	if d.cfg.LockExpires {
		for e := range d.cfg.Endpoints {
			if z := d.endpoint(s, e); z>>holderAt != 0 {
				t := d.withEndpoint(s, e, z&^(7<<holderAt))
				edges = append(edges, Edge{To: t, Action: action(verbExpire, 0, uint8(e), 0)})
			}
		}
	}
	for i := range d.cfg.Enactors {
		w := d.actor(s, i)
		if w == 0 {
			edges = d.pick(s, i, newest, edges)
			continue
		}
		edges = d.act(s, i, w, newest, edges)
		if d.left(s, budgetCrash) != 0 {
			t := d.spend(d.withActor(s, i, 0), budgetCrash)
			edges = append(edges, Edge{To: t, Action: action(verbCrash, i+1, 0, 0)})
		}
	}
	return edges
}

// plannerActs appends the ways in which a new plan can come about.
func (d *dnsSpace) plannerActs(s State, newest controlplane.Generation, edges []Edge) []Edge {
	now := controlplane.Plan{Generation: newest, Targets: allTargets}
	if d.noTargets(s, newest) {
		now.Targets = 0
	}
	step := func(s State, verb int, ev controlplane.PlannerEvent) {
		p, _ := controlplane.StepPlanner(&d.planner, controlplane.Planner{Published: now}, ev)
		s.Lo = s.Lo&^newestMask | uint64(p.Published.Generation)
		if p.Published.Targets == 0 && p.Published.Generation != newest {
			s.Lo |= 1 << d.emptyAt << p.Published.Generation
		}
		edges = append(edges, Edge{To: s, Action: action(verb, 0, 0, 0)})
	}
	step(s, verbGenerate, controlplane.PlannerEvent{Healthy: allTargets, Reweighed: true})
	if d.left(s, budgetBadPlan) != 0 {
		step(d.spend(s, budgetBadPlan), verbBadPlan, controlplane.PlannerEvent{Reweighed: true})
	}
	if d.left(s, budgetRollback) != 0 {
		step(d.spend(s, budgetRollback), verbRollback, controlplane.PlannerEvent{Kind: controlplane.PlannerRollback, Healthy: allTargets})
	}
	return edges
}

// switchBacks appends the emergency move that the rollback alias exists for:
// an operator points the public alias at the rollback tree.
func (d *dnsSpace) switchBacks(s State, edges []Edge) []Edge {
	for e := range d.cfg.Endpoints {
		z := unpackEndpoint(d.endpoint(s, e))
		if z.Rollback == controlplane.None {
			continue
		}
		before := z
		z.Active = z.Rollback
		edges = append(edges, Edge{
			To:     d.spend(d.withEndpoint(s, e, packEndpoint(z)), budgetSwitchBack),
			Action: action(verbSwitchBack, 0, uint8(e), 0),
			Broken: broken(before, z, false),
		})
	}
	return edges
}

// pick lets idle enactor i look at the newest plan: the one-time check.
func (d *dnsSpace) pick(s State, i int, newest controlplane.Generation, edges []Edge) []Edge {
	seen := controlplane.Answer{Latest: newest, Active: newest}
	for e := range d.cfg.Endpoints {
		z := unpackEndpoint(d.endpoint(s, e))
		seen.Active = min(seen.Active, z.Active)
		seen.Empty = seen.Empty || z.Empty()
	}
	e, out := controlplane.StepEnactor(&d.enactor, controlplane.Enactor{}, controlplane.EnactorEvent{
		Kind: controlplane.EnactorPlanSeen, NoTargets: d.noTargets(s, newest), Answer: seen,
	})
	if out == controlplane.EnactorSkipped {
		return edges
	}
	return append(edges, Edge{To: d.withActor(s, i, packEnactor(e)), Action: action(verbPick, i+1, 0, 0)})
}

// act appends what actor i, whose packed state is w, can do. Its step depends
// on its own state and one endpoint, in some configurations also on the newest
// plan, so the outcome is looked up in a memo and computed at the first meeting.
func (d *dnsSpace) act(s State, i int, w uint64, newest controlplane.Generation, edges []Edge) []Edge {
	ep := int(w >> actorEnd)
	z, holder := d.relative(d.endpoint(s, ep), i)
	key := w | z<<15 | uint64(newest)<<33&d.matters | 1<<40
	empty := d.noTargets(s, controlplane.Generation(w>>planAt&7))
	if empty {
		key |= 1 << 39
	}
	m := &d.memo[key*0x9E3779B97F4A7C15>>(64-memoBits)]
	if m.key != key {
		*m = d.step(w, unpackEndpoint(z), newest, empty)
		m.key = key
	}
	if m.stays {
		return edges
	}
	t := d.withEndpoint(s, ep, absolute(uint64(m.endpoint), holder, i))
	edges = append(edges, Edge{To: d.withActor(t, i, uint64(m.after)), Action: m.action | uint32(i+1)<<actionActor, Broken: uint32(m.broken)})
	if m.writes && d.left(s, budgetLostAck) != 0 {
		edges = append(edges, Edge{
			To:     d.spend(d.withActor(t, i, uint64(m.afterLost)), budgetLostAck),
			Action: action(int(m.action&255), i+1, uint8(ep), controlplane.Unknown),
			Broken: uint32(m.broken),
		})
	}
	return edges
}

// relative returns the packed endpoint as actor i sees it, with the lock free,
// its own (1) or another's (2), and the lock's true holder.
func (d *dnsSpace) relative(z uint64, i int) (seen, holder uint64) {
	if !d.locks {
		return z, 0
	}
	switch holder = z >> holderAt; holder {
	case 0:
		return z, 0
	case uint64(i + 1):
		return z&(1<<holderAt-1) | 1<<holderAt, holder
	}
	return z&(1<<holderAt-1) | 2<<holderAt, holder
}

// absolute undoes relative for the endpoint after a step.
func absolute(z, holder uint64, i int) uint64 {
	switch z >> holderAt {
	case 1:
		return z&(1<<holderAt-1) | uint64(i+1)<<holderAt
	case 2:
		return z&(1<<holderAt-1) | holder<<holderAt
	}
	return z
}

// memoBits sizes the memo: 2^memoBits entries, the last one met wins.
const memoBits = 15

// outcome is what one step of an actor does.
type outcome struct {
	key       uint64
	endpoint  uint32 // the endpoint afterwards, packed
	action    uint32
	after     uint16 // the actor afterwards, packed
	afterLost uint16 // the same if the answer was lost
	broken    uint8
	stays     bool // nothing happened: refused and still waiting
	writes    bool // a transaction was applied, so its answer can be lost
}

// step performs the pending command of an actor, an enactor or its cleaner, and
// hands it the answer. The actor is number 1: see relative.
func (d *dnsSpace) step(w uint64, before controlplane.Endpoint, newest controlplane.Generation, empty bool) outcome {
	var cmd controlplane.Command
	var then func(controlplane.Answer) uint64
	cleans := w&phaseMask > cleanerPhase
	if cleans {
		c := unpackCleaner(w)
		cmd = c.Pending(&d.cleaner, 1)
		then = func(a controlplane.Answer) uint64 { return packCleaner(controlplane.StepCleaner(&d.cleaner, c, a)) }
	} else {
		e := unpackEnactor(w)
		cmd = e.Pending(&d.enactor, 1, empty)
		then = func(a controlplane.Answer) uint64 { return d.afterEnactor(e, a) }
	}
	z, ans := before.Apply(cmd, newest)
	after := then(ans)
	z = giveBack(z, cmd.Endpoint, w, after)
	return outcome{
		after:     uint16(after),
		afterLost: uint16(then(controlplane.Answer{Status: controlplane.Unknown})),
		endpoint:  uint32(packEndpoint(z)),
		action:    action(verbPick+int(cmd.Op-controlplane.OpPick), 0, cmd.Endpoint, ans.Status),
		broken:    uint8(broken(before, z, cleans)),
		stays:     z == before && after == w,
		writes:    ans.Status == controlplane.Applied && cmd.Writes(),
	}
}

// afterEnactor hands the answer to the enactor and returns the packed actor: the
// enactor, or its cleaner once the plan is on every endpoint.
func (d *dnsSpace) afterEnactor(e controlplane.Enactor, ans controlplane.Answer) uint64 {
	next, out := controlplane.StepEnactor(&d.enactor, e, controlplane.EnactorEvent{Kind: controlplane.EnactorAnswered, Answer: ans})
	if out == controlplane.EnactorFinished && d.enactor.Clean {
		return packCleaner(controlplane.StartCleaner(&d.cleaner, e.Plan))
	}
	return packEnactor(next)
}

// giveBack releases the lock of actor 1 on endpoint ep unless its next state
// after still works under it. Giving it back in the same action hides nothing:
// giving it back later is the lock's expiry.
func giveBack(z controlplane.Endpoint, ep uint8, before, after uint64) controlplane.Endpoint {
	if z.Holder != 1 {
		return z
	}
	phase := after & phaseMask
	if phase == 0 || phase == uint64(controlplane.EnactorLocking) || phase == uint64(controlplane.CleanerLocking+cleanerPhase) ||
		(before&phaseMask > cleanerPhase) != (phase > cleanerPhase) || uint8(after>>actorEnd) != ep {
		z.Holder = 0
	}
	return z
}

// broken returns the invariants that a change of an endpoint breaks.
func broken(before, after controlplane.Endpoint, deletes bool) uint32 {
	var b uint32
	if after.Empty() {
		b = neverEmpty
		if deletes && !before.Empty() {
			b |= neverDeleteInUse
		}
	}
	if after.Active < before.Active {
		b |= neverRegress
	}
	if !after.RollbackUsable() {
		b |= rollbackUsable
	}
	return b
}
