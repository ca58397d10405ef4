package diagnose

import (
	"cmp"
	"slices"
	"time"

	"ddx"
	"ddx/catalog"
)

// hit is an indicator that was seen on a subject.
type hit struct {
	ind      *ddx.Indicator
	subject  ddx.Subject
	effect   ddx.Effect
	strength ddx.Strength
	count    int64
	first    moment
	last     moment
	lasts    []moment // the last sign in each log
	active   ddx.Active
	evidence []ddx.Evidence
	note     string
	kind     string // fact kind it comes from
}

// evaluation is everything that a run knows.
type evaluation struct {
	cat      *catalog.Catalogue
	now      time.Time
	byKind   map[string][]*ddx.Fact
	matches  map[string][]*ddx.Fact // log.match by MODE/INDICATOR
	context  map[string]any
	uptime   float64           // seconds at now, 0 when unknown
	answers  map[string]string // by MODE/INDICATOR or test/ID
	answered []testOutcome
	vars     map[*ddx.Fact]map[string]any
	aliases  map[string]string // PCI address -> interface
	err      error             // first condition that is wrong
}

func newEvaluation(cat *catalog.Catalogue, facts []ddx.Fact, now time.Time) *evaluation {
	e := &evaluation{cat: cat, now: now, byKind: map[string][]*ddx.Fact{}, answers: map[string]string{}, vars: map[*ddx.Fact]map[string]any{}}
	for i := range facts {
		f := &facts[i]
		e.byKind[f.Kind] = append(e.byKind[f.Kind], f)
	}
	e.matches = map[string][]*ddx.Fact{}
	for _, f := range e.byKind["log.match"] {
		key := f.String("indicator")
		e.matches[key] = append(e.matches[key], f)
	}
	e.aliases = aliases(e.byKind)
	for _, f := range e.byKind["answer"] {
		e.answers[f.String("indicator")] = f.String("value")
	}
	e.context = map[string]any{}
	set := func(name, kind, field string) {
		for _, f := range e.byKind[kind] {
			if v := f.String(field); v != "" {
				e.context[name] = v
				return
			}
		}
	}
	set("kernel", "host.kernel", "release")
	set("os", "host.os", "id")
	set("hypervisor", "host.virt", "hypervisor")
	if _, ok := e.context["kernel"]; !ok {
		set("kernel", "kernel.report", "release")
	}
	for _, f := range e.byKind["host.uptime"] {
		e.uptime, _ = f.Float("seconds")
	}
	e.context["facts"] = e.factsByKind()
	return e
}

// factsByKind is the variable facts of conditions: every kind that the
// vocabulary has, so that asking for an absent one is an empty list.
func (e *evaluation) factsByKind() map[string][]map[string]any {
	out := make(map[string][]map[string]any, len(ddx.FactKinds))
	for i := range ddx.FactKinds {
		kind := ddx.FactKinds[i].Name
		rows := make([]map[string]any, 0, len(e.byKind[kind]))
		for _, f := range e.byKind[kind] {
			row := make(map[string]any, len(f.Fields)+1)
			for k, v := range f.Fields {
				row[k] = v
			}
			row["subject"] = f.Subject.Name
			rows = append(rows, row)
		}
		out[kind] = rows
	}
	return out
}

// variables of a condition over one fact.
func (e *evaluation) variables(f *ddx.Fact) map[string]any {
	if v := e.vars[f]; v != nil {
		return v
	}
	v := make(map[string]any, len(f.Fields)+len(e.context)+1)
	for name, val := range e.context {
		v[name] = val
	}
	for _, field := range ddx.LookupFact(f.Kind).Fields {
		switch val, ok := f.Fields[field.Name]; {
		case ok:
			v[field.Name] = val
		case field.Type == ddx.String:
			v[field.Name] = ""
		case field.Type == ddx.Strings:
			v[field.Name] = []string{}
		}
	}
	v["subject"] = f.Subject.Name
	e.vars[f] = v
	return v
}

func (e *evaluation) eval(kind, expr string, f *ddx.Fact) catalog.Truth {
	t, err := e.cat.Eval(catalog.FactScope(kind), expr, e.variables(f))
	if err != nil && e.err == nil {
		e.err = err
	}
	return t
}

// any evaluates a condition over all facts of its kind: true if one holds,
// unknown if there are none or one cannot be told, else false.
func (e *evaluation) any(kind, expr string) (catalog.Truth, *ddx.Fact) {
	facts := e.byKind[kind]
	if len(facts) == 0 {
		return catalog.Unknown, nil
	}
	result := catalog.False
	for _, f := range facts {
		switch e.eval(kind, expr, f) {
		case catalog.True:
			return catalog.True, f
		case catalog.Unknown:
			result = catalog.Unknown
		}
	}
	return result, nil
}

// indicator evaluates one indicator of a mode and returns what was seen. What
// the evidence shows goes before what a human answered.
func (e *evaluation) indicator(m *ddx.Mode, ind *ddx.Indicator) []hit {
	key := m.ID + "/" + ind.ID
	var hits []hit
	if len(ind.Log) > 0 {
		hits = e.logIndicator(m, ind, key)
	} else {
		hits = e.factIndicator(m, ind)
	}
	if len(hits) > 0 {
		return hits
	}
	return e.answerHits(m, ind, key)
}

func (e *evaluation) factIndicator(m *ddx.Mode, ind *ddx.Indicator) []hit {
	var hits []hit
	for _, f := range e.byKind[ind.Fact] {
		if e.eval(ind.Fact, ind.When, f) == catalog.True {
			hits = append(hits, e.factHit(m, ind, f))
		}
	}
	hits = foldSubjects(hits)
	if ind.Count > 1 {
		hits = slices.DeleteFunc(hits, func(h hit) bool { return h.count < int64(ind.Count) })
	}
	return hits
}

func (e *evaluation) logIndicator(m *ddx.Mode, ind *ddx.Indicator, key string) []hit {
	var hits []hit
	for _, f := range e.matches[key] {
		if peak, _ := f.Int("peak"); peak < int64(ind.Count) {
			continue
		}
		h := e.factHit(m, ind, f)
		h.count, _ = f.Int("count")
		h.first, h.last = parseMoment(f.String("first")), parseMoment(f.String("last")).place(f.Evidence, f.String("boot"))
		h.first.earlier = h.last.earlier
		h.lasts = []moment{h.last}
		h.active = e.activeEvent(m, ind, h.last, f.String("boot"))
		hits = append(hits, h)
	}
	if len(hits) > 0 || ind.Absent == nil || !e.covered(ind) {
		return foldSubjects(onceNamed(hits))
	}
	if t, f := e.any(ind.Absent.Fact, ind.Absent.When); t == catalog.True {
		return []hit{{ind: ind, subject: ddx.Subject{Kind: m.Subject}, effect: ind.Absent.Effect, strength: ind.Absent.Strength, active: ddx.Unknown, kind: "log.coverage",
			evidence: f.Evidence, note: "the line is absent from a log without gaps, and this software would have printed it"}}
	}
	return nil
}

// onceNamed leaves out hits without a name whose lines are those of named hits:
// a general pattern matches what a particular one, which tells whom it is
// about, has matched too.
func onceNamed(hits []hit) []hit {
	named := map[string]bool{} // origins of lines
	count := int64(0)
	for _, h := range hits {
		if h.subject.Name != "" {
			count += h.count
			for _, ev := range h.evidence {
				named[ev.Origin] = true
			}
		}
	}
	return slices.DeleteFunc(hits, func(h hit) bool {
		return h.subject.Name == "" && len(h.evidence) > 0 && h.count <= count && !slices.ContainsFunc(h.evidence, func(ev ddx.Evidence) bool { return !named[ev.Origin] })
	})
}

// covered reports whether a log of the indicator's channel was read without a
// known or possible gap.
func (e *evaluation) covered(ind *ddx.Indicator) bool {
	for _, f := range e.byKind["log.coverage"] {
		ch := f.String("channel")
		dropped, known := f.Int("dropped")
		if n, _ := f.Int("lines"); n == 0 || !known || dropped > 0 {
			continue
		}
		if ch == ind.LogChannel() || ch == "any" || ind.LogChannel() == "any" {
			return !slices.Contains(f.Strings("cannot"), ind.ID)
		}
	}
	return false
}

func (e *evaluation) factHit(m *ddx.Mode, ind *ddx.Indicator, f *ddx.Fact) hit {
	h := hit{ind: ind, subject: e.subjectOf(m, ind, f), effect: ind.Effect, strength: ind.Strength, count: 1, evidence: f.Evidence, kind: f.Kind, active: ddx.Yes}
	if len(f.Evidence) > 0 {
		h.first = moment{Moment: ddx.Moment{Wall: f.Evidence[0].Time, Mono: f.Evidence[0].Mono}}
	}
	if h.first.Wall.IsZero() {
		h.first.Wall = f.Time
	}
	h.last = h.first
	if !happens[f.Kind] {
		h.first = moment{} // a state: seen now, true since nobody knows when
	}
	switch {
	case f.Kind == "kernel.report":
		if n, ok := f.Int("count"); ok {
			h.count = n
			if last := f.Evidence; len(last) > 1 {
				h.last = moment{Moment: ddx.Moment{Wall: last[len(last)-1].Time, Mono: last[len(last)-1].Mono}}
			}
		}
		h.last = h.last.place(f.Evidence, f.String("boot"))
		h.first.earlier = h.last.earlier
		if s, ok := f.Int("seconds"); ok {
			h.first = h.first.shift(float64(s))
		}
		h.active = e.activeEvent(m, ind, h.last, f.String("boot"))
	case ddx.LookupFact(f.Kind).IsCounter():
		h.first = moment{}
		switch d, ok := f.Int("delta"); {
		case ok && d > 0: // it is growing at this very moment
		case ok:
			h.active, h.last = ddx.No, moment{}
		default:
			h.active, h.last = ddx.Unknown, moment{}
			h.note = "one reading proves no rate: the count began with " + since(f.Kind)
		}
	}
	if h.last != (moment{}) {
		h.lasts = []moment{h.last}
	}
	return h
}

// happens are the kinds of fact that tell of a moment. All others tell of a
// state at the moment of the look, which says nothing of when it began: a driver
// that is old today was old before the failure.
var happens = map[string]bool{
	"log.match": true, "kernel.report": true, "flow.window": true, "flow.pattern": true, "packet.target": true, "packet.event": true,
	"cloud.event": true, "dns.answer": true, "dns.verdict": true, "strace.call": true, "mount.attempt": true,
}

func since(kind string) string {
	for _, f := range ddx.LookupFact(kind).Fields {
		if f.Number == ddx.Counter {
			return f.Since
		}
	}
	return ""
}

func (e *evaluation) subjectOf(m *ddx.Mode, ind *ddx.Indicator, f *ddx.Fact) ddx.Subject {
	switch name, known := e.aliases[f.Subject.Name]; {
	case f.Subject.Kind == ddx.NIC && m.Subject == ddx.NIC && known:
		return ddx.Subject{Kind: ddx.NIC, Name: name}
	case ind.Subject != "" && len(ind.Log) == 0:
		return ddx.Subject{Kind: m.Subject, Name: f.String(ind.Subject)}
	case f.Subject.Kind == m.Subject:
		return f.Subject
	}
	return ddx.Subject{Kind: m.Subject}
}

// foldSubjects merges the hits of one indicator on one subject.
func foldSubjects(hits []hit) []hit {
	var out []hit
	at := make(map[ddx.Subject]int, len(hits))
	for _, h := range hits {
		i, ok := at[h.subject]
		if !ok {
			at[h.subject] = len(out)
			out = append(out, h)
			continue
		}
		o := &out[i]
		if h.kind == "log.match" {
			o.count = max(o.count, h.count) // the same lines may stand in two logs
		} else {
			o.count += h.count
		}
		if len(o.evidence) < maxEvidence {
			o.evidence = append(slices.Clip(o.evidence), h.evidence...)
		}
		o.first, o.last = o.first.earliest(h.first), o.last.latest(h.last)
		o.lasts = append(slices.Clip(o.lasts), h.lasts...)
		o.active = strongerActive(o.active, h.active)
	}
	return out
}

// maxEvidence is how many lines of evidence one indicator shows.
const maxEvidence = 6

func strongerActive(a, b ddx.Active) ddx.Active {
	rank := map[ddx.Active]int{ddx.Yes: 0, ddx.Unknown: 1, ddx.No: 2}
	if cmp.Compare(rank[a], rank[b]) <= 0 {
		return a
	}
	return b
}

func indicatorTitle(ind *ddx.Indicator) string {
	if ind.Title != "" {
		return ind.Title
	}
	if len(ind.Log) > 0 {
		return "the log shows: " + ind.Log[0].String()
	}
	return ind.When
}
