package source

import (
	"maps"
	"strings"

	"ddx"
)

// sampled is a fact with the number of the sample that it was read from.
type sampled struct {
	ddx.Fact
	sample int
}

// Deltas pairs the facts of several samples of one host, the first sample
// first: those of one kind and subject whose key fields agree. Of each thing only the facts of its
// last sample are kept, in their order. A counter among them gets delta and
// seconds against the first sample, or reset when it went back on the way; a
// delta is never negative. A thing seen in one sample gets neither.
func Deltas(samples ...[]ddx.Fact) []ddx.Fact {
	var facts []sampled
	for n, sample := range samples {
		for _, f := range sample {
			facts = append(facts, sampled{f, n})
		}
	}
	return deltas(facts)
}

// deltas is Deltas over facts in any order of things, each thing's samples in order.
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
		keys[i] = identity(&facts[i].Fact)
		t := things[keys[i]]
		if t == nil {
			t = &thing{}
			things[keys[i]] = t
		}
		t.last = max(t.last, facts[i].sample)
		t.at = append(t.at, i)
	}
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
		out = append(out, f)
	}
	return out
}

// identity names what a fact measures, and by which reader: lsblk and
// /proc/diskstats say different things of one disk, and only the second is
// sampled again.
func identity(f *ddx.Fact) string {
	k := ddx.LookupFact(f.Kind)
	var b strings.Builder
	b.WriteString(f.Kind)
	b.WriteByte(0)
	b.WriteString(f.Subject.String())
	if len(f.Evidence) > 0 {
		b.WriteByte(0)
		b.WriteString(f.Evidence[0].Kind)
	}
	if k != nil {
		for _, name := range k.Key {
			b.WriteByte(0)
			b.WriteString(f.String(name))
		}
	}
	return b.String()
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
