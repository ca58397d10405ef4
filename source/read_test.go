package source

import (
	"fmt"

	"ddx"
)

// readItem recognises a small item and emits its facts. It returns the reader
// used, nil when the form is unknown.
func readItem(it *Item, emit func(ddx.Fact)) (*Reader, error) {
	rd, err := Recognise(it)
	if rd == nil || err != nil {
		return nil, err
	}
	it.Reader = rd.Name
	if rd.Log || rd.Read == nil {
		return rd, nil
	}
	if err := rd.Read(it, emit); err != nil {
		return rd, fmt.Errorf("read %s as %s: %w", it.Origin, rd.Name, err)
	}
	return rd, nil
}

// deltasOf is deltas over whole samples, the first one first.
func deltasOf(samples ...[]ddx.Fact) []ddx.Fact {
	var facts []sampled
	for n, sample := range samples {
		for _, f := range sample {
			facts = append(facts, sampled{Fact: f, sample: n})
		}
	}
	return deltas(facts)
}
