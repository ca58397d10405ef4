package awsfake

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// Set is a resource record set, and the XML of one.
type Set struct {
	Name          string
	Type          string
	SetIdentifier string   `xml:",omitempty"`
	Weight        *int64   `xml:",omitempty"`
	TTL           *uint32  `xml:",omitempty"`
	Records       []Record `xml:"ResourceRecords>ResourceRecord"`
	AliasTarget   *Alias   `xml:",omitempty"`
	HealthCheckID string   `xml:"HealthCheckId,omitempty"`
}

// Record is one value of a set.
type Record struct{ Value string }

// Simple is a set without a routing policy. TTL in seconds; TXT values carry
// their quotation marks.
func Simple(name, typ string, ttl uint32, values ...string) Set {
	s := Set{Name: canonical(name), Type: typ, TTL: &ttl}
	for _, v := range values {
		s.Records = append(s.Records, Record{v})
	}
	return s
}

// Alias is the target of an alias set.
type Alias struct {
	HostedZoneID         string `xml:"HostedZoneId"`
	DNSName              string
	EvaluateTargetHealth bool
}

// Change is one change of a batch.
type Change struct {
	Action string // CREATE, DELETE, UPSERT
	Set    Set    `xml:"ResourceRecordSet"`
}

type key struct{ name, typ, id string }

func (s Set) key() key { return key{canonical(s.Name), s.Type, s.SetIdentifier} }

// same is what DELETE demands; the order of values does not matter.
func (s Set) same(o Set) bool {
	byValue := func(a, b Record) int { return strings.Compare(a.Value, b.Value) }
	a, b := slices.SortedFunc(slices.Values(s.Records), byValue), slices.SortedFunc(slices.Values(o.Records), byValue)
	return slices.Equal(a, b) && deref(s.TTL) == deref(o.TTL) && deref(s.Weight) == deref(o.Weight) && deref(s.AliasTarget) == deref(o.AliasTarget)
}

func deref[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}

func canonical(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, ".")) + "."
}

// zone is the content of a hosted zone. A zone that was handed out is never
// changed: apply makes a new one.
type zone map[key]Set

// apply is the whole batch or, with what is wrong with it, nothing.
func (z zone) apply(apex string, changes []Change) (zone, []string) {
	next := maps.Clone(z)
	var wrong []string
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	seen := map[string]bool{}
	for _, c := range changes {
		k := c.Set.key()
		c.Set.Name = k.name
		old, there := next[k]
		what := fmt.Sprintf("[name='%s', type='%s']", k.name, k.typ)
		if act := c.Action + k.name + k.typ + k.id; seen[act] {
			bad("The request contains an invalid set of changes for a resource record set '%s %s'", k.typ, k.name)
		} else {
			seen[act] = true
		}
		switch {
		case k.name != apex && !strings.HasSuffix(k.name, "."+apex):
			bad("RRSet with DNS name %s is not permitted in zone %s", k.name, apex)
		case invalid(c.Set) != "":
			bad("%s", invalid(c.Set))
		case c.Action == "DELETE" && !there:
			bad("Tried to delete resource record set %s but it was not found", what)
		case c.Action == "DELETE" && !old.same(c.Set):
			bad("Tried to delete resource record set %s but the values provided do not match the current values", what)
		case c.Action == "DELETE":
			delete(next, k)
		case c.Action == "CREATE" && there:
			bad("Tried to create resource record set %s but it already exists", what)
		case next.conflicts(k):
			bad("RRSet of type %s with DNS name %s is not permitted because a conflicting RRSet of another type with the same DNS name already exists in zone %s.", k.typ, k.name, apex)
		default:
			next[k] = c.Set
		}
	}
	if wrong != nil {
		return z, wrong
	}
	return next, nil
}

// conflicts holds that an alias name has nothing beside it.
func (z zone) conflicts(k key) bool {
	for o := range z {
		if o.name == k.name && o.typ != k.typ && (o.typ == "CNAME" || k.typ == "CNAME") {
			return true
		}
	}
	return false
}

// invalid says what is wrong with a set by itself.
func invalid(s Set) string {
	if s.AliasTarget != nil {
		return ""
	}
	if len(s.Records) == 0 || s.TTL == nil {
		return fmt.Sprintf("Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none in Change with [Name=%s, Type=%s]", s.Name, s.Type)
	}
	for i, r := range s.Records {
		v := r.Value
		ip, err := netip.ParseAddr(v)
		switch {
		case slices.Contains(s.Records[:i], r):
			return fmt.Sprintf("Duplicate Resource Record: '%s'", v)
		case s.Type == "A" && (err != nil || !ip.Is4()):
			return fmt.Sprintf("Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with '%s''", v)
		case s.Type == "AAAA" && (err != nil || !ip.Is6()):
			return fmt.Sprintf("Invalid Resource Record: 'FATAL problem: AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address) encountered with '%s''", v)
		case s.Type == "TXT" && (len(v) < 2 || v[0] != '"' || v[len(v)-1] != '"'):
			return fmt.Sprintf("Invalid Resource Record: 'FATAL problem: InvalidCharacterString (Value should be enclosed in quotation marks) encountered with '%s''", v)
		}
	}
	return ""
}

// sorted lists the sets in the order of the API: by the labels of the name from
// the right, then by type, then by identifier.
func (z zone) sorted() []Set {
	return slices.SortedFunc(maps.Values(z), func(a, b Set) int { return order(a.key(), b.key()) })
}

func order(a, b key) int {
	return cmp.Or(strings.Compare(reversed(a.name), reversed(b.name)), strings.Compare(a.typ, b.typ), strings.Compare(a.id, b.id))
}

func reversed(name string) string {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	slices.Reverse(labels)
	return strings.Join(labels, "\x00")
}
