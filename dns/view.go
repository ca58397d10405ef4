package dns

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// state is what one final reply means for the question that was put.
type state int

const (
	positive  state = iota // at least one record of the type at the end of the chain
	partial                // a CNAME out of what this server knows
	nodata                 // name exists, no record of the type
	nxdomain               // name does not exist
	lame                   // an authority that does not answer for the zone
	servfail               // SERVFAIL, or REFUSED by a resolver
	silent                 // nothing usable came: see Reply.Outcome
	tcpFailed              // truncated over UDP, and TCP failed
)

// view is the final reply of one server to one question and its meaning.
type view struct {
	Reply
	state state
	end   string   // last name of the chain inside the reply
	addrs []string // records of the type at end
	why   string   // for lame: how it shows
}

// views keeps the last reply of each server to each question, in the order in
// which the questions were first put. A truncated UDP reply counts only when
// TCP after it failed.
func views(a Answers) []view {
	type key struct{ addr, name, typ string }
	at := map[key]int{}
	var out []view
	for _, r := range a.Replies {
		if r.Server.Role == Parent {
			continue
		}
		k := key{r.Server.Addr, r.Name, r.Type}
		v := see(r)
		i, known := at[k]
		if !known {
			at[k] = len(out)
			out = append(out, v)
			continue
		}
		if p := out[i].Reply; p.Outcome == Answered && p.TC && r.Transport == "tcp" && r.Outcome != Answered {
			v.state = tcpFailed
		}
		out[i] = v
	}
	return out
}

// see interprets one reply.
func see(r Reply) view {
	v := view{Reply: r, end: r.Name}
	if r.Outcome != Answered {
		v.state = silent
		return v
	}
	if r.Rcode != "NOERROR" && r.Rcode != "NXDOMAIN" {
		v.state, v.why = servfail, r.Rcode
		if r.Server.Role == Authority {
			v.state = lame
		}
		return v
	}
	if r.Server.Role == Authority && !r.AA {
		v.state, v.why = lame, "answers without authority (aa=0)"
		if z := r.Referral(); z != "" {
			v.why = "refers to the servers of " + z + " (aa=0)"
		}
		return v
	}
	for range maxChain {
		to := data(r.Answer, v.end, "CNAME")
		if to == nil || r.Type == "CNAME" {
			break
		}
		v.end = to[0]
	}
	v.addrs = data(r.Answer, v.end, r.Type)
	soa, hasSOA := soaOf(r.Auth)
	switch {
	case v.addrs != nil:
		v.state = positive
	case r.Rcode == "NXDOMAIN":
		v.state = nxdomain
	case v.end != r.Name && r.Server.Role == Authority && !(hasSOA && Below(v.end, soa.Zone)):
		v.state = partial
	default:
		v.state = nodata
	}
	return v
}

// negative reports an empty or denying answer.
func (v view) negative() bool { return v.state == nodata || v.state == nxdomain }

// clears is when a cache drops this negative answer: its time plus the TTL of
// the SOA that came with it. Zero when none came.
func (v view) clears() time.Time {
	soa, ok := soaOf(v.Auth)
	if !ok || v.Time.IsZero() {
		return time.Time{}
	}
	return v.Time.Add(time.Duration(soa.NegativeTTL()) * time.Second)
}

// String is the decisive line about a reply: who, what was asked, what came.
func (v view) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s %s: ", v.Server.Role, v.Server, v.Name, v.Type)
	if v.state == tcpFailed {
		fmt.Fprintf(&b, "truncated over UDP, then over TCP: %s", cmp.Or(v.Error, string(v.Outcome)))
		return b.String()
	}
	if v.Outcome != Answered {
		fmt.Fprintf(&b, "%s over %s: %s", v.Outcome, strings.ToUpper(v.Transport), cmp.Or(v.Error, "no answer"))
		return b.String()
	}
	fmt.Fprintf(&b, "%s, aa=%d, %d of the type", v.Rcode, bit(v.AA), len(v.addrs))
	if v.end != v.Name {
		fmt.Fprintf(&b, " at %s", v.end)
	}
	if len(v.addrs) > 0 && len(v.addrs) <= 8 {
		fmt.Fprintf(&b, " (%s)", strings.Join(v.addrs, " "))
	}
	if soa, ok := soaOf(v.Auth); ok {
		fmt.Fprintf(&b, ", SOA %s serial %d, negative TTL %d s", soa.Zone, soa.Serial, soa.NegativeTTL())
	}
	for _, e := range v.EDE {
		fmt.Fprintf(&b, ", extended error %d %s", e.Code, edeText(e.Code))
		if e.Text != "" {
			fmt.Fprintf(&b, " (%s)", e.Text)
		}
	}
	if v.why != "" && v.state == lame {
		fmt.Fprintf(&b, ", %s", v.why)
	}
	return b.String()
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
