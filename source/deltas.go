package source

import (
	"maps"
	"slices"
	"strings"

	"ddx"
)

// sampled is a fact with the number of the sample that it was read from, and
// what made the sample.
type sampled struct {
	ddx.Fact
	sample  int
	listing string   // the name of its item: the command
	between []string // commands given since the sample before
}

// deltas pairs the facts of several samples of one host, each thing's samples in
// order: those of one kind and subject whose key fields agree. Of each thing only
// the facts of its last sample are kept, in their order. A counter among them
// gets delta and seconds against the first sample, or reset when it went back on
// the way; a delta is never negative. A thing seen in one sample gets neither. A
// rule or route that a later listing does not show any more is marked gone.
func deltas(facts []sampled) []ddx.Fact {
	type thing struct {
		last int
		at   []int // indices of its facts, in the order of the samples
	}
	things := map[string]*thing{}
	keys := make([]string, len(facts))
	several := false
	for i := range facts {
		several = several || facts[i].sample != facts[0].sample
	}
	if !several {
		out := make([]ddx.Fact, len(facts))
		for i := range facts {
			out[i] = facts[i].Fact
		}
		return out
	}
	for i := range facts {
		keys[i] = measurement(&facts[i].Fact)
		t := things[keys[i]]
		if t == nil {
			t = &thing{}
			things[keys[i]] = t
		}
		t.last = max(t.last, facts[i].sample)
		t.at = append(t.at, i)
	}
	listings := listingsOf(facts)
	out := make([]ddx.Fact, 0, len(facts))
	for i := range facts {
		t := things[keys[i]]
		if facts[i].sample != t.last {
			continue
		}
		f := facts[i].Fact
		if counter := counterOf(f.Kind); counter != "" {
			f = paired(f, facts, t.at, i, counter)
		}
		out = append(out, listings.mark(f, &facts[i]))
	}
	return out
}

// identity names what a fact measures.
func identity(f *ddx.Fact) string {
	k := ddx.LookupFact(f.Kind)
	var b strings.Builder
	b.WriteString(f.Kind)
	b.WriteByte(0)
	b.WriteString(f.Subject.String())
	if k != nil {
		for _, name := range k.Key {
			b.WriteByte(0)
			b.WriteString(f.String(name))
		}
	}
	return b.String()
}

// measurement is identity together with the reader and the file or command. Two
// readers measure two things, even under one name: /proc/net/dev counts as
// dropped what ip -s link counts as missed, and neither is a second look at the
// other; /proc/diskstats and /sys/block look at one disk at different moments.
func measurement(f *ddx.Fact) string {
	if len(f.Evidence) == 0 {
		return identity(f)
	}
	return identity(f) + "\x00" + f.Evidence[0].Kind + "\x00" + itemOrigin(f)
}

// itemOrigin is the origin of the item that a fact was read from.
func itemOrigin(f *ddx.Fact) string {
	if len(f.Evidence) == 0 {
		return ""
	}
	origin := f.Evidence[0].Origin
	if i := strings.LastIndexByte(origin, ':'); i > 0 {
		return origin[:i]
	}
	return origin
}

// distinct leaves out a fact that says nothing beyond an earlier one of the
// same thing from other material: a host tells much of itself twice.
func distinct(facts []ddx.Fact) []ddx.Fact {
	type said struct {
		fact *ddx.Fact
		item string
	}
	before := map[string][]said{}
	out := facts[:0:0]
	for i := range facts {
		f := &facts[i]
		if f.Kind == "unavailable" || f.Kind == "unrecognised" || f.Kind == "uneventful" {
			out = append(out, *f)
			continue
		}
		key, item := identity(f), itemOrigin(f)
		repeats := slices.ContainsFunc(before[key], func(s said) bool { return s.item != item && covers(s.fact, f) })
		if repeats {
			continue
		}
		if n := len(before[key]); n < 8 { // more facts of one thing are a list, not a repetition
			before[key] = append(before[key], said{f, item})
		}
		out = append(out, *f)
	}
	return out
}

// covers reports whether a says all that b says.
func covers(a, b *ddx.Fact) bool {
	for name, v := range b.Fields {
		w, ok := a.Fields[name]
		if !ok {
			return false
		}
		if list, isList := v.([]string); isList {
			other, _ := w.([]string)
			if !slices.Equal(list, other) {
				return false
			}
		} else if v != w {
			return false
		}
	}
	return true
}

// counterOf returns the counter field of a kind that can carry a delta.
func counterOf(kind string) string {
	k := ddx.LookupFact(kind)
	if k == nil || k.Field("delta") == nil {
		return ""
	}
	for _, f := range k.Fields {
		if f.Number == ddx.Counter {
			return f.Name
		}
	}
	return ""
}

// paired gives the fact at index last what it grew by since the first sample.
// Two facts of one sample with one identity cannot be told apart: no delta.
func paired(f ddx.Fact, facts []sampled, at []int, last int, counter string) ddx.Fact {
	if len(at) < 2 {
		return f
	}
	reset := false
	var previous int64
	for n, i := range at {
		v, ok := facts[i].Int(counter)
		if !ok || n > 0 && facts[i].sample == facts[at[n-1]].sample {
			return f
		}
		reset = reset || n > 0 && v < previous
		previous = v
	}
	first := facts[at[0]]
	f.Fields = maps.Clone(f.Fields)
	if reset {
		f.Fields["reset"] = true
	} else {
		from, _ := first.Int(counter)
		to, _ := facts[last].Int(counter)
		f.Fields["delta"] = to - from
	}
	if !f.Time.IsZero() && !first.Time.IsZero() {
		if d := f.Time.Sub(first.Time).Seconds(); d > 0 {
			f.Fields["seconds"] = d
		}
	}
	f.Evidence = append(f.Evidence[:len(f.Evidence):len(f.Evidence)], first.Evidence...)
	return f
}
