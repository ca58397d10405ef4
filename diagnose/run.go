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

// Options are the arguments of a run that change what is shown, never what is
// concluded.
type Options struct {
	All bool // list ruled-out findings too
}

// state is what the evidence says of one mode, on all its subjects.
type state struct {
	mode      *ddx.Mode
	findings  []*finding
	verdict   ddx.Verdict // of the mode where it has no finding: untested or ruled out
	notApply  string      // why the mode cannot exist here
	needed    []string    // fact kinds its indicators read
	openPrior float64     // probability used when choosing the next test
	score     float64     // log odds behind it
}

// finding is a Finding in the making.
type finding struct {
	ddx.Finding
	mode        *ddx.Mode
	score       float64 // log odds
	first, last moment
	lasts       []moment        // the last sign in each log, and of each other witness
	terms       map[string]term // what counts, one a group
	confirms    bool
	refuted     bool
	supported   bool
	note        string // of the first hit that has one
	explains    []*finding
	causes      []*finding
}

// Run diagnoses one host. It is pure: facts and now decide everything.
func Run(cat *catalog.Catalogue, facts []ddx.Fact, now time.Time, o Options) (*ddx.Diagnosis, error) {
	e := newEvaluation(cat, facts, now)
	states, found, err := e.all(cat.Modes)
	if err != nil {
		return nil, fmt.Errorf("diagnose: %w", err)
	}
	d := &ddx.Diagnosis{
		Schema: ddx.DiagnosisSchema, Catalogue: cat.Digest, Now: now,
		Host: hostInfo(e), Examined: examined(facts), Unexplained: unexplained(e),
		Findings: []ddx.Finding{}, NextTests: []ddx.NextTest{},
	}
	d.NextTests = nextTests(e, states)
	for _, f := range order(found) {
		if f.Verdict == ddx.RuledOut && !o.All && !f.supported {
			continue
		}
		f.NextTests = testsFor(d.NextTests, f.mode)
		d.Findings = append(d.Findings, f.Finding)
	}
	d.Counts = count(states)
	d.NotExamined = notExamined(e, states)
	return d, nil
}

// all evaluates modes and joins what was found through its causes.
func (e *evaluation) all(modes []*ddx.Mode) (states []*state, found []*finding, err error) {
	for _, m := range modes {
		s := e.mode(m)
		states = append(states, s)
		found = append(found, s.findings...)
	}
	if e.err != nil {
		return nil, nil, fmt.Errorf("%w; 'ddx catalog lint' shows all such errors", e.err)
	}
	link(e.cat, found)
	return states, found, nil
}

// mode evaluates one mode on every subject that has evidence.
func (e *evaluation) mode(m *ddx.Mode) *state {
	s := &state{mode: m, verdict: ddx.Untested}
	var hits []hit
	for i := range m.Indicators {
		ind := &m.Indicators[i]
		if ind.Fact != "" {
			s.needed = append(s.needed, ind.Fact)
		} else {
			s.needed = append(s.needed, "log.coverage")
		}
		hits = append(hits, e.indicator(m, ind)...)
	}
	hits = append(hits, e.testHits(m)...)
	s.notApply = e.applies(m)
	named := subjects(m, hits)
	for _, subject := range named {
		f := e.finding(m, subject, len(named) == 1, hits, s.notApply)
		if f != nil {
			s.findings = append(s.findings, f)
		}
	}
	if len(s.findings) == 0 && (s.notApply != "" || slices.ContainsFunc(hits, func(h hit) bool { return h.effect == ddx.Refutes })) {
		s.verdict = ddx.RuledOut
	}
	s.score = prior(m)
	for _, w := range inOrder(weigh(hits)) {
		s.score += min(w, 0)
	}
	s.openPrior = logistic(s.score)
	for _, f := range s.findings {
		if f.Verdict == ddx.RuledOut {
			s.verdict = ddx.RuledOut
			s.openPrior = 0
		} else {
			s.verdict, s.openPrior, s.score = f.Verdict, f.Probability, f.score
			break
		}
	}
	return s
}

// applies says why the mode cannot exist on this host, "" when it can or
// nothing is known.
func (e *evaluation) applies(m *ddx.Mode) string {
	for _, c := range m.Applies {
		if t, _ := e.any(c.Fact, c.When); t == catalog.False {
			if c.Why != "" {
				return c.Why
			}
			return fmt.Sprintf("no %s here fulfils: %s", c.Fact, c.When)
		}
	}
	return ""
}

// subjects lists what the hits are about. Evidence that names no subject goes
// to the only named one; with none or several it stands by itself.
func subjects(m *ddx.Mode, hits []hit) []ddx.Subject {
	var named []ddx.Subject
	unnamed := false
	for i := range hits {
		h := &hits[i]
		if h.effect == ddx.Clears {
			continue
		}
		if h.subject.Name == "" || h.ind.On == "host" {
			unnamed = true
		} else {
			named = append(named, h.subject)
		}
	}
	slices.SortFunc(named, func(a, b ddx.Subject) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind))
	})
	named = slices.Compact(named)
	if len(named) == 1 || len(named) > 1 && !unnamed {
		return named
	}
	if unnamed {
		named = append(named, ddx.Subject{Kind: m.Subject})
	}
	return named
}

func concerns(h *hit, s ddx.Subject, only bool) bool {
	return h.subject == s || h.ind.On == "host" || h.subject.Name == "" && (only || s.Name == "")
}

// finding weighs all hits on one subject, which may be the only one. It returns
// nil when nothing speaks for the mode there.
func (e *evaluation) finding(m *ddx.Mode, s ddx.Subject, only bool, hits []hit, notApply string) *finding {
	f := &finding{mode: m}
	f.Mode, f.Title, f.Family, f.Subject, f.Latent = m.ID, m.Title, m.Family, s, m.Latent
	f.ID = m.ID + "@" + s.String()
	f.Summary, f.Whys = strings.TrimSpace(m.Summary), m.Whys
	f.ExplainedBy, f.NextTests, f.Remedies = []string{}, []ddx.NextTest{}, []ddx.Plan{}
	f.Active = ddx.No
	var counted []hit
	var clears []*hit
	for i := range hits {
		h := &hits[i]
		if h.effect == ddx.Clears {
			if concerns(h, s, true) {
				clears = append(clears, h)
			}
			continue
		}
		if !concerns(h, s, only) {
			continue
		}
		f.take(h)
		counted = append(counted, *h)
	}
	if !f.supported && !f.confirms {
		if !f.refuted {
			return nil
		}
		f.Verdict = ddx.RuledOut
		return nil
	}
	f.terms = weigh(counted)
	f.score = prior(m)
	for _, w := range inOrder(f.terms) {
		f.score += w
	}
	if notApply != "" {
		f.terms["applies"] = term{ddx.Against, ddx.Strong, weight(ddx.Against, ddx.Strong)}
		f.score += f.terms["applies"].weight
		f.Evidence = append(f.Evidence, ddx.Support{Origin: "applies", Text: notApply, Indicator: "applies", Effect: ddx.Against, Strength: ddx.Strong})
	}
	f.Probability = math.Round(logistic(f.score)*1000) / 1000
	f.Verdict = verdict(f)
	f.close(e, m, clears)
	return f
}

func verdict(f *finding) ddx.Verdict {
	switch {
	case f.refuted && !f.confirms:
		return ddx.RuledOut
	case f.Latent:
		return ddx.Possible
	case f.confirms && !f.refuted:
		return ddx.Confirmed
	case f.Probability >= 0.5:
		return ddx.Likely
	}
	return ddx.Possible
}

// take adds a hit to the finding.
func (f *finding) take(h *hit) {
	switch h.effect {
	case ddx.Confirms:
		f.confirms = true
	case ddx.Supports:
		f.supported = true
	case ddx.Refutes:
		f.refuted = true
	}
	for i, ev := range h.evidence {
		if i == maxEvidence {
			break
		}
		sup := ddx.Support{Origin: ev.Origin, Text: ev.Text, Indicator: h.ind.ID, Effect: h.effect, Strength: h.strength, Note: h.note}
		if sup.Effect == ddx.Confirms || sup.Effect == ddx.Refutes {
			sup.Strength = ""
		}
		if !ev.Time.IsZero() {
			t := ev.Time.UTC()
			sup.Time = &t
		}
		if i == 0 {
			sup.Count = h.count
		}
		if !slices.ContainsFunc(f.Evidence, func(o ddx.Support) bool {
			return o.Origin == sup.Origin && o.Text == sup.Text && o.Effect == sup.Effect
		}) {
			f.Evidence = append(f.Evidence, sup)
		}
	}
	if h.effect != ddx.Confirms && h.effect != ddx.Supports {
		return
	}
	f.first, f.last = f.first.earliest(h.first), f.last.latest(h.last)
	f.lasts = append(f.lasts, h.lasts...)
	f.Active = strongerActive(f.Active, h.active)
	if f.note == "" {
		f.note = h.note
	}
}

// close sets the times, and ends the finding when recovery was seen after its
// last sign.
func (f *finding) close(e *evaluation, m *ddx.Mode, clears []*hit) {
	if !f.first.Wall.IsZero() {
		t := f.first.Wall.UTC()
		f.FirstSeen = &t
	}
	if !f.last.Wall.IsZero() {
		t := f.last.Wall.UTC()
		f.LastSeen = &t
	}
	f.Mono = f.first.Mono
	slices.SortStableFunc(f.Evidence, func(a, b ddx.Support) int { return cmp.Compare(effectRank(a), effectRank(b)) })
	if cleared := f.cleared(clears); cleared != nil {
		f.Active = ddx.No
		f.ActiveWhy = "cleared: " + evidenceText(cleared.evidence)
		return
	}
	age, known := e.age(f.last)
	switch {
	case f.Active == ddx.Unknown:
		f.ActiveWhy = f.note
	case f.Active == ddx.No && f.last.earlier:
		f.ActiveWhy = "it was in an earlier boot"
	case !known:
	case f.Active == ddx.No:
		f.ActiveWhy = fmt.Sprintf("last seen %s ago; without a new sign it counts as over after %s", short(age), short(ttl(m)))
	case f.Active == ddx.Yes && age > time.Minute:
		f.ActiveWhy = fmt.Sprintf("last seen %s ago, no recovery seen; counts as current for %s", short(age), short(ttl(m)))
	}
}

// cleared returns the recovery that ends the finding: every log that tells of it
// must tell of its end, too. What an earlier boot told ended with that boot.
func (f *finding) cleared(clears []*hit) *hit {
	current := slices.DeleteFunc(slices.Clone(f.lasts), func(m moment) bool { return m.earlier })
	if len(current) == 0 {
		current = f.lasts
	}
	var by *hit
	for _, last := range current {
		i := slices.IndexFunc(clears, func(h *hit) bool {
			return slices.ContainsFunc(h.lasts, func(m moment) bool { return m.ends(last) })
		})
		if i < 0 {
			return nil
		}
		by = clears[i]
	}
	return by
}

func evidenceText(ev []ddx.Evidence) string {
	if len(ev) == 0 {
		return ""
	}
	return ev[len(ev)-1].Text
}

func short(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func effectRank(s ddx.Support) int {
	rank := map[ddx.Effect]int{ddx.Confirms: 0, ddx.Supports: 1, ddx.Refutes: 5, ddx.Against: 6}[s.Effect]
	if s.Effect == ddx.Supports {
		rank += map[ddx.Strength]int{ddx.Strong: 0, ddx.Moderate: 1, ddx.Weak: 2}[s.Strength]
	}
	return rank
}
