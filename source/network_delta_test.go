package source

import (
	"testing"

	"ddx"
)

// TestDeltasOfTwoReaders: a live host is asked for interface counters in two
// ways. Each pairs with itself, though their names are the same and their
// meanings are not.
func TestDeltasOfTwoReaders(t *testing.T) {
	samples := make([][]ddx.Fact, 2)
	for i, x := range []struct{ link, dev string }{
		{"2: eth0: <UP> mtu 1500\n    RX: bytes packets errors dropped missed mcast\n    100 10 0 5 3 0\n", "  eth0: 100 10 0 8 0 0 0 0 7 1 0 0 0 0 0 0\n"},
		{"2: eth0: <UP> mtu 1500\n    RX: bytes packets errors dropped missed mcast\n    200 20 0 6 7 0\n", "  eth0: 200 20 0 13 0 0 0 0 7 1 0 0 0 0 0 0\n"},
	} {
		for reader, text := range map[string]string{"ip-link": x.link, "net-dev": x.dev} {
			if _, err := readItem(&Item{Origin: reader, Data: []byte(text), Reader: reader}, func(f ddx.Fact) { samples[i] = append(samples[i], f) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := map[string]int64{}
	for _, f := range deltasOf(samples...) {
		if f.String("name") == "rx_dropped" {
			delta, ok := f.Int("delta")
			if !ok {
				t.Errorf("no delta for %v of %s", f.Fields, f.Evidence[0].Kind)
			}
			got[f.Evidence[0].Kind] = delta
		}
	}
	if got["ip-link"] != 1 || got["net-dev"] != 5 {
		t.Errorf("deltas of rx_dropped: %v, want 1 by ip-link and 5 by net-dev", got)
	}
}
