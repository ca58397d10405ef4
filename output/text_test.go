package output

import (
	"testing"
	"time"

	"ddx"
)

// TestWhen: only signs at two moments say since when; a single sign, and a state
// that a look met, say when they were seen.
func TestWhen(t *testing.T) {
	one, two := time.Date(2026, 3, 1, 2, 41, 0, 0, time.UTC), time.Date(2026, 3, 1, 2, 50, 0, 0, time.UTC)
	for want, f := range map[string]ddx.Finding{
		"since 2026-03-01 02:41:00 UTC, active":       {FirstSeen: &one, LastSeen: &two, Active: ddx.Yes},
		"seen at 2026-03-01 02:41:00 UTC, not active": {FirstSeen: &one, LastSeen: &one, Active: ddx.No},
		"seen at 2026-03-01 02:50:00 UTC, active":     {LastSeen: &two, Active: ddx.Yes},
		"active": {Active: ddx.Yes},
		"":       {Active: ddx.Unknown},
		"seen at 2026-03-01 02:50:00 UTC, a risk, not a cause": {LastSeen: &two, Active: ddx.Unknown, Latent: true},
	} {
		if got := newPrinter(nil, Style{}).when(&f); got != want {
			t.Errorf("%+v: %q, want %q", f, got, want)
		}
	}
}
