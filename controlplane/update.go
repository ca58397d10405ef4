package controlplane

import "slices"

// Rcode is the outcome of a dynamic update (RFC 2136, 2.2).
type Rcode uint8

const (
	RcodeNoError  Rcode = 0
	RcodeNXDomain Rcode = 3
	RcodeYXDomain Rcode = 6
	RcodeYXRRSet  Rcode = 7
	RcodeNXRRSet  Rcode = 8
	RcodeNotZone  Rcode = 10
)

// PrerequisiteKind is one of the five of RFC 2136, 2.4.
type PrerequisiteKind uint8

const (
	NameInUse    PrerequisiteKind = iota // the name holds a record, else NXDOMAIN
	NameNotInUse                         // the name holds none, else YXDOMAIN
	SetExists                            // the record set exists, else NXRRSET
	SetAbsent                            // the record set does not exist, else YXRRSET
	SetEquals                            // the record set is exactly Data, else NXRRSET: the fence
)

// Prerequisite must hold for an update to be applied.
type Prerequisite struct {
	Kind       PrerequisiteKind
	Name, Type string
	Data       []string // for SetEquals, in any order
}

// UpdateKind is one of the four of RFC 2136, 2.5.
type UpdateKind uint8

const (
	AddRecord UpdateKind = iota
	DeleteSet
	DeleteName
	DeleteRecord
)

// RecordUpdate is one change of an update.
type RecordUpdate struct {
	Kind       UpdateKind
	Name, Type string
	TTL        uint32
	Data       string
}

// Update applies a dynamic update message as one transaction: every
// prerequisite first, then every change, or nothing at all.
func (z Zone) Update(prerequisites []Prerequisite, updates []RecordUpdate) (Zone, Rcode) {
	if rcode := z.prerequisites(prerequisites); rcode != RcodeNoError {
		return z, rcode
	}
	for _, u := range updates {
		if !z.contains(canonicalName(u.Name)) {
			return z, RcodeNotZone
		}
	}
	next := z.edit()
	for _, u := range updates {
		next.update(u)
	}
	return next.committed(z), RcodeNoError
}

// prerequisites checks them in the order of RFC 2136, 3.2: value-dependent ones
// are compared after all others.
func (z Zone) prerequisites(list []Prerequisite) Rcode {
	wanted := make(map[Key][]string)
	var order []Key
	for _, p := range list {
		k := canonicalKey(Key{p.Name, p.Type, ""})
		if !z.contains(k.Name) {
			return RcodeNotZone
		}
		_, exists := z.sets[k]
		switch {
		case p.Kind == NameInUse && !z.inUse(k.Name):
			return RcodeNXDomain
		case p.Kind == NameNotInUse && z.inUse(k.Name):
			return RcodeYXDomain
		case p.Kind == SetExists && !exists:
			return RcodeNXRRSet
		case p.Kind == SetAbsent && exists:
			return RcodeYXRRSet
		case p.Kind == SetEquals:
			if _, ok := wanted[k]; !ok {
				order = append(order, k)
			}
			wanted[k] = append(wanted[k], p.Data...)
		}
	}
	for _, k := range order {
		if !slices.Equal(z.sets[k].Data, sortedData(wanted[k])) {
			return RcodeNXRRSet
		}
	}
	return RcodeNoError
}

// update applies one change to a zone that may be changed. What RFC 2136, 3.4.2
// ignores without an error is ignored.
func (z Zone) update(u RecordUpdate) {
	k := canonicalKey(Key{u.Name, u.Type, ""})
	apex := k.Name == z.origin
	switch u.Kind {
	case AddRecord:
		z.addRecord(k, u)
	case DeleteSet:
		if !apex || k.Type != "SOA" && k.Type != "NS" {
			delete(z.sets, k)
		}
	case DeleteName:
		for other := range z.sets {
			if other.Name == k.Name && !(apex && (other.Type == "SOA" || other.Type == "NS")) {
				delete(z.sets, other)
			}
		}
	case DeleteRecord:
		s := z.sets[k]
		if k.Type == "SOA" || apex && k.Type == "NS" && len(s.Data) == 1 {
			return
		}
		left := slices.DeleteFunc(slices.Clone(s.Data), func(d string) bool { return d == u.Data })
		if s.Data = left; len(left) == 0 {
			delete(z.sets, k)
			return
		}
		z.sets[k] = s
	}
}

// addRecord adds a record; a CNAME beside other data, or other data beside a
// CNAME, is ignored. A second CNAME replaces the first.
func (z Zone) addRecord(k Key, u RecordUpdate) {
	if k.Type == "SOA" {
		return
	}
	for other := range z.sets {
		if other.Name == k.Name && (k.Type == "CNAME") != (other.Type == "CNAME") {
			return
		}
	}
	s := z.sets[k]
	if k.Type == "CNAME" {
		s.Data = nil
	}
	s.TTL, s.Data = u.TTL, sortedData(append(slices.Clone(s.Data), u.Data))
	z.sets[k] = s
}
