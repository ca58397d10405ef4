package main

import (
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 30, 15, 0, time.UTC)
	for in, want := range map[string]string{
		"2026-02-28T10:00:00+01:00": "2026-02-28T09:00:00Z",
		"2026-02-28 10:00:05":       "2026-02-28T10:00:05Z",
		"2026-02-28 10:00":          "2026-02-28T10:00:00Z",
		"2026-02-28T10:00":          "2026-02-28T10:00:00Z",
		"2026-02-28":                "2026-02-28T00:00:00Z",
		"10:05":                     "2026-03-01T10:05:00Z",
		"10:05:06":                  "2026-03-01T10:05:06Z",
		"now":                       "2026-03-01T12:30:15Z",
		"today":                     "2026-03-01T00:00:00Z",
		"Yesterday":                 "2026-02-28T00:00:00Z",
		"@1772359200":               "2026-03-01T10:00:00Z",
		"2h":                        "2026-03-01T10:30:15Z",
		"-2h":                       "2026-03-01T10:30:15Z",
		"1h30m":                     "2026-03-01T11:00:15Z",
		"2d":                        "2026-02-27T12:30:15Z",
		"1w":                        "2026-02-22T12:30:15Z",
		"10 minutes ago":            "2026-03-01T12:20:15Z",
		"1 day ago":                 "2026-02-28T12:30:15Z",
	} {
		got, err := parseTime(in, now)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s: %v (%v), want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"foo", "2026-13-45", "25:00", "--2h", "2 moons ago", "1772359200", "@x", "99999999999999999999d"} {
		if got, err := parseTime(in, now); err == nil {
			t.Errorf("%s is read as %v", in, got)
		}
	}
	if got, err := parseTime("", now); err != nil || !got.IsZero() {
		t.Errorf("nothing is read as %v (%v)", got, err)
	}
}
