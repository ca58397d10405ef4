package blackhole

import (
	"iter"
	"math"
	"slices"
	"time"

	"ddx/flowsum"
)

// Bucket is what the network's side says of one interval.
type Bucket struct {
	Start       int64  // Unix seconds
	In, Out     uint64 // packets accepted towards and from the interface
	InRejected  uint64
	OutRejected uint64
	Unknown     uint64 // packets whose direction is not known
	Skipped     bool   // SKIPDATA: records of the interval were lost
}

// NetworkSeries is the network's side of one interface.
type NetworkSeries struct {
	Interface string
	Addresses []string
	Interval  time.Duration
	Buckets   []Bucket // ascending; an interval without a bucket had no record
	Direction string   // how direction is known, see [flowsum.Interface]
}

// Network turns sums into the network's side of the join. Buckets of the sums
// are joined into the given interval, which should be the aggregation interval
// of the flow log; 0 means: one minute, or ten where a record spans more.
func Network(s *flowsum.Sums, interval time.Duration) []NetworkSeries {
	t := s.Totals()
	if interval == 0 {
		if interval = s.Interval(); t.Span > interval {
			interval = 10 * time.Minute
		}
	}
	step := int64(max(interval, s.Interval()) / time.Second)
	about := map[string]flowsum.Interface{}
	for _, i := range s.Interfaces() {
		about[i.Name] = i
	}
	return network(s.All(), about, step)
}

func network(all iter.Seq2[flowsum.Key, flowsum.Amount], about map[string]flowsum.Interface, step int64) []NetworkSeries {
	var out []NetworkSeries
	for k, a := range all {
		if n := len(out); n == 0 || out[n-1].Interface != k.Interface {
			i := about[k.Interface]
			out = append(out, NetworkSeries{Interface: k.Interface, Addresses: i.Addresses, Interval: time.Duration(step) * time.Second, Direction: i.DirectionFrom})
		}
		n := &out[len(out)-1]
		start := k.Start - k.Start%step
		i, ok := slices.BinarySearchFunc(n.Buckets, start, func(b Bucket, at int64) int { return int(b.Start - at) })
		if !ok {
			n.Buckets = slices.Insert(n.Buckets, i, Bucket{Start: start})
		}
		b := &n.Buckets[i]
		switch {
		case k.Action == flowsum.SkipData:
			b.Skipped = true
		case k.Action == flowsum.NoData:
		case k.Direction == flowsum.Ingress && k.Action == flowsum.Reject:
			b.InRejected += a.Packets
		case k.Direction == flowsum.Egress && k.Action == flowsum.Reject:
			b.OutRejected += a.Packets
		case k.Direction == flowsum.Ingress:
			b.In += a.Packets
		case k.Direction == flowsum.Egress:
			b.Out += a.Packets
		default:
			b.Unknown += a.Packets
		}
	}
	return out
}

// filled gives the buckets without holes between the first and the last time.
func (n *NetworkSeries) filled(from, to int64) []Bucket {
	step := int64(n.Interval / time.Second)
	var out []Bucket
	i, _ := slices.BinarySearchFunc(n.Buckets, from, func(b Bucket, at int64) int { return int(b.Start - at) })
	for at := from - from%step; at < to; at += step {
		b := Bucket{Start: at}
		for i < len(n.Buckets) && n.Buckets[i].Start < at {
			i++
		}
		if i < len(n.Buckets) && n.Buckets[i].Start == at {
			b = n.Buckets[i]
		}
		out = append(out, b)
	}
	return out
}

// guestSide is one counter of the guest on the network's clock.
type guestSide struct {
	deltas []span
}

// span is a delta with times in Unix seconds.
type span struct {
	from, to   float64
	amount     float64
	gap, reset bool
	wrapped    bool
}

// within gives the amount counted between two times, spread evenly over each
// delta, and the part of the time for which samples say something.
func (g *guestSide) within(from, to float64) (amount, known float64) {
	i, _ := slices.BinarySearchFunc(g.deltas, from, func(d span, at float64) int {
		if d.to <= at {
			return -1
		}
		return 1
	})
	for ; i < len(g.deltas) && g.deltas[i].from < to; i++ {
		d := g.deltas[i]
		part := math.Min(d.to, to) - math.Max(d.from, from)
		if part <= 0 || d.to <= d.from || d.gap {
			continue
		}
		amount += d.amount * part / (d.to - d.from)
		known += part
	}
	return amount, known / (to - from)
}
