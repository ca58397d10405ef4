package dns

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Role says in which capacity a server was asked. It decides what its answer
// can prove: only an authority's empty answer is the truth about a name.
type Role string

// The roles.
const (
	Parent    Role = "parent"    // a server of the zone above, asked for the delegation
	Authority Role = "authority" // a server that the delegation, or the caller, lists for the zone
	Resolver  Role = "resolver"  // a recursive server in use by this host
)

// Outcome says what became of a question on the wire.
type Outcome string

// The outcomes. Unreachable and Refused are answers of the network, at once;
// TimedOut is none.
const (
	Answered    Outcome = "answered"
	TimedOut    Outcome = "timeout"
	Unreachable Outcome = "unreachable" // ICMP unreachable (network, host or port), or no route
	Refused     Outcome = "refused"     // TCP connection reset or refused
	Malformed   Outcome = "malformed"   // bytes came back that are no DNS message
)

// Server is one address that was asked.
type Server struct {
	Name string `json:"name,omitempty"` // host name in the NS record, lower case with final dot; empty for a resolver
	Addr string `json:"addr"`           // address:port; in pasted text what the tool printed
	Role Role   `json:"role"`
}

func (s Server) String() string {
	if s.Name == "" {
		return s.Addr
	}
	return s.Name + " (" + s.Addr + ")"
}

// RR is a resource record in presentation form. Names are lower case and end
// in a dot.
type RR struct {
	Name string `json:"name"`
	Type string `json:"type"`
	TTL  uint32 `json:"ttl"` // seconds
	Data string `json:"data"`
}

// EDE is an extended DNS error (RFC 8914).
type EDE struct {
	Code uint16 `json:"code"`
	Text string `json:"text,omitempty"`
}

// Reply is what one server gave to one question over one transport.
type Reply struct {
	Server    Server        `json:"server"`
	Name      string        `json:"name"` // question, lower case with final dot
	Type      string        `json:"type"`
	Time      time.Time     `json:"time"` // when the answer came, or when waiting ended
	RTT       time.Duration `json:"rtt,omitempty"`
	Transport string        `json:"transport"` // "udp" or "tcp"
	Outcome   Outcome       `json:"outcome"`
	Error     string        `json:"error,omitempty"` // the system's words when the outcome is not Answered

	Rcode  string `json:"rcode,omitempty"` // NOERROR, NXDOMAIN, SERVFAIL, REFUSED...
	AA     bool   `json:"aa,omitempty"`
	TC     bool   `json:"tc,omitempty"`
	RA     bool   `json:"ra,omitempty"`
	AD     bool   `json:"ad,omitempty"`
	EDNS   bool   `json:"edns,omitempty"`
	EDE    []EDE  `json:"ede,omitempty"`
	Answer []RR   `json:"answer,omitempty"`
	Auth   []RR   `json:"authority,omitempty"`
	Extra  []RR   `json:"additional,omitempty"`
}

// Target is the result of connecting to an address that the name gave.
type Target struct {
	Addr    string  `json:"addr"` // address:port
	Outcome Outcome `json:"outcome"`
	Error   string  `json:"error,omitempty"`
}

// Gap is something that could not be looked at, and why. A gap is never
// evidence of absence.
type Gap struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// Answers is everything that was learnt about one name at one time.
type Answers struct {
	Name    string    `json:"name"` // fully qualified, lower case, final dot
	Time    time.Time `json:"time"` // when asking began
	Resolv  Resolv    `json:"resolv"`
	Replies []Reply   `json:"replies"`
	Targets []Target  `json:"targets,omitempty"`
	Gaps    []Gap     `json:"gaps,omitempty"`
}

// Canonical returns the name in lower case with a final dot.
func Canonical(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	if !strings.HasSuffix(name, ".") {
		name += "."
	}
	return name
}

// Below reports whether a canonical name is zone or lies under it.
func Below(name, zone string) bool {
	return zone == "." || name == zone || strings.HasSuffix(name, "."+zone)
}

// parentOf returns the name without its first label; the root is its own parent.
func parentOf(name string) string {
	if name == "." {
		return name
	}
	_, rest, _ := strings.Cut(name, ".")
	if rest == "" {
		return "."
	}
	return rest
}

// SOA holds the fields of a start of authority that matter here.
type SOA struct {
	Zone    string
	Serial  uint32
	Refresh uint32 // seconds
	TTL     uint32 // of the record itself, seconds
	Minimum uint32 // seconds
}

// NegativeTTL is how long a resolver may keep an empty answer, in seconds:
// the smaller of the record's own TTL and its minimum field (RFC 2308, 5).
func (s SOA) NegativeTTL() uint32 { return min(s.TTL, s.Minimum) }

// soaOf reads the first SOA of a section.
func soaOf(section []RR) (SOA, bool) {
	for _, rr := range section {
		if rr.Type != "SOA" {
			continue
		}
		f := strings.Fields(rr.Data)
		if len(f) < 7 {
			continue
		}
		var n [5]uint32
		for i := range n {
			v, err := strconv.ParseUint(f[2+i], 10, 32)
			if err != nil {
				return SOA{}, false
			}
			n[i] = uint32(v)
		}
		return SOA{Zone: rr.Name, Serial: n[0], Refresh: n[1], TTL: rr.TTL, Minimum: n[4]}, true
	}
	return SOA{}, false
}

// data returns the sorted distinct data of the records of one name and type.
func data(section []RR, name, typ string) []string {
	seen := map[string]bool{}
	for _, rr := range section {
		if rr.Type == typ && (name == "" || rr.Name == name) {
			seen[rr.Data] = true
		}
	}
	return sorted(seen)
}

func sorted(set map[string]bool) []string {
	if len(set) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(set))
}

// family returns "A" or "AAAA" for an address in text, "" for anything else.
func family(addr string) string {
	ip, err := netip.ParseAddr(addr)
	switch {
	case err != nil:
		return ""
	case ip.Is4():
		return "A"
	}
	return "AAAA"
}

// Referral is the zone that the reply refers to the servers of, empty when it is
// no referral.
func (r Reply) Referral() string {
	if r.AA || len(r.Answer) > 0 || r.Rcode != "NOERROR" {
		return ""
	}
	for _, rr := range r.Auth {
		if rr.Type == "NS" {
			return rr.Name
		}
	}
	return ""
}

// SameMeaning reports whether two replies to the same question say the same
// about it; times and TTLs may differ.
func (r Reply) SameMeaning(o Reply) bool {
	a, b := see(r), see(o)
	return a.state == b.state && slices.Equal(a.addrs, b.addrs)
}
