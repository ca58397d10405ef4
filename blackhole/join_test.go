package blackhole

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"ddx/counters"
	"ddx/flowlog"
)

const (
	eniA = "eni-0123456789abcdef0"
	eniB = "eni-0fedcba9876543210"
	t0   = 1_700_000_040 // begin of a minute
)

// scene builds both sides second by second: what the network delivers, what
// the guest's counter does, and what its collector records.
type scene struct {
	seconds  int
	interval int64
	step     int // of the guest's samples
	rate     func(sec int) int
	lost     func(sec int) bool // delivered, not received
	silent   func(sec int) bool // no samples
	paused   func(sec int) bool // nothing runs: no samples, no processor time
	down     func(sec int) bool // state of the interface
	resetAt  int
	offset   int // added to the guest's clock
	tx       func(sec int) int
	skip     func(sec int) bool
}

func never(int) bool { return false }

func between(a, b int) func(int) bool { return func(s int) bool { return s >= a && s < b } }

func (s scene) build() JoinInput {
	for _, f := range []*func(int) bool{&s.lost, &s.silent, &s.paused, &s.down, &s.skip} {
		if *f == nil {
			*f = never
		}
	}
	if s.rate == nil {
		s.rate = func(sec int) int { return 20 + sec*7%13 }
	}
	if s.interval == 0 {
		s.interval = 60
	}
	if s.step == 0 {
		s.step = 10
	}
	if s.tx == nil {
		s.tx = s.rate
	}
	n := NetworkSeries{Interface: eniA, Interval: time.Duration(s.interval) * time.Second, Direction: "given"}
	metric := func(iface, m string, k counters.Kind) *counters.Series {
		return &counters.Series{Host: "h", Interface: iface, Metric: m, Kind: k, Step: time.Duration(s.step) * time.Second, Origin: "test"}
	}
	rx, tx, cpu := metric("eth0", counters.RxPackets, counters.Cumulative), metric("eth0", counters.TxPackets, counters.Cumulative), metric("", counters.CPU, counters.Cumulative)
	up, errs := metric("eth0", counters.Up, counters.State), metric("eth0", counters.RxErrors, counters.Cumulative)
	rxN, txN, cpuN := 1e6, 5e5, 1e4
	for sec := range s.seconds {
		at := int64(t0 + sec)
		start := at - at%s.interval
		if len(n.Buckets) == 0 || n.Buckets[len(n.Buckets)-1].Start != start {
			n.Buckets = append(n.Buckets, Bucket{Start: start})
		}
		b := &n.Buckets[len(n.Buckets)-1]
		b.In += uint64(s.rate(sec))
		b.Skipped = b.Skipped || s.skip(sec)
		if s.resetAt != 0 && sec == s.resetAt {
			rxN, txN = 0, 0
		}
		if sec%s.step == 0 && !s.silent(sec) && !s.paused(sec) {
			when := time.Unix(at+int64(s.offset), 0).UTC()
			state := 1.0
			if s.down(sec) {
				state = 0
			}
			for m, v := range map[*counters.Series]float64{rx: rxN, tx: txN, cpu: cpuN, up: state, errs: 0} {
				m.Samples = append(m.Samples, counters.Sample{Time: when, Value: v})
			}
		}
		if !s.paused(sec) {
			cpuN++
			if !s.lost(sec) && !s.down(sec) {
				rxN += float64(s.rate(sec))
				txN += float64(s.tx(sec))
				b.Out += uint64(s.tx(sec))
			}
		}
	}
	return JoinInput{Network: []NetworkSeries{n}, Guest: []counters.Series{*rx, *tx, *cpu, *up, *errs}}
}

// holes gives the windows of a kind, as seconds of the scene.
func holes(j *Joined, kind WindowKind) (out [][2]float64, windows []Window) {
	for _, i := range j.Interfaces {
		for _, w := range i.Windows {
			if w.Kind == kind {
				out = append(out, [2]float64{unix(w.Start) - t0, unix(w.End) - t0})
				windows = append(windows, w)
			}
		}
	}
	return out, windows
}

func verdictOf(w Window, what string) string {
	for _, x := range w.Explanations {
		if x.What == what {
			return x.Verdict
		}
	}
	return ""
}

func TestJoinBlackHole(t *testing.T) {
	in := scene{seconds: 1200, lost: between(395, 705)}.build()
	j := Join(in)
	at, w := holes(j, DeliveredNotReceived)
	if len(at) != 1 || math.Abs(at[0][0]-395) > 10 || math.Abs(at[0][1]-705) > 10 {
		t.Fatalf("windows %v, want one of 395..705", at)
	}
	if w[0].BlackHole != "yes" || w[0].Certainty != "high" || w[0].GuestRan != "yes" || w[0].GuestPackets > 200 || w[0].NetworkPackets < 7000 {
		t.Errorf("%+v", w[0])
	}
	if j.Interfaces[0].PairedBy != "only-one" || j.BlackHoles() != 1 {
		t.Errorf("%+v", j)
	}
	if got, _ := holes(j, DeliveredReceived); len(got) != 2 {
		t.Errorf("delivered-received %v", got)
	}
	// Without the state of the interface it stays open that it was down.
	in.Guest = in.Guest[:3]
	_, w = holes(Join(in), DeliveredNotReceived)
	if len(w) != 1 || w[0].BlackHole != "possible" || w[0].Certainty != "medium" || verdictOf(w[0], "interface-down") != "unknown" {
		t.Errorf("%+v", w)
	}
	// Nor without any sign of life but the samples themselves.
	in.Guest = in.Guest[:1]
	_, w = holes(Join(in), DeliveredNotReceived)
	if len(w) != 1 || w[0].GuestRan != "yes" || !strings.Contains(w[0].GuestRanBecause, "collector") {
		t.Errorf("%+v", w)
	}
}

// Each of the look-alikes is told apart.
func TestJoinLookAlikes(t *testing.T) {
	t.Run("control", func(t *testing.T) {
		j := Join(scene{seconds: 1200}.build())
		if at, _ := holes(j, DeliveredNotReceived); len(at) != 0 || len(j.Interfaces[0].Gaps) != 0 || len(j.Interfaces[0].Windows) != 1 {
			t.Errorf("%+v", j)
		}
	})
	t.Run("interface down", func(t *testing.T) {
		_, w := holes(Join(scene{seconds: 1200, lost: between(400, 700), down: between(400, 700)}.build()), DeliveredNotReceived)
		if len(w) != 1 || w[0].BlackHole != "no" || verdictOf(w[0], "interface-down") != "yes" {
			t.Errorf("%+v", w)
		}
	})
	t.Run("collector stopped", func(t *testing.T) {
		j := Join(scene{seconds: 1200, silent: between(400, 700)}.build())
		at, _ := holes(j, DeliveredNotReceived)
		g := j.Interfaces[0].Gaps
		if len(at) != 0 || len(g) != 1 || g[0].GuestRan != "yes" || !strings.Contains(g[0].Meaning, "only the monitoring") {
			t.Errorf("windows %v gaps %+v", at, g)
		}
	})
	t.Run("paused", func(t *testing.T) {
		j := Join(scene{seconds: 1200, paused: between(400, 700), lost: between(400, 700)}.build())
		g := j.Interfaces[0].Gaps
		if j.BlackHoles() != 0 || len(g) != 1 || g[0].GuestRan != "no" || !strings.Contains(g[0].Meaning, "paused") {
			t.Errorf("%+v", j.Interfaces[0])
		}
	})
	t.Run("rebooted", func(t *testing.T) {
		j := Join(scene{seconds: 1200, paused: between(400, 500), lost: between(400, 500), resetAt: 500}.build())
		g := j.Interfaces[0].Gaps
		if j.BlackHoles() != 0 || len(g) != 1 || !strings.Contains(g[0].Meaning, "rebooted") || g[0].GuestPackets != nil {
			t.Errorf("%+v", j.Interfaces[0])
		}
	})
	t.Run("black hole while the collector is silent", func(t *testing.T) {
		j := Join(scene{seconds: 1200, silent: between(395, 715), lost: between(395, 715)}.build())
		_, w := holes(j, DeliveredNotReceived)
		if len(w) != 1 || w[0].GuestRan != "yes" || w[0].BlackHole != "possible" || w[0].Certainty != "medium" {
			t.Errorf("%+v", j.Interfaces[0])
		}
	})
	t.Run("firewall in the guest", func(t *testing.T) {
		j := Join(scene{seconds: 1200, tx: func(s int) int {
			if s >= 420 && s < 720 {
				return 0
			}
			return 20
		}}.build())
		at, w := holes(j, DeliveredReceived)
		if j.BlackHoles() != 0 || len(at) != 3 || w[1].Answered != "no" || at[1] != [2]float64{420, 720} {
			t.Errorf("%v %+v", at, w)
		}
	})
	t.Run("no traffic", func(t *testing.T) {
		j := Join(scene{seconds: 1200, rate: func(s int) int {
			if s >= 420 && s < 720 {
				return 0
			}
			return 20
		}}.build())
		if at, _ := holes(j, Neither); j.BlackHoles() != 0 || len(at) != 1 || at[0] != [2]float64{420, 720} {
			t.Errorf("%v", at)
		}
	})
	t.Run("flow logs incomplete", func(t *testing.T) {
		in := scene{seconds: 1800}.build()
		b := in.Network[0].Buckets
		in.Network[0].Buckets = append(b[:7:7], b[12:25]...)
		at, w := holes(Join(in), NotDeliveredReceived)
		if len(at) != 2 || verdictOf(w[0], "delivery-delay") != "no" || verdictOf(w[1], "delivery-delay") != "yes" || at[0] != [2]float64{420, 720} {
			t.Errorf("%v %+v", at, w)
		}
	})
	t.Run("unlogged traffic is no incompleteness", func(t *testing.T) {
		in := scene{seconds: 1200}.build()
		for i := 7; i < 12; i++ {
			in.Network[0].Buckets[i] = Bucket{Start: in.Network[0].Buckets[i].Start, Skipped: true}
		}
		_, w := holes(Join(in), NotDeliveredReceived)
		if len(w) != 1 || verdictOf(w[0], "flow-log-loss") != "yes" {
			t.Errorf("%+v", w)
		}
	})
}

func TestJoinClock(t *testing.T) {
	vary := func(s int) int { return 20 + int(15*math.Sin(float64(s)/37)) + s/60*7919%23 }
	in := scene{seconds: 3600, offset: 40, rate: vary, lost: between(1200, 1500)}.build()
	j := Join(in)
	if math.Abs(j.ClockOffsetSeconds+40) > 10 || j.ClockOffsetFrom != "estimated" {
		t.Errorf("offset %v %s, want -40", j.ClockOffsetSeconds, j.ClockOffsetFrom)
	}
	if at, _ := holes(j, DeliveredNotReceived); len(at) != 1 || math.Abs(at[0][0]-1200) > 20 || math.Abs(at[0][1]-1500) > 20 {
		t.Errorf("windows %v", at)
	}
	// A steady signal says nothing of the clock, and no offset is made up.
	j = Join(scene{seconds: 3600, offset: 40, rate: func(int) int { return 20 }}.build())
	if j.ClockOffsetSeconds != 0 || j.ClockOffsetFrom != "assumed" {
		t.Errorf("offset %v %s of a steady signal", j.ClockOffsetSeconds, j.ClockOffsetFrom)
	}
	given := -40 * time.Second
	in.Offset = &given
	if j = Join(in); j.ClockOffsetFrom != "given" || j.ClockOffsetSeconds != -40 {
		t.Errorf("%+v", j)
	}
}

func TestPairing(t *testing.T) {
	in := scene{seconds: 600}.build()
	second := in.Network[0]
	second.Interface, second.Addresses = eniB, []string{"10.0.0.7"}
	in.Network = append(in.Network, second)
	other := in.Guest[0]
	other.Interface = "eth1"
	in.Guest = append(in.Guest, other)
	if j := Join(in); len(j.Interfaces) != 0 || len(j.Unpaired) != 2 {
		t.Errorf("two and two without evidence: %+v", j)
	}
	in.Identities = []flowlog.Identity{{Host: "h", Interface: "eth1", Addresses: []string{"10.0.0.7/24"}}}
	j := Join(in)
	if len(j.Interfaces) != 2 || j.Interfaces[0].Guest != "h/eth0" || j.Interfaces[0].PairedBy != "only-one" || j.Interfaces[1].PairedBy != "address" {
		t.Errorf("%+v", j)
	}
	in.Identities = []flowlog.Identity{{ENI: eniA, MAC: "02:AA:00:00:00:01"}, {Host: "h", Interface: "eth1", MAC: "02:aa:00:00:00:01"}}
	if j = Join(in); len(j.Interfaces) != 2 || j.Interfaces[0].Guest != "h/eth1" || j.Interfaces[0].PairedBy != "mac" {
		t.Errorf("%+v", j)
	}
	eni, to, err := ParseMap(eniA + "=h/eth1")
	if err != nil {
		t.Fatal(err)
	}
	in.Map = map[string]HostInterface{eni: to}
	in.Identities = nil
	if j = Join(in); len(j.Interfaces) != 2 || j.Interfaces[0].PairedBy != "map" || j.Interfaces[1].Guest != "h/eth0" {
		t.Errorf("%+v", j)
	}
	for _, bad := range []string{"", "eni", "eni=", "eni=h", "eni=h/", "=h/eth0"} {
		if _, _, err := ParseMap(bad); err == nil {
			t.Errorf("map %q was taken", bad)
		}
	}
}

// The JSON form is a contract.
func TestJoinJSON(t *testing.T) {
	b, err := json.Marshal(Join(scene{seconds: 1200, lost: between(400, 700)}.build()))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Interfaces []struct {
			Interface string
			Windows   []struct {
				Kind           string
				Start, End     time.Time
				NetworkPackets *uint64 `json:"network_packets"`
				GuestPackets   *uint64 `json:"guest_packets"`
				Certainty      string
			}
		}
		Offset *float64 `json:"clock_offset_seconds"`
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Interfaces) != 1 || got.Interfaces[0].Interface != eniA || len(got.Interfaces[0].Windows) != 3 || got.Offset == nil {
		t.Fatalf("%s", b)
	}
	for _, w := range got.Interfaces[0].Windows {
		if w.Kind == "" || w.Start.IsZero() || w.End.IsZero() || w.NetworkPackets == nil || w.GuestPackets == nil || w.Certainty == "" {
			t.Errorf("%s", b)
		}
	}
}

// The picture is well-formed, shows both lines and the window, and escapes
// what comes from outside.
func TestPicture(t *testing.T) {
	in := scene{seconds: 2400, lost: between(700, 1000), silent: between(1500, 1800)}.build()
	for i := range in.Guest {
		in.Guest[i].Host = `<script>"x"`
	}
	j := Join(in)
	var svg, page bytes.Buffer
	if err := j.WriteSVG(&svg); err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(bytes.NewReader(svg.Bytes()))
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
	}
	for _, want := range []string{`class="net"`, `class="guest"`, `class="bad"`, "black hole", "guest silent", "&lt;script&gt;"} {
		if !strings.Contains(svg.String(), want) {
			t.Errorf("no %s in the picture", want)
		}
	}
	if err := j.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	if s := page.String(); strings.Contains(s, "<script") || strings.Contains(s, "http://") && !strings.Contains(s, "http://www.w3.org/2000/svg") || !strings.Contains(s, "In one window") {
		t.Errorf("page:\n%.2000s", s)
	}
	if dir := os.Getenv("DDX_PICTURES"); dir != "" {
		for name, b := range map[string][]byte{"join.svg": svg.Bytes(), "join.html": page.Bytes()} {
			if err := os.WriteFile(fmt.Sprintf("%s/%s", dir, name), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Each guest has a clock of its own.
func TestJoinClocks(t *testing.T) {
	vary := func(s int) int { return 20 + int(15*math.Sin(float64(s)/37)) + s/60*7919%23 }
	in := scene{seconds: 3600, offset: 40, rate: vary}.build()
	other := scene{seconds: 3600, rate: vary, lost: between(1200, 1500)}.build()
	other.Network[0].Interface = eniB
	for i := range other.Guest {
		other.Guest[i].Host = "other"
	}
	in.Network, in.Guest = append(in.Network, other.Network...), append(in.Guest, other.Guest...)
	in.Map = map[string]HostInterface{eniA: {"h", "eth0"}, eniB: {"other", "eth0"}}
	j := Join(in)
	if len(j.Interfaces) != 2 || math.Abs(j.Interfaces[0].ClockOffsetSeconds+40) > 10 || math.Abs(j.Interfaces[1].ClockOffsetSeconds) > 10 {
		t.Fatalf("%+v", j.Interfaces)
	}
	if at, _ := holes(j, DeliveredNotReceived); len(at) != 1 || math.Abs(at[0][0]-1200) > 20 || math.Abs(at[0][1]-1500) > 20 {
		t.Errorf("windows %v", at)
	}
}

// Resets and wraps are told, wherever they are; a wrap loses no packet.
func TestJoinSteps(t *testing.T) {
	reset := Join(scene{seconds: 1200, resetAt: 600}.build()).Interfaces[0]
	if len(reset.Steps) != 1 || reset.Steps[0].Kind != "reset" || unix(reset.Steps[0].Time)-t0 != 600 {
		t.Errorf("%+v", reset.Steps)
	}
	in := scene{seconds: 1200}.build()
	for i := range in.Guest {
		s := &in.Guest[i]
		for k := range s.Samples {
			if s.Metric == counters.RxPackets {
				s.Samples[k].Value = math.Mod(s.Samples[k].Value-1e6+1<<32-10_000, 1<<32)
			}
		}
	}
	j := Join(in).Interfaces[0]
	if len(j.Steps) != 1 || j.Steps[0].Kind != "wrap" {
		t.Errorf("%+v", j.Steps)
	}
	for _, w := range j.Windows {
		if w.Kind != DeliveredReceived || math.Abs(float64(w.GuestPackets)-float64(w.NetworkPackets)) > float64(w.NetworkPackets)/20 {
			t.Errorf("%+v", w)
		}
	}
}
