package diagnose

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"ddx"
	"ddx/catalog"
)

// CalibrationSchema names the form of a calibration in JSON.
const CalibrationSchema = "ddx.calibration/v1"

// NoMode is the label of a case in which nothing is wrong, and the answer where
// nothing was found.
const NoMode = "none"

// Case is what was read of one host, and the mode that was at work.
type Case struct {
	ID    string
	Label string // a mode, or NoMode
	Facts []ddx.Fact
}

// Calibration is what the catalogue and the weights are worth on labelled cases.
type Calibration struct {
	Schema    string        `json:"schema"`
	Catalogue string        `json:"catalogue"`
	Positive  int           `json:"positive"`       // cases with a mode at work
	Top1      int           `json:"top1"`           // first finding is the mode, confirmed or likely
	Top3      int           `json:"top3"`           // the mode is among the first three findings
	Negative  int           `json:"negative"`       // cases in which nothing is wrong
	Quiet     int           `json:"quiet"`          // of them: nothing confirmed or likely
	Unknown   []string      `json:"unknown_labels"` // labels that are no mode of the catalogue: such a case is missed
	Answers   []CaseAnswer  `json:"answers"`
	Confusion []Confusion   `json:"confusion"`
	Verdicts  []Reliability `json:"verdicts"`
	Bins      []Reliability `json:"bins"`
	Weights   []ClassWeight `json:"weights"`
	Loss      Loss          `json:"loss"`
}

// CaseAnswer is what the engine said of one case.
type CaseAnswer struct {
	Case  string   `json:"case"`
	Label string   `json:"label"`
	Found []string `json:"found"` // first findings, as ID/verdict
	Loud  []string `json:"loud"`  // findings confirmed or likely
	Rank  int      `json:"rank"`  // of the label among the findings, 0 is first, -1 is missing
	Right bool     `json:"right"`
}

// Confusion counts cases by label and answer, those that differ.
type Confusion struct {
	Label  string `json:"label"`
	Answer string `json:"answer"` // mode of the first finding that is confirmed or likely
	Cases  int    `json:"cases"`
}

// Reliability says how often findings of a class were right, with the 95 %
// interval of Wilson. Findings that another explains are not counted: they
// stand and fall with it.
type Reliability struct {
	Class    string  `json:"class"` // verdict, or range of probability
	Findings int     `json:"findings"`
	Right    int     `json:"right"`
	Expected float64 `json:"expected"` // mean probability that was given
	Share    float64 `json:"share"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
}

// ClassWeight is the weight of a class of effect and strength, as it is in use
// and as the cases would have it.
type ClassWeight struct {
	Effect   ddx.Effect   `json:"effect"`
	Strength ddx.Strength `json:"strength,omitempty"`
	InUse    float64      `json:"in_use"`
	Fitted   float64      `json:"fitted"`
	Terms    int          `json:"terms"` // how many findings have a term of the class
}

// Loss is the mean logarithmic loss of a finding, in nats: of the weights in
// use, and of fitted ones on cases that they were not fitted to.
type Loss struct {
	Findings int     `json:"findings"`
	InUse    float64 `json:"in_use"`
	Fitted   float64 `json:"fitted_cross_validated"`
	Folds    int     `json:"folds"`
}

// Calibrate runs labelled cases and sums up.
func Calibrate(cat *catalog.Catalogue, cases []Case, now time.Time) (*Calibration, error) {
	c := &Calibration{Schema: CalibrationSchema, Catalogue: cat.Digest, Answers: []CaseAnswer{}, Unknown: []string{}}
	var all []sample
	for i, cs := range cases {
		label := cs.Label
		if m := cat.Mode(label); m != nil {
			label = m.ID
		} else if label != NoMode && !slices.Contains(c.Unknown, label) {
			c.Unknown = append(c.Unknown, label)
		}
		_, found, err := newEvaluation(cat, cs.Facts, now).all(cat.Modes)
		if err != nil {
			return nil, fmt.Errorf("calibrate: case %s: %w", cs.ID, err)
		}
		ordered := slices.DeleteFunc(order(found), func(f *finding) bool { return f.Verdict == ddx.RuledOut && !f.supported })
		c.answer(cs.ID, label, ordered)
		for _, f := range ordered {
			if len(f.causes) == 0 && !f.Latent {
				all = append(all, newSample(f, label, i))
			}
		}
	}
	c.confusion()
	c.reliability(all)
	c.fit(all)
	return c, nil
}

// shownFindings is how many findings an answer lists.
const shownFindings = 4

func (c *Calibration) answer(id, label string, found []*finding) {
	a := CaseAnswer{Case: id, Label: label, Found: []string{}, Loud: []string{}, Rank: -1}
	for i, f := range found {
		name := f.ID + "/" + string(f.Verdict)
		if i < shownFindings {
			a.Found = append(a.Found, name)
		}
		if f.Wrong() {
			a.Loud = append(a.Loud, name)
		}
		if f.Mode == label && a.Rank < 0 {
			a.Rank = i
		}
	}
	if label == NoMode {
		c.Negative++
		a.Right = len(a.Loud) == 0
		if a.Right {
			c.Quiet++
		}
	} else {
		c.Positive++
		a.Right = a.Rank == 0 && found[0].Verdict.Rank() <= ddx.Likely.Rank()
		if a.Right {
			c.Top1++
		}
		if a.Rank >= 0 && a.Rank < 3 {
			c.Top3++
		}
	}
	c.Answers = append(c.Answers, a)
}

func (c *Calibration) confusion() {
	c.Confusion = []Confusion{}
	for _, a := range c.Answers {
		if a.Right {
			continue
		}
		answer := NoMode
		if len(a.Loud) > 0 {
			answer, _, _ = strings.Cut(a.Loud[0], "@")
		}
		i := slices.IndexFunc(c.Confusion, func(x Confusion) bool { return x.Label == a.Label && x.Answer == answer })
		if i < 0 {
			i = len(c.Confusion)
			c.Confusion = append(c.Confusion, Confusion{Label: a.Label, Answer: answer})
		}
		c.Confusion[i].Cases++
	}
	slices.SortStableFunc(c.Confusion, func(a, b Confusion) int {
		return cmp.Or(-cmp.Compare(a.Cases, b.Cases), cmp.Compare(a.Label, b.Label), cmp.Compare(a.Answer, b.Answer))
	})
}

// binEdges are the borders of the bins of probability.
var binEdges = []float64{0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1}

func (c *Calibration) reliability(all []sample) {
	for _, v := range []ddx.Verdict{ddx.Confirmed, ddx.Likely, ddx.Possible, ddx.RuledOut} {
		c.Verdicts = append(c.Verdicts, reliabilityOf(string(v), all, func(s *sample) bool { return s.verdict == v }))
	}
	for i := range len(binEdges) - 1 {
		low, high := binEdges[i], binEdges[i+1]
		last := i == len(binEdges)-2
		c.Bins = append(c.Bins, reliabilityOf(fmt.Sprintf("%.2f-%.2f", low, high), all, func(s *sample) bool {
			return s.probability >= low && (s.probability < high || last)
		}))
	}
}

func reliabilityOf(class string, all []sample, in func(*sample) bool) Reliability {
	r := Reliability{Class: class}
	for i := range all {
		s := &all[i]
		if !in(s) {
			continue
		}
		r.Findings++
		r.Expected += s.probability
		if s.right {
			r.Right++
		}
	}
	if r.Findings > 0 {
		r.Expected = round3(r.Expected / float64(r.Findings))
		r.Share = round3(float64(r.Right) / float64(r.Findings))
	}
	r.Low, r.High = wilson(r.Right, r.Findings)
	return r
}

// wilson is the 95 % interval of a share.
func wilson(right, n int) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.959964
	p, m := float64(right)/float64(n), float64(n)
	middle := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return round3(max(middle-half, 0)), round3(min(middle+half, 1))
}

func round3(x float64) float64 { return math.Round(x*1000) / 1000 }
