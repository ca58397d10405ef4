package blackhole

import (
	"math"
	"slices"

	"ddx/counters"
)

// joiner joins one pair.
type joiner struct {
	in     JoinInput
	n      *NetworkSeries
	guest  HostInterface
	offset float64
	step   float64

	rx, tx *guestSide
	// unlogged is the rate at which the guest receives what flow logs do not
	// show (ARP, broadcast, name service, time).
	unlogged float64
}

// cell is one interval with both sides.
type cell struct {
	Bucket
	kind     WindowKind
	rx, tx   float64
	known    bool // the guest's samples cover it
	answered bool
}

func (j *joiner) join(p Pairing) JoinedInterface {
	j.rx, _ = guestOf(j.in.Guest, j.guest, counters.RxPackets, j.offset)
	j.tx, _ = guestOf(j.in.Guest, j.guest, counters.TxPackets, j.offset)
	out := JoinedInterface{Interface: p.ENI, Guest: p.Guest.String(), PairedBy: p.By, IntervalSeconds: j.step, Windows: []Window{},
		guest: *j.rx, guestHost: p.Guest.Host, guestName: p.Guest.Interface}
	if len(j.rx.deltas) == 0 || len(j.n.Buckets) == 0 {
		return out
	}
	// Only the time that both sides cover can be compared.
	from := math.Max(j.rx.deltas[0].from, float64(j.n.Buckets[0].Start))
	to := math.Max(j.rx.deltas[len(j.rx.deltas)-1].to, float64(j.n.Buckets[len(j.n.Buckets)-1].Start)+j.step)
	cells := j.cells(j.n.filled(int64(from), int64(math.Ceil(to))))
	for _, c := range cells {
		out.network = append(out.network, c.Bucket)
	}
	const most = 100
	for _, d := range j.rx.deltas {
		switch {
		case len(out.Steps) == most:
		case d.reset:
			out.Steps = append(out.Steps, Step{clock(d.to), "reset"})
		case d.wrapped:
			out.Steps = append(out.Steps, Step{clock(d.to), "wrap"})
		}
	}
	out.Gaps = j.gaps()
	for _, r := range j.runs(cells) {
		out.Windows = append(out.Windows, j.window(r))
	}
	for _, g := range out.Gaps {
		if w, ok := j.silent(g); ok {
			out.Windows = insertByTime(out.Windows, w)
		}
	}
	return out
}

// stillPart is the largest part of the delivered packets that the guest may
// have counted in an interval in which its counter "stood still": the border
// of an interval never falls on a sample.
const stillPart = 0.1

// cells classifies every interval.
func (j *joiner) cells(buckets []Bucket) []cell {
	cells := make([]cell, len(buckets))
	var extra []float64
	for i, b := range buckets {
		c := cell{Bucket: b}
		var known float64
		at := float64(b.Start)
		c.rx, known = j.rx.within(at, at+j.step)
		c.tx, _ = j.tx.within(at, at+j.step)
		if c.known = known >= 0.5; c.known {
			c.rx /= known // a part of the interval stands for all of it
		}
		cells[i] = c
		if c.known && b.In >= j.in.MinPackets && c.rx >= float64(b.In)/2 {
			extra = append(extra, (c.rx-float64(b.In))/j.step)
		}
	}
	j.unlogged = math.Max(0, median(extra))
	for i := range cells {
		c := &cells[i]
		delivered := c.In >= j.in.MinPackets
		expected := float64(c.In)
		switch {
		case delivered && c.rx <= stillPart*expected:
			c.kind = DeliveredNotReceived
		case delivered:
			c.kind = DeliveredReceived
			c.answered = c.Out > 0 || c.tx > 0.02*c.rx
		case c.In == 0 && c.Unknown == 0 && c.rx > 3*j.unlogged*j.step+10:
			c.kind = NotDeliveredReceived
		default:
			c.kind = Neither
		}
	}
	return cells
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

// cellRun is a stretch of cells of one kind with its ends.
type cellRun struct {
	cells      []cell
	start, end float64
}

// runs cuts the cells where the kind changes. The ends of a run in which a
// counter stood still are set by that counter's samples, and its neighbours
// give way.
func (j *joiner) runs(cells []cell) []cellRun {
	var all []cellRun
	for i := 0; i < len(cells); {
		k := i + 1
		for k < len(cells) && cells[k].known == cells[i].known && cells[k].kind == cells[i].kind && cells[k].answered == cells[i].answered {
			k++
		}
		if cells[i].known {
			all = append(all, cellRun{cells[i:k], float64(cells[i].Start), float64(cells[k-1].Start) + j.step})
		}
		i = k
	}
	for i := range all {
		r := &all[i]
		first := r.cells[0]
		was := *r
		switch {
		case first.kind == DeliveredNotReceived:
			r.start, r.end = j.refine(j.rx, r.start, r.end, r.cells)
		case first.kind == DeliveredReceived && !first.answered && len(j.tx.deltas) > 0:
			r.start, r.end = j.refine(j.tx, r.start, r.end, r.cells)
		}
		if i > 0 && all[i-1].end == was.start {
			all[i-1].end = r.start
		}
		if i+1 < len(all) && all[i+1].start == was.end {
			all[i+1].start = r.end
		}
	}
	return slices.DeleteFunc(all, func(r cellRun) bool { return r.end <= r.start })
}

// window describes a run.
func (j *joiner) window(r cellRun) Window {
	cells, start, end := r.cells, r.start, r.end
	w := Window{Kind: cells[0].kind}
	skipped := false
	for _, c := range cells {
		skipped = skipped || c.Skipped
	}
	j.amounts(&w, start, end)
	w.GuestRan, w.GuestRanBecause = j.ran(start, end)
	switch w.Kind {
	case DeliveredNotReceived:
		j.explain(&w, start, end, skipped)
		w.Certainty = j.certainty(&w, len(cells))
	case DeliveredReceived:
		w.Answered = map[bool]string{true: "yes", false: "no"}[cells[0].answered]
		if _, ok := counters.Find(j.in.Guest, j.guest.Host, j.guest.Interface, counters.TxPackets); !ok && w.Answered == "no" && w.NetworkOut == 0 {
			w.Answered = "unknown"
		}
		w.Certainty = "high"
	case NotDeliveredReceived:
		w.Certainty = "medium"
		last := float64(j.n.Buckets[len(j.n.Buckets)-1].Start) + j.step
		verdict, because := "no", "later records of this interface are there"
		if end > last && start < last+j.in.Delivery.Seconds() {
			verdict, because = "yes", "the flow logs end here; they arrive up to ten minutes late"
			w.Certainty = "low"
		}
		w.Explanations = append(w.Explanations, Explanation{"delivery-delay", verdict, because})
		if skipped {
			w.Explanations = append(w.Explanations, Explanation{"flow-log-loss", "yes", "SKIPDATA: the flow-log service lost records of this time"})
		}
	default:
		w.Certainty = "high"
		if skipped {
			w.Certainty = "low"
		}
	}
	return w
}

// amounts fills times and packets of a window.
func (j *joiner) amounts(w *Window, start, end float64) {
	w.Start, w.End = clock(start), clock(end)
	in, out := 0.0, 0.0
	for _, b := range j.n.Buckets {
		part := math.Min(end, float64(b.Start)+j.step) - math.Max(start, float64(b.Start))
		if part > 0 {
			in += float64(b.In) * part / j.step
			out += float64(b.Out) * part / j.step
		}
	}
	rx, _ := j.rx.within(start, end)
	tx, _ := j.tx.within(start, end)
	w.NetworkPackets, w.NetworkOut = uint64(in+0.5), uint64(out+0.5)
	w.GuestPackets, w.GuestOut = uint64(rx+0.5), uint64(tx+0.5)
}

// refine moves the ends of a window of still intervals to the guest's samples:
// from the last sample before which its counter moved to the first after which
// it moves again, at most one interval beyond on each side.
func (j *joiner) refine(g *guestSide, start, end float64, cells []cell) (float64, float64) {
	delivered := 0.0
	for _, c := range cells {
		delivered += float64(c.In)
	}
	rate := delivered / (end - start)
	still := func(d span) bool {
		return !d.gap && d.amount <= math.Max(0.5, stillPart*rate*(d.to-d.from))
	}
	first, last := math.NaN(), math.NaN()
	run := math.NaN() // begin of the present run of still deltas
	for _, d := range g.deltas {
		if !still(d) {
			run = math.NaN()
			continue
		}
		if math.IsNaN(run) {
			run = d.from
		}
		if d.to > start && d.from < end { // overlaps the window
			if math.IsNaN(first) {
				first = run
			}
		}
		if !math.IsNaN(first) && (d.from < end || last == d.from) {
			last = d.to
		}
	}
	if math.IsNaN(first) || math.IsNaN(last) {
		return start, end
	}
	first = math.Max(first, start-j.step)
	last = math.Min(last, end+j.step)
	// Beyond its last record nothing is known of the network.
	last = math.Min(last, float64(j.n.Buckets[len(j.n.Buckets)-1].Start)+j.step)
	if first >= last {
		return start, end
	}
	return first, last
}

func insertByTime(all []Window, w Window) []Window {
	i := 0
	for i < len(all) && all[i].Start.Before(w.Start) {
		i++
	}
	return append(all[:i], append([]Window{w}, all[i:]...)...)
}
