package failover

import (
	"context"
	"fmt"

	"ddx/controlplane"
)

// Current is what the provider holds for an endpoint, as just read. It is also
// what a write expects to find.
type Current struct {
	Record    Record
	Text      string // the record's text, exactly
	Owned     bool   // a record of ours is there
	Addresses Addresses
	TTL       uint32 // of the addresses, seconds; 0 without any
	TextTTL   uint32 // of the record
}

// Drifted reports that the addresses are not those that the record speaks of:
// somebody else wrote the name.
func (c Current) Drifted() bool {
	return c.Owned && c.Record.Hash != hash(c.Addresses, c.TTL)
}

// Change is the whole new content of an endpoint.
type Change struct {
	Record    Record
	Addresses Addresses
	TTL       uint32 // seconds
}

// Provider holds an endpoint's records. Implementations differ in how they
// fence a write, never in what it guarantees.
type Provider interface {
	// Read returns what is there now, from the provider itself and never from a
	// cache. A name without a record is not an error.
	Read(ctx context.Context, name string) (Current, error)

	// Commit replaces the record and all addresses at once, if they still are
	// exactly what expect says; else it changes nothing and returns Conflict.
	// Refused means that nothing was changed and repeating will not help.
	// Unknown means that it may or may not have been applied; the error says
	// why. The status is valid whether or not there is an error.
	Commit(ctx context.Context, name string, expect Current, to Change) (controlplane.Status, error)

	// Verify proves, without changing anything, that Commit would be allowed.
	Verify(ctx context.Context, name string) error
}

// Propagator is a Provider whose changes reach its name servers some time after
// they were applied.
type Propagator interface {
	// InSync reports whether the last change applied through this value is on
	// all name servers.
	InSync(ctx context.Context) (bool, error)
}

// statusName names an outcome in messages.
func statusName(s controlplane.Status) string {
	switch s {
	case controlplane.Applied:
		return "applied"
	case controlplane.Conflict:
		return "conflict"
	case controlplane.Refused:
		return "refused"
	case controlplane.Unknown:
		return "unknown"
	}
	return fmt.Sprintf("status %d", s)
}
