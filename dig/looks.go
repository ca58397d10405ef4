package dig

import (
	"slices"
	"strings"
	"time"

	"ddx/dns"
)

// zones of dig's WHEN line that Go cannot know without a location, in seconds
// east of Greenwich.
var zoneOffsets = map[string]int{
	"UTC": 0, "GMT": 0, "EST": -5 * 3600, "EDT": -4 * 3600, "CST": -6 * 3600, "CDT": -5 * 3600, "MST": -7 * 3600,
	"MDT": -6 * 3600, "PST": -8 * 3600, "PDT": -7 * 3600, "CET": 3600, "CEST": 7200, "BST": 3600, "JST": 9 * 3600,
}

// time reads a WHEN line. An unknown zone is read as UTC and said in a gap.
func (d *reader) time(s string) time.Time {
	f := strings.Fields(s)
	if len(f) == 6 { // Fri Nov 20 10:04:33 UTC 2026
		zone := f[4]
		t, err := time.Parse("Mon Jan 2 15:04:05 2006", strings.Join(slices.Delete(slices.Clone(f), 4, 5), " "))
		if err != nil {
			return time.Time{}
		}
		off, ok := zoneOffsets[zone]
		if !ok {
			if n, err := time.Parse("-0700", zone+"00"); err == nil && len(zone) == 3 {
				_, off = n.Zone()
				ok = true
			}
		}
		if !ok {
			d.gaps = append(d.gaps, dns.Gap{What: "time zone " + zone, Why: "not known, read as UTC"})
		}
		return t.Add(-time.Duration(off) * time.Second).UTC()
	}
	for _, layout := range []string{"Mon Jan 2 15:04:05 2006", "2006-01-02 15:04:05 MST"} {
		if t, err := time.Parse(layout, strings.Join(f, " ")); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// outcomeWords reads the words that dig prints for a failed transport.
func outcomeWords(s string, tcp bool) dns.Outcome {
	switch {
	case strings.Contains(s, "timed out"), strings.Contains(s, "timeout"):
		return dns.TimedOut
	case strings.Contains(s, "refused") && tcp, strings.Contains(s, "reset"), strings.Contains(s, "end of file"):
		return dns.Refused
	case strings.Contains(s, "unreachable"), strings.Contains(s, "refused"):
		return dns.Unreachable
	}
	return dns.TimedOut
}

// sameLook bounds the time over which runs count as one look.
const sameLook = 2 * time.Minute

// looks cuts the replies into one Answers for each name and look.
func (d *reader) looks() []dns.Answers {
	d.roles()
	now := d.when
	for i := range d.replies {
		if d.replies[i].Time.IsZero() {
			d.replies[i].Time = now
		} else {
			now = d.replies[i].Time
		}
	}
	var out []dns.Answers
	current := map[string]int{} // name to its look under way
	for _, r := range d.replies {
		name, supports := d.subject(r)
		if supports {
			continue
		}
		i, ok := current[name]
		if !ok || !belongs(out[i], r) {
			i = len(out)
			current[name] = i
			out = append(out, dns.Answers{Name: name, Time: r.Time, Resolv: dns.Resolv{Ndots: 1}, Gaps: d.gaps})
		}
		out[i].Replies = append(out[i].Replies, r)
	}
	for _, r := range d.replies { // zone records support every look of a name below them
		if _, supports := d.subject(r); !supports {
			continue
		}
		for i := range out {
			if dt := r.Time.Sub(out[i].Time); (dns.Below(out[i].Name, r.Name) || r.Name == dns.GenerationName(out[i].Name)) && dt > -sameLook && dt < sameLook {
				out[i].Replies = append(out[i].Replies, r)
			}
		}
	}
	return out
}

// subject returns the name a reply is about, or that it only supports looks at
// names below it: questions for the records of a zone or a generation where
// the text also asks for addresses.
func (d *reader) subject(r dns.Reply) (string, bool) {
	if slices.Contains([]string{"A", "AAAA", "CNAME"}, r.Type) {
		return r.Name, false
	}
	for _, o := range d.replies {
		if slices.Contains([]string{"A", "AAAA"}, o.Type) && (dns.Below(o.Name, r.Name) || r.Name == dns.GenerationName(o.Name)) {
			return "", true
		}
	}
	return r.Name, false
}

// belongs reports whether a reply is part of a look under way.
func belongs(a dns.Answers, r dns.Reply) bool {
	if r.Time.Sub(a.Time) > sameLook {
		return false
	}
	for _, o := range a.Replies {
		if o.Server != r.Server || o.Type != r.Type || o.Name != r.Name || o.TC {
			continue
		}
		if !r.SameMeaning(o) {
			return false
		}
	}
	return true
}

// roles decides in which capacity each server spoke.
func (d *reader) roles() {
	listed := map[string]bool{} // name server names and their addresses
	for _, r := range d.replies {
		for _, sec := range [][]dns.RR{r.Answer, r.Auth} {
			for _, rr := range sec {
				if rr.Type == "NS" {
					listed[rr.Data] = true
				}
			}
		}
	}
	for _, r := range d.replies {
		for _, sec := range [][]dns.RR{r.Answer, r.Extra} {
			for _, rr := range sec {
				if listed[rr.Name] && slices.Contains([]string{"A", "AAAA"}, rr.Type) {
					listed[rr.Data] = true
				}
			}
		}
	}
	role := map[string]dns.Role{}
	for _, r := range d.replies {
		switch {
		case r.AA:
			role[r.Server.Addr] = dns.Authority
		case r.RA && role[r.Server.Addr] == "":
			role[r.Server.Addr] = dns.Resolver
		}
	}
	for i := range d.replies {
		r := &d.replies[i]
		host, _, _ := strings.Cut(r.Server.Addr, ":")
		z := r.Referral()
		switch {
		case !r.RA && z != "" && z != "." && dns.Below(r.Name, z) && role[r.Server.Addr] == "":
			r.Server.Role = dns.Parent
		case role[r.Server.Addr] != "":
			r.Server.Role = role[r.Server.Addr]
		case r.Server.Name != "" || listed[r.Server.Name] || listed[host]:
			r.Server.Role = dns.Authority
		default:
			r.Server.Role = dns.Resolver
		}
	}
}
