package blackhole

import (
	"fmt"
	"math"
	"slices"
	"time"

	"ddx/counters"
	"ddx/flowlog"
)

// WindowKind is what the two sides say of a time.
type WindowKind string

const (
	DeliveredReceived    WindowKind = "delivered-received"
	DeliveredNotReceived WindowKind = "delivered-not-received"
	NotDeliveredReceived WindowKind = "not-delivered-received" // flow logs incomplete
	Neither              WindowKind = "neither"
)

// Event is something that the host's evidence says of a time: kinds are
// link-down, link-up, boot, shutdown, no-route (a service logged "No route to
// host"), neighbour-failed, log (any line: the host was writing).
type Event struct {
	Host, Interface string
	Time            time.Time
	Kind            string
	Text, Origin    string
}

// JoinInput is both sides and what is known about them.
type JoinInput struct {
	Network    []NetworkSeries
	Guest      []counters.Series
	Events     []Event
	Identities []flowlog.Identity
	Map        map[string]HostInterface
	// Offset is added to guest times to put them on the network's clock. Nil:
	// estimated where the signal allows it.
	Offset    *time.Duration
	MaxOffset time.Duration // how far to look for it; 0: two minutes
	// MinPackets is what the network must have delivered in an interval for
	// its absence in the guest to mean something; 0: 3.
	MinPackets uint64
	// Delivery is how late flow logs may arrive; 0: ten minutes. At the end of
	// the flow logs, what the guest received and they lack may just be late.
	Delivery time.Duration
}

// Joined is the result of [Join].
type Joined struct {
	Interfaces         []JoinedInterface `json:"interfaces"`
	ClockOffsetSeconds float64           `json:"clock_offset_seconds"` // of the guest whose signal is the clearest
	ClockOffsetFrom    string            `json:"clock_offset_from"`    // given, estimated, assumed
	Unpaired           []Unpaired        `json:"unpaired,omitempty"`
	Unasked            []string          `json:"not_examined,omitempty"`
}

// Unpaired is a network interface without a guest's side, and why.
type Unpaired struct {
	Interface string `json:"interface"`
	Why       string `json:"why"`
}

// JoinedInterface is one interface with its windows in order of time.
type JoinedInterface struct {
	Interface       string  `json:"interface"`
	Guest           string  `json:"guest"` // HOST/INTERFACE
	PairedBy        string  `json:"paired_by"`
	IntervalSeconds float64 `json:"interval_seconds"`
	// The offset used here: each guest has a clock of its own.
	ClockOffsetSeconds float64  `json:"clock_offset_seconds"`
	ClockOffsetFrom    string   `json:"clock_offset_from"`
	Windows            []Window `json:"windows"`
	Gaps               []Gap    `json:"gaps,omitempty"`
	Steps              []Step   `json:"counter_steps,omitempty"` // at most a hundred

	network              []Bucket
	guest                guestSide
	guestHost, guestName string
}

// Window is a stretch of time of one kind.
type Window struct {
	Kind           WindowKind `json:"kind"`
	Start          time.Time  `json:"start"`
	End            time.Time  `json:"end"`
	NetworkPackets uint64     `json:"network_packets"` // accepted towards the interface
	GuestPackets   uint64     `json:"guest_packets"`   // received by the guest
	NetworkOut     uint64     `json:"network_packets_out"`
	GuestOut       uint64     `json:"guest_packets_out"`
	Certainty      string     `json:"certainty"` // high, medium, low
	// Answered: the guest sent while it received: yes, no, unknown.
	Answered string `json:"answered,omitempty"`
	// GuestRan: the guest ran on in the window: yes, no, unknown. It separates
	// a black hole from a pause.
	GuestRan        string `json:"guest_ran"`
	GuestRanBecause string `json:"guest_ran_because"`
	// BlackHole: yes, no, possible; set for delivered-not-received only.
	BlackHole    string        `json:"black_hole,omitempty"`
	Explanations []Explanation `json:"explanations,omitempty"`
	Support      []string      `json:"support,omitempty"` // events inside that fit
}

// Explanation is something else that would look the same.
type Explanation struct {
	What    string `json:"what"`    // interface-down, guest-paused, guest-rebooted, counter-reset, monitoring-gap, counted-drop, flow-log-loss, delivery-delay
	Verdict string `json:"verdict"` // yes, no, unknown
	Because string `json:"because"`
}

// Gap is a time in which the guest's monitoring is silent: that is not zero.
type Gap struct {
	Start          time.Time `json:"start"`
	End            time.Time `json:"end"`
	NetworkPackets uint64    `json:"network_packets"`
	// GuestPackets counted over the whole gap, nil when the counter does not
	// say (rates, reset, no sample after it).
	GuestPackets    *uint64 `json:"guest_packets"`
	GuestRan        string  `json:"guest_ran"`
	GuestRanBecause string  `json:"guest_ran_because"`
	Meaning         string  `json:"meaning"`
}

// Step is a place where the received packets of the guest did not simply go on:
// a reset, from which on they count anew, or a wrap, over which they were
// carried.
type Step struct {
	Time time.Time `json:"time"`
	Kind string    `json:"kind"` // reset, wrap
}

// BlackHoles says whether any window is one, or may be.
func (j *Joined) BlackHoles() (n int) {
	for _, i := range j.Interfaces {
		for _, w := range i.Windows {
			if w.BlackHole == "yes" || w.BlackHole == "possible" {
				n++
			}
		}
	}
	return n
}

// Join puts both sides beside each other. It is pure: the same input gives the
// same result.
//
// For each aggregation interval the packets that the network accepted towards
// the interface are compared with those the guest received in the same time.
// A run of intervals in which the network delivered and the guest's counter
// stood still is a window; its ends are set by the guest's samples, which are
// finer, within one interval.
func Join(in JoinInput) *Joined {
	if in.MinPackets == 0 {
		in.MinPackets = 3
	}
	if in.MaxOffset == 0 {
		in.MaxOffset = 2 * time.Minute
	}
	if in.Delivery == 0 {
		in.Delivery = 10 * time.Minute
	}
	out := &Joined{Interfaces: []JoinedInterface{}, ClockOffsetFrom: "assumed"}
	pairs, left := pairUp(in.Network, guestInterfaces(in.Guest), in.Identities, in.Map)
	out.Unpaired = left
	if in.Offset != nil {
		out.ClockOffsetSeconds, out.ClockOffsetFrom = in.Offset.Seconds(), "given"
	} else {
		out.ClockOffsetSeconds, out.ClockOffsetFrom = bestOffset(in, pairs)
	}
	for _, p := range pairs {
		n := series(in.Network, p.ENI)
		offset, from := out.ClockOffsetSeconds, out.ClockOffsetFrom
		if in.Offset == nil {
			offset, from = bestOffset(in, slices.DeleteFunc(slices.Clone(pairs), func(q Pairing) bool { return q.Guest.Host != p.Guest.Host }))
		}
		j := &joiner{in: in, n: n, guest: p.Guest, offset: offset, step: n.Interval.Seconds()}
		i := j.join(p)
		i.ClockOffsetSeconds, i.ClockOffsetFrom = offset, from
		out.Interfaces = append(out.Interfaces, i)
		if n.Direction == "ambiguous" {
			out.Unasked = append(out.Unasked, fmt.Sprintf("%s: direction of its records is not known: give its own address", p.ENI))
		}
	}
	return out
}

func series(all []NetworkSeries, eni string) *NetworkSeries {
	for i := range all {
		if all[i].Interface == eni {
			return &all[i]
		}
	}
	return nil
}

// bestOffset takes the clearest of the estimates of several interfaces: one
// guest's clock is off by one amount.
func bestOffset(in JoinInput, pairs []Pairing) (float64, string) {
	offset, best, from := 0.0, 0.0, "assumed"
	for _, p := range pairs {
		n := series(in.Network, p.ENI)
		g, ok := guestOf(in.Guest, p.Guest, counters.RxPackets, 0)
		if !ok || len(n.Buckets) == 0 {
			continue
		}
		all := n.filled(n.Buckets[0].Start, n.Buckets[len(n.Buckets)-1].Start+1)
		if o, r, ok := estimateOffset(all, n.Interval.Seconds(), g, in.MaxOffset.Seconds()); ok && r > best {
			offset, best, from = o, r, "estimated"
		}
	}
	return offset, from
}

// guestOf gives one counter of the guest, shifted by offset seconds.
func guestOf(all []counters.Series, h HostInterface, metric string, offset float64) (*guestSide, bool) {
	s, ok := counters.Find(all, h.Host, h.Interface, metric)
	if !ok {
		return &guestSide{}, false
	}
	g := &guestSide{}
	for _, d := range s.Deltas() {
		g.deltas = append(g.deltas, span{unix(d.From) + offset, unix(d.To) + offset, d.Amount, d.Gap, d.Reset, d.Wrapped})
	}
	return g, true
}

func unix(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

func clock(sec float64) time.Time {
	return time.Unix(0, int64(math.Round(sec*1e3))*1e6).UTC()
}
