package catalog

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"ddx"
)

// Families are the families of modes, in the order of the documentation.
var Families = []string{"network", "dns", "nfs", "storage", "kernel", "platform"}

var (
	idForm      = regexp.MustCompile(`^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$`)
	placeholder = regexp.MustCompile(`\{[a-z_]+\}`)
)

// RemedyVariables are the placeholders that steps of remedies and commands of
// tests may hold.
var RemedyVariables = []string{"instance", "nic", "pci", "disk", "volume", "mount", "server", "task", "pid", "cgroup", "unit", "endpoint", "group", "eni", "version", "host", "region", "zone", "device", "address"}

// Lint returns everything that is wrong with a catalogue, as sentences that
// begin with the id of the mode or remedy.
func Lint(c *Catalogue) []string {
	l := &linter{c: c, patterns: map[string]string{}, tests: map[string]ddx.Test{}, aliases: map[string]string{}}
	for _, m := range c.Modes {
		l.mode(m)
	}
	for id, r := range c.Remedies {
		l.remedy(id, r)
	}
	slices.Sort(l.problems)
	return l.problems
}

type linter struct {
	c        *Catalogue
	problems []string
	patterns map[string]string // pattern text and effect -> mode
	tests    map[string]ddx.Test
	aliases  map[string]string
}

func (l *linter) say(id, format string, args ...any) {
	l.problems = append(l.problems, id+": "+fmt.Sprintf(format, args...))
}

func (l *linter) mode(m *ddx.Mode) {
	id := m.ID
	if !idForm.MatchString(id) {
		l.say(id, "id is not kebab-case")
	}
	for _, a := range append([]string{id}, m.Aliases...) {
		if other, taken := l.aliases[a]; taken {
			l.say(id, "the name %q is taken by %s", a, other)
		}
		l.aliases[a] = id
	}
	l.text(m)
	seen := map[string]bool{}
	for i := range m.Indicators {
		ind := &m.Indicators[i]
		if seen[ind.ID] {
			l.say(id, "indicator %s stands twice", ind.ID)
		}
		seen[ind.ID] = true
		l.indicator(m, ind)
	}
	if !slices.ContainsFunc(m.Indicators, func(i ddx.Indicator) bool { return i.Effect == ddx.Confirms || i.Effect == ddx.Supports }) {
		l.say(id, "no indicator confirms or supports it")
	}
	for _, c := range m.Applies {
		l.condition(id, "applies", FactScope(c.Fact), c.Fact, c.When)
	}
	for _, e := range m.LeadsTo {
		l.reference(id, "leads_to", e.Mode)
		if e.Mode == id {
			l.say(id, "leads to itself")
		}
	}
	for _, t := range m.Tests {
		l.test(id, t)
	}
	for _, c := range m.ConfusedWith {
		l.reference(id, "confused_with", c.Mode)
		if !l.hasTest(c.Test) {
			l.say(id, "confused_with %s: no mode has a test %q", c.Mode, c.Test)
		}
	}
	for _, r := range m.Remedies {
		if l.c.Remedies[r.ID] == nil {
			l.say(id, "remedy %q does not exist", r.ID)
		}
	}
	for _, e := range m.Examples {
		if !slices.Contains([]ddx.Verdict{"", ddx.Confirmed, ddx.Likely, ddx.Possible}, e.Verdict) {
			l.say(id, "an example has verdict %q", e.Verdict)
		}
	}
}

// text checks the fields that are prose, and that none is missing.
func (l *linter) text(m *ddx.Mode) {
	for name, missing := range map[string]bool{
		"title": m.Title == "", "summary": strings.TrimSpace(m.Summary) == "", "symptoms": len(m.Symptoms) == 0, "whys": len(m.Whys) < 2,
		"remedies": len(m.Remedies) == 0, "references": len(m.References) == 0, "examples": len(m.Examples) == 0, "look_alikes": len(m.LookAlikes) == 0,
		"indicators": len(m.Indicators) == 0,
	} {
		if missing {
			l.say(m.ID, "%s missing (whys needs at least two steps)", name)
		}
	}
	if !slices.Contains(Families, m.Family) {
		l.say(m.ID, "family %q is none of %s", m.Family, strings.Join(Families, ", "))
	}
	if !slices.Contains([]string{"common", "uncommon", "rare"}, m.Frequency) {
		l.say(m.ID, "frequency %q is none of common, uncommon, rare", m.Frequency)
	}
	if m.Review != "verified" && m.Review != "inferred" {
		l.say(m.ID, "review %q is neither verified nor inferred", m.Review)
	}
	if m.TTL != "" {
		if _, err := time.ParseDuration(m.TTL); err != nil {
			l.say(m.ID, "ttl %q is not a duration such as 30m or 24h", m.TTL)
		}
	}
	kinds := []ddx.SubjectKind{ddx.Host, ddx.NIC, ddx.Mount, ddx.Disk, ddx.Task, ddx.Endpoint, ddx.Zone, ddx.Instance, ddx.Cgroup, ddx.Unit}
	if !slices.Contains(kinds, m.Subject) {
		l.say(m.ID, "subject %q is no kind of subject", m.Subject)
	}
}

func (l *linter) indicator(m *ddx.Mode, ind *ddx.Indicator) {
	id := m.ID + "/" + ind.ID
	if !idForm.MatchString(ind.ID) {
		l.say(id, "indicator id is not kebab-case")
	}
	switch {
	case len(ind.Log) > 0 && ind.Fact != "", len(ind.Log) == 0 && ind.Fact == "":
		l.say(id, "wants either log patterns or a fact, not both or neither")
	case ind.Fact != "" && ind.When == "":
		l.say(id, "a fact indicator needs a condition (when)")
	}
	switch ind.Effect {
	case ddx.Confirms, ddx.Refutes, ddx.Clears:
		if ind.Strength != "" {
			l.say(id, "%s has no strength", ind.Effect)
		}
		if ind.Effect == ddx.Confirms && m.Review == "inferred" {
			l.say(id, "an inferred mode may not confirm")
		}
		if ind.Effect == ddx.Confirms && m.Latent {
			l.say(id, "a latent mode may not confirm")
		}
	case ddx.Supports, ddx.Against:
		if ind.Strength != ddx.Strong && ind.Strength != ddx.Moderate && ind.Strength != ddx.Weak {
			l.say(id, "%s needs a strength: strong, moderate or weak", ind.Effect)
		}
	default:
		l.say(id, "effect %q is none of confirms, supports, against, refutes, clears", ind.Effect)
	}
	if !slices.Contains([]string{"", "kernel", "service", "any"}, ind.Channel) {
		l.say(id, "channel %q is none of kernel, service, any", ind.Channel)
	}
	if ind.Within != "" {
		if _, err := time.ParseDuration(ind.Within); err != nil {
			l.say(id, "within %q is not a duration", ind.Within)
		}
	}
	if ind.Fact != "" {
		l.condition(id, "when", FactScope(ind.Fact), ind.Fact, ind.When)
	}
	l.logPatterns(m, ind, id)
	if a := ind.Absent; a != nil {
		if len(ind.Log) == 0 {
			l.say(id, "absent is for log indicators; write an indicator of its own for a fact that speaks against")
		}
		if a.Effect != ddx.Against && a.Effect != ddx.Refutes {
			l.say(id, "absent: effect %q is neither against nor refutes", a.Effect)
		}
		l.condition(id, "absent", FactScope(a.Fact), a.Fact, a.When)
	}
}

func (l *linter) logPatterns(m *ddx.Mode, ind *ddx.Indicator, id string) {
	for _, p := range ind.Log {
		cp, err := l.c.Pattern(p)
		if err != nil {
			l.say(id, "%v", err)
			continue
		}
		if name := ind.Subject; name != "" && cp.Captures[name] == "" {
			l.say(id, "subject %q is no capture of pattern %q", name, p)
		}
		if ind.Effect == ddx.Clears {
			continue
		}
		key := string(ind.Effect) + " " + string(ind.Strength) + " " + p.String() + " " + ind.When
		if other, taken := l.patterns[key]; taken && ind.Effect == ddx.Confirms {
			l.say(id, "pattern %q confirms %s too", p, other)
		}
		l.patterns[key] = id
	}
	if len(ind.Log) > 0 && ind.When != "" {
		if scope, err := l.c.CaptureScope(ind); err == nil {
			l.condition(id, "when", scope, "", ind.When)
		}
		l.captures(ind, id)
	}
}

// captures finds patterns that lack a capture of which the condition asks: it
// could not hold on any line that they fit.
func (l *linter) captures(ind *ddx.Indicator, id string) {
	asked := words.FindAllString(quoted.ReplaceAllString(ind.When, ""), -1)
	for _, p := range ind.Log {
		cp, err := l.c.Pattern(p)
		if err != nil {
			continue // said already
		}
		for _, name := range asked {
			if cp.Captures[name] == "" && slices.ContainsFunc(ind.Log, func(o ddx.Pattern) bool {
				other, err := l.c.Pattern(o)
				return err == nil && other.Captures[name] != ""
			}) {
				l.say(id, "pattern %q has no capture %q, for which the condition asks: give it one, or an indicator of its own", p, name)
			}
		}
	}
}

var (
	quoted = regexp.MustCompile(`"[^"]*"|'[^']*'`)
	words  = regexp.MustCompile(`\b[a-z][a-z0-9_]*\b`)
)

// condition compiles an expression and checks what the compiler cannot: the
// kinds asked for in facts["..."].
func (l *linter) condition(id, where string, scope Scope, kind, expr string) {
	if kind != "" && ddx.LookupFact(kind) == nil {
		l.say(id, "%s: fact kind %q is not declared", where, kind)
		return
	}
	if _, err := l.c.conds.compile(string(scope), expr); err != nil {
		l.say(id, "%s: %v", where, err)
	}
	for _, m := range factsIndex.FindAllStringSubmatch(expr, -1) {
		if ddx.LookupFact(m[1]) == nil {
			l.say(id, "%s: facts[%q]: kind is not declared", where, m[1])
		}
	}
}

var factsIndex = regexp.MustCompile(`facts\[['"]([^'"]*)['"]\]`)

func (l *linter) test(id string, t ddx.Test) {
	name := id + ": test " + t.ID
	if old, dup := l.tests[t.ID]; dup && (old.Run != t.Run || old.Title != t.Title) {
		l.say(name, "another mode has a different test of this id")
	}
	l.tests[t.ID] = t
	if t.Title == "" || t.Run == "" || len(t.Outcomes) < 2 {
		l.say(name, "needs a title, a command and at least two outcomes")
	}
	if t.Cost != ddx.ReadOnly && t.Cost != ddx.Load && t.Cost != ddx.Intrusive {
		l.say(name, "cost %q is none of read-only, load, intrusive", t.Cost)
	}
	for _, k := range t.Yields {
		if ddx.LookupFact(k) == nil {
			l.say(name, "yields %q, which is no fact kind", k)
		}
	}
	for _, o := range t.Outcomes {
		for _, m := range slices.Concat(o.Supports, o.Refutes) {
			l.reference(name, "outcome", m)
		}
	}
}

func (l *linter) reference(id, where, mode string) {
	if l.c.index[mode] == nil {
		l.say(id, "%s: no mode %q", where, mode)
	}
}

func (l *linter) hasTest(id string) bool {
	return slices.ContainsFunc(l.c.Modes, func(m *ddx.Mode) bool {
		return slices.ContainsFunc(m.Tests, func(t ddx.Test) bool { return t.ID == id })
	})
}

func (l *linter) remedy(id string, r *ddx.Remedy) {
	if r.Title == "" || len(r.Steps) == 0 || len(r.Verify) == 0 {
		l.say(id, "remedy needs a title, steps and a verification")
	}
	for _, s := range r.Steps {
		if (s.Run == "") == (s.Do == "") {
			l.say(id, "a step has either run or do")
		}
		for _, v := range placeholder.FindAllString(s.Run, -1) {
			if !slices.Contains(RemedyVariables, strings.Trim(v, "{}")) {
				l.say(id, "step variable %s is none of %s", v, strings.Join(RemedyVariables, ", "))
			}
		}
	}
	for _, b := range r.BlastRadius {
		if b.Effect == "" || (b.Fact == "") != (b.When == "") {
			l.say(id, "a blast effect has an effect, and fact and when together or not at all")
		}
		if b.Fact != "" {
			l.condition(id, "blast radius", FactScope(b.Fact), b.Fact, b.When)
		}
	}
	for _, c := range r.Conflicts {
		if l.c.Remedies[c] == nil {
			l.say(id, "conflicts with %q, which does not exist", c)
		}
	}
	used := false
	for _, m := range l.c.Modes {
		used = used || slices.ContainsFunc(m.Remedies, func(ref ddx.RemedyRef) bool { return ref.ID == id })
	}
	if !used {
		l.say(id, "no mode refers to this remedy")
	}
}
