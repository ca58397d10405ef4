package lab

import (
	"fmt"
	"math/bits"
	"strings"

	"ddx/controlplane"
)

// Actors: the planner and its operators, the enactors, the zone.
func (d *dnsSpace) Actors() []string {
	names := []string{"planner"}
	for i := range d.cfg.Enactors {
		names = append(names, fmt.Sprintf("enactor %d", i+1))
	}
	return append(names, "zone")
}

// Narrate tells one action in words.
func (d *dnsSpace) Narrate(h Hop) Line {
	verb := int(h.Action & 255)
	actor := int(h.Action >> actionActor & 255)
	ep := int(h.Action >> 16 & 15)
	status := controlplane.Status(h.Action >> 20)
	zone := d.cfg.Enactors + 1
	l := Line{Actor: actor, Peer: actor, From: actor, State: d.words(h.To)}
	name, on := d.Actors()[actor], ""
	if d.cfg.Endpoints > 1 {
		on = fmt.Sprintf(" on endpoint %d", ep+1)
	}
	before := unpackEndpoint(d.endpoint(h.From, ep))
	newest := h.To.Lo & newestMask
	switch verb {
	case verbGenerate:
		l.Action, l.Short, l.Text = "generate", fmt.Sprintf("plan %d", newest), fmt.Sprintf("planner makes plan %d", newest)
	case verbBadPlan:
		l.Action, l.Short, l.Text = "bad-plan", "sees none healthy", "planner sees no healthy target and keeps the last good plan"
		if newest != h.From.Lo&newestMask {
			l.Short = fmt.Sprintf("empty plan %d", newest)
			l.Text = fmt.Sprintf("planner sees no healthy target and makes plan %d without targets", newest)
		}
	case verbRollback:
		l.Action, l.Short = "rollback", fmt.Sprintf("old content as plan %d", newest)
		l.Text = fmt.Sprintf("operator goes back to old content under the new generation %d", newest)
	case verbSwitchBack:
		l.Action, l.Peer = "switch-back", zone
		l.Short = fmt.Sprintf("operator: back to %d", before.Rollback)
		l.Text = fmt.Sprintf("operator points the alias at the rollback tree %d (was %d)%s", before.Rollback, before.Active, on)
	case verbExpire:
		l.Action, l.Actor, l.Peer, l.From = "expire", zone, zone, zone
		l.Short, l.Text = "lock expires", fmt.Sprintf("the lock of enactor %d expires%s", before.Holder, on)
	case verbCrash:
		l.Action, l.Short, l.Text = "crash", "crashes", name+" crashes and forgets everything"
	case verbPick:
		l.Action, l.Peer, l.From = "pick", 0, 0
		l.Short = fmt.Sprintf("picks %d", newest)
		l.Text = fmt.Sprintf("%s picks plan %d: newer than what is active, so it goes ahead", name, newest)
	default:
		l.Peer = zone
		d.narrateCommand(&l, h, verb, actor, before, status, name, on)
	}
	return l
}

// narrateCommand tells what an enactor or its cleaner does to the zone.
func (d *dnsSpace) narrateCommand(l *Line, h Hop, verb, actor int, before controlplane.Endpoint, status controlplane.Status, name, on string) {
	was, is := d.actor(h.From, actor-1), d.actor(h.To, actor-1)
	plan := was >> planAt & 7
	switch verb {
	case verbLock:
		l.Action, l.Short, l.Text = "lock", "takes lock", name+" takes the lock"+on
	case verbBuild:
		l.Action, l.Short = "build", fmt.Sprintf("tree %d", plan)
		l.Text = fmt.Sprintf("%s adds the record tree of plan %d%s", name, plan, on)
	case verbRead:
		l.Action, l.Short = "read", fmt.Sprintf("reads %d", before.Active)
		verdict := "still older than its plan"
		if controlplane.EnactorPhase(is&phaseMask) != controlplane.EnactorCommitting {
			verdict = "its plan is out of date"
		}
		l.Text = fmt.Sprintf("%s reads that plan %d is active%s: %s", name, before.Active, on, verdict)
	case verbCommit:
		d.narrateCommit(l, before, status, plan, name, on)
	case verbList:
		l.Action = "list"
		doomed := controlplane.Set(0)
		if is&phaseMask == uint64(controlplane.CleanerDeleting)+cleanerPhase {
			doomed = controlplane.Set(is >> payloadAt & 255)
		}
		l.Short = "lists " + setWords(doomed)
		l.Text = fmt.Sprintf("%s, having applied plan %d, lists the trees to clean up%s: %s", name, plan, on, setWords(doomed))
	case verbDelete:
		l.Action = "delete"
		gone := before.Trees &^ unpackEndpoint(d.endpoint(h.To, int(h.Action>>16&15))).Trees
		l.Short = "deletes " + setWords(gone)
		l.Text = fmt.Sprintf("%s deletes the trees %s%s", name, setWords(gone), on)
		if status == controlplane.LockLost {
			l.Short, l.Text = "delete refused", name+" may not delete"+on+": its lock is gone"
		}
	}
	if status == controlplane.Unknown {
		l.Short += ", answer lost"
		l.Text += "; the answer is lost"
	}
}

func (d *dnsSpace) narrateCommit(l *Line, before controlplane.Endpoint, status controlplane.Status, plan uint64, name, on string) {
	l.Action, l.Short = "commit", fmt.Sprintf("refused %d", plan)
	switch {
	case status == controlplane.Applied || status == controlplane.Unknown:
		l.Short = fmt.Sprintf("switches %d to %d", before.Active, plan)
		l.Text = fmt.Sprintf("%s switches the alias%s from plan %d to plan %d", name, on, before.Active, plan)
	case status == controlplane.Conflict:
		l.Text = fmt.Sprintf("%s may not switch%s to plan %d: plan %d is active", name, on, plan, before.Active)
	case status == controlplane.LockLost:
		l.Text = fmt.Sprintf("%s may not switch%s to plan %d: its lock is gone", name, on, plan)
	case before.Empty():
		l.Text = fmt.Sprintf("%s's switch%s to plan %d is refused: the rollback alias would point to the missing tree %d", name, on, plan, before.Active)
	default:
		l.Text = fmt.Sprintf("%s's switch%s to plan %d is refused: its tree does not exist", name, on, plan)
	}
}

// words tells the zone's state.
func (d *dnsSpace) words(s State) string {
	var parts []string
	for e := range d.cfg.Endpoints {
		z := unpackEndpoint(d.endpoint(s, e))
		text := fmt.Sprintf("active %d, trees %s", z.Active, setWords(z.Trees))
		if z.Empty() {
			text += ", EMPTY"
		}
		if z.Rollback != controlplane.None {
			text += fmt.Sprintf(", rollback %d", z.Rollback)
		}
		if z.Holder != 0 {
			text += fmt.Sprintf(", locked by %d", z.Holder)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " | ")
}

// setWords writes a set as {0,1}.
func setWords(s controlplane.Set) string {
	var b strings.Builder
	b.WriteByte('{')
	for v := uint64(s); v != 0; v &= v - 1 {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, bits.TrailingZeros64(v))
	}
	b.WriteByte('}')
	return b.String()
}
