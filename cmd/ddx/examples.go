package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"ddx"
	"ddx/diagnose"
	"ddx/logline"
	"ddx/match"
	"ddx/source"
)

// exampleNow is the moment that examples are diagnosed for.
var exampleNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// testExamples runs the examples and look-alikes of the modes named, or of all,
// and returns how many it ran and what went wrong.
func (e *engine) testExamples(ids []string) (ran int, failures []string, err error) {
	for _, id := range ids {
		if e.cat.Mode(id) == nil {
			return 0, nil, notThere(fmt.Errorf("catalog test %s: no such mode; 'ddx catalog list' shows all", id), id, modeIDs(e.cat))
		}
	}
	for _, m := range e.cat.Modes {
		if len(ids) > 0 && !slices.Contains(ids, m.ID) {
			continue
		}
		fail := func(kind string, i int, format string, args ...any) {
			failures = append(failures, fmt.Sprintf("%s: %s %d: %s", m.ID, kind, i+1, fmt.Sprintf(format, args...)))
		}
		for i, ex := range m.Examples {
			ran++
			want := ex.Verdict
			if want == "" {
				want = ddx.Likely
			}
			got, first, err := e.verdictOf(m.ID, ex.Text)
			if err != nil {
				fail("example", i, "%v", err)
				continue
			}
			if got.Rank() > want.Rank() {
				fail("example", i, "verdict %s, want %s or better (first finding: %s)", got, want, first)
				continue
			}
			for _, p := range e.framings(m, ex) {
				fail("example", i, "%s", p)
			}
		}
		for i, ex := range m.LookAlikes {
			ran++
			got, _, err := e.verdictOf(m.ID, ex.Text)
			if err != nil {
				fail("look-alike", i, "%v", err)
			} else if got.Rank() <= ddx.Likely.Rank() {
				fail("look-alike", i, "verdict %s (%s)", got, ex.Why)
			}
		}
	}
	return ran, failures, nil
}

// verdictOf diagnoses a text and returns the verdict of one mode, and the
// first finding.
func (e *engine) verdictOf(mode, text string) (ddx.Verdict, string, error) {
	facts, err := e.textFacts([]byte(text), exampleNow)
	if err != nil {
		return "", "", err
	}
	d, err := diagnose.Run(e.cat, facts, exampleNow, diagnose.Options{})
	if err != nil {
		return "", "", err
	}
	best, first := ddx.Untested, "none"
	for i, f := range d.Findings {
		if i == 0 {
			first = f.ID + " " + string(f.Verdict)
		}
		if f.Mode == mode && f.Verdict.Rank() < best.Rank() {
			best = f.Verdict
		}
	}
	return best, first, nil
}

// framings checks that a bare log message is recognised in every framing in
// which it can arrive, and that what must come from the kernel is not taken
// from anybody else.
func (e *engine) framings(m *ddx.Mode, ex ddx.Example) (problems []string) {
	if ex.Framed != nil && !*ex.Framed {
		return nil
	}
	if rd, err := source.Recognise(&source.Item{Data: []byte(ex.Text)}); rd != nil && !rd.Log || err != nil {
		return nil
	}
	bare := e.matches(m.ID, []byte(ex.Text))
	if len(bare) == 0 {
		return nil // decided by kernel reports or by facts
	}
	for _, fr := range logline.Framings {
		got := e.matches(m.ID, frameAll(fr.Name, ex.Text))
		for key, ind := range bare {
			ch := ind.Channel
			if ch == "" {
				ch = "kernel"
			}
			may := ch == "any" || fr.Channel == logline.Unknown || ch == fr.Channel.String()
			if _, seen := got[key]; seen != may {
				problems = append(problems, fmt.Sprintf("framing %s: indicator %s seen=%v, want %v", fr.Name, key, seen, may))
			}
		}
	}
	return problems
}

func frameAll(framing, text string) []byte {
	var b bytes.Buffer
	at := exampleNow.Add(-time.Minute)
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		b.Write(logline.Frame(framing, line, at, at.Sub(exampleNow).Seconds()+7200))
		at = at.Add(time.Second)
	}
	return b.Bytes()
}

// matches returns the log indicators of a mode that a text matches.
func (e *engine) matches(mode string, text []byte) map[string]*ddx.Indicator {
	out := map[string]*ddx.Indicator{}
	facts, err := e.matcher.Match(match.Stream{Origin: "text", Hint: logline.Hint{Now: exampleNow}}, bytes.NewReader(text))
	if err != nil {
		return out
	}
	m := e.cat.Mode(mode)
	for _, f := range facts {
		id, ok := strings.CutPrefix(f.String("indicator"), mode+"/")
		if !ok || f.Kind != "log.match" {
			continue
		}
		for i := range m.Indicators {
			if m.Indicators[i].ID == id {
				out[id] = &m.Indicators[i]
			}
		}
	}
	return out
}
