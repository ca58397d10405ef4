package lab

import "ddx/controlplane"

// Next appends every action of the planner, the operator, the lock's expiry and
// the enactors. An enactor's action is atomic: the provider performs its
// pending command and the answer arrives. A slow enactor is one that the others
// overtake before its action.
func (d *dnsSpace) Next(s State, edges []Edge) []Edge {
	newest := controlplane.Generation(s.Lo & 7)
	if int(newest) < d.cfg.Plans {
		edges = d.plannerActs(s, newest, edges)
	}
	if s.Lo>>budgetSwitchBack&3 != 0 {
		edges = d.switchBacks(s, edges)
	}
	if d.cfg.LockExpires {
		for e := range d.cfg.Endpoints {
			if z := d.endpoint(s, e); z.Holder != 0 {
				z.Holder = 0
				edges = append(edges, Edge{To: d.withEndpoint(s, e, z), Action: action(verbExpire, 0, uint8(e), 0)})
			}
		}
	}
	for i := range d.cfg.Enactors {
		w := s.Hi >> (i * actorBits) & actorMask
		switch {
		case w == 0:
			edges = d.pick(s, i, newest, edges)
		case w&15 <= cleanerPhase:
			edges = d.enact(s, i, w, newest, edges)
		default:
			edges = d.clean(s, i, w, newest, edges)
		}
		if w != 0 && s.Lo>>budgetCrash&3 != 0 {
			t := d.withActor(s, i, 0)
			t.Lo -= 1 << budgetCrash
			edges = append(edges, Edge{To: t, Action: action(verbCrash, i+1, 0, 0)})
		}
	}
	return edges
}

func (d *dnsSpace) withEndpoint(s State, e int, z controlplane.Endpoint) State {
	shift := endpointShift + e*endpointBits
	s.Lo = s.Lo&^(endpointMask<<shift) | packEndpoint(z)<<shift
	return s
}

func (d *dnsSpace) withActor(s State, i int, w uint64) State {
	shift := i * actorBits
	s.Hi = s.Hi&^(actorMask<<shift) | w<<shift
	return s
}

// noTargets reports whether plan g was published without targets.
func noTargets(s State, g controlplane.Generation) bool {
	return s.Lo>>emptyShift>>g&1 != 0
}

// plannerActs appends the ways in which a new plan can come about.
func (d *dnsSpace) plannerActs(s State, newest controlplane.Generation, edges []Edge) []Edge {
	now := controlplane.Plan{Generation: newest, Targets: allTargets}
	if noTargets(s, newest) {
		now.Targets = 0
	}
	step := func(s State, verb int, ev controlplane.PlannerEvent) {
		p, _ := controlplane.StepPlanner(&d.planner, controlplane.Planner{Published: now}, ev)
		s.Lo = s.Lo&^7 | uint64(p.Published.Generation)
		if p.Published.Targets == 0 && p.Published.Generation != newest {
			s.Lo |= 1 << emptyShift << p.Published.Generation
		}
		edges = append(edges, Edge{To: s, Action: action(verb, 0, 0, 0)})
	}
	step(s, verbGenerate, controlplane.PlannerEvent{Healthy: allTargets, Reweighed: true})
	if s.Lo>>budgetBadPlan&3 != 0 {
		t := s
		t.Lo -= 1 << budgetBadPlan
		step(t, verbBadPlan, controlplane.PlannerEvent{Reweighed: true})
	}
	if s.Lo>>budgetRollback&3 != 0 {
		t := s
		t.Lo -= 1 << budgetRollback
		step(t, verbRollback, controlplane.PlannerEvent{Kind: controlplane.PlannerRollback, Healthy: allTargets})
	}
	return edges
}

// switchBacks appends the emergency move that the rollback alias exists for:
// an operator points the public alias at the rollback tree.
func (d *dnsSpace) switchBacks(s State, edges []Edge) []Edge {
	for e := range d.cfg.Endpoints {
		z := d.endpoint(s, e)
		if z.Rollback == controlplane.None {
			continue
		}
		before := z
		z.Active = z.Rollback
		t := d.withEndpoint(s, e, z)
		t.Lo -= 1 << budgetSwitchBack
		edges = append(edges, Edge{To: t, Action: action(verbSwitchBack, 0, uint8(e), 0), Broken: broken(before, z, false)})
	}
	return edges
}

// pick lets idle enactor i look at the newest plan: the one-time check.
func (d *dnsSpace) pick(s State, i int, newest controlplane.Generation, edges []Edge) []Edge {
	seen := controlplane.Answer{Latest: newest, Active: newest}
	for e := range d.cfg.Endpoints {
		z := d.endpoint(s, e)
		seen.Active = min(seen.Active, z.Active)
		seen.Empty = seen.Empty || z.Empty()
	}
	e, out := controlplane.StepEnactor(&d.enactor, controlplane.Enactor{}, controlplane.EnactorEvent{
		Kind: controlplane.EnactorPlanSeen, NoTargets: noTargets(s, newest), Answer: seen,
	})
	if out == controlplane.EnactorSkipped {
		return edges
	}
	return append(edges, Edge{To: d.withActor(s, i, packEnactor(e)), Action: action(verbPick, i+1, 0, 0)})
}

// enact performs the pending command of enactor i.
func (d *dnsSpace) enact(s State, i int, w uint64, newest controlplane.Generation, edges []Edge) []Edge {
	e := unpackEnactor(w)
	cmd := e.Pending(&d.enactor, uint8(i+1), noTargets(s, e.Plan))
	ep := int(cmd.Endpoint)
	before := d.endpoint(s, ep)
	z, ans := before.Apply(cmd, newest)
	verb := verbPick + int(cmd.Op-controlplane.OpPick)
	after := d.afterEnactor(e, ans)
	z = giveBack(z, i, cmd.Endpoint, w, after)
	if z == before && after == w {
		return edges // refused and still waiting: nothing happened
	}
	t := d.withEndpoint(s, ep, z)
	bad := broken(before, z, false)
	edges = append(edges, Edge{To: d.withActor(t, i, after), Action: action(verb, i+1, cmd.Endpoint, ans.Status), Broken: bad})
	if ans.Status == controlplane.Applied && cmd.Writes() && s.Lo>>budgetLostAck&3 != 0 {
		t.Lo -= 1 << budgetLostAck
		after = d.afterEnactor(e, controlplane.Answer{Status: controlplane.Unknown})
		edges = append(edges, Edge{To: d.withActor(t, i, after), Action: action(verb, i+1, cmd.Endpoint, controlplane.Unknown), Broken: bad})
	}
	return edges
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

// clean performs the pending command of the cleaner of enactor i.
func (d *dnsSpace) clean(s State, i int, w uint64, newest controlplane.Generation, edges []Edge) []Edge {
	c := unpackCleaner(w)
	cmd := c.Pending(&d.cleaner, uint8(i+1))
	ep := int(cmd.Endpoint)
	before := d.endpoint(s, ep)
	z, ans := before.Apply(cmd, newest)
	verb := verbPick + int(cmd.Op-controlplane.OpPick)
	after := packCleaner(controlplane.StepCleaner(&d.cleaner, c, ans))
	z = giveBack(z, i, cmd.Endpoint, w, after)
	if z == before && after == w {
		return edges
	}
	t := d.withEndpoint(s, ep, z)
	bad := broken(before, z, true)
	edges = append(edges, Edge{To: d.withActor(t, i, after), Action: action(verb, i+1, cmd.Endpoint, ans.Status), Broken: bad})
	if ans.Status == controlplane.Applied && cmd.Writes() && s.Lo>>budgetLostAck&3 != 0 {
		t.Lo -= 1 << budgetLostAck
		after = packCleaner(controlplane.StepCleaner(&d.cleaner, c, controlplane.Answer{Status: controlplane.Unknown}))
		edges = append(edges, Edge{To: d.withActor(t, i, after), Action: action(verb, i+1, cmd.Endpoint, controlplane.Unknown), Broken: bad})
	}
	return edges
}

// giveBack releases the lock of actor i on endpoint ep unless its next state
// after still works under it. Giving it back in the same action hides nothing:
// giving it back later is the lock's expiry.
func giveBack(z controlplane.Endpoint, i int, ep uint8, before, after uint64) controlplane.Endpoint {
	if z.Holder != uint8(i+1) {
		return z
	}
	phase := after & 15
	if phase == 0 || phase == uint64(controlplane.EnactorLocking) || phase == uint64(controlplane.CleanerLocking+cleanerPhase) ||
		(before&15 > cleanerPhase) != (phase > cleanerPhase) || uint8(after>>7&1) != ep {
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
