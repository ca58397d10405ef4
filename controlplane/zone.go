package controlplane

import (
	"maps"
	"slices"
	"strings"
)

// Zone is the full model of a provider's zone: record sets that change in
// transactions, with the prerequisites of RFC 2136 (Update) or the batch rules
// of Route 53 (Change). A Zone never changes; every transaction returns a new
// one. Names end in a dot and compare without regard to case.
type Zone struct {
	origin string
	serial uint32
	sets   map[Key]RecordSet
}

// Key names a record set. ID tells weighted sets of the same name and type
// apart and is empty otherwise.
type Key struct{ Name, Type, ID string }

// RecordSet is the content of a record set. Data is in presentation form,
// sorted. A set with an Alias has neither TTL nor data: it answers what the set
// of the same type at that name answers.
type RecordSet struct {
	TTL   uint32
	Data  []string
	Alias string
}

// NewZone returns a zone with its SOA and NS sets only.
func NewZone(origin string, nameservers ...string) Zone {
	z := Zone{origin: canonicalName(origin), serial: 1, sets: make(map[Key]RecordSet)}
	z.sets[Key{z.origin, "NS", ""}] = RecordSet{TTL: 3600, Data: sortedData(nameservers)}
	z.sets[Key{z.origin, "SOA", ""}] = RecordSet{TTL: 900, Data: []string{"primary"}}
	return z
}

// Serial goes up by one with every transaction that changes something.
func (z Zone) Serial() uint32 { return z.serial }

// Set returns a record set and whether it exists.
func (z Zone) Set(k Key) (RecordSet, bool) {
	s, ok := z.sets[canonicalKey(k)]
	return s, ok
}

// Keys returns the record sets, sorted.
func (z Zone) Keys() []Key {
	return slices.SortedFunc(maps.Keys(z.sets), func(a, b Key) int {
		return strings.Compare(a.Name+" "+a.Type+" "+a.ID, b.Name+" "+b.Type+" "+b.ID)
	})
}

// Reply is the kind of an authoritative answer.
type Reply uint8

const (
	ReplyData     Reply = iota // at least one record
	ReplyNoData                // the name exists, the type does not: NOERROR without records
	ReplyNXDomain              // the name does not exist
	ReplyNotZone               // the name is not in this zone
)

// Lookup answers a query, following aliases and CNAMEs inside the zone. A name
// below which something exists, but which holds nothing itself, gives
// ReplyNoData.
func (z Zone) Lookup(name, typ string) (Reply, []string) {
	name = canonicalName(name)
	for range 16 {
		if !z.contains(name) {
			return ReplyNotZone, nil
		}
		exists, next := false, ""
		var data []string
		for k, s := range z.sets {
			if k.Name != name {
				exists = exists || strings.HasSuffix(k.Name, "."+name)
				continue
			}
			exists = true
			switch {
			case k.Type == typ && s.Alias != "":
				next = s.Alias
			case k.Type == typ:
				data = append(data, s.Data...)
			case k.Type == "CNAME":
				next = canonicalName(s.Data[0])
			}
		}
		switch {
		case len(data) > 0:
			return ReplyData, sortedData(data)
		case next != "":
			name = next
			if !z.exists(name) {
				return ReplyNoData, nil
			}
		case exists:
			return ReplyNoData, nil
		default:
			return ReplyNXDomain, nil
		}
	}
	return ReplyNoData, nil
}

// inUse reports whether the name holds any record, which RFC 2136 calls in use.
func (z Zone) inUse(name string) bool {
	for k := range z.sets {
		if k.Name == name {
			return true
		}
	}
	return false
}

// exists reports whether the name or anything below it holds a record.
func (z Zone) exists(name string) bool {
	for k := range z.sets {
		if k.Name == name || strings.HasSuffix(k.Name, "."+name) {
			return true
		}
	}
	return false
}

func (z Zone) contains(name string) bool {
	return name == z.origin || strings.HasSuffix(name, "."+z.origin)
}

// edit returns a copy whose record sets may be changed.
func (z Zone) edit() Zone {
	z.sets = maps.Clone(z.sets)
	return z
}

// committed returns the edited zone with its serial raised if it differs.
func (z Zone) committed(before Zone) Zone {
	same := maps.EqualFunc(z.sets, before.sets, func(a, b RecordSet) bool {
		return a.TTL == b.TTL && a.Alias == b.Alias && slices.Equal(a.Data, b.Data)
	})
	if !same {
		z.serial++
	}
	return z
}

func canonicalName(name string) string {
	name = strings.ToLower(name)
	if !strings.HasSuffix(name, ".") {
		name += "."
	}
	return name
}

func canonicalKey(k Key) Key {
	return Key{canonicalName(k.Name), strings.ToUpper(k.Type), k.ID}
}

// sortedData returns the data sorted and without repetition.
func sortedData(data []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(data)))
}
