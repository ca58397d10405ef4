package diagnose

import (
	"maps"
	"math"
	"slices"

	"ddx"
)

// Weights are the natural logarithms of the likelihood ratios, one for each
// class of effect and strength: with about one labelled case a mode nothing
// finer can be estimated. 'ddx catalog calibrate' publishes what they are
// worth on labelled cases.
var Weights = map[ddx.Effect]map[ddx.Strength]float64{
	ddx.Confirms: {"": 9},
	ddx.Supports: {ddx.Strong: 4.5, ddx.Moderate: 2.5, ddx.Weak: 1},
	ddx.Against:  {ddx.Strong: -4.5, ddx.Moderate: -2.5, ddx.Weak: -1},
	ddx.Refutes:  {"": -9},
}

// Priors are log odds that a mode is at work on a host that somebody looks at,
// before any evidence.
var Priors = map[string]float64{"common": -3.5, "uncommon": -4, "rare": -4.5}

func weight(e ddx.Effect, s ddx.Strength) float64 {
	if e == ddx.Confirms || e == ddx.Refutes {
		s = ""
	}
	return Weights[e][s]
}

func prior(m *ddx.Mode) float64 { return Priors[m.Frequency] }

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// term is what one group of indicators contributes to the log odds of a mode.
type term struct {
	effect   ddx.Effect
	strength ddx.Strength
	weight   float64
}

// weigh returns the strongest term of each group of indicators; what speaks for
// and what speaks against are groups apart.
func weigh(hits []hit) map[string]term {
	groups := map[string]term{}
	for i := range hits {
		h := &hits[i]
		w := weight(h.effect, h.strength)
		g := h.ind.Group
		if g == "" {
			g = h.ind.ID
		}
		if w < 0 {
			g += " against"
		}
		if math.Abs(w) > math.Abs(groups[g].weight) {
			groups[g] = term{h.effect, h.strength, w}
		}
	}
	return groups
}

// inOrder returns the weights of terms in one order: the sum of floats depends
// on it.
func inOrder(terms map[string]term) []float64 {
	var out []float64
	for _, g := range slices.Sorted(maps.Keys(terms)) {
		out = append(out, terms[g].weight)
	}
	return out
}
