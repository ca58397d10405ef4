package dns

import (
	"fmt"
	"slices"
	"time"
)

// addressTypes are the types an endpoint is expected to have.
var addressTypes = []string{"A", "AAAA"}

// scene is the material of one Classify, sorted for the questions that the
// rules put to it.
type scene struct {
	a     Answers
	base  Baseline
	all   []view
	chain []string
	loop  bool
	v     Verdict
}

// Classify names what is wrong with the name, from what was answered and what
// is expected of it. It is pure: the same values give the same verdict.
func Classify(a Answers, base Baseline) Verdict {
	s := &scene{a: a, base: base, all: views(a)}
	s.chain, s.loop = s.follow(a.Name)
	s.v = Verdict{Name: a.Name, Time: a.Time, Gaps: a.Gaps, Findings: []Finding{}}
	s.v.Authorities, s.v.Resolvers = s.count(Authority), s.count(Resolver)
	if len(s.chain) > 1 {
		s.v.Chain = s.chain
	}
	s.v.Addresses = s.addresses()
	s.v.Generation = s.generation()
	s.v.Expected = s.expected()

	s.emptiness()
	s.sets()
	s.disagreement()
	s.lameness()
	s.delegation()
	s.transport()
	s.resolvers()
	s.localConfig()
	s.targets()
	return s.conclude()
}

// add records a finding.
func (s *scene) add(c Class, l Level, summary string, evidence ...string) *Finding {
	s.v.Findings = append(s.v.Findings, Finding{Class: c, Level: l, Summary: summary, Evidence: evidence})
	return &s.v.Findings[len(s.v.Findings)-1]
}

// conclude orders the findings and takes the first as the class.
func (s *scene) conclude() Verdict {
	levels := []Level{Wrong, Suspect, Note}
	slices.SortStableFunc(s.v.Findings, func(a, b Finding) int {
		if d := slices.Index(levels, a.Level) - slices.Index(levels, b.Level); d != 0 {
			return d
		}
		return slices.Index(Classes(), a.Class) - slices.Index(Classes(), b.Class)
	})
	for _, f := range s.v.Findings {
		if f.Clears.After(s.v.Clears) {
			s.v.Clears = f.Clears
		}
	}
	switch {
	case len(s.v.Findings) > 0 && s.v.Findings[0].Level != Note:
		s.v.Class, s.v.Level = s.v.Findings[0].Class, s.v.Findings[0].Level
	case len(s.v.Addresses) > 0:
		s.v.Class = OK
	case s.base.MeantEmpty && slices.ContainsFunc(s.all, view.negative):
		s.v.Class = MeantEmpty
	case slices.ContainsFunc(s.all, func(v view) bool {
		return v.state == nodata && v.Type != "CNAME" || v.state == positive
	}):
		s.v.Class = OK // only other types were asked, and answered
	default:
		s.v.Class = Unknown
	}
	return s.v
}

// follow walks the CNAME records that anybody gave, authorities before
// resolvers, and reports whether they run in a circle.
func (s *scene) follow(name string) (chain []string, loop bool) {
	next := map[string]string{}
	for _, role := range []Role{Authority, Resolver} {
		for _, v := range s.all {
			if v.Server.Role != role {
				continue
			}
			for _, rr := range v.Answer {
				if rr.Type == "CNAME" && next[rr.Name] == "" {
					next[rr.Name] = rr.Data
				}
			}
		}
	}
	chain = []string{name}
	for n := next[name]; n != ""; n = next[n] {
		if slices.Contains(chain, n) {
			return append(chain, n), true
		}
		chain = append(chain, n)
	}
	return chain, false
}

// end is the name that should hold the addresses.
func (s *scene) end() string { return s.chain[len(s.chain)-1] }

// asked returns the views of one role for a type of the end of the chain: put
// to the end itself, else put to the name and answered through the chain.
func (s *scene) asked(role Role, typ string) []view {
	var direct, through []view
	for _, v := range s.all {
		switch {
		case v.Server.Role != role || v.Type != typ:
		case v.Name == s.end():
			direct = append(direct, v)
		case v.Name == s.a.Name && v.state != partial:
			through = append(through, v)
		}
	}
	if direct != nil && role == Authority {
		return direct
	}
	return append(through, direct...)
}

// with selects the views in one of the given states.
func with(vs []view, states ...state) []view {
	var out []view
	for _, v := range vs {
		if slices.Contains(states, v.state) {
			out = append(out, v)
		}
	}
	return out
}

// lines turns views into evidence.
func lines(vs ...view) []string {
	var out []string
	for _, v := range vs {
		out = append(out, v.String())
	}
	return out
}

// servers counts the distinct servers of some views.
func servers(vs []view) int {
	seen := map[string]bool{}
	for _, v := range vs {
		seen[v.Server.Addr] = true
	}
	return len(seen)
}

func (s *scene) count(role Role) int {
	return servers(slices.DeleteFunc(slices.Clone(s.all), func(v view) bool { return v.Server.Role != role }))
}

// union is every address that some views give.
func union(vs []view) []string {
	set := map[string]bool{}
	for _, v := range vs {
		for _, a := range v.addrs {
			set[a] = true
		}
	}
	return sorted(set)
}

// addresses is what the authorities give, else what the resolvers give.
func (s *scene) addresses() []string {
	for _, role := range []Role{Authority, Resolver} {
		var all []view
		for _, t := range addressTypes {
			all = append(all, s.asked(role, t)...)
		}
		if u := union(all); u != nil || len(with(all, nodata, nxdomain)) > 0 {
			return u
		}
	}
	return nil
}

// expected says why the name should have an address: the baseline, a failing
// request, or another server that still gives one.
func (s *scene) expected() string {
	if s.base.MeantEmpty {
		return ""
	}
	if s.base.Minimum > 0 {
		return "at least " + plural(s.base.Minimum, "address") + " must be there"
	}
	for _, t := range addressTypes {
		if why := s.base.expects(t); why != "" {
			return why
		}
	}
	for _, role := range []Role{Authority, Resolver} {
		for _, t := range addressTypes {
			if p := with(s.asked(role, t), positive); p != nil {
				return fmt.Sprintf("%s %s gives %s records", role, p[0].Server, t)
			}
		}
	}
	return ""
}

// generation is the lowest generation that an authority serves now.
func (s *scene) generation() uint64 {
	var lowest uint64
	for _, v := range s.all {
		if v.Type != "TXT" || v.Name != GenerationName(s.a.Name) || v.state != positive {
			continue
		}
		for _, txt := range v.addrs {
			if g, ok := Generation(txt); ok && (lowest == 0 || g < lowest) {
				lowest = g
			}
		}
	}
	return lowest
}

// highestSerials merges the zone serials that authorities gave into known.
func highestSerials(known map[string]uint32, a Answers) map[string]uint32 {
	out := map[string]uint32{}
	for k, v := range known {
		out[k] = v
	}
	for k, v := range serials(views(a), a.Name) {
		if old, ok := out[k]; !ok || int32(v-old) > 0 { // RFC 1982
			out[k] = v
		}
	}
	return out
}

// serials reads the serial of the zone that holds name from each authority.
func serials(all []view, name string) map[string]uint32 {
	out := map[string]uint32{}
	for _, v := range all {
		if v.Server.Role != Authority || !v.AA || v.Outcome != Answered {
			continue
		}
		for _, sec := range [][]RR{v.Answer, v.Auth} {
			if soa, ok := soaOf(sec); ok && Below(name, soa.Zone) {
				out[v.Server.Addr] = soa.Serial
			}
		}
	}
	return out
}

// clock prints a time of day with its date left to the reader.
func clock(t time.Time) string { return t.Format("15:04:05 MST") }

// agree chooses the form of a verb for a number.
func agree(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	if one == "address" {
		return fmt.Sprintf("%d addresses", n)
	}
	return fmt.Sprintf("%d %ss", n, one)
}
