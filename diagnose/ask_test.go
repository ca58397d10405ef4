package diagnose

import (
	"math"
	"slices"
	"strings"
	"testing"

	"ddx"
	"ddx/catalog"
)

func loadCatalogue(t *testing.T) *catalog.Catalogue {
	t.Helper()
	cat, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

// oracle answers as somebody whose host has the mode: what speaks for it is
// seen, what speaks against it is not.
func oracle(cat *catalog.Catalogue, q *Question, id string) Answer {
	m := cat.Mode(id)
	unknown := q.Answers[len(q.Answers)-1]
	if strings.HasPrefix(q.ID, "test/") {
		for _, other := range cat.Modes {
			for _, t := range other.Tests {
				if testKey(t.ID) != q.ID {
					continue
				}
				for i, o := range t.Outcomes {
					if slices.Contains(o.Supports, id) {
						return q.Answers[i]
					}
				}
			}
		}
		return unknown
	}
	for _, f := range q.Answers[0].Facts {
		of, ind, _ := strings.Cut(f.String("indicator"), "/")
		if of != id {
			continue
		}
		for i := range m.Indicators {
			if m.Indicators[i].ID == ind && (m.Indicators[i].Effect == ddx.Confirms || m.Indicators[i].Effect == ddx.Supports) {
				return q.Answers[0]
			}
		}
	}
	return q.Answers[1]
}

// walk follows the derived tree from a mode's first symptom to a leaf.
func walk(t *testing.T, cat *catalog.Catalogue, id string) (leaf Standing, questions int) {
	t.Helper()
	var start []string
	for _, s := range Symptoms(cat) {
		if s.Text == cat.Mode(id).Symptoms[0] {
			start = s.Modes
		}
	}
	d := NewDifferential(cat, testNow, start...)
	var facts []ddx.Fact
	for {
		q, standings, err := d.Ask(facts)
		if err != nil {
			t.Fatal(err)
		}
		if q == nil || questions == 40 {
			return standings[0], questions
		}
		facts = append(facts, oracle(cat, q, id).Facts...)
		questions++
	}
}

// The three stories of the incident page are leaves of the derived tree.
func TestIncidentLeaves(t *testing.T) {
	cat := loadCatalogue(t)
	for _, id := range []string{"ena-keepalive-timeout", "ena-mmio-read-timeout", "sg-conntrack-exhausted"} {
		leaf, n := walk(t, cat, id)
		if leaf.Mode != id || leaf.Verdict != ddx.Confirmed || n > 8 {
			t.Errorf("%s: after %d questions the leaf is %s %s", id, n, leaf.Mode, leaf.Verdict)
		}
	}
}

// Every mode that can be confirmed is a leaf below its own symptom.
func TestLeaves(t *testing.T) {
	cat := loadCatalogue(t)
	most, total, reached := 0, 0, 0
	for _, m := range cat.Modes {
		leaf, n := walk(t, cat, m.ID)
		most, total = max(most, n), total+n
		if leaf.Mode == m.ID {
			reached++
		}
		confirms := slices.ContainsFunc(m.Indicators, func(i ddx.Indicator) bool { return i.Effect == ddx.Confirms })
		if confirms && leaf.Mode != m.ID {
			t.Errorf("%s: after %d questions the leaf is %s %s", m.ID, n, leaf.Mode, leaf.Verdict)
		}
	}
	t.Logf("%d of %d modes reached by their own symptom; %.1f questions on average, %d at most", reached, len(cat.Modes), float64(total)/float64(len(cat.Modes)), most)
}

func TestMutualInformation(t *testing.T) {
	for _, tt := range []struct {
		name  string
		open  map[string]float64
		given map[string][]float64
		want  float64
	}{
		{"nothing open", nil, nil, 0},
		{"says nothing", map[string]float64{"a": 0.5, "b": 0.5}, map[string][]float64{"a": {0.5, 0.5}}, 0},
		{"splits evenly", map[string]float64{"a": 0.5, "b": 0.5}, map[string][]float64{"a": {1, 0}, "b": {0, 1}}, 0.952},
		{"one is sure already", map[string]float64{"a": 0.99, "b": 0.01}, map[string][]float64{"a": {1, 0}, "b": {0, 1}}, 0.163},
	} {
		got, _ := mutualInformation(tt.open, tt.given, []float64{0.5, 0.5})
		if math.Abs(got-tt.want) > 0.001 {
			t.Errorf("%s: %.3f bits, want %.3f", tt.name, got, tt.want)
		}
	}
}

// What the evidence shows is not asked, and an answer is not asked twice.
func TestAskedOnce(t *testing.T) {
	cat := loadCatalogue(t)
	d := NewDifferential(cat, testNow, "ena-keepalive-timeout")
	var facts []ddx.Fact
	seen := map[string]bool{}
	for {
		q, _, err := d.Ask(facts)
		if err != nil {
			t.Fatal(err)
		}
		if q == nil {
			break
		}
		if seen[q.ID] {
			t.Fatalf("%s is asked twice", q.ID)
		}
		seen[q.ID] = true
		facts = append(facts, q.Answers[len(q.Answers)-1].Facts...) // cannot tell
	}
	if !seen["ena-keepalive-timeout/watchdog-line"] {
		t.Errorf("the watchdog line was not asked for, only %v", seen)
	}
	counter := ddx.Fact{Kind: "nic.counter", Subject: ddx.Subject{Kind: ddx.NIC, Name: "eth0"}, Fields: map[string]any{"name": "wd_expired", "value": int64(2)}}
	e := newEvaluation(cat, []ddx.Fact{counter}, testNow)
	for _, q := range e.indicatorQuestions(cat.Modes, map[string]float64{"ena-keepalive-timeout": 0.5}) {
		if q.ID == "ena-keepalive-timeout/wd-expired" {
			t.Error("what a counter shows is asked for")
		}
	}
}

// A no is weak where it is not known that the software prints the line; an
// outcome of a test speaks for one mode and against another; evidence goes
// before answers.
func TestAnswers(t *testing.T) {
	cat := loadCatalogue(t)
	ena := ddx.Fact{Kind: "nic.driver", Subject: ddx.Subject{Kind: ddx.NIC, Name: "eth0"}, Fields: map[string]any{"driver": "ena"}}
	line := ddx.Fact{Kind: "log.match", Subject: ddx.Subject{Kind: ddx.NIC, Name: "eth0"}, Fields: map[string]any{"indicator": "ena-keepalive-timeout/watchdog-line", "count": int64(1), "peak": int64(1)},
		Evidence: []ddx.Evidence{{Origin: "dmesg:7", Text: "ena 0000:00:05.0 eth0: Keep alive watchdog timeout."}}}
	no := answerFact("ena-keepalive-timeout/watchdog-line", "no")
	yes := answerFact("ena-keepalive-timeout/watchdog-line", "yes")
	outcome := answerFact("test/ena-reset-order", "register reads fail without a keep-alive line before")
	for _, tt := range []struct {
		name    string
		facts   []ddx.Fact
		mode    string
		verdict ddx.Verdict
		score   float64
	}{
		{"nothing", nil, "ena-keepalive-timeout", ddx.Untested, -4},
		{"yes", []ddx.Fact{yes}, "ena-keepalive-timeout", ddx.Confirmed, 5},
		{"no", []ddx.Fact{no}, "ena-keepalive-timeout", ddx.Untested, -5},
		{"no, of a driver that prints it", []ddx.Fact{no, ena}, "ena-keepalive-timeout", ddx.Untested, -6.5},
		{"no, but it is there", []ddx.Fact{no, line}, "ena-keepalive-timeout", ddx.Confirmed, 5},
		{"outcome for", []ddx.Fact{outcome}, "ena-mmio-read-timeout", ddx.Possible, -1.5},
		{"outcome against", []ddx.Fact{outcome}, "ena-keepalive-timeout", ddx.Untested, -8.5},
	} {
		s := newEvaluation(cat, tt.facts, testNow).mode(cat.Mode(tt.mode))
		if s.verdict != tt.verdict || math.Abs(s.score-tt.score) > 1e-9 {
			t.Errorf("%s: %s %.2f, want %s %.2f", tt.name, s.verdict, s.score, tt.verdict, tt.score)
		}
		for _, f := range tt.facts {
			if err := f.Check(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestFindSymptoms(t *testing.T) {
	cat := loadCatalogue(t)
	for _, tt := range []struct {
		words []string
		want  string // a mode that must be there
	}{
		{[]string{"new", "connections", "time out"}, "sg-conntrack-exhausted"},
		{[]string{"KEEP-ALIVE"}, "ena-keepalive-timeout"},
		{[]string{"interface is missing"}, "ena-mmio-read-timeout"},
	} {
		found := FindSymptoms(cat, tt.words...)
		if !slices.ContainsFunc(found, func(s Symptom) bool { return slices.Contains(s.Modes, tt.want) }) {
			t.Errorf("%v: no symptom of %s among %d", tt.words, tt.want, len(found))
		}
	}
	if got := FindSymptoms(cat, "no such thing at all"); len(got) != 0 {
		t.Errorf("found %v", got)
	}
}

func TestTree(t *testing.T) {
	cat := loadCatalogue(t)
	d := NewDifferential(cat, testNow, "sg-conntrack-exhausted")
	root, err := d.Tree(nil, 2)
	if err != nil {
		t.Fatal(err)
	}
	leaf, cut := false, false
	var visit func(n *Node, depth int)
	visit = func(n *Node, depth int) {
		if depth > 2 {
			t.Errorf("deeper than asked for")
		}
		cut = cut || n.Cut
		leaf = leaf || n.Question == nil && !n.Cut && n.Modes[0].Mode == "sg-conntrack-exhausted" && n.Modes[0].Verdict == ddx.Confirmed
		for _, b := range n.Branches {
			visit(b.Node, depth+1)
		}
	}
	visit(root, 0)
	if root.Question == nil || !cut {
		t.Errorf("question %v, cut %v: want a question and a bound that shows", root.Question, cut)
	}
	if !leaf {
		t.Error("the mode is no leaf within two questions")
	}
}
