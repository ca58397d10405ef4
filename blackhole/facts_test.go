package blackhole

import (
	"testing"

	"ddx"
)

// The windows become facts that the vocabulary declares.
func TestJoinFacts(t *testing.T) {
	facts := Join(scene{seconds: 1200, lost: between(400, 700)}.build()).Facts()
	var hole *ddx.Fact
	for i, f := range facts {
		if err := f.Check(); err != nil {
			t.Error(err)
		}
		if f.String("kind") == "delivered-not-received" {
			hole = &facts[i]
		}
	}
	if hole == nil {
		t.Fatalf("%+v", facts)
	}
	if ran, ok := hole.Bool("guest_ran_on"); !ok || !ran || hole.Subject != (ddx.Subject{Kind: ddx.NIC, Name: "eth0"}) || hole.String("eni") != eniA || len(hole.Strings("alternatives")) != 0 {
		t.Errorf("%+v", hole)
	}
}
