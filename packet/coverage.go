package packet

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"ddx/capture"
)

// The silence bound W: a task that waits for a server over TCP causes at least
// one packet in any window of W: a SYN (last gap 64 s), data again (TCP_RTO_MAX
// 120 s), a keep-alive or a reconnection (60 s; kernels before 4.9 pause up to
// 300 s). Silence for two windows and a margin proves that nothing leaves.
const (
	DefaultSilence = 120 * time.Second
	OldSilence     = 300 * time.Second
	silenceMargin  = 10 * time.Second
)

var releaseForm = regexp.MustCompile(`^(\d+)\.(\d+)`)

// SilenceBound is W for a kernel release as uname -r prints it; an unknown
// release gets the longer bound, so that nothing is claimed too early.
func SilenceBound(release string) time.Duration {
	m := releaseForm.FindStringSubmatch(release)
	if m == nil {
		return OldSilence
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	if major > 4 || major == 4 && minor >= 9 {
		return DefaultSilence
	}
	return OldSilence
}

// proof states how long the capture covers and what weakens it; sufficiency for
// a verdict is decided by the caller.
func (a *Analyser) proof(c *capture.Capture) Proof {
	p := Proof{
		SilenceBound: a.o.Silence.Seconds(), Needed: (2*a.o.Silence + silenceMargin).Seconds(),
		CoveredBy: "packets", WeakenedBy: []string{},
	}
	for _, i := range c.Interfaces {
		if !i.Start.IsZero() && !i.End.IsZero() {
			p.CoveredBy = "interface statistics"
		}
	}
	if !a.o.Start.IsZero() && !a.o.End.IsZero() {
		c.From, c.To, p.CoveredBy = a.o.Start.UTC(), a.o.End.UTC(), "stated"
		if a.o.Live {
			p.CoveredBy = "live"
		}
	}
	p.Covered = c.To.Sub(c.From).Seconds()
	if a.o.Covers.Seconds() > p.Covered {
		p.Covered, p.CoveredBy = a.o.Covers.Seconds(), "stated"
	}
	weak := func(format string, args ...any) { p.WeakenedBy = append(p.WeakenedBy, fmt.Sprintf(format, args...)) }
	if c.Dropped == nil {
		weak("the capture does not say how many packets it dropped")
	} else if *c.Dropped > 0 {
		weak("the capture dropped %d packets", *c.Dropped)
	}
	if c.Damaged > 0 {
		weak("the capture is damaged in %d places", c.Damaged)
	}
	if a.lost > 0 {
		weak("%d packets belong to connections beyond the %d that were tracked", a.lost, a.o.Track)
	}
	if c.Undecoded+c.Cut > 0 {
		weak("the headers of %d packets could not be read", c.Undecoded+c.Cut)
	}
	if c.Filter != "" {
		p.Filter = a.boundary(c.Filter)
	}
	if p.Filter != nil && !a.t.any() {
		if p.Filter.Target != "yes" {
			weak("the capture's filter %q lets packets of the target through: %s", c.Filter, p.Filter.Target)
		}
		if p.Filter.Neighbours != "yes" {
			weak("the capture's filter %q lets ARP through: %s", c.Filter, p.Filter.Neighbours)
		}
	}
	return p
}

// silenceProven decides whether "never left" is proven, and says why not.
func (a *Analyser) silenceProven(p *Proof, c *capture.Capture) bool {
	proven := true
	doubt := func(format string, args ...any) {
		proven = false
		p.WeakenedBy = append(p.WeakenedBy, fmt.Sprintf(format, args...))
	}
	if p.Covered < p.Needed {
		doubt("silence of %.0f s proves nothing: %.0f s are needed (two silence bounds of %.0f s and a margin)", p.Covered, p.Needed, p.SilenceBound)
	}
	if c.Dropped != nil && *c.Dropped > 0 || c.Damaged > 0 || a.lost > 0 {
		proven = false
	}
	if p.Filter != nil && p.Filter.Target != "yes" {
		proven = false
	}
	// A client whose server's link-layer address does not resolve sends no IP
	// packet for longer than W, only ARP: a capture without ARP misses that.
	if p.Filter != nil && p.Filter.Neighbours == "no" {
		doubt("a client whose neighbour does not answer sends ARP only, which the filter hides")
	}
	if a.t.Host.Name != "" && len(a.t.Addrs) == 0 && len(a.dns.forTarget) == 0 && c.Format != "text" {
		doubt("the addresses of %s are not known: nothing could be compared with them", a.t.Host.Name)
	}
	return proven
}
