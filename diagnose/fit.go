package diagnose

import (
	"math"

	"ddx"
)

// class is a class of effect and strength: it has one weight.
type class struct {
	effect   ddx.Effect
	strength ddx.Strength
}

// classes are all classes, in the order of their report.
var classes = []class{
	{ddx.Confirms, ""}, {ddx.Supports, ddx.Strong}, {ddx.Supports, ddx.Moderate}, {ddx.Supports, ddx.Weak},
	{ddx.Against, ddx.Weak}, {ddx.Against, ddx.Moderate}, {ddx.Against, ddx.Strong}, {ddx.Refutes, ""},
}

// sample is one finding of one case.
type sample struct {
	fold        int
	prior       float64
	terms       []float64 // how many terms of each class
	right       bool
	verdict     ddx.Verdict
	probability float64
}

func newSample(f *finding, label string, fold int) sample {
	s := sample{fold: fold, prior: prior(f.mode), terms: make([]float64, len(classes)), right: f.Mode == label, verdict: f.Verdict, probability: f.Probability}
	for _, t := range f.terms {
		c := class{t.effect, t.strength}
		if c.effect == ddx.Confirms || c.effect == ddx.Refutes {
			c.strength = ""
		}
		for i := range classes {
			if classes[i] == c {
				s.terms[i]++
			}
		}
	}
	return s
}

// folds is how many parts cross-validation makes of the cases.
const folds = 5

// fit finds the weight of each class that makes the labels most probable, and
// compares it with the weights in use on cases that it did not see.
func (c *Calibration) fit(all []sample) {
	start := make([]float64, len(classes))
	for i, cl := range classes {
		start[i] = weight(cl.effect, cl.strength)
	}
	for i, w := range fitWeights(all, start) {
		cw := ClassWeight{Effect: classes[i].effect, Strength: classes[i].strength, InUse: start[i], Fitted: math.Round(w*100) / 100}
		for _, s := range all {
			if s.terms[i] > 0 {
				cw.Terms++
			}
		}
		c.Weights = append(c.Weights, cw)
	}
	c.Loss = Loss{Findings: len(all), Folds: folds}
	for fold := range folds {
		var train, test []sample
		for _, s := range all {
			if s.fold%folds == fold {
				test = append(test, s)
			} else {
				train = append(train, s)
			}
		}
		w := fitWeights(train, start)
		for i := range test {
			c.Loss.InUse += test[i].loss(start)
			c.Loss.Fitted += test[i].loss(w)
		}
	}
	if len(all) > 0 {
		c.Loss.InUse = round3(c.Loss.InUse / float64(len(all)))
		c.Loss.Fitted = round3(c.Loss.Fitted / float64(len(all)))
	}
}

func (s *sample) score(weights []float64) float64 {
	x := s.prior
	for i, n := range s.terms {
		x += n * weights[i]
	}
	return x
}

func (s *sample) loss(weights []float64) float64 {
	x := s.score(weights)
	if s.right {
		x = -x
	}
	return math.Log1p(math.Exp(-math.Abs(x))) + max(x, 0)
}

// spread is how far, in standard deviations, a fitted weight is expected to lie
// from the one in use: a class with few terms keeps what it has.
const spread = 2.0

// fitWeights is a logistic regression with the priors of the modes as offset,
// drawn towards the start. The function is convex: Newton's steps along one
// coordinate after the other reach its minimum.
func fitWeights(all []sample, start []float64) []float64 {
	w := append([]float64{}, start...)
	const pull = 1 / (spread * spread)
	for range 500 {
		moved := 0.0
		for j := range w {
			slope, curve := pull*(w[j]-start[j]), pull
			for i := range all {
				s := &all[i]
				if s.terms[j] == 0 {
					continue
				}
				p := logistic(s.score(w))
				y := 0.0
				if s.right {
					y = 1
				}
				slope += (p - y) * s.terms[j]
				curve += p * (1 - p) * s.terms[j] * s.terms[j]
			}
			step := max(min(slope/curve, 1), -1)
			w[j] -= step
			moved = max(moved, math.Abs(step))
		}
		if moved < 1e-6 {
			break
		}
	}
	return w
}
