package dns

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// authoritative finds the authoritative servers of the name and of each name
// its CNAME chain leads to, and asks every one of them.
func (r *run) authoritative(ctx context.Context, resolvers []Server) {
	seen := map[string]bool{}
	for name := r.out.Name; name != "" && len(seen) < maxChain; {
		if seen[name] {
			return // a loop; Classify sees it in the records
		}
		seen[name] = true
		servers := r.findAuthorities(ctx, name, resolvers)
		if len(servers) == 0 {
			return
		}
		r.askAuthorities(ctx, name, servers)
		name = r.next(name)
	}
}

// findAuthorities returns the servers to ask about name.
func (r *run) findAuthorities(ctx context.Context, name string, resolvers []Server) []Server {
	if r.opts.Authorities != nil {
		if name != r.out.Name {
			r.gap("authoritative servers of "+name, "the servers to ask were given for "+r.out.Name+" only")
			return nil // asking them about another zone would make them look lame
		}
		var out []Server
		for _, a := range r.opts.Authorities {
			ap, err := r.addrPort(a)
			if err != nil {
				r.gap("server "+a, err.Error())
				continue
			}
			out = append(out, Server{Addr: ap, Role: Authority})
		}
		return out
	}
	if r.opts.Roots != nil {
		var roots []Server
		for _, a := range r.opts.Roots {
			if ap, err := r.addrPort(a); err == nil {
				roots = append(roots, Server{Addr: ap, Role: Parent})
			} else {
				r.gap("root server "+a, err.Error())
			}
		}
		return r.walk(ctx, name, roots, 0)
	}
	return r.byResolver(ctx, name, resolvers)
}

// askAuthorities puts all questions to each server of the zone.
func (r *run) askAuthorities(ctx context.Context, name string, servers []Server) {
	each(servers, func(s Server) {
		soa := r.client.ask(ctx, s, name, "SOA")
		if !r.put(soa) {
			return
		}
		zone := ""
		last := soa[len(soa)-1]
		for _, sec := range [][]RR{last.Answer, last.Auth} {
			if v, ok := soaOf(sec); ok && last.AA && zone == "" && Below(name, v.Zone) {
				zone = v.Zone
			}
		}
		for _, t := range r.questions() {
			r.put(r.client.ask(ctx, s, name, t))
		}
		if zone != "" {
			r.put(r.client.ask(ctx, s, zone, "NS"))
			if zone != name {
				r.put(r.client.ask(ctx, s, zone, "SOA"))
			}
		}
		if r.opts.Generation && name == r.out.Name {
			r.put(r.client.ask(ctx, s, GenerationName(name), "TXT"))
		}
	})
}

// next returns the name that a CNAME at name leads to, when the records seen so
// far do not already answer for it.
func (r *run) next(name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rep := range r.out.Replies {
		if rep.Server.Role != Authority || rep.Name != name {
			continue
		}
		if to := data(rep.Answer, name, "CNAME"); to != nil {
			return to[0]
		}
	}
	return ""
}

// walk follows referrals from the given servers down to the zone of name and
// returns the servers that the last referral lists.
func (r *run) walk(ctx context.Context, name string, servers []Server, depth int) []Server {
	zone := "."
	for range maxChain {
		referral, ok := r.refer(ctx, name, zone, servers)
		if !ok {
			for i := range servers {
				servers[i].Role = Authority
			}
			return servers
		}
		next := r.delegated(ctx, referral, depth)
		if len(next) == 0 {
			r.gap("servers of zone "+referral.Referral(), "the delegation names servers without a usable address (missing glue)")
			return nil
		}
		servers, zone = next, referral.Referral()
	}
	r.gap("delegation of "+name, "more referrals than a sane tree has")
	return nil
}

// refer asks the servers of zone in turn about name until one refers downward.
// It returns false when the first usable answer is no downward referral: then
// these servers are as close to the name as the delegation leads.
func (r *run) refer(ctx context.Context, name, zone string, servers []Server) (Reply, bool) {
	silent := 0
	for _, s := range servers {
		s.Role = Parent
		rs := r.client.ask(ctx, s, name, "NS")
		rep := rs[len(rs)-1]
		if rep.Outcome != Answered {
			if zone == "." {
				r.put(rs)
			}
			if silent++; silent == maxSilent {
				break
			}
			continue
		}
		if z := rep.Referral(); z != "" && z != zone && Below(z, zone) && Below(name, z) {
			r.put(rs)
			return rep, true
		}
		if rep.AA {
			return Reply{}, false
		}
	}
	return Reply{}, false
}

// delegated turns the NS records of a referral into servers: by glue, else by
// looking their names up on the same path.
func (r *run) delegated(ctx context.Context, ref Reply, depth int) []Server {
	var out []Server
	for _, host := range data(ref.Auth, "", "NS") {
		addrs := append(data(ref.Extra, host, "A"), data(ref.Extra, host, "AAAA")...)
		if addrs == nil && depth < 4 {
			addrs = r.addressesOf(ctx, host, depth+1)
		}
		out = append(out, r.servers(host, addrs)...)
	}
	return out[:min(len(out), maxServersAsked)]
}

// servers makes one Server of each address.
func (r *run) servers(host string, addrs []string) []Server {
	var out []Server
	for _, a := range addrs {
		if ap, err := r.addrPort(a); err == nil {
			out = append(out, Server{Name: host, Addr: ap, Role: Authority})
		}
	}
	return out
}

// addressesOf looks a server name up by its own walk, or at the resolvers.
func (r *run) addressesOf(ctx context.Context, host string, depth int) []string {
	var servers []Server
	if r.opts.Roots != nil {
		for _, a := range r.opts.Roots {
			if ap, err := r.addrPort(a); err == nil {
				servers = append(servers, Server{Addr: ap, Role: Parent})
			}
		}
		servers = r.walk(ctx, host, servers, depth)
	} else if rs, err := r.resolvers(); err == nil {
		servers = rs
	}
	var addrs []string
	for _, t := range []string{"A", "AAAA"} {
		for _, s := range servers {
			rs := r.client.ask(ctx, s, host, t)
			if found := data(rs[len(rs)-1].Answer, "", t); found != nil {
				addrs = append(addrs, found...)
				break
			}
		}
	}
	slices.Sort(addrs)
	return slices.Compact(addrs)
}

// byResolver finds the zone and its servers through a resolver, and asks the
// parent's servers for the delegation so that both sides can be compared.
func (r *run) byResolver(ctx context.Context, name string, resolvers []Server) []Server {
	for _, s := range resolvers {
		zone, hosts := r.zoneAt(ctx, s, name)
		if zone == "" {
			continue
		}
		var out []Server
		for _, h := range hosts {
			addrs := r.addressesOf(ctx, h, 4)
			if addrs == nil {
				r.gap("name server "+h, "its name has no address at the resolver")
			}
			out = append(out, r.servers(h, addrs)...)
		}
		r.askParent(ctx, s, zone)
		if len(out) > 0 {
			return out[:min(len(out), maxServersAsked)]
		}
	}
	r.gap("authoritative servers of "+name, fmt.Sprintf("none of %d resolvers names the zone's servers", len(resolvers)))
	return nil
}

// zoneAt finds the closest enclosing zone of name and its NS names.
func (r *run) zoneAt(ctx context.Context, s Server, name string) (string, []string) {
	for z := name; ; z = parentOf(z) {
		rs := r.client.ask(ctx, s, z, "NS")
		rep := rs[len(rs)-1]
		if rep.Outcome != Answered {
			return "", nil
		}
		if hosts := data(rep.Answer, z, "NS"); hosts != nil {
			return z, hosts
		}
		if z == "." {
			return "", nil
		}
	}
}

// askParent asks one server of the zone above for the delegation.
func (r *run) askParent(ctx context.Context, s Server, zone string) {
	if zone == "." {
		return
	}
	_, hosts := r.zoneAt(ctx, s, parentOf(zone))
	var why []string
	for _, h := range hosts {
		for _, p := range r.servers(h, r.addressesOf(ctx, h, 4)) {
			p.Role = Parent
			rs := r.client.ask(ctx, p, zone, "NS")
			if rep := rs[len(rs)-1]; rep.Outcome == Answered && (rep.Referral() == zone || rep.AA) {
				r.put(rs)
				return
			}
			if why = append(why, p.Addr); len(why) == maxSilent {
				break
			}
		}
		if len(why) == maxSilent {
			break
		}
	}
	r.gap("delegation of "+zone, "no server of the zone above answers for it ("+cmp.Or(strings.Join(why, " "), "none found")+")")
}
