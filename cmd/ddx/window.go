package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"ddx"
)

// window is the span of time that a question is about; zero ends are open.
type window struct{ since, until time.Time }

// filter leaves out what logs tell from outside of the window. What has no time
// stays.
func (w window) filter(facts []ddx.Fact) []ddx.Fact {
	if w.since.IsZero() && w.until.IsZero() {
		return facts
	}
	return slices.DeleteFunc(slices.Clone(facts), func(f ddx.Fact) bool {
		switch f.Kind {
		case "log.match", "kernel.report", "log.unexplained":
		default:
			return false
		}
		if len(f.Evidence) == 0 || f.Time.IsZero() {
			return false
		}
		first, last := f.Evidence[0].Time, f.Time
		if first.IsZero() {
			first = last
		}
		return !w.since.IsZero() && last.Before(w.since) || !w.until.IsZero() && first.After(w.until)
	})
}

// checkBoot holds that a boot is one that journalctl can be asked for.
func checkBoot(s string) error {
	if _, err := strconv.Atoi(s); s == "" || s == "all" || err == nil {
		return nil
	}
	return usagef("--boot %s: want a number (0 this boot, -1 the one before) or all", s)
}

// parseTime reads a moment as operators write it: RFC 3339, a date with or
// without a time (UTC), or how long ago (2h, 30m).
func parseTime(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, "2006-01-02 15:04", "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d).UTC(), nil
	}
	return time.Time{}, fmt.Errorf("time %q: want RFC 3339, YYYY-MM-DD [HH:MM[:SS]] in UTC, or how long ago such as 2h or 30m", s)
}
