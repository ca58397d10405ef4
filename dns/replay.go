package dns

import "time"

// Replay classifies a sequence of looks, each against what the earlier looks
// at the same name showed. known is what was expected before the first.
func Replay(looks []Answers, known Baseline) []Verdict {
	base := map[string]Baseline{}
	var out []Verdict
	for _, a := range looks {
		b, ok := base[a.Name]
		if !ok {
			b = known
		}
		v := Classify(a, b)
		out = append(out, v)
		base[a.Name] = b.learn(a, v)
	}
	return out
}

// learn returns the baseline after a look: addresses that were given, the
// highest generation, and since when the authorities disagree. An empty look
// teaches nothing.
func (b Baseline) learn(a Answers, v Verdict) Baseline {
	if len(v.Addresses) > 0 && !v.Has(Shrunk) && !v.Has(Regressed) {
		b.Addresses = v.Addresses
	}
	b.Generation = max(b.Generation, v.Generation)
	b.Serial = highestSerials(b.Serial, a)
	switch {
	case !v.Has(Disagree):
		b.DisagreeSince = time.Time{}
	case b.DisagreeSince.IsZero():
		b.DisagreeSince = a.Time
	}
	return b
}
