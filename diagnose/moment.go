package diagnose

import (
	"strconv"
	"strings"
	"time"

	"ddx"
)

// moment is a time as far as the evidence tells it: wall clock, seconds since
// boot, or neither; and where in which log it stands.
type moment struct {
	ddx.Moment
	earlier bool   // of a boot before the last one that the log shows
	host    string // as the line names it
	log     string // origin of the log, "" where there is none
	line    int64
}

// before reports whether m is certainly earlier than n by more than slack.
func (m moment) before(n moment, slack time.Duration) bool {
	if m.earlier != n.earlier && (m.Wall.IsZero() || n.Wall.IsZero()) {
		return m.earlier // seconds since different boots do not compare
	}
	return m.Before(n.Moment, slack)
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
	case !m.Wall.IsZero():
		return 2
	case m.Mono > 0:
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
	case m.log == "" && !m.Wall.IsZero() && last.Wall.IsZero():
		return true // a state, read when the evidence was taken
	case !m.Wall.IsZero() && m.Wall.Equal(last.Wall), m.Mono > 0 && m.Mono == last.Mono && m.earlier == last.earlier:
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
	if log := originFile(e.Origin); log != e.Origin && e.Time.Equal(m.Wall) {
		m.log = log
		m.line, _ = strconv.ParseInt(e.Origin[len(log)+1:], 10, 64)
	}
	return m
}

// sameHost reports whether two names in log lines can be of one machine: early
// in a boot it has none yet, and some programs write it without its domain.
func sameHost(a, b string) bool {
	a, b = ddx.ShortHost(a), ddx.ShortHost(b)
	return a == "" || b == "" || strings.EqualFold(a, b)
}

func (m moment) shift(seconds float64) moment {
	if !m.Wall.IsZero() {
		m.Wall = m.Wall.Add(-time.Duration(seconds * float64(time.Second)))
	}
	if m.Mono > 0 {
		m.Mono = max(m.Mono-seconds, 0.001)
	}
	return m
}

func parseMoment(s string) moment { return moment{Moment: ddx.ParseMoment(s)} }

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
	case !m.Wall.IsZero() && !e.now.IsZero():
		return e.now.Sub(m.Wall), true
	case m.Mono > 0 && e.uptime > 0:
		return time.Duration((e.uptime - m.Mono) * float64(time.Second)), true
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
