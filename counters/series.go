package counters

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Kind says what the values of a series are.
type Kind string

const (
	// Cumulative: a counter since the boot or the driver's start.
	Cumulative Kind = "cumulative"
	// Rate: a mean per second since the sample before.
	Rate Kind = "rate"
	// State: a value at the moment, such as an uptime or a link that is up.
	State Kind = "state"
)

// Metrics are named as in /proc/net/dev, with the direction in front. Those of
// the host have no interface.
const (
	RxPackets = "rx_packets"
	TxPackets = "tx_packets"
	RxBytes   = "rx_bytes"
	TxBytes   = "tx_bytes"
	RxErrors  = "rx_errors"
	TxErrors  = "tx_errors"
	RxDropped = "rx_dropped"
	TxDropped = "tx_dropped"

	Up      = "up"             // state of an interface: 1 up, 0 down
	Carrier = "carrier"        // state: 1 carrier, 0 none
	CPU     = "cpu_seconds"    // processor time of all states together, idle included
	Uptime  = "uptime_seconds" // state: since boot
	Boot    = "boot_time"      // state: Unix seconds of the boot
	Load1   = "load1"          // state: load average of one minute; that it is there shows life
)

// Sample is one value at one time.
type Sample struct {
	Time  time.Time `json:"t"`
	Value float64   `json:"v"`
}

// Series is one metric of one interface of one host.
type Series struct {
	Host      string        `json:"host"`
	Interface string        `json:"interface,omitempty"` // "" for the host as a whole
	Metric    string        `json:"metric"`
	Kind      Kind          `json:"kind"`
	Step      time.Duration `json:"step"`   // nominal distance of samples; 0: not known
	Origin    string        `json:"origin"` // file, URL or listener that it came from
	Samples   []Sample      `json:"samples"`
}

// Delta is what was counted between two samples.
type Delta struct {
	From, To time.Time
	Amount   float64 // events; 0 after a reset is at least what was seen since
	Reset    bool    // the counter went backwards: Amount is the part after the reset only
	Wrapped  bool    // the counter passed 2^32 or 2^64
	Gap      bool    // samples are missing in between: Amount is the sum over all of it
}

// sort orders the samples by time and keeps the first of those at one time.
func (s *Series) sort() {
	slices.SortStableFunc(s.Samples, func(a, b Sample) int { return a.Time.Compare(b.Time) })
	s.Samples = slices.CompactFunc(s.Samples, func(a, b Sample) bool { return a.Time.Equal(b.Time) })
}

// Interval is the distance of samples: Step, or the median distance.
func (s *Series) Interval() time.Duration {
	if s.Step > 0 || len(s.Samples) < 2 {
		return s.Step
	}
	var d []time.Duration
	for i := 1; i < len(s.Samples); i++ {
		d = append(d, s.Samples[i].Time.Sub(s.Samples[i-1].Time))
	}
	slices.Sort(d)
	return d[len(d)/2]
}

// gapAfter is how many intervals may pass before a sample counts as missing:
// collectors are late now and then, and are not two intervals late.
const gapAfter = 2.2

// Deltas gives the amounts between neighbouring samples of a cumulative or rate
// series. Of a rate series nothing is known about a gap, so it has none there.
// A counter that goes backwards wrapped at 2^32 if it stood in the last
// sixteenth before it and the amount is then no more than ten times the
// largest seen elsewhere; in all other cases it was reset.
func (s *Series) Deltas() []Delta {
	var out []Delta
	step := s.Interval()
	for i := 1; i < len(s.Samples); i++ {
		a, b := s.Samples[i-1], s.Samples[i]
		d := Delta{From: a.Time, To: b.Time}
		passed := b.Time.Sub(a.Time)
		d.Gap = step > 0 && float64(passed) > gapAfter*float64(step)
		switch s.Kind {
		case Rate:
			if d.Gap {
				// The value is the mean of the last interval only.
				d.From = b.Time.Add(-step)
				d.Gap = false
			}
			d.Amount = b.Value * d.To.Sub(d.From).Seconds()
		case Cumulative:
			d.Amount = b.Value - a.Value
			if d.Amount < 0 {
				s.backwards(&d, a.Value, b.Value)
			}
		default:
			continue
		}
		out = append(out, d)
	}
	return out
}

func (s *Series) backwards(d *Delta, before, after float64) {
	const limit = 1 << 32
	if before < limit && before > limit-limit/16 && after < limit/16 {
		if wrapped := after + limit - before; wrapped <= 10*s.largest() {
			d.Wrapped, d.Amount = true, wrapped
			return
		}
	}
	d.Reset, d.Amount = true, after
}

// largest is the largest forward step of a counter.
func (s *Series) largest() float64 {
	m := 0.0
	for i := 1; i < len(s.Samples); i++ {
		m = max(m, s.Samples[i].Value-s.Samples[i-1].Value)
	}
	return m
}

// Find gives the series of a metric.
func Find(all []Series, host, iface, metric string) (*Series, bool) {
	for i := range all {
		if s := &all[i]; s.Host == host && s.Interface == iface && s.Metric == metric {
			return s, true
		}
	}
	return nil, false
}

// set gathers samples by series while a source is read.
type set struct {
	m  map[setKey]*Series
	at map[setKey]map[int64]int // place of a sample by its time, for sumAt
}

type setKey struct{ host, iface, metric string }

func (c *set) add(host, iface, metric string, k Kind, step time.Duration, origin string, at time.Time, v float64) {
	if c.m == nil {
		c.m = map[setKey]*Series{}
	}
	key := setKey{host, iface, metric}
	s := c.m[key]
	if s == nil {
		s = &Series{Host: host, Interface: iface, Metric: metric, Kind: k, Step: step, Origin: origin}
		c.m[key] = s
	}
	s.Samples = append(s.Samples, Sample{at, v})
}

// sumAt adds a value to the sample of the same time: for metrics that are
// spread over processors and states.
func (c *set) sumAt(host, metric string, k Kind, step time.Duration, origin string, at time.Time, v float64) {
	key := setKey{host, "", metric}
	if c.at == nil {
		c.at = map[setKey]map[int64]int{}
	}
	if c.at[key] == nil {
		c.at[key] = map[int64]int{}
	}
	if i, ok := c.at[key][at.UnixNano()]; ok {
		c.m[key].Samples[i].Value += v
		return
	}
	c.add(host, "", metric, k, step, origin, at, v)
	c.at[key][at.UnixNano()] = len(c.m[key].Samples) - 1
}

// series gives what was gathered, in order of host, interface and metric.
func (c *set) series() []Series {
	var out []Series
	for _, s := range c.m {
		s.sort()
		out = append(out, *s)
	}
	Sort(out)
	return out
}

// Sort orders series by host, interface and metric.
func Sort(all []Series) {
	slices.SortFunc(all, func(a, b Series) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(a.Interface, b.Interface), strings.Compare(a.Metric, b.Metric))
	})
}

// seconds turns Unix seconds with a fraction into a time, to the microsecond.
func seconds(f float64) time.Time {
	return time.UnixMicro(int64(f*1e6 + 0.5)).UTC()
}

// metricName maps the words of the many sources to the metric's name; "" for
// what is not of use. dir is rx, tx or one of their synonyms.
func metricName(what, dir string) string {
	switch dir {
	case "rx", "receive", "in":
		dir = "rx"
	case "tx", "transmit", "out":
		dir = "tx"
	default:
		return ""
	}
	switch what {
	case "packets", "if_packets":
		return dir + "_packets"
	case "octets", "if_octets", "bytes":
		return dir + "_bytes"
	case "errors", "errs", "if_errors":
		return dir + "_errors"
	case "dropped", "drop", "drops", "if_dropped":
		return dir + "_dropped"
	}
	return ""
}
