package simulate

import (
	"bytes"
	"context"
	"ddx/golden"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// wellFormed fails unless the picture is well-formed XML.
func wellFormed(t *testing.T, what, picture string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(picture))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
}

func quiet(int, int) {}

// The law and the phase diagram, five seeds each. The border of the law may lie
// 0.1 in X beside the published one: within it, seeds differ.
func TestLeaseLaw(t *testing.T) {
	g, err := LeaseLaw(context.Background(), 5, quiet)
	if err != nil {
		t.Fatal(err)
	}
	// Published: all five recover up to this X, none from that X on.
	for i, want := range []struct{ up, none float64 }{{1.8, 2.0}, {1.7, 1.9}, {1.7, 1.8}} {
		for j, c := range g.Cells[i] {
			x := lawXs[j]
			if x <= want.up-0.1+1e-9 && c.Kind != "recovers" || x >= want.none+0.1-1e-9 && c.Kind != "collapsed" {
				t.Errorf("utilisation %s, X %v: %s %s", g.Y[i], x, c.Kind, c.Text)
			}
		}
	}
}

func TestLeasePhases(t *testing.T) {
	g, err := LeasePhases(context.Background(), 5, quiet)
	if err != nil {
		t.Fatal(err)
	}
	// Published regions, by outage (rows) and X = 1, 1.5, 2, 2.25, 3, 3.75, 6.
	want := []string{"SSSSSSS", "SSSSSSS", "RRRRRRR", "RRRRRCC", "RRRRCCC", "RRCCCCC", "RRCCCCC", "RRCCCCC"}
	for i, row := range g.Cells {
		got := ""
		for _, c := range row {
			got += strings.ToUpper(c.Kind[:1])
		}
		for j := range got {
			// Tolerance: beside a border, seeds may differ.
			border := j > 0 && want[i][j-1] != want[i][j] || j+1 < len(got) && want[i][j+1] != want[i][j]
			if got[j] != want[i][j] && !(border && got[j] == 'M') {
				t.Errorf("outage %s, X %s: %c, want %c", g.Y[i], g.X[j], got[j], want[i][j])
			}
		}
	}
}

// The table of measures, five seeds each: who recovers must be exactly as
// published, and the time within a quarter, save for the two that throw stale
// items away, which depend on details of the queue that are not published.
func TestLeaseMeasures(t *testing.T) {
	published := map[string][2]float64{ // seconds to 99 %, 0: no seed recovers, -1: any time
		"none": {0, 0}, "drop-stale": {-1, -1}, "supersede": {465, 0}, "lifo": {570, 2650}, "bound-40": {520, 3000},
		"bound-1000": {0, 0}, "backoff": {540, 0}, "renewals-first": {0, 0}, "renewals-first+drop-stale": {-1, -1},
		"rate-limit": {0, 0}, "deadline-from-start": {450, 1860}, "freeze": {-1, -1}, "restart": {0, 0},
		"restart+throttle": {4500, 0}, "restart+weak-throttle": {0, 0},
	}
	const seeds = 5
	out, err := CompareMeasures(context.Background(), seeds, 95*time.Minute, quiet)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range out {
		want, ok := published[o.Measure]
		if !ok {
			t.Fatalf("no published result for %s", o.Measure)
		}
		switch w := want[i%2]; {
		case w == 0 && o.Recovered != 0, w != 0 && o.Recovered != seeds:
			t.Errorf("%s at X=%v: %d of %d seeds recover, published time %v", o.Measure, o.X, o.Recovered, seeds, w)
		case w > 0 && (o.From < w*0.75 || o.To > w*1.25):
			t.Errorf("%s at X=%v: %.0f to %.0f s, published %.0f", o.Measure, o.X, o.From, o.To, w)
		}
		if o.Stable != (o.Measure == "freeze") {
			t.Errorf("%s at X=%v: no lease lost: %v", o.Measure, o.X, o.Stable)
		}
	}
}

// In the collapsed state nothing useful is done and the queue only grows.
func TestLeaseCollapse(t *testing.T) {
	s := BaseLease()
	s.Seed, s.Horizon = 1, 2*time.Hour
	r := SimulateLease(s)
	if r.Recovered || r.LastLeased != 0 || r.Goodput > 0.03 || r.MaxQueue < 50_000 || s.X() != 3.75 {
		t.Errorf("recovered %v, leased %v, goodput %v, queue %d", r.Recovered, r.LastLeased, r.Goodput, r.MaxQueue)
	}
	again := SimulateLease(s)
	if fmt.Sprint(r) != fmt.Sprint(again) {
		t.Error("equal settings gave different runs")
	}
}

// What docs/lab.md says of the safeguards against flapping, at the base figures
// and where a change of state costs four times as much.
func TestFlapSafeguards(t *testing.T) {
	out, err := CompareFlapSafeguards(context.Background(), BaseFlap(), 5, quiet)
	if err != nil {
		t.Fatal(err)
	}
	by := make(map[string]FlapOutcome)
	var text bytes.Buffer
	for _, o := range out {
		by[o.Safeguard] = o
		fmt.Fprintf(&text, "%-16s changes %.0f, after propagation %.0f, healthy out %.0f, late %.3f, wrong removals %.1f, lowest %.2f, outage %.0f s\n",
			o.Safeguard, o.Flips, o.FlipsAfter, o.FalseLeaves, o.LateShare, o.WrongRemovals, o.Lowest, o.Out)
	}
	golden.Compare(t, "testdata/flap.golden", text.Bytes())
	none := by["none"]
	for _, name := range []string{"velocity-cap", "min-published", "fail-open", "kill-switch"} {
		if o := by[name]; o.Flips != none.Flips || o.Out >= none.Out || o.Out < none.Out/4 {
			t.Errorf("%s: %.0f changes and %.0f s, without %.0f and %.0f: want the damage less, the flapping the same", name, o.Flips, o.Out, none.Flips, none.Out)
		}
	}
	for _, name := range []string{"hysteresis", "hold-down", "readiness-gate", "load-shedding", "gate+shedding"} {
		if o := by[name]; o.Out != 0 || o.FalseLeaves != 0 {
			t.Errorf("%s: %.0f s, %.0f healthy nodes out: want none", name, o.Out, o.FalseLeaves)
		}
	}
	if o := by["quorum"]; o.Out < none.Out/2 {
		t.Errorf("quorum: %.0f s of %.0f: checks that are late are late everywhere", o.Out, none.Out)
	}
	hard := BaseFlap()
	hard.Checker.Extra = 80
	out, err = CompareFlapSafeguards(context.Background(), hard, 5, quiet)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range out {
		if cured := o.Safeguard == "load-shedding" || o.Safeguard == "gate+shedding"; cured != (o.Out == 0) {
			t.Errorf("a change costs 80 checks, %s: %.0f s of outage", o.Safeguard, o.Out)
		}
	}
}

// The replay goes through every component in the documented order, and each
// safeguard stops it at its own component.
func TestOutageReplay(t *testing.T) {
	run := func(set ...string) *Result {
		in := make(map[string]string)
		for _, name := range set {
			in[name] = "true"
		}
		r, err := Run(context.Background(), "outage2025", Options{Set: in})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	full := run()
	var text bytes.Buffer
	if err := full.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/outage2025.txt", text.Bytes())
	cell := func(r *Result, what string) string {
		for _, row := range r.Tables[0].Rows {
			if row[0] == what {
				return row[2]
			}
		}
		t.Fatalf("no row %q", what)
		return ""
	}
	for what, want := range map[string]string{"endpoint empty": "23:48", "records restored": "02:25", "propagation normal": "10:36"} {
		if got := cell(full, what); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	const not = "does not happen"
	for _, tt := range []struct{ safeguard, stopped, before string }{
		{"generation-cas", "endpoint empty", ""},
		{"freeze-leases", "every lease gone", "endpoint empty"},
		{"readiness-gate", "capacity short at the load balancer", "propagation normal"},
		{"load-shedding", "capacity short at the load balancer", "propagation normal"},
	} {
		r := run(tt.safeguard)
		if got := cell(r, tt.stopped); got != not {
			t.Errorf("%s: %s at %s, want it not to happen", tt.safeguard, tt.stopped, got)
		}
		if tt.before != "" && cell(r, tt.before) == not {
			t.Errorf("%s: %s does not happen either", tt.safeguard, tt.before)
		}
	}
	if got := cell(run("drop-stale"), "all leases back"); got >= "03:00" {
		t.Errorf("drop-stale: leases back at %s, want soon after 02:25", got)
	}
}

func TestResultForms(t *testing.T) {
	for name, set := range map[string]map[string]string{
		"lease":      {"sweep": "none", "measure": "restart+throttle", "horizon": "1h15m"},
		"flap":       {"sweep": "all", "seeds": "1"},
		"outage2025": nil,
	} {
		calls := 0
		r, err := Run(context.Background(), name, Options{Set: set, Progress: func(done, total int) {
			if calls++; done > total {
				t.Errorf("%s: progress %d of %d", name, done, total)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if name != "lease" && calls == 0 {
			t.Errorf("%s: no progress", name)
		}
		svg := r.SVG()
		wellFormed(t, name, svg)
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("%s: the picture holds values that are no numbers", name)
		}
		if page := r.HTML(); !strings.Contains(page, "<svg") || !strings.Contains(page, r.Title) {
			t.Errorf("%s: page without picture or title", name)
		}
		if b, err := json.Marshal(r); err != nil || !bytes.Contains(b, []byte(`"simulation":"`+name)) {
			t.Errorf("%s: JSON %v", name, err)
		}
		var text bytes.Buffer
		if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), r.Title) {
			t.Errorf("%s: text %v", name, err)
		}
	}
}

func TestSimulateErrors(t *testing.T) {
	for _, tt := range []struct{ name, key, value, want string }{
		{"rain", "", "", `no simulation "rain": choose one of lease, flap, outage2025`},
		{"lease", "colour", "red", `no setting "colour"`},
		{"lease", "measure", "hope", "choose one of none,"},
		{"lease", "outage", "long", "want a duration"},
		{"lease", "droplets", "-1", "want a number"},
		{"outage2025", "freeze-leases", "maybe", "want true or false"},
	} {
		set := map[string]string{}
		if tt.key != "" {
			set[tt.key] = tt.value
		}
		_, err := Run(context.Background(), tt.name, Options{Set: set})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %s=%s: %v, want %q", tt.name, tt.key, tt.value, err, tt.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, "flap", Options{}); err == nil {
		t.Error("canceled: no error")
	}
}

func FuzzSetting(f *testing.F) {
	f.Add("outage", "20m")
	f.Add("seeds", "1e3")
	f.Add("measure", "none")
	f.Fuzz(func(t *testing.T, name, value string) {
		for _, s := range Simulations() {
			if in, err := s.settings(map[string]string{name: value}); err == nil && in[name] != value {
				t.Errorf("%s: %s=%q was taken as %q", s.Name, name, value, in[name])
			}
		}
	})
}
