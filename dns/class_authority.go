package dns

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// emptiness finds names without addresses: NODATA, NXDOMAIN, dangling chains,
// one family missing. The authorities decide; resolvers only where no authority
// could be heard.
func (s *scene) emptiness() {
	if s.loop {
		s.add(Dangling, Wrong, "the CNAME chain runs in a circle: "+strings.Join(s.chain, " -> "))
		return
	}
	role := Authority
	if !s.decided(Authority) {
		role = Resolver
	}
	perServer := map[string][]view{}
	var order []string
	for _, t := range addressTypes {
		// What is too large for UDP is not empty, even where TCP fails.
		for _, v := range with(s.asked(role, t), positive, nodata, nxdomain, tcpFailed) {
			if perServer[v.Server.Addr] == nil {
				order = append(order, v.Server.Addr)
			}
			perServer[v.Server.Addr] = append(perServer[v.Server.Addr], v)
		}
	}
	var empty []view
	for _, addr := range order {
		vs := perServer[addr]
		if s.contradicts(vs) {
			continue
		}
		if len(with(vs, positive, tcpFailed)) == 0 {
			empty = append(empty, vs...)
		}
	}
	s.oneFamily(role)
	if len(empty) == 0 || s.base.MeantEmpty {
		return
	}
	s.empty(role, empty)
}

// decided reports whether any server of the role gave a usable answer about
// addresses at the end of the chain.
func (s *scene) decided(role Role) bool {
	for _, t := range addressTypes {
		if len(with(s.asked(role, t), positive, nodata, nxdomain)) > 0 {
			return true
		}
	}
	return false
}

// contradicts finds a server that denies the name for one type and knows it for
// another: NXDOMAIN speaks about the name, so one of the two answers is false.
func (s *scene) contradicts(vs []view) bool {
	nx := slices.DeleteFunc(with(vs, nxdomain), func(v view) bool { return v.end != v.Name }) // what a chain leads to is denied, not the name
	if len(nx) == 0 {
		return false
	}
	for _, other := range s.all {
		if other.Server != nx[0].Server || other.Name != nx[0].Name || other.Type == nx[0].Type {
			continue
		}
		if other.state == nodata || other.state == positive {
			s.add(WrongNXDomain, Wrong, fmt.Sprintf("%s denies %s for %s and knows it for %s; resolvers will remember that it does not exist at all",
				nx[0].Server, nx[0].Name, nx[0].Type, other.Type), lines(nx[0], other)...)
			return true
		}
	}
	return false
}

// oneFamily finds an expected family that is empty where the other has addresses.
func (s *scene) oneFamily(role Role) {
	for i, t := range addressTypes {
		missing := with(s.asked(role, t), nodata)
		present := with(s.asked(role, addressTypes[1-i]), positive)
		if missing == nil || present == nil || s.base.MeantEmpty {
			continue
		}
		if why := s.base.expects(t); why != "" {
			s.add(OneFamily, Wrong, fmt.Sprintf("%s has no %s record: %s; %s is fine", s.end(), t, why, addressTypes[1-i]),
				append(lines(missing...), lines(present[0])...)...)
		}
	}
}

// empty names the emptiness of the given views.
func (s *scene) empty(role Role, vs []view) {
	level := Suspect
	if s.v.Expected != "" {
		level = Wrong
	}
	class, what := NoData, "exists and has no address"
	if len(with(vs, nodata)) == 0 {
		class, what = NXDomain, "does not exist"
	}
	if len(s.chain) > 1 {
		class, level = Dangling, Wrong
		what = "is where the CNAME chain of " + s.a.Name + " ends, and it " + what
	}
	who := fmt.Sprintf("%d of %s", servers(vs), plural(s.count(Authority), "authoritative server"))
	if role == Resolver {
		who = plural(servers(vs), "resolver") + " (no authoritative server was heard, so a cache may speak)"
	}
	why := ""
	switch {
	case s.v.Expected != "":
		why = "; " + s.v.Expected
	case class != Dangling:
		why = "; nothing says that it should have one: give a baseline or the request that fails"
	}
	s.add(class, level, fmt.Sprintf("%s %s according to %s%s", s.end(), what, who, why), lines(vs...)...)
}

// sets compares what the authorities give with the baseline.
func (s *scene) sets() {
	var old []string
	oldest := s.base.Generation
	for _, v := range s.all {
		if v.Server.Role != Authority || v.Type != "TXT" || v.Name != GenerationName(s.a.Name) {
			continue
		}
		for _, txt := range v.addrs {
			if g, ok := Generation(txt); ok && g < s.base.Generation {
				old, oldest = append(old, v.String()), min(oldest, g)
			}
		}
	}
	if old != nil {
		s.add(Regressed, Wrong, fmt.Sprintf("generation %d is served and %d was seen before", oldest, s.base.Generation), old...)
	}
	now := serials(s.all, s.a.Name)
	for _, addr := range keys(now) {
		if before, ok := s.base.Serial[addr]; ok && int32(now[addr]-before) < 0 {
			s.add(Regressed, Suspect, fmt.Sprintf("%s serves zone serial %d and served %d before", addr, now[addr], before))
		}
	}
	n := len(s.v.Addresses)
	if n == 0 || s.base.MeantEmpty {
		return
	}
	lost := 0
	for _, a := range s.base.Addresses {
		if !slices.Contains(s.v.Addresses, a) {
			lost++
		}
	}
	have := "now " + strings.Join(s.v.Addresses, " ")
	switch {
	case n < s.base.Minimum:
		s.add(Shrunk, Wrong, fmt.Sprintf("%s where at least %d are required", plural(n, "address"), s.base.Minimum), have)
	case len(s.base.Addresses) > 1 && 2*n <= len(s.base.Addresses) && lost > 0:
		s.add(Shrunk, Suspect, fmt.Sprintf("%d of %d addresses are left", n, len(s.base.Addresses)), have, "before "+strings.Join(s.base.Addresses, " "))
	}
}

// disagreement compares the authoritative servers with each other.
func (s *scene) disagreement() {
	serial := serials(s.all, s.end())
	distinct := map[uint32]bool{}
	for _, n := range serial {
		distinct[n] = true
	}
	differ := len(distinct) > 1
	var evidence []string
	for _, t := range addressTypes {
		vs := with(s.asked(Authority, t), positive, nodata, nxdomain)
		sets := map[string]bool{}
		for _, v := range vs {
			sets[fmt.Sprint(v.addrs)] = true
		}
		if len(sets) > 1 {
			evidence = append(evidence, lines(vs...)...)
		}
	}
	switch {
	case evidence == nil && !differ:
	case evidence == nil:
		s.add(Disagree, Note, "zone serials differ, the addresses are the same", serialLines(serial)...)
	case !differ:
		s.add(Disagree, Suspect, "authoritative servers give different sets at the same serial: no transfer will mend it (or the provider rotates answers on purpose)", evidence...)
	default:
		level, age := Suspect, "propagating or stuck: how long they differ decides, look again"
		if since := s.base.DisagreeSince; !since.IsZero() {
			d := s.a.Time.Sub(since)
			age = fmt.Sprintf("propagating: they differ for %s", d.Round(time.Second))
			if limit := s.refresh(); d > limit && !s.moving(serial) {
				level, age = Wrong, fmt.Sprintf("stuck: they differ for %s, longer than the refresh of %s", d.Round(time.Second), limit)
			}
		}
		s.add(Disagree, level, "authoritative servers give different sets and serials; "+age, append(evidence, serialLines(serial)...)...)
	}
}

// moving reports that the server that is behind has moved since the last look: a
// zone that changes all the time is always a little apart, and not stuck.
func (s *scene) moving(serial map[string]uint32) bool {
	behind := ""
	for _, addr := range keys(serial) {
		if behind == "" || int32(serial[addr]-serial[behind]) < 0 {
			behind = addr
		}
	}
	before, known := s.base.Serial[behind]
	return known && before != serial[behind]
}

// refresh is after how long a secondary must have noticed a change.
func (s *scene) refresh() time.Duration {
	limit := 5 * time.Minute
	for _, v := range s.all {
		if soa, ok := soaOf(append(slices.Clone(v.Answer), v.Auth...)); ok && v.AA {
			limit = max(limit, min(time.Duration(soa.Refresh)*time.Second, 24*time.Hour))
		}
	}
	return limit
}

func serialLines(serial map[string]uint32) []string {
	var out []string
	for _, addr := range keys(serial) {
		out = append(out, fmt.Sprintf("serial %d at %s", serial[addr], addr))
	}
	return out
}

// lameness finds listed servers that do not answer for the zone.
func (s *scene) lameness() {
	var bad []view
	good := map[string]bool{}
	for _, v := range s.all {
		if v.Server.Role != Authority {
			continue
		}
		if v.state == positive || v.negative() || v.state == partial {
			good[v.Server.Addr+v.Name] = true
		}
	}
	seen := map[string]bool{}
	for _, v := range s.all {
		if v.Server.Role == Authority && v.state == lame && !good[v.Server.Addr+v.Name] && !seen[v.Server.Addr] {
			seen[v.Server.Addr] = true
			bad = append(bad, v)
		}
	}
	if bad == nil {
		return
	}
	s.add(Lame, Wrong, fmt.Sprintf("%d of %s listed for the zone %s not answer for it", len(bad), plural(s.count(Authority), "server"), agree(len(bad), "does", "do")), lines(bad...)...)
}

// delegation compares the NS records above the cut with those below it.
func (s *scene) delegation() {
	var ref Reply
	for _, r := range s.a.Replies {
		z := r.Referral()
		if r.Server.Role == Parent && z != "" && Below(s.end(), z) && len(z) > len(ref.Referral()) {
			ref = r
		}
	}
	zone := ref.Referral()
	if zone == "" {
		return
	}
	above := data(ref.Auth, zone, "NS")
	for _, host := range above {
		if Below(host, zone) && data(ref.Extra, host, "A") == nil && data(ref.Extra, host, "AAAA") == nil && !ref.TC {
			s.add(Delegation, Wrong, fmt.Sprintf("the delegation of %s names %s inside the zone without its address: missing glue", zone, host),
				fmt.Sprintf("parent %s: NS %s, no glue", ref.Server, host))
		}
	}
	for _, v := range s.all {
		if v.Server.Role != Authority || v.Type != "NS" || v.Name != zone || v.state != positive {
			continue
		}
		if !slices.Equal(above, v.addrs) {
			s.add(Delegation, Suspect, "the zone above and the zone itself list different servers for "+zone,
				fmt.Sprintf("parent %s: NS %s", ref.Server, strings.Join(above, " ")),
				fmt.Sprintf("authority %s: NS %s", v.Server, strings.Join(v.addrs, " ")))
			return
		}
	}
}
