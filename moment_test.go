package ddx_test

import (
	"testing"
	"time"

	"ddx"
)

func TestMoment(t *testing.T) {
	wall := time.Date(2026, 3, 1, 12, 0, 0, 5000, time.UTC)
	for _, m := range []ddx.Moment{{}, {Wall: wall}, {Mono: 12.000034}, {Mono: 1e7}} {
		if got := ddx.ParseMoment(m.String()); got != m {
			t.Errorf("%+v is written %q and read %+v", m, m, got)
		}
		if known := m != (ddx.Moment{}); m.Known() != known {
			t.Errorf("%+v: known %v", m, m.Known())
		}
	}
	if m := ddx.ParseMoment("yesterday"); m.Known() {
		t.Errorf("got %+v", m)
	}
	for _, tt := range []struct {
		a, b  ddx.Moment
		slack time.Duration
		want  bool
	}{
		{ddx.Moment{Wall: wall}, ddx.Moment{Wall: wall.Add(time.Second)}, 0, true},
		{ddx.Moment{Wall: wall}, ddx.Moment{Wall: wall.Add(time.Second)}, time.Second, false},
		{ddx.Moment{Mono: 1}, ddx.Moment{Mono: 3}, time.Second, true},
		{ddx.Moment{Mono: 1}, ddx.Moment{Wall: wall}, 0, false},
		{ddx.Moment{}, ddx.Moment{Wall: wall}, 0, false},
	} {
		if got := tt.a.Before(tt.b, tt.slack); got != tt.want {
			t.Errorf("%v before %v by more than %v: %v, want %v", tt.a, tt.b, tt.slack, got, tt.want)
		}
	}
}

func TestShortHost(t *testing.T) {
	for name, want := range map[string]string{"web-1.example.com": "web-1", "web-1": "web-1", "10.0.0.5": "10.0.0.5", "localhost": "", "(none)": "", "-": "", "": ""} {
		if got := ddx.ShortHost(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
