package failover

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"ddx/controlplane"
	"ddx/dns"
)

// RRSet is a resource record set as Route 53 holds it. Values of TXT sets carry
// their quotation marks.
type RRSet struct {
	Name   string // with final dot
	Type   string // "A", "AAAA", "TXT"
	TTL    uint32 // seconds
	Values []string

	// Routing says in words why a batch cannot name this set by TTL and values
	// alone (an alias, a routing policy); "" for a simple set.
	Routing string
}

// Action is what a batch does to a set.
type Action string

// The two actions that fence: DELETE fails unless the set is exactly the given
// one, CREATE fails if there is any set of that name and type. UPSERT, which
// overwrites, is never used.
const (
	Delete Action = "DELETE"
	Create Action = "CREATE"
)

// BatchChange is one change of a batch.
type BatchChange struct {
	Action Action
	Set    RRSet
}

// Errors that a Batcher returns, wrapped.
var (
	// ErrBatchInvalid means that a DELETE or CREATE did not meet what it needs:
	// the whole batch was dropped (InvalidChangeBatch at Route 53).
	ErrBatchInvalid = errors.New("batch does not match the zone")
	// ErrBatchDenied means that the credentials do not allow the batch, or that
	// the zone does not exist.
	ErrBatchDenied = errors.New("batch is not allowed")
)

// Batcher is a zone with all-or-nothing batches, such as a Route 53 hosted zone.
// Any error that wraps neither ErrBatchInvalid nor ErrBatchDenied is an unknown
// outcome.
type Batcher interface {
	// List returns the sets of one name, through the control API.
	List(ctx context.Context, name string) ([]RRSet, error)
	// Apply performs all changes or none. It must not be repeated inside after
	// a lost answer, else an own success would come back as ErrBatchInvalid.
	Apply(ctx context.Context, changes []BatchChange) error
	// InSync reports whether the last batch applied through this value has
	// reached all name servers of the zone.
	InSync(ctx context.Context) (bool, error)
}

// Batch is a Provider over a Batcher.
type Batch struct{ Zone Batcher }

// Read lists the sets of the endpoint and of its generation record.
func (p Batch) Read(ctx context.Context, name string) (Current, error) {
	var c Current
	sets, err := p.sets(ctx, name)
	if err != nil {
		return c, err
	}
	var addrs []netip.Addr
	for _, s := range sets {
		if s.Type == "TXT" {
			if len(s.Values) != 1 {
				return c, fmt.Errorf("read %s: %d generation records where one is allowed; remove all but the right one by hand", name, len(s.Values))
			}
			c.Text, c.TextTTL, c.Owned = unquote(s.Values[0]), s.TTL, true
			if c.Record, err = ParseRecord(c.Text); err != nil {
				return c, fmt.Errorf("read %s: %w", name, err)
			}
			continue
		}
		for _, v := range s.Values {
			ip, err := netip.ParseAddr(v)
			if err != nil {
				return c, fmt.Errorf("read %s: %s record: %w", name, s.Type, err)
			}
			addrs = append(addrs, ip)
		}
		if c.TTL != 0 && c.TTL != s.TTL {
			return c, fmt.Errorf("read %s: A and AAAA have TTLs of %d and %d s; make them equal by hand", name, c.TTL, s.TTL)
		}
		c.TTL = s.TTL
	}
	c.Addresses = Sorted(addrs...)
	return c, nil
}

// sets returns the sets that an endpoint consists of.
func (p Batch) sets(ctx context.Context, name string) ([]RRSet, error) {
	var out []RRSet
	for _, q := range []struct {
		name  string
		types []string
	}{{dns.GenerationName(name), []string{"TXT"}}, {dns.Canonical(name), []string{"A", "AAAA", "CNAME"}}} {
		all, err := p.Zone.List(ctx, q.name)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", q.name, err)
		}
		for _, s := range all {
			if s.Type == "CNAME" && s.Name == q.name {
				return nil, fmt.Errorf("list %s: it is a CNAME; let ddx own the name that it points to", q.name)
			}
			if s.Name != q.name || !slices.Contains(q.types, s.Type) {
				continue
			}
			if s.Routing != "" {
				return nil, fmt.Errorf("list %s: its %s set is %s; let ddx own a name with simple sets", q.name, s.Type, s.Routing)
			}
			out = append(out, s)
		}
	}
	return out, nil
}

// Commit deletes exactly what was read and creates the new content, in one
// batch. Sets that do not change are deleted and created too: that pins them.
//
// One thing a batch cannot require is that a family of addresses is absent, if
// it creates none itself. An address of such a family that somebody adds
// between Read and Commit stays beside the change; the hash in the record then
// does not fit, and every enactor holds until a person has looked.
func (p Batch) Commit(ctx context.Context, name string, expect Current, to Change) (controlplane.Status, error) {
	if len(to.Addresses) == 0 {
		return controlplane.Refused, fmt.Errorf("commit %s: no address in the change; the last one is never removed", name)
	}
	var changes []BatchChange
	for _, s := range content(name, expect.Owned, expect.Text, expect.TextTTL, expect.Addresses, expect.TTL) {
		changes = append(changes, BatchChange{Delete, s})
	}
	for _, s := range content(name, true, to.Record.String(), textTTL, to.Addresses, to.TTL) {
		changes = append(changes, BatchChange{Create, s})
	}
	err := p.Zone.Apply(ctx, changes)
	switch {
	case err == nil:
		return controlplane.Applied, nil
	case errors.Is(err, ErrBatchInvalid):
		return controlplane.Conflict, nil
	case errors.Is(err, ErrBatchDenied):
		return controlplane.Refused, fmt.Errorf("commit %s: %w", name, err)
	}
	return controlplane.Unknown, fmt.Errorf("commit %s: %w; whether it was applied is not known, reading will tell", name, err)
}

// InSync reports whether what this process wrote last can be resolved already.
func (p Batch) InSync(ctx context.Context) (bool, error) { return p.Zone.InSync(ctx) }

// Verify sends a batch that cannot apply: it deletes a record that no zone
// holds. Denied and refused are different answers.
func (p Batch) Verify(ctx context.Context, name string) error {
	probe := RRSet{Name: "_rehearse." + dns.GenerationName(name), Type: "TXT", TTL: textTTL, Values: []string{`"rehearsal"`}}
	err := p.Zone.Apply(ctx, []BatchChange{{Delete, probe}})
	switch {
	case errors.Is(err, ErrBatchInvalid):
		return nil
	case err == nil:
		return fmt.Errorf("verify %s: a record that nobody wrote was there and is deleted now: %s", name, probe.Name)
	}
	return fmt.Errorf("verify %s: %w", name, err)
}

// content is an endpoint as record sets.
func content(name string, owned bool, text string, textTTL uint32, addrs Addresses, ttl uint32) []RRSet {
	var out []RRSet
	if owned {
		out = append(out, RRSet{Name: dns.GenerationName(name), Type: "TXT", TTL: textTTL, Values: []string{quote(text)}})
	}
	for _, typ := range []string{"A", "AAAA"} {
		if set := addrs.Type(typ); len(set) > 0 {
			out = append(out, RRSet{Name: dns.Canonical(name), Type: typ, TTL: ttl, Values: strings.Fields(set.String())})
		}
	}
	return out
}

// quote writes a text as character strings of at most 255 bytes.
func quote(s string) string {
	var parts []string
	for len(s) > 255 {
		parts, s = append(parts, `"`+s[:255]+`"`), s[255:]
	}
	return strings.Join(append(parts, `"`+s+`"`), " ")
}

func unquote(s string) string {
	return strings.Trim(strings.ReplaceAll(s, `" "`, ""), `"`)
}
