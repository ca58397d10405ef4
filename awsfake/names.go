package awsfake

import (
	"fmt"

	mdns "github.com/miekg/dns"
)

// answer is the name server of the zone: what the sets say, CNAME followed,
// empty names told from names that are not there.
func (r *Route53) answer(w mdns.ResponseWriter, q *mdns.Msg) {
	m := new(mdns.Msg)
	m.SetReply(q)
	m.Authoritative = true
	z := r.now()
	name, exists := canonical(q.Question[0].Name), false
	if !mdns.IsSubDomain(r.Zone, name) {
		m.Rcode, m.Authoritative = mdns.RcodeRefused, false
		w.WriteMsg(m)
		return
	}
	typ := mdns.TypeToString[q.Question[0].Qtype]
	for range 8 {
		alias := ""
		exists = false
		for _, s := range z.sorted() {
			exists = exists || mdns.IsSubDomain(name, s.Name)
			if s.Name != name || s.Type != typ && s.Type != "CNAME" {
				continue
			}
			for _, v := range s.Records {
				rr, err := mdns.NewRR(fmt.Sprintf("%s %d IN %s %s", s.Name, deref(s.TTL), s.Type, v.Value))
				if err == nil && rr != nil {
					m.Answer = append(m.Answer, rr)
				}
				if s.Type == "CNAME" && typ != "CNAME" {
					alias = canonical(v.Value)
				}
			}
		}
		if alias == "" {
			break
		}
		name = alias
	}
	if len(m.Answer) == 0 || m.Answer[len(m.Answer)-1].Header().Rrtype != q.Question[0].Qtype {
		soa := z[key{r.Zone, "SOA", ""}]
		if rr, err := mdns.NewRR(fmt.Sprintf("%s %d IN SOA %s", r.Zone, deref(soa.TTL), soa.Records[0].Value)); err == nil {
			m.Ns = append(m.Ns, rr)
		}
		if !exists {
			m.Rcode = mdns.RcodeNameError
		}
	}
	w.WriteMsg(m)
}
