package ddx

import (
	"fmt"
	"slices"
)

// Type is the type of a fact's field.
type Type string

// The types of fields, with the Go type that carries each.
const (
	String  Type = "string"  // string
	Int     Type = "int"     // int64
	Float   Type = "float"   // float64
	Bool    Type = "bool"    // bool
	Strings Type = "strings" // []string
)

// Number says how a numeric field is to be read.
type Number string

// The readings of a number. A counter counts since Field.Since: non-zero says
// "has happened"; only two samples (the fields delta and seconds) say "is
// happening".
const (
	State   Number = "state"   // a setting or a size: true until somebody changes it
	Instant Number = "instant" // a value at one moment
	Counter Number = "counter" // grows from 0 since Field.Since
)

// Field declares one field of a fact kind.
type Field struct {
	Name   string
	Type   Type
	Unit   string // "" where the number has none
	Number Number // for Int and Float
	Since  string // for Counter: boot, driver load, cgroup, process ...
	Doc    string
}

// FactKind declares a kind of fact: the vocabulary that sources and the
// catalogue share. Key lists the fields that, with the subject, identify what is
// measured, so that two samples of it can be paired.
type FactKind struct {
	Name    string
	Subject SubjectKind
	Doc     string
	Key     []string
	Fields  []Field
}

// FactKinds is the whole vocabulary, in the order of the documentation. A
// source that emits, or a mode that reads, anything else fails a test.
var FactKinds = slices.Concat(engineFacts, hostFacts, netFacts, storageFacts, cloudFacts, proofFacts)

var factKindIndex = func() map[string]*FactKind {
	m := make(map[string]*FactKind, len(FactKinds))
	for i := range FactKinds {
		m[FactKinds[i].Name] = &FactKinds[i]
	}
	return m
}()

// LookupFact returns the declaration of a fact kind, nil when there is none.
func LookupFact(kind string) *FactKind { return factKindIndex[kind] }

// Field returns the declaration of a field, nil when there is none.
func (k *FactKind) Field(name string) *Field {
	for i := range k.Fields {
		if k.Fields[i].Name == name {
			return &k.Fields[i]
		}
	}
	return nil
}

// IsCounter reports whether the kind carries a counter, so that two samples
// make a delta.
func (k *FactKind) IsCounter() bool {
	return slices.ContainsFunc(k.Fields, func(f Field) bool { return f.Number == Counter })
}

// Check reports the first thing in which the fact departs from its declaration.
func (f Fact) Check() error {
	k := LookupFact(f.Kind)
	if k == nil {
		return fmt.Errorf("fact %q: kind is not declared; add it to the fact table", f.Kind)
	}
	for name, v := range f.Fields {
		field := k.Field(name)
		if field == nil {
			return fmt.Errorf("fact %s: field %q is not declared; add it to the fact table", f.Kind, name)
		}
		ok := false
		switch field.Type {
		case String:
			_, ok = v.(string)
		case Int:
			_, ok = v.(int64)
		case Float:
			_, ok = v.(float64)
		case Bool:
			_, ok = v.(bool)
		case Strings:
			_, ok = v.([]string)
		}
		if !ok {
			return fmt.Errorf("fact %s: field %q is a %T, declared as %s", f.Kind, name, v, field.Type)
		}
	}
	return nil
}

// counterFields are the fields of every kind that carries one named counter a
// fact. Sources set name and value; Deltas adds the rest from two samples.
func counterFields(since, names string) []Field {
	return []Field{
		{Name: "name", Type: String, Doc: "name of the counter: " + names},
		{Name: "value", Type: Int, Number: Counter, Since: since, Doc: "the count"},
		{Name: "delta", Type: Int, Number: Instant, Doc: "growth between two samples; absent with one sample or when the counter was reset between them"},
		{Name: "seconds", Type: Float, Unit: "s", Number: Instant, Doc: "time between the two samples"},
		{Name: "reset", Type: Bool, Doc: "the counter went back between two samples: its owner was reset"},
	}
}

func str(name, doc string) Field  { return Field{Name: name, Type: String, Doc: doc} }
func list(name, doc string) Field { return Field{Name: name, Type: Strings, Doc: doc} }
func flag(name, doc string) Field { return Field{Name: name, Type: Bool, Doc: doc} }
func state(name, unit, doc string) Field {
	return Field{Name: name, Type: Int, Unit: unit, Number: State, Doc: doc}
}
func gauge(name, unit, doc string) Field {
	return Field{Name: name, Type: Int, Unit: unit, Number: Instant, Doc: doc}
}
func ratio(name, unit, doc string) Field {
	return Field{Name: name, Type: Float, Unit: unit, Number: Instant, Doc: doc}
}
