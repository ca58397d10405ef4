package lab

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Model is a model that Check can explore.
type Model struct {
	Name        string      `json:"name"`
	Title       string      `json:"title"`
	Parameters  []Parameter `json:"parameters"`
	Safeguards  []Safeguard `json:"safeguards"`
	Recommended []string    `json:"recommended"` // safeguards under which every invariant holds
	Invariants  []Invariant `json:"invariants"`

	// space builds the transition system; parameters and safeguards are known
	// and within their bounds.
	space func(parameters map[string]int, safeguards []string) NarratedSpace
}

// Parameter is a bound of a model.
type Parameter struct {
	Name    string `json:"name"`
	Doc     string `json:"doc"`
	Default int    `json:"default"`
	Min     int    `json:"min"`
	Max     int    `json:"max"`
}

// Safeguard is a protection that can be switched on.
type Safeguard struct {
	Name string `json:"name"`
	Doc  string `json:"doc"`
}

// Invariant is a property of every action and every state.
type Invariant struct {
	Name string `json:"name"`
	Doc  string `json:"doc"`
}

// Models lists the models that ship with ddx.
func Models() []Model {
	return []Model{
		dnsModel("dns", "planner, two enactors with cleaners, one endpoint (October 2025)", nil),
		dnsModel("dns-three", "the same with three enactors", map[string]int{"enactors": 3}),
		dnsModel("dns-regions", "the same with two endpoints to a plan", map[string]int{"endpoints": 2}),
		dnsModel("dns-crash", "one enactor crash", map[string]int{"crashes": 1}),
		dnsModel("dns-lost-ack", "one transaction is applied and its answer lost", map[string]int{"lost-acks": 1}),
		dnsModel("dns-rollback", "an operator goes back to old content under a new generation", map[string]int{"rollbacks": 1}),
		dnsModel("dns-switch-back", "an operator points the alias at the rollback tree: a lower number", map[string]int{"switch-backs": 1}),
		dnsModel("dns-bad-plan", "once, no target looks healthy when the planner looks", map[string]int{"bad-plans": 1}),
	}
}

// FindModel returns the model of that name.
func FindModel(name string) (Model, error) {
	var names []string
	for _, m := range Models() {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return Model{}, fmt.Errorf("lab: no model %q: choose one of %s", name, strings.Join(names, ", "))
}

// build returns the space together with the parameters in force.
func (m Model) build(set map[string]int, safeguards []string) (NarratedSpace, map[string]int, error) {
	if err := m.Accepts(set, safeguards); err != nil {
		return nil, nil, err
	}
	values := make(map[string]int)
	for _, p := range m.Parameters {
		values[p.Name] = p.Default
		if v, ok := set[p.Name]; ok {
			values[p.Name] = v
		}
	}
	return m.space(values, safeguards), values, nil
}

// Accepts returns an error that says what is wrong if a parameter or safeguard
// is not in the model's lists.
func (m Model) Accepts(set map[string]int, safeguards []string) error {
	for _, name := range slices.Sorted(maps.Keys(set)) {
		v := set[name]
		i := slices.IndexFunc(m.Parameters, func(p Parameter) bool { return p.Name == name })
		if i < 0 {
			return fmt.Errorf("lab: model %s has no parameter %q: see ddx lab list", m.Name, name)
		}
		if p := m.Parameters[i]; v < p.Min || v > p.Max {
			return fmt.Errorf("lab: model %s: %s=%d is outside %d to %d", m.Name, name, v, p.Min, p.Max)
		}
	}
	for _, name := range safeguards {
		if !slices.ContainsFunc(m.Safeguards, func(s Safeguard) bool { return s.Name == name }) {
			return fmt.Errorf("lab: model %s has no safeguard %q: see ddx lab list", m.Name, name)
		}
	}
	return nil
}
