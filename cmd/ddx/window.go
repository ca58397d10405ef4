package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
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
// without a time, or a time of today (UTC), seconds since 1970 behind an @, or
// how long ago (2h, 3d, "10 minutes ago").
func parseTime(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	now = now.UTC()
	today := now.Truncate(24 * time.Hour)
	switch strings.ToLower(s) {
	case "now":
		return now, nil
	case "today":
		return today, nil
	case "yesterday":
		return today.AddDate(0, 0, -1), nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	for _, layout := range []string{time.TimeOnly, "15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return today.Add(t.Sub(t.Truncate(24 * time.Hour))), nil
		}
	}
	if n, err := strconv.ParseInt(strings.TrimPrefix(s, "@"), 10, 64); err == nil && strings.HasPrefix(s, "@") {
		return time.Unix(n, 0).UTC(), nil
	}
	if ago, ok := parseAgo(s); ok {
		return now.Add(-ago), nil
	}
	return time.Time{}, fmt.Errorf("time %q: want RFC 3339, YYYY-MM-DD [HH:MM[:SS]] or HH:MM in UTC, or how long ago such as 2h, 30m or 3d", s)
}

var (
	agoWords = regexp.MustCompile(`^(\d+) ?(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|w|weeks?)(?: ago)?$`)
	agoUnits = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
)

// parseAgo reads how long ago something was.
func parseAgo(s string) (time.Duration, bool) {
	s = strings.TrimPrefix(s, "-") // as journalctl takes it
	if d, err := time.ParseDuration(s); err == nil {
		return d, d >= 0
	}
	m := agoWords.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	return time.Duration(n) * agoUnits[m[2][0]], err == nil && n < 100_000
}
