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

// Symptom is what a user sees, and the modes that show it.
type Symptom struct {
	Text   string   `json:"symptom"`
	Family string   `json:"family"`
	Modes  []string `json:"modes"`
}

// Symptoms lists the symptoms of a catalogue by family, each wording once.
func Symptoms(cat *catalog.Catalogue) []Symptom {
	var out []Symptom
	for _, family := range catalog.Families {
		for _, m := range cat.Modes {
			if m.Family != family {
				continue
			}
			for _, text := range m.Symptoms {
				i := slices.IndexFunc(out, func(s Symptom) bool { return s.Family == family && strings.EqualFold(s.Text, text) })
				if i < 0 {
					i = len(out)
					out = append(out, Symptom{Text: text, Family: family})
				}
				out[i].Modes = append(out[i].Modes, m.ID)
			}
		}
	}
	return out
}

// FindSymptoms returns the symptoms that hold every one of the words, in their
// own text or in the id or title of a mode that shows them.
func FindSymptoms(cat *catalog.Catalogue, words ...string) []Symptom {
	var out []Symptom
	for _, s := range Symptoms(cat) {
		text := s.Text
		for _, id := range s.Modes {
			text += " " + id + " " + cat.Mode(id).Title
		}
		text = strings.ToLower(text)
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, strings.ToLower(w)) }) {
			out = append(out, s)
		}
	}
	return out
}

// Question is what a human can look at next: an indicator, which is seen or
// not, or a test with its outcomes.
type Question struct {
	ID        string   `json:"id"` // MODE/INDICATOR, or test/ID
	Title     string   `json:"title"`
	Command   string   `json:"command,omitempty"` // of a test
	Cost      ddx.Cost `json:"cost"`
	Separates []string `json:"separates"` // modes whose probability it moves
	Gain      float64  `json:"gain"`      // expected bits over cost
	Answers   []Answer `json:"-"`
}

// Answer is one way to answer a question, and the facts that record it. The
// last answer of a question is that it cannot be told.
type Answer struct {
	Text  string
	Facts []ddx.Fact
}

// Standing is what the evidence says of one mode under discussion.
type Standing struct {
	Mode    string      `json:"mode"`
	Title   string      `json:"title"`
	Verdict ddx.Verdict `json:"verdict"`
	Finding string      `json:"finding,omitempty"` // id, when something speaks for the mode
	Belief  float64     `json:"belief"`            // probability, the chosen symptom included
}

// minGain is what a question must be expected to tell, in bits over cost.
const minGain = 0.005

// Differential is a set of modes under discussion.
type Differential struct {
	cat      *catalog.Catalogue
	now      time.Time
	symptoms map[string]bool // modes that show what the user sees
	modes    []*ddx.Mode
}

// NewDifferential starts from the modes that show a symptom; those that are
// easily taken for one of them are under discussion too.
func NewDifferential(cat *catalog.Catalogue, now time.Time, modes ...string) *Differential {
	d := &Differential{cat: cat, now: now, symptoms: map[string]bool{}}
	for _, id := range modes {
		if m := cat.Mode(id); m != nil {
			d.symptoms[m.ID] = true
			d.add(m)
		}
	}
	d.addNear()
	return d
}

func (d *Differential) add(m *ddx.Mode) {
	if m != nil && !slices.Contains(d.modes, m) {
		d.modes = append(d.modes, m)
	}
}

func (d *Differential) addNear() {
	for _, m := range slices.Clone(d.modes) {
		for _, c := range m.ConfusedWith {
			d.add(d.cat.Mode(c.Mode))
		}
	}
	slices.SortFunc(d.modes, func(a, b *ddx.Mode) int { return cmp.Compare(a.ID, b.ID) })
}

// Widen brings every mode into the discussion for which the facts speak, and
// what is easily taken for one of them.
func (d *Differential) Widen(facts []ddx.Fact) error {
	_, found, err := newEvaluation(d.cat, facts, d.now).all(d.cat.Modes)
	if err != nil {
		return fmt.Errorf("tree: %w", err)
	}
	known := len(d.modes)
	for _, f := range found {
		if f.Verdict != ddx.RuledOut {
			d.add(f.mode)
		}
	}
	if len(d.modes) > known {
		d.addNear()
	}
	return nil
}

// Ask returns where the modes stand, most believed first, and the question
// that is expected to tell most; nil when one is confirmed or nothing is left
// that would tell anything.
func (d *Differential) Ask(facts []ddx.Fact) (*Question, []Standing, error) {
	e := newEvaluation(d.cat, facts, d.now)
	states, _, err := e.all(d.modes)
	if err != nil {
		return nil, nil, fmt.Errorf("tree: %w", err)
	}
	standings := make([]Standing, 0, len(states))
	open := map[string]float64{}
	settled := false
	for _, s := range states {
		st := Standing{Mode: s.mode.ID, Title: s.mode.Title, Verdict: s.verdict, Belief: d.belief(s)}
		for _, f := range s.findings {
			if f.Verdict == s.verdict {
				st.Finding = f.ID
				settled = settled || f.Verdict == ddx.Confirmed && f.Root
				break
			}
		}
		if s.verdict != ddx.RuledOut {
			open[s.mode.ID] = st.Belief
		}
		standings = append(standings, st)
	}
	slices.SortStableFunc(standings, func(a, b Standing) int {
		return cmp.Or(cmp.Compare(a.Verdict.Rank(), b.Verdict.Rank()), -cmp.Compare(a.Belief, b.Belief))
	})
	if settled || len(open) == 0 {
		return nil, standings, e.err
	}
	var best *Question
	for _, q := range slices.Concat(e.indicatorQuestions(d.modes, open), e.testQuestions(d.modes, open)) {
		if q.Gain >= minGain && (best == nil || q.Gain > best.Gain || q.Gain == best.Gain && q.ID < best.ID) {
			best = &q
		}
	}
	return best, standings, e.err
}

// belief is the probability of a mode, with the chosen symptom as one more
// moderate sign of it.
func (d *Differential) belief(s *state) float64 {
	if s.verdict == ddx.RuledOut {
		return 0
	}
	score := s.score
	if d.symptoms[s.mode.ID] {
		score += weight(ddx.Supports, ddx.Moderate)
	}
	return math.Round(logistic(score)*1000) / 1000
}

// indicatorQuestions makes a question of each indicator that the evidence has
// not decided. Indicators of several modes that ask for the same thing are one
// question.
func (e *evaluation) indicatorQuestions(modes []*ddx.Mode, open map[string]float64) []Question {
	type asked struct {
		ind  *ddx.Indicator
		keys []string
		says map[string]*ddx.Indicator // by mode
	}
	var all []*asked
	same := map[string]*asked{}
	for _, m := range modes {
		if _, ok := open[m.ID]; !ok {
			continue
		}
		for i := range m.Indicators {
			ind := &m.Indicators[i]
			if ind.Effect == ddx.Clears || e.decided(m, ind) {
				continue
			}
			content := fmt.Sprint(ind.Log, ind.Channel, ind.Fact, ind.When, ind.Count, ind.Within)
			a := same[content]
			if a == nil {
				a = &asked{ind: ind, says: map[string]*ddx.Indicator{}}
				same[content] = a
				all = append(all, a)
			}
			a.keys = append(a.keys, m.ID+"/"+ind.ID)
			a.says[m.ID] = ind
		}
	}
	var out []Question
	for _, a := range all {
		given := map[string][]float64{}
		base := 1.0
		for id, ind := range a.says {
			seen, elsewhere := e.seenBy(ind)
			given[id] = []float64{seen, 1 - seen}
			base = min(base, elsewhere)
		}
		gain, separates := mutualInformation(open, given, []float64{base, 1 - base})
		q := Question{ID: a.keys[0], Title: question(a.ind), Cost: ddx.ReadOnly, Separates: separates, Gain: math.Round(gain*1000) / 1000}
		for _, value := range []string{answerYes, answerNo, answerUnknown} {
			ans := Answer{Text: value}
			for _, key := range a.keys {
				ans.Facts = append(ans.Facts, answerFact(key, value))
			}
			q.Answers = append(q.Answers, ans)
		}
		out = append(out, q)
	}
	return out
}

// seenBy is how probable it is to see an indicator under its mode, and under
// any other one: the likelihood ratios of the engine, read as probabilities.
func (e *evaluation) seenBy(ind *ddx.Indicator) (seen, elsewhere float64) {
	w := weight(ind.Effect, ind.Strength)
	if w < 0 {
		return math.Exp(w) / 2, 0.5
	}
	seen = 1 - math.Exp(weight(ddx.Against, ddx.Weak)) // what a "no" takes away
	if a := ind.Absent; a != nil {
		if t, _ := e.any(a.Fact, a.When); t == catalog.True {
			seen = 1 - math.Exp(weight(a.Effect, a.Strength))
		}
	}
	return seen, seen * math.Exp(-w)
}

// looked is how many lines of a log count as having looked at the log.
const looked = 100

// decided reports whether there is no use in asking for an indicator: it was
// asked before, or the evidence shows what it asks for.
func (e *evaluation) decided(m *ddx.Mode, ind *ddx.Indicator) bool {
	key := m.ID + "/" + ind.ID
	if e.answers[key] != "" {
		return true
	}
	if len(ind.Log) == 0 {
		t, _ := e.any(ind.Fact, ind.When)
		return t != catalog.Unknown
	}
	if len(e.logIndicator(m, ind, key)) > 0 {
		return true
	}
	for _, f := range e.byKind["log.coverage"] {
		ch := f.String("channel")
		if n, _ := f.Int("lines"); n >= looked && (ch == ind.LogChannel() || ch == "any" || ind.LogChannel() == "any") {
			return true
		}
	}
	return false
}

// testQuestions makes a question of each test that is not answered yet.
func (e *evaluation) testQuestions(modes []*ddx.Mode, open map[string]float64) []Question {
	var out []Question
	seen := map[string]bool{}
	for _, m := range modes {
		for i := range m.Tests {
			t := &m.Tests[i]
			if seen[t.ID] || e.answers[testKey(t.ID)] != "" || e.yielded(t) {
				continue
			}
			seen[t.ID] = true
			gain, separates := information(t, open)
			q := Question{ID: testKey(t.ID), Title: t.Title, Command: t.Run, Cost: t.Cost, Separates: separates, Gain: math.Round(gain/costs[t.Cost]*1000) / 1000}
			for _, o := range t.Outcomes {
				q.Answers = append(q.Answers, Answer{o.If, []ddx.Fact{answerFact(q.ID, o.If)}})
			}
			q.Answers = append(q.Answers, Answer{answerUnknown, []ddx.Fact{answerFact(q.ID, answerUnknown)}})
			out = append(out, q)
		}
	}
	return out
}

// question words an indicator for a human.
func question(ind *ddx.Indicator) string {
	switch {
	case ind.Title != "":
		return ind.Title
	case len(ind.Log) > 0:
		return fmt.Sprintf("Does the log show %q?", ind.Log[0])
	}
	return fmt.Sprintf("Is this so of a %s: %s?", ind.Fact, ind.When)
}
