package controlplane

import (
	"fmt"
	"slices"
)

// ChangeAction is what a Route 53 change does.
type ChangeAction uint8

const (
	Create ChangeAction = iota // fails if the set exists
	Delete                     // fails unless the set is exactly as given
	Upsert                     // creates or replaces
)

// Change is one change of a batch.
type Change struct {
	Action ChangeAction
	Key    Key
	Set    RecordSet
}

// BatchRules are the rules of a provider that are assumptions, not documented.
type BatchRules struct {
	// ValidateAlias refuses a batch that writes an alias whose target does not
	// exist. That deleting the target of an alias is allowed all the same is
	// how the endpoint of October 2025 could become empty, and that writing
	// one is not is why it stayed so. No page states both.
	ValidateAlias bool
}

// Change applies a batch as Route 53's ChangeResourceRecordSets does: all of it
// in order, or nothing and an error that says which change was refused
// (InvalidChangeBatch).
func (z Zone) Change(rules BatchRules, batch []Change) (Zone, error) {
	if len(batch) == 0 {
		return z, fmt.Errorf("change %s: empty batch", z.origin)
	}
	next := z.edit()
	for i, c := range batch {
		if err := next.change(c); err != nil {
			return z, fmt.Errorf("change %s: change %d: %w", z.origin, i+1, err)
		}
	}
	if rules.ValidateAlias {
		for i, c := range batch {
			s, ok := next.sets[canonicalKey(c.Key)]
			if !ok || c.Action == Delete || s.Alias == "" {
				continue
			}
			if !next.inUse(s.Alias) {
				return z, fmt.Errorf("change %s: change %d: alias target %s does not exist", z.origin, i+1, s.Alias)
			}
		}
	}
	return next.committed(z), nil
}

// change applies one change to a zone that may be changed.
func (z Zone) change(c Change) error {
	k := canonicalKey(c.Key)
	want := RecordSet{TTL: c.Set.TTL, Data: sortedData(c.Set.Data)}
	if c.Set.Alias != "" {
		want = RecordSet{Alias: canonicalName(c.Set.Alias)}
	}
	have, exists := z.sets[k]
	switch {
	case !z.contains(k.Name):
		return fmt.Errorf("%s is outside the zone", k.Name)
	case c.Action != Delete && want.Alias == "" && len(want.Data) == 0:
		return fmt.Errorf("%s %s: a record set needs a value", k.Name, k.Type)
	case c.Action == Create && exists:
		return fmt.Errorf("%s %s already exists", k.Name, k.Type)
	case c.Action == Delete && !exists:
		return fmt.Errorf("%s %s not found", k.Name, k.Type)
	case c.Action == Delete && (have.TTL != want.TTL || have.Alias != want.Alias || !slices.Equal(have.Data, want.Data)):
		return fmt.Errorf("%s %s: values do not match the current ones", k.Name, k.Type)
	case c.Action == Delete && k.Name == z.origin && (k.Type == "SOA" || k.Type == "NS"):
		return fmt.Errorf("%s %s at the top of the zone can not be deleted", k.Name, k.Type)
	}
	if c.Action == Delete {
		delete(z.sets, k)
		return nil
	}
	for other := range z.sets {
		if other.Name != k.Name || other == k {
			continue
		}
		if (k.Type == "CNAME") != (other.Type == "CNAME") {
			return fmt.Errorf("%s: a CNAME can not be beside other records", k.Name)
		}
		if other.Type == k.Type && (k.ID == "") != (other.ID == "") {
			return fmt.Errorf("%s %s: a simple and a weighted set can not be side by side", k.Name, k.Type)
		}
	}
	z.sets[k] = want
	return nil
}
