package diagnose

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ddx"
)

// moment is a time as far as the evidence tells it: wall clock, seconds since
// boot, or neither; and where in which log it stands.
type moment struct {
	wall    time.Time
	mono    float64
	earlier bool   // of a boot before the last one that the log shows
	host    string // as the line names it
	log     string // origin of the log, "" where there is none
	line    int64
}

func (m moment) known() bool { return !m.wall.IsZero() || m.mono > 0 }

// before reports whether m is certainly earlier than n by more than slack.
func (m moment) before(n moment, slack time.Duration) bool {
	switch {
	case !m.wall.IsZero() && !n.wall.IsZero():
		return m.wall.Add(slack).Before(n.wall)
	case m.earlier != n.earlier:
		return m.earlier // seconds since different boots do not compare
	case m.mono > 0 && n.mono > 0:
		return m.mono+slack.Seconds() < n.mono
	}
	return false
}

// earliest returns the earlier of two moments. Where they do not compare it is
// the one that says more: of the wall clock, then of any clock.
func (m moment) earliest(n moment) moment {
	if n.before(m, 0) && n.clock() >= m.clock() || n.clock() > m.clock() {
		return n
	}
	return m
}

// latest returns the later of two moments, likewise; without a clock the one
// that stands later in the same log.
func (m moment) latest(n moment) moment {
	later := m.before(n, 0) || m.clock() == 0 && m.log == n.log && m.line < n.line || m == moment{}
	if later && n.clock() >= m.clock() || n.clock() > m.clock() {
		return n
	}
	return m
}

// clock says which clock a moment has: 2 the wall's, 1 the boot's, 0 none.
func (m moment) clock() int {
	switch {
	case !m.wall.IsZero():
		return 2
	case m.mono > 0:
		return 1
	}
	return 0
}

// ends reports whether recovery at this moment came after the last sign of a
// fault: by the clock that both have, by their order in the log where that
// clock is too coarse or there is none, never by a line of another host.
func (m moment) ends(last moment) bool {
	if !sameHost(m.host, last.host) {
		return false
	}
	ordered := m.log != "" && m.log == last.log
	switch {
	case m.before(last, 0):
		return false
	case last.before(m, 0):
		return true
	case m.log == "" && !m.wall.IsZero() && last.wall.IsZero():
		return true // a state, read when the evidence was taken
	case !m.wall.IsZero() && m.wall.Equal(last.wall), m.mono > 0 && m.mono == last.mono && m.earlier == last.earlier:
		return !ordered || m.line >= last.line
	}
	return ordered && m.line >= last.line // a line of recovery can itself be a sign
}

// place says where a moment of a log stands, by the last line of its evidence.
func (m moment) place(ev []ddx.Evidence, boot string) moment {
	m.earlier = boot == "earlier"
	if len(ev) == 0 {
		return m
	}
	e := ev[len(ev)-1]
	m.host = e.Host
	if log := originFile(e.Origin); log != e.Origin && e.Time.Equal(m.wall) {
		m.log = log
		m.line, _ = strconv.ParseInt(e.Origin[len(log)+1:], 10, 64)
	}
	return m
}

// sameHost reports whether two names in log lines can be of one machine: early
// in a boot it has none yet, and some programs write it without its domain.
func sameHost(a, b string) bool {
	a, b = shortHost(a), shortHost(b)
	return a == "" || b == "" || strings.EqualFold(a, b)
}

// shortHost is a host name without its domain, "" for one that names nobody.
func shortHost(name string) string {
	if strings.Trim(name, "0123456789.") == "" {
		return name // an address
	}
	switch name, _, _ = strings.Cut(name, "."); name {
	case "localhost", "(none)", "-":
		return ""
	}
	return name
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

// activeEvent says whether something that a log tells of still holds.
func (e *evaluation) activeEvent(m *ddx.Mode, ind *ddx.Indicator, last moment, boot string) ddx.Active {
	if boot == "earlier" {
		return ddx.No
	}
	age, known := e.age(last)
	if !known {
		return ddx.Unknown
	}
	if age <= ttl(m) {
		return ddx.Yes
	}
	return ddx.No
}

func (e *evaluation) age(m moment) (time.Duration, bool) {
	switch {
	case !m.wall.IsZero() && !e.now.IsZero():
		return e.now.Sub(m.wall), true
	case m.mono > 0 && e.uptime > 0:
		return time.Duration((e.uptime - m.mono) * float64(time.Second)), true
	}
	return 0, false
}

// DefaultTTL is how long an event without recovery evidence counts as current.
const DefaultTTL = time.Hour

func ttl(m *ddx.Mode) time.Duration {
	if d, err := time.ParseDuration(m.TTL); err == nil {
		return d
	}
	return DefaultTTL
}
