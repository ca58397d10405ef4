package diagnose

import (
	"math"
	"math/rand/v2"
	"testing"

	"ddx"
)

func TestWilson(t *testing.T) {
	for _, tt := range []struct {
		right, n  int
		low, high float64
	}{
		{0, 0, 0, 1},
		{0, 10, 0, 0.278},
		{10, 10, 0.722, 1},
		{5, 10, 0.237, 0.763},
		{60, 65, 0.832, 0.967},
	} {
		low, high := wilson(tt.right, tt.n)
		if math.Abs(low-tt.low) > 0.001 || math.Abs(high-tt.high) > 0.001 {
			t.Errorf("%d of %d: %.3f to %.3f, want %.3f to %.3f", tt.right, tt.n, low, high, tt.low, tt.high)
		}
	}
}

// Weights that made the labels are found again, whatever the start.
func TestFitFindsWeights(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	truth := []float64{6, 3, 2, 1, -1, -2, -3, -6}
	var all []sample
	for i := range 20000 {
		s := sample{fold: i, prior: -3, terms: make([]float64, len(classes))}
		for range 1 + r.IntN(3) {
			s.terms[r.IntN(len(classes))]++
		}
		s.right = r.Float64() < logistic(s.score(truth))
		all = append(all, s)
	}
	start := make([]float64, len(classes))
	got := fitWeights(all, start)
	for i := range truth[:7] { // what refutes leaves nothing to see
		if math.Abs(got[i]-truth[i]) > 0.5 {
			t.Errorf("%s %s: %.2f, want %.2f", classes[i].effect, classes[i].strength, got[i], truth[i])
		}
	}
	if kept := fitWeights(nil, truth); kept[0] != truth[0] {
		t.Errorf("without samples %v, want what is in use", kept)
	}
}

func TestCalibrate(t *testing.T) {
	cat := loadCatalogue(t)
	match := func(indicator, nic string) ddx.Fact {
		return ddx.Fact{Kind: "log.match", Subject: ddx.Subject{Kind: ddx.NIC, Name: nic}, Fields: map[string]any{"indicator": indicator, "count": int64(1), "peak": int64(1)},
			Evidence: []ddx.Evidence{{Origin: "a:1", Text: "x"}}}
	}
	keepalive := match("ena-keepalive-timeout/watchdog-line", "eth0")
	read := match("ena-mmio-read-timeout/read-timeout", "eth0")
	c, err := Calibrate(cat, []Case{
		{"right", "ena-keepalive-timeout", []ddx.Fact{keepalive}},
		{"wrong", "disk-full", []ddx.Fact{keepalive}},
		{"missed", "disk-full", nil},
		{"quiet", NoMode, nil},
		{"loud", NoMode, []ddx.Fact{read}},
	}, testNow)
	if err != nil {
		t.Fatal(err)
	}
	if c.Positive != 3 || c.Top1 != 1 || c.Top3 != 1 || c.Negative != 2 || c.Quiet != 1 {
		t.Errorf("positive %d top-1 %d top-3 %d negative %d quiet %d", c.Positive, c.Top1, c.Top3, c.Negative, c.Quiet)
	}
	want := []Confusion{{"disk-full", "ena-keepalive-timeout", 1}, {"disk-full", NoMode, 1}, {NoMode, "ena-mmio-read-timeout", 1}}
	if len(c.Confusion) != len(want) {
		t.Fatalf("confusion %v, want %v", c.Confusion, want)
	}
	for i := range want {
		if c.Confusion[i] != want[i] {
			t.Errorf("confusion %d: %v, want %v", i, c.Confusion[i], want[i])
		}
	}
	if v := c.Verdicts[0]; v.Class != "confirmed" || v.Findings != 2 || v.Right != 1 || v.Share != 0.5 {
		t.Errorf("confirmed: %+v", v)
	}
	if v := c.Verdicts[1]; v.Class != "likely" || v.Findings != 1 || v.Right != 0 {
		t.Errorf("likely: %+v", v)
	}
	if c.Loss.Findings != 3 || len(c.Weights) != len(classes) {
		t.Errorf("loss %+v, %d weights", c.Loss, len(c.Weights))
	}
	c, err = Calibrate(cat, []Case{{"x", "no-such-mode", nil}}, testNow)
	if err != nil || len(c.Unknown) != 1 || c.Positive != 1 || c.Top1 != 0 {
		t.Errorf("a label that is no mode: %v, %+v", err, c)
	}
}
