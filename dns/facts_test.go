package dns

import "testing"

// Every fact keeps to its declaration in the root package.
func TestFacts(t *testing.T) {
	a := answers(t, t0, lookEmpty, lookLame, "resolver 192.0.2.9:53 api.x. A NOERROR | api.x. 12 A 10.0.0.1")
	a.Replies[1].EDE = []EDE{{Code: 20}}
	a.Replies = append(a.Replies, Reply{Server: Server{Addr: "192.0.2.7:53", Role: Resolver}, Name: "api.x.", Type: "A", Outcome: Refused, Transport: "tcp", Time: t0})
	v := Classify(a, Baseline{Addresses: []string{"10.0.0.1"}})
	facts := Facts(a, v, "ddx dns check api.x")
	for _, f := range facts {
		if err := f.Check(); err != nil {
			t.Error(err)
		}
		if len(f.Evidence) == 0 || f.Evidence[0].Text == "" {
			t.Errorf("%s has no evidence", f.Kind)
		}
	}
	last := facts[len(facts)-1]
	if last.Kind != "dns.verdict" || last.Subject.Name != "api.x" || last.Fields["class"] != "nodata" || last.Fields["expected"] != true {
		t.Errorf("%+v", last)
	}
	if len(facts) != 5 {
		t.Errorf("%d facts, want an answer for each of 4 servers and a verdict", len(facts))
	}
}
