package diagnose

import (
	"fmt"
	"strconv"
	"time"
)

// moment is a time as far as the evidence tells it: wall clock, seconds since
// boot, or neither.
type moment struct {
	wall time.Time
	mono float64
}

func (m moment) known() bool { return !m.wall.IsZero() || m.mono > 0 }

// before reports whether m is certainly earlier than n by more than slack.
func (m moment) before(n moment, slack time.Duration) bool {
	switch {
	case !m.wall.IsZero() && !n.wall.IsZero():
		return m.wall.Add(slack).Before(n.wall)
	case m.mono > 0 && n.mono > 0:
		return m.mono+slack.Seconds() < n.mono
	}
	return false
}

func (m moment) shift(seconds float64) moment {
	if !m.wall.IsZero() {
		m.wall = m.wall.Add(-time.Duration(seconds * float64(time.Second)))
	}
	if m.mono > 0 {
		m.mono = max(m.mono-seconds, 0.001)
	}
	return m
}

func parseMoment(s string) moment {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return moment{wall: t}
	}
	var mono float64
	if _, err := fmt.Sscanf(s, "%g", &mono); err == nil {
		return moment{mono: mono}
	}
	return moment{}
}

// text is the form that parseMoment reads.
func (m moment) text() string {
	switch {
	case !m.wall.IsZero():
		return m.wall.UTC().Format(time.RFC3339Nano)
	case m.mono > 0:
		return strconv.FormatFloat(m.mono, 'f', -1, 64)
	}
	return ""
}
