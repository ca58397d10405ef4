package diagnose

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"ddx"
)

// costs are what a test of each class costs, relative to a read-only one.
var costs = map[ddx.Cost]float64{ddx.ReadOnly: 1, ddx.Load: 4, ddx.Intrusive: 20}

// How an outcome depends on the mode at work: an outcome is expected under the
// modes it supports, nearly excluded under those it refutes, and as likely as
// any other outcome under the rest.
const (
	pSupported = 0.9
	pRefuted   = 0.05
)

// nextTests ranks the tests of all open modes by expected information gain, in
// bits, over cost. A mode is open when it has evidence and no certainty, or is
// the near miss of one that has.
func nextTests(e *evaluation, states []*state) []ddx.NextTest {
	open := map[string]float64{}
	byID := map[string]*state{}
	evidence := map[string]bool{}
	for _, s := range states {
		byID[s.mode.ID] = s
		if len(s.findings) > 0 && s.verdict != ddx.RuledOut {
			open[s.mode.ID] = s.openPrior
			evidence[s.mode.ID] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(open)) {
		for _, c := range byID[id].mode.ConfusedWith {
			if near := byID[c.Mode]; near != nil && near.verdict == ddx.Untested {
				open[c.Mode] = max(open[c.Mode], near.openPrior)
			}
		}
	}
	out := []ddx.NextTest{}
	seen := map[string]bool{}
	for _, s := range states {
		if _, ok := open[s.mode.ID]; !ok {
			continue
		}
		for _, t := range s.mode.Tests {
			if seen[t.ID] || e.yielded(&t) || e.answers[testKey(t.ID)] != "" {
				continue
			}
			seen[t.ID] = true
			gain, separates := information(&t, open)
			bears := slices.ContainsFunc(separates, func(id string) bool { return evidence[id] })
			if gain < 0.001 || !bears {
				continue
			}
			out = append(out, ddx.NextTest{ID: t.ID, Title: t.Title, Command: t.Run, Cost: t.Cost, Separates: separates,
				Gain: math.Round(gain/costs[t.Cost]*1000) / 1000})
		}
	}
	slices.SortFunc(out, func(a, b ddx.NextTest) int {
		return cmp.Or(-cmp.Compare(a.Gain, b.Gain), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// yielded reports whether everything that the test would yield is there.
func (e *evaluation) yielded(t *ddx.Test) bool {
	if len(t.Yields) == 0 {
		return false
	}
	for _, k := range t.Yields {
		if len(e.byKind[k]) == 0 {
			return false
		}
	}
	return true
}

// information is what the outcome of a test is expected to tell of the open
// modes, in bits, and the modes whose probability it moves.
func information(t *ddx.Test, open map[string]float64) (float64, []string) {
	n := len(t.Outcomes)
	if n < 2 {
		return 0, nil
	}
	given := map[string][]float64{}
	for id := range open {
		p := make([]float64, n)
		sum, said := 0.0, false
		for i, o := range t.Outcomes {
			p[i] = 1 / float64(n)
			if slices.Contains(o.Supports, id) {
				p[i], said = pSupported, true
			} else if slices.Contains(o.Refutes, id) {
				p[i], said = pRefuted, true
			}
			sum += p[i]
		}
		for i := range p {
			p[i] /= sum
		}
		if said {
			given[id] = p
		}
	}
	return mutualInformation(open, given, uniform(n))
}

// mutualInformation is that between the mode at work and the answer to a
// question, in bits: given are the probabilities of the answers under the modes
// that the question is about, rest those under any other one. It returns the
// modes of given that are open, too.
func mutualInformation(open map[string]float64, given map[string][]float64, rest []float64) (float64, []string) {
	ids := slices.Sorted(maps.Keys(open))
	total := 0.0
	for _, id := range ids {
		total += open[id]
	}
	unknown := 0.05 * total // something that is not in the catalogue
	total += unknown
	if total == 0 {
		return 0, nil
	}
	separates := []string{}
	type row struct {
		p     float64
		given []float64
	}
	rows := []row{{unknown / total, rest}}
	for _, id := range ids {
		g, said := given[id]
		if said {
			separates = append(separates, id)
		} else {
			g = rest
		}
		rows = append(rows, row{open[id] / total, g})
	}
	gain := 0.0
	for i := range rest {
		p := 0.0
		for _, r := range rows {
			p += r.p * r.given[i]
		}
		for _, r := range rows {
			if r.p > 0 && r.given[i] > 0 {
				gain += r.p * r.given[i] * math.Log2(r.given[i]/p)
			}
		}
	}
	return gain, separates
}

func uniform(n int) []float64 {
	u := make([]float64, n)
	for i := range u {
		u[i] = 1 / float64(n)
	}
	return u
}

// testsFor picks the tests that bear on one mode.
func testsFor(all []ddx.NextTest, m *ddx.Mode) []ddx.NextTest {
	out := []ddx.NextTest{}
	for _, t := range all {
		if slices.Contains(t.Separates, m.ID) {
			out = append(out, t)
		}
	}
	return out
}
