package main

import (
	"bytes"
	"maps"
	"slices"

	"ddx"
	"ddx/dig"
	"ddx/dns"
	"ddx/source"
)

// lookupFacts classifies the DNS answers among the items of a take: all looks
// at one name, in the order of their times, so that what the name used to have
// is known when it is empty. Source gives the single answers; this adds one
// dns.verdict a name, that of the last look.
func lookupFacts(t source.Take) []ddx.Fact {
	looks := map[string][]dns.Answers{}
	origin := map[string]string{}
	for i := range t.Items {
		it := &t.Items[i]
		if it.Data == nil || it.Absent != "" || !bytes.Contains(it.Data, []byte("DiG")) && !bytes.Contains(it.Data, []byte(";; ")) {
			continue
		}
		answers, err := dig.Read(bytes.NewReader(it.Data), it.Time)
		if err != nil {
			continue // no run of dig in it; what it is otherwise, source has said
		}
		for _, a := range answers {
			looks[a.Name] = append(looks[a.Name], a)
			origin[a.Name] = it.Origin
		}
	}
	var facts []ddx.Fact
	for _, name := range slices.Sorted(maps.Keys(looks)) {
		all := looks[name]
		slices.SortStableFunc(all, func(a, b dns.Answers) int { return a.Time.Compare(b.Time) })
		verdicts := dns.Replay(all, dns.Baseline{})
		last := verdicts[len(verdicts)-1]
		if len(last.Findings) == 0 || last.Level == dns.Suspect {
			continue // nothing wrong with it, or nothing says what was expected
		}
		f := dns.VerdictFact(last, origin[name])
		f.Time = last.Time
		facts = append(facts, f)
	}
	return facts
}
