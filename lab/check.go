package lab

import (
	"context"
	"slices"
)

// CheckOptions shape a check. The zero value takes the model's defaults.
type CheckOptions struct {
	Set        map[string]int // parameters that differ from the model's defaults
	NoSymmetry bool
	MaxStates  int
}

// CheckResult is the outcome of a check. States, Transitions and TrapStates
// count every concrete state, whether symmetry was used or not; Stored counts
// the representatives that were really kept.
type CheckResult struct {
	Model       string                 `json:"model"`
	Parameters  map[string]int         `json:"parameters"`
	Safeguards  []string               `json:"safeguards"`
	Complete    bool                   `json:"complete"`
	States      int                    `json:"states"`
	Stored      int                    `json:"stored"`
	Transitions int                    `json:"transitions"`
	Invariants  map[string]CheckedItem `json:"invariants"`
	TrapStates  int                    `json:"trap_states"` // -1 if the check is not complete

	Actors []string `json:"actors"`
	order  []string // the invariants in the model's order
}

// CheckedItem is the verdict on one invariant. Length is the number of actions
// of the shortest trace that breaks it, 0 if it holds.
type CheckedItem struct {
	Holds  bool        `json:"holds"`
	Length int         `json:"length"`
	Trace  []TraceStep `json:"trace"`
}

// TraceStep is one action of a trace, in words.
type TraceStep struct {
	Step   int      `json:"step"` // from 1
	Actor  string   `json:"actor"`
	Action string   `json:"action"` // one word: generate, pick, build, commit, ...
	Text   string   `json:"text"`
	State  string   `json:"state"` // the shared state afterwards
	Breaks []string `json:"breaks,omitempty"`

	line Line
}

// Line is one action as a space-time diagram draws it. Actors are indexes into
// NarratedSpace.Actors; Peer is whom the message goes to, or the actor itself.
// Sent is the step, from 1, at which the message left, 0 for the beginning.
type Line struct {
	Actor, Peer int
	From        int // who sent the message: Actor or Peer
	Action      string
	Short       string // a few words for the diagram
	Text        string
	State       string
}

// NarratedSpace is a space that can tell its actions in words.
type NarratedSpace interface {
	Space
	// Actors names those who act or are acted upon, one line each.
	Actors() []string
	// Narrate tells one action.
	Narrate(Hop) Line
}

// Violated reports whether any invariant is broken.
func (r *CheckResult) Violated() bool {
	for _, v := range r.Invariants {
		if !v.Holds {
			return true
		}
	}
	return false
}

// Check explores a model with the named safeguards switched on and returns a
// verdict on each invariant with the shortest trace where one is broken.
func Check(ctx context.Context, model string, safeguards []string, opt CheckOptions) (*CheckResult, error) {
	m, err := FindModel(model)
	if err != nil {
		return nil, err
	}
	space, values, err := m.build(opt.Set, safeguards)
	if err != nil {
		return nil, err
	}
	x, err := Explore(ctx, space, ExploreOptions{NoSymmetry: opt.NoSymmetry, MaxStates: opt.MaxStates})
	if err != nil {
		return nil, err
	}
	r := &CheckResult{
		Model: m.Name, Parameters: values, Safeguards: inListOrder(m, safeguards), Complete: x.Complete,
		States: x.Concrete, Stored: x.States, Transitions: x.Transitions, TrapStates: x.Traps,
		Invariants: make(map[string]CheckedItem), Actors: space.Actors(), order: space.Invariants(),
	}
	for i, name := range r.order {
		item := CheckedItem{Holds: true, Trace: []TraceStep{}}
		if v := x.Violations[i]; v != nil {
			item = CheckedItem{Length: v.Length, Trace: narrate(space, x.Path(v))}
		}
		r.Invariants[name] = item
	}
	return r, nil
}

// inListOrder returns the safeguards without repetition, in the model's order.
func inListOrder(m Model, safeguards []string) []string {
	out := []string{}
	for _, s := range m.Safeguards {
		if slices.Contains(safeguards, s.Name) {
			out = append(out, s.Name)
		}
	}
	return out
}

// narrate tells a path in words and says which action breaks what.
func narrate(space NarratedSpace, path []Hop) []TraceStep {
	actors, names := space.Actors(), space.Invariants()
	seen := uint32(0)
	steps := make([]TraceStep, 0, len(path))
	for i, h := range path {
		l := space.Narrate(h)
		s := TraceStep{Step: i + 1, Actor: actors[l.Actor], Action: l.Action, Text: l.Text, State: l.State, line: l}
		for j, name := range names {
			if h.Broken&^seen>>j&1 != 0 {
				s.Breaks = append(s.Breaks, name)
			}
		}
		seen |= h.Broken
		steps = append(steps, s)
	}
	return steps
}
