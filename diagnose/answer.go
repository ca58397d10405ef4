package diagnose

import (
	"slices"

	"ddx"
	"ddx/catalog"
)

// The values of an answer.
const (
	answerYes     = "yes"
	answerNo      = "no"
	answerUnknown = "unknown"
)

// testKey is the name under which the outcome of a test is answered.
func testKey(id string) string { return "test/" + id }

func answerFact(key, value string) ddx.Fact {
	return ddx.Fact{Kind: "answer", Subject: ddx.Subject{Kind: ddx.Host}, Fields: map[string]any{"indicator": key, "value": value}}
}

// answerHits is what a human's answer says of an indicator. A yes counts as if
// the indicator had been seen. A no counts as its absence where the software at
// hand is known to print it; else it is weakly against, and only for indicators
// that would say much.
func (e *evaluation) answerHits(m *ddx.Mode, ind *ddx.Indicator, key string) []hit {
	h := hit{ind: ind, subject: ddx.Subject{Kind: m.Subject}, kind: "answer", count: 1}
	say := func(effect ddx.Effect, strength ddx.Strength, active ddx.Active) []hit {
		h.effect, h.strength, h.active = effect, strength, active
		h.evidence = []ddx.Evidence{{Origin: "answer", Text: indicatorTitle(ind) + " " + e.answers[key]}}
		return []hit{h}
	}
	switch e.answers[key] {
	case answerYes:
		return say(ind.Effect, ind.Strength, ddx.Yes)
	case answerNo:
		if a := ind.Absent; a != nil {
			if t, _ := e.any(a.Fact, a.When); t == catalog.True {
				return say(a.Effect, a.Strength, ddx.Unknown)
			}
		}
		if ind.Effect == ddx.Confirms || ind.Effect == ddx.Supports && ind.Strength == ddx.Strong {
			return say(ddx.Against, ddx.Weak, ddx.Unknown)
		}
	}
	return nil
}

// testHits is what the answered outcomes of tests say of a mode: an outcome is
// somebody's reading of a command's output, so that it never confirms.
func (e *evaluation) testHits(m *ddx.Mode) []hit {
	var hits []hit
	for _, t := range e.outcomes() {
		ind := &ddx.Indicator{ID: t.test.ID, Title: t.test.Title, Effect: ddx.Supports, Strength: ddx.Moderate}
		switch {
		case slices.Contains(t.outcome.Supports, m.ID):
		case slices.Contains(t.outcome.Refutes, m.ID):
			ind.Effect, ind.Strength = ddx.Against, ddx.Strong
		default:
			continue
		}
		hits = append(hits, hit{ind: ind, subject: ddx.Subject{Kind: m.Subject}, kind: "answer", count: 1, effect: ind.Effect, strength: ind.Strength, active: ddx.Unknown,
			evidence: []ddx.Evidence{{Origin: "answer", Text: t.test.Title + " " + t.outcome.If}}})
	}
	return hits
}

type testOutcome struct {
	test    *ddx.Test
	outcome *ddx.Outcome
}

// outcomes lists the tests whose outcome was answered, in the catalogue's order.
func (e *evaluation) outcomes() []testOutcome {
	if len(e.answers) == 0 || e.answered != nil {
		return e.answered
	}
	e.answered = []testOutcome{}
	seen := map[string]bool{}
	for _, m := range e.cat.Modes {
		for i := range m.Tests {
			t := &m.Tests[i]
			value, ok := e.answers[testKey(t.ID)]
			if !ok || seen[t.ID] {
				continue
			}
			seen[t.ID] = true
			for j := range t.Outcomes {
				if t.Outcomes[j].If == value {
					e.answered = append(e.answered, testOutcome{t, &t.Outcomes[j]})
				}
			}
		}
	}
	return e.answered
}
