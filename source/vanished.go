package source

import (
	"maps"
	"slices"

	"ddx"
)

// listings are the samples of each listing of rules or routes in a session, by
// kind and command: for every sample the commands given since the one before.
type listings map[string]map[int][]string

// listingsOf finds the listings. Only kinds whose facts stand for lines that a
// whole listing shows are looked at: what it does not show is not there.
func listingsOf(facts []sampled) listings {
	l := listings{}
	for i := range facts {
		f := &facts[i]
		if f.Kind != "rule" && f.Kind != "route" || f.listing == "" {
			continue
		}
		key := f.Kind + "\x00" + f.listing
		if l[key] == nil {
			l[key] = map[int][]string{}
		}
		l[key][f.sample] = f.between
	}
	return l
}

// mark marks a fact gone that a later sample of its listing does not have.
func (l listings) mark(f ddx.Fact, from *sampled) ddx.Fact {
	samples := l[f.Kind+"\x00"+from.listing]
	after := []string{}
	for _, n := range slices.Sorted(maps.Keys(samples)) {
		if n > from.sample {
			f.Fields = maps.Clone(f.Fields)
			f.Fields["gone"] = true
			after = append(after, samples[n]...)
		}
	}
	if len(after) > 0 {
		f.Fields["gone_after"] = after
	}
	return f
}
