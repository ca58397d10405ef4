package ddx

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Moment is a time as far as the evidence tells it: by the wall clock, in
// seconds since boot, by both, or not at all.
type Moment struct {
	Wall time.Time
	Mono float64 // seconds; 0 when unknown
}

// Known reports whether anything is known of the time.
func (m Moment) Known() bool { return !m.Wall.IsZero() || m.Mono > 0 }

// Before reports whether m is certainly earlier than n by more than slack.
// Seconds since boot are taken to be of one boot.
func (m Moment) Before(n Moment, slack time.Duration) bool {
	switch {
	case !m.Wall.IsZero() && !n.Wall.IsZero():
		return m.Wall.Add(slack).Before(n.Wall)
	case m.Mono > 0 && n.Mono > 0:
		return m.Mono+slack.Seconds() < n.Mono
	}
	return false
}

// String is the form in which facts carry a moment: a time of RFC 3339 in UTC,
// else seconds since boot, else nothing.
func (m Moment) String() string {
	switch {
	case !m.Wall.IsZero():
		return m.Wall.UTC().Format(time.RFC3339Nano)
	case m.Mono > 0:
		return strconv.FormatFloat(m.Mono, 'f', -1, 64)
	}
	return ""
}

// ParseMoment reads what String writes; what is neither is no moment.
func ParseMoment(s string) Moment {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return Moment{Wall: t}
	}
	var mono float64
	if _, err := fmt.Sscanf(s, "%g", &mono); err == nil {
		return Moment{Mono: mono}
	}
	return Moment{}
}

// ShortHost is a host name without its domain, "" for one that names nobody, as
// a machine has it early in a boot. An address stays whole.
func ShortHost(name string) string {
	if strings.Trim(name, "0123456789.") == "" {
		return name
	}
	switch name, _, _ = strings.Cut(name, "."); name {
	case "localhost", "(none)", "-":
		return ""
	}
	return name
}
