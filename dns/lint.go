package dns

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Advice is a setting of a zone that makes a failover slow or fragile. It is a
// risk without a symptom, never a cause.
type Advice struct {
	Rule string `json:"rule"`
	Text string `json:"text"`
}

// Limits of the lint. Longer values are legitimate; for a zone in which
// addresses are to change within minutes they decide how long an error lasts.
const (
	maxNegativeTTL = 300 * time.Second // a resolver may repeat "no address" for so long after the repair
	maxAddressTTL  = 60 * time.Second  // clients keep the old address for so long
)

// Lint reads the answers about an endpoint of a failover zone for settings that
// would hurt on the day they are needed.
func Lint(a Answers) []Advice {
	var out []Advice
	add := func(rule, format string, args ...any) {
		out = append(out, Advice{rule, fmt.Sprintf(format, args...)})
	}
	s := &scene{a: a, all: views(a)}
	s.chain, s.loop = s.follow(a.Name)

	var zone SOA
	addrTTL, ns, apexCNAME := uint32(0), map[string]bool{}, false
	for _, v := range s.all {
		if v.Server.Role != Authority || v.Outcome != Answered {
			continue
		}
		for _, sec := range [][]RR{v.Answer, v.Auth} {
			if soa, ok := soaOf(sec); ok && Below(a.Name, soa.Zone) && len(soa.Zone) > len(zone.Zone) {
				zone = soa
			}
		}
		for _, rr := range v.Answer {
			switch {
			case rr.Type == "NS" && v.Type == "NS":
				ns[rr.Data] = true
			case (rr.Type == "A" || rr.Type == "AAAA" || rr.Type == "CNAME") && rr.Name == a.Name:
				addrTTL = max(addrTTL, rr.TTL)
				apexCNAME = apexCNAME || rr.Type == "CNAME"
			}
		}
	}
	if zone.Zone == "" {
		return append(out, Advice{"not-examined", "no authoritative server gave the zone's SOA, so nothing could be looked at"})
	}
	if d := time.Duration(zone.NegativeTTL()) * time.Second; d > maxNegativeTTL {
		add("negative-ttl", "resolvers may keep a wrong \"no address\" for %s after the repair (SOA of %s: TTL %d, minimum %d); set both to %d or less",
			d, zone.Zone, zone.TTL, zone.Minimum, int(maxNegativeTTL.Seconds()))
	}
	if d := time.Duration(addrTTL) * time.Second; d > maxAddressTTL {
		add("address-ttl", "clients keep the old address for %s after a change; set the TTL to %d or less before you need it", d, int(maxAddressTTL.Seconds()))
	}
	if apexCNAME && a.Name == zone.Zone {
		add("apex-cname", "the zone's own name is a CNAME, which hides its SOA and NS records")
	}
	if len(ns) == 1 {
		add("one-server", "the zone lists a single name server")
	}
	out = append(out, lintServers(s)...)
	if n := len(union(append(s.asked(Authority, "A"), s.asked(Authority, "AAAA")...))); n == 1 {
		add("one-address", "the endpoint has a single address: the loss of that machine is the loss of the name")
	}
	v := Classify(a, Baseline{})
	for _, f := range v.Findings {
		if f.Class == Delegation || f.Class == Lame {
			add("delegation", "%s", f.Summary)
		}
	}
	return out
}

// lintServers looks for authoritative servers that can be lost together.
func lintServers(s *scene) []Advice {
	nets, addrs, names := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, v := range s.all {
		if v.Server.Role != Authority {
			continue
		}
		ap, err := netip.ParseAddrPort(v.Server.Addr)
		if err != nil {
			continue
		}
		bits := 24
		if ap.Addr().Is6() {
			bits = 48
		}
		if p, err := ap.Addr().Prefix(bits); err == nil {
			nets[p.String()] = true
		}
		addrs[ap.Addr().String()] = true
		names[v.Server.Name] = true
	}
	switch {
	case len(names) > 1 && len(addrs) == 1:
		return []Advice{{"one-server", fmt.Sprintf("%d name servers share the one address %s", len(names), strings.Join(sorted(addrs), ""))}}
	case len(addrs) > 1 && len(nets) == 1:
		return []Advice{{"one-network", fmt.Sprintf("all %d name servers stand in %s: one network fault takes all of them", len(addrs), strings.Join(sorted(nets), ""))}}
	}
	return nil
}
