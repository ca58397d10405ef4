package dns

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// transport finds servers that could not be heard, and TCP that fails where an
// answer needs it.
func (s *scene) transport() {
	if vs := with(s.all, tcpFailed); vs != nil {
		s.add(TCPFailed, Wrong, fmt.Sprintf("%s sends an answer too large for UDP and TCP to it fails", vs[0].Server), lines(vs...)...)
	}
	for _, role := range []Role{Authority, Resolver} {
		silentOnes := firstPerServer(with(s.all, silent), role)
		for _, o := range []Outcome{TimedOut, Unreachable, Refused, Malformed} {
			vs := slices.DeleteFunc(slices.Clone(silentOnes), func(v view) bool { return v.Outcome != o })
			if len(vs) > 0 {
				s.silence(role, o, vs)
			}
		}
	}
}

// silence records servers of one role that gave the same outcome.
func (s *scene) silence(role Role, o Outcome, vs []view) {
	class := map[Outcome]Class{TimedOut: TimedOutClass, Unreachable: UnreachClass, Refused: RefusedClass, Malformed: Lame}[o]
	level, total := Suspect, s.count(role)
	heard := slices.ContainsFunc(s.all, func(v view) bool { return v.Server.Role == role && v.state != silent })
	if !heard {
		level = Wrong
	}
	if !slices.ContainsFunc(vs, func(v view) bool { return v.Error != "network unreachable" }) && heard {
		level = Note // this host has no route of that family; it says nothing about the server
	}
	hint := ""
	if role == Authority && !heard && s.resolved() {
		// A host that may only ask its resolver hears no authority, and nothing
		// is wrong. A port that is closed is the server's own word.
		hint = "; a resolver answers, so the way from here to them may be closed on purpose"
		if level = Suspect; o == TimedOut {
			level = Note
		}
	}
	who := map[Role]string{Authority: "authoritative server", Resolver: "resolver"}[role]
	what := map[Outcome]string{TimedOut: agree(len(vs), "gives", "give") + " no answer at all", Unreachable: agree(len(vs), "is", "are") + " unreachable",
		Refused: agree(len(vs), "refuses", "refuse") + " the connection", Malformed: agree(len(vs), "sends", "send") + " what is no DNS message"}[o]
	s.add(class, level, fmt.Sprintf("%d of %s %s%s", len(vs), plural(total, who), what, hint), lines(vs...)...)
}

// resolved reports whether a resolver gives an address.
func (s *scene) resolved() bool {
	return len(with(append(s.asked(Resolver, "A"), s.asked(Resolver, "AAAA")...), positive)) > 0
}

// firstPerServer keeps the first view of each server of a role.
func firstPerServer(vs []view, role Role) []view {
	seen := map[string]bool{}
	var out []view
	for _, v := range vs {
		if v.Server.Role == role && !seen[v.Server.Addr] {
			seen[v.Server.Addr] = true
			out = append(out, v)
		}
	}
	return out
}

// resolvers compares each resolver with the authorities.
func (s *scene) resolvers() {
	var failing, negative, stale, other []view
	authorityHeard := s.decided(Authority)
	for _, t := range addressTypes {
		auth := s.asked(Authority, t)
		truth := union(auth)
		authorityEmpty := len(with(auth, nodata, nxdomain)) > 0
		for _, v := range s.asked(Resolver, t) {
			switch {
			case v.state == servfail:
				failing = append(failing, v)
			case !authorityHeard || auth == nil:
				if v.state == positive && staleEDE(v) {
					stale = append(stale, v)
				}
			case v.negative() && truth != nil && !authorityEmpty:
				if s.ownView(v) {
					other = append(other, v)
				} else {
					negative = append(negative, v)
				}
			case v.state == positive && (staleEDE(v) || slices.ContainsFunc(v.addrs, func(a string) bool { return !slices.Contains(truth, a) }) && len(with(auth, positive, nodata, nxdomain)) > 0):
				if s.ownView(v) && !staleEDE(v) {
					other = append(other, v)
				} else {
					stale = append(stale, v)
				}
			}
		}
	}
	s.failing(firstPerServer(failing, Resolver), authorityHeard)
	s.negativeCached(negative)
	s.stale(stale)
	if other != nil {
		s.add(OtherView, Suspect, plural(servers(other), "resolver")+agree(servers(other), " answers from a source of its own", " answer from sources of their own")+" (local zone, split horizon or policy), not from a cache of the public zone", lines(other...)...)
	}
}

// failing records SERVFAIL and REFUSED from resolvers, read through the
// extended error where there is one.
func (s *scene) failing(vs []view, authorityHeard bool) {
	if vs == nil {
		return
	}
	level := Wrong
	summary := "authoritative servers were not heard, so they may be the cause"
	switch {
	case authorityHeard:
		summary = "the authoritative servers answer: the fault is the resolver, its way to them, or validation"
	case s.v.Authorities > 0:
		level = Note // the finding about the authorities is the cause
	}
	for _, v := range vs {
		for _, e := range v.EDE {
			summary += "; " + edeMeaning(e.Code)
		}
	}
	s.add(ServFail, level, fmt.Sprintf("%d of %s %s; %s", len(vs), plural(s.v.Resolvers, "resolver"), agree(len(vs), "fails", "fail"), summary), lines(vs...)...)
}

// edeMeaning says what an extended error means for the search for the cause.
func edeMeaning(code uint16) string {
	switch {
	case code == 3 || code == 19:
		return "it serves stale data because it cannot reach the authorities"
	case code == 1, code == 2, code >= 5 && code <= 12, code == 25, code == 27:
		return "DNSSEC validation fails: " + edeText(code)
	case code == 22 || code == 23:
		return "it reaches no authoritative server: " + edeText(code)
	case code >= 15 && code <= 18:
		return "a policy forbids the name: " + edeText(code)
	}
	return "extended error " + edeText(code)
}

// negativeCached records resolvers that remember an emptiness that is over.
func (s *scene) negativeCached(vs []view) {
	if vs == nil {
		return
	}
	s.v.Negative = servers(vs)
	summary := fmt.Sprintf("the authoritative servers have addresses, %d of %s still %s a negative answer", s.v.Negative, plural(s.v.Resolvers, "resolver"), agree(s.v.Negative, "holds", "hold"))
	var last time.Time
	unknown := false
	evidence := lines(vs...)
	for i, v := range vs {
		c := v.clears()
		unknown = unknown || c.IsZero()
		if c.After(last) {
			last = c
		}
		if first, ok := s.earlier(v); ok {
			evidence[i] += fmt.Sprintf("; counting down from %d s", first)
		}
	}
	switch {
	case unknown:
		summary += "; when it clears is unknown, no SOA came with it"
	default:
		summary += "; the last one clears at " + clock(last)
	}
	s.add(NegativeCached, Wrong, summary, evidence...).Clears = last
}

// stale records resolvers that serve addresses no authority gives.
func (s *scene) stale(vs []view) {
	if vs == nil {
		return
	}
	level := Suspect
	var last time.Time
	for _, v := range vs {
		// Providers that answer by place or in rotation give this host one set and
		// the resolver another. Only addresses that the name is known to have had,
		// or the resolver's own word, show that these are old.
		if staleEDE(v) || !slices.ContainsFunc(v.addrs, func(a string) bool { return !slices.Contains(s.base.Addresses, a) }) {
			level = Wrong
		}
		if ttl, ok := lowestTTL(v); ok {
			if c := v.Time.Add(time.Duration(ttl) * time.Second); c.After(last) {
				last = c
			}
		}
	}
	summary := fmt.Sprintf("%d of %s %s addresses that no authoritative server gives here, until %s", servers(vs), plural(s.v.Resolvers, "resolver"), agree(servers(vs), "serves", "serve"), clock(last))
	if level == Suspect {
		summary += "; old, or another set for another place"
	}
	if slices.ContainsFunc(vs, staleEDE) {
		summary += "; serve-stale: it cannot refresh from the authorities, so the time is no promise"
	}
	s.add(Stale, level, summary, lines(vs...)...).Clears = last
}

// ownView reports that a resolver's answer is no cache entry: it claims
// authority, or its TTL does not count down between two looks.
func (s *scene) ownView(v view) bool {
	if v.AA {
		return true
	}
	first, last, apart := s.ttls(v)
	return apart >= time.Second && first == last
}

// earlier returns the TTL of the resolver's first reply to the same question
// when the last one's is lower: the mark of a cache entry.
func (s *scene) earlier(v view) (uint32, bool) {
	first, last, apart := s.ttls(v)
	return first, apart > 0 && last < first
}

// ttls returns the TTL of the first and last reply to v's question and the time
// between them.
func (s *scene) ttls(v view) (first, last uint32, apart time.Duration) {
	var t0 time.Time
	for _, r := range s.a.Replies {
		if r.Server != v.Server || r.Name != v.Name || r.Type != v.Type || r.Outcome != Answered {
			continue
		}
		ttl, ok := lowestTTL(see(r))
		if !ok {
			continue
		}
		if t0.IsZero() {
			t0, first = r.Time, ttl
		}
		last, apart = ttl, r.Time.Sub(t0)
	}
	return first, last, apart
}

// lowestTTL is how long a reply may still be kept, in seconds.
func lowestTTL(v view) (uint32, bool) {
	if v.negative() {
		soa, ok := soaOf(v.Auth)
		return soa.NegativeTTL(), ok
	}
	ttl, ok := uint32(0), false
	for _, rr := range v.Answer {
		if !ok || rr.TTL < ttl {
			ttl, ok = rr.TTL, true
		}
	}
	return ttl, ok
}

func staleEDE(v view) bool {
	return slices.ContainsFunc(v.EDE, func(e EDE) bool { return e.Code == 3 || e.Code == 19 })
}

// localConfig finds faults of this host's own settings.
func (s *scene) localConfig() {
	for _, v := range with(s.all, positive) {
		if d, ok := strings.CutPrefix(v.Name, s.a.Name); ok && v.Type == "A" && v.Server.Role == Resolver && slices.Contains(s.a.Resolv.Search, d) {
			s.add(Local, Wrong, fmt.Sprintf("programs get %s instead: the search list of resolv.conf (ndots:%d) tries it first and it exists; write %s with its final dot",
				v.Name, s.a.Resolv.Ndots, s.a.Name), v.String())
		}
	}
	dead := firstPerServer(with(s.all, silent), Resolver)
	if len(s.a.Resolv.Servers) > 1 && len(dead) > 0 && len(dead) < s.v.Resolvers {
		for _, v := range dead {
			if strings.HasPrefix(strings.Trim(v.Server.Addr, "["), s.a.Resolv.Servers[0]) && !s.a.Resolv.Rotate {
				s.add(Local, Wrong, fmt.Sprintf("the first nameserver of resolv.conf does not answer and another does: every lookup waits %d s", s.a.Resolv.Timeout), v.String())
			}
		}
	}
	if len(s.a.Resolv.Ignored) > 0 {
		s.add(Local, Note, "resolv.conf lists more than three name servers; the C library never asks "+strings.Join(s.a.Resolv.Ignored, " "))
	}
}

// targets hands over to the connect tests: the name is fine, the machines are not.
func (s *scene) targets() {
	var dead []string
	for _, t := range s.a.Targets {
		if t.Outcome != Answered {
			dead = append(dead, fmt.Sprintf("connect %s: %s", t.Addr, cmp.Or(t.Error, string(t.Outcome))))
		}
	}
	switch {
	case dead == nil:
	case len(dead) == len(s.a.Targets):
		s.add(TargetsDead, Wrong, "the name resolves and none of its addresses accepts a connection: look at the machines and the way to them", dead...)
	default:
		s.add(TargetsDead, Suspect, fmt.Sprintf("%d of %s accept no connection", len(dead), plural(len(s.a.Targets), "target")), dead...)
	}
}
