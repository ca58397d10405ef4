package blackhole

import (
	"fmt"
	"math"
	"slices"

	"ddx/counters"
)

// ran says whether the guest ran on between two times (network clock), by
// processor time, uptime, regular samples and log lines.
func (j *joiner) ran(start, end float64) (string, string) {
	length := end - start
	if s, ok := counters.Find(j.in.Guest, j.guest.Host, "", counters.CPU); ok {
		g, _ := guestOf(j.in.Guest, HostInterface{j.guest.Host, ""}, counters.CPU, j.offset)
		used, passed, reset := 0.0, 0.0, false
		for _, d := range g.deltas {
			if part := math.Min(d.to, end) - math.Max(d.from, start); part > 0 {
				used += d.amount * part / (d.to - d.from)
				passed += part
				reset = reset || d.reset
			}
		}
		switch {
		case reset || passed < length/2:
		case used >= passed/2:
			return "yes", fmt.Sprintf("processor time advanced by %.1f s in %.1f s (%s)", used, passed, s.Origin)
		case used < passed/10:
			return "no", fmt.Sprintf("processor time advanced by %.1f s in %.1f s (%s)", used, passed, s.Origin)
		}
	}
	for _, metric := range []string{counters.Uptime, counters.Boot} {
		if step, moved, ok := j.uptime(metric, start, end); ok {
			if math.Abs(step) > math.Max(5, moved/10) {
				return "no", fmt.Sprintf("%s stepped by %.0f s", metric, step)
			}
			if metric == counters.Uptime {
				return "yes", fmt.Sprintf("uptime advanced by %.0f s without a step", moved)
			}
		}
	}
	if n, longest := j.samplesIn(start, end); n >= 2 && longest <= 2.2*j.sampleStep() {
		return "yes", fmt.Sprintf("its collector wrote %d samples in the window without a gap", n)
	}
	for _, e := range j.in.Events {
		if at := unix(e.Time) + j.offset; e.Host == j.guest.Host && e.Kind == "log" && at > start && at < end {
			return "yes", fmt.Sprintf("it wrote to its log (%s)", e.Origin)
		}
	}
	return "unknown", "neither processor time, uptime nor log lines of this time are in the evidence"
}

// uptime compares the first and last sample around the window with the wall
// clock: step is how much the metric ran ahead of it.
func (j *joiner) uptime(metric string, start, end float64) (step, moved float64, ok bool) {
	s, found := counters.Find(j.in.Guest, j.guest.Host, "", metric)
	if !found {
		return 0, 0, false
	}
	var before, after *counters.Sample
	for i := range s.Samples {
		at := unix(s.Samples[i].Time) + j.offset
		if at <= start {
			before = &s.Samples[i]
		} else if at >= end && after == nil {
			after = &s.Samples[i]
		}
	}
	if before == nil || after == nil {
		return 0, 0, false
	}
	wall := after.Time.Sub(before.Time).Seconds()
	moved = after.Value - before.Value
	if metric == counters.Boot {
		return moved, wall, true
	}
	return moved - wall, moved, true
}

// samplesIn counts the samples of received packets inside a window and gives
// the longest time without one.
func (j *joiner) samplesIn(start, end float64) (n int, longest float64) {
	last := start
	for _, d := range j.rx.deltas {
		if d.to > start && d.to < end {
			n++
			longest = math.Max(longest, d.to-last)
			last = d.to
		}
	}
	return n, math.Max(longest, end-last)
}

func (j *joiner) sampleStep() float64 {
	if s, ok := counters.Find(j.in.Guest, j.guest.Host, j.guest.Interface, counters.RxPackets); ok {
		return s.Interval().Seconds()
	}
	return j.step
}

// explain lists what else would look like a black hole, and what the evidence
// says of it.
func (j *joiner) explain(w *Window, start, end float64, skipped bool) {
	add := func(what, verdict, because string) {
		w.Explanations = append(w.Explanations, Explanation{what, verdict, because})
	}
	verdict, because := j.linkDown(start, end)
	add("interface-down", verdict, because)
	switch w.GuestRan {
	case "yes":
		add("guest-paused", "no", w.GuestRanBecause)
	case "no":
		add("guest-paused", "yes", w.GuestRanBecause)
	default:
		add("guest-paused", "unknown", w.GuestRanBecause)
	}
	verdict, because = j.rebooted(start, end)
	add("guest-rebooted", verdict, because)
	if n, longest := j.samplesIn(start, end); longest <= 2.2*j.sampleStep() {
		add("monitoring-gap", "no", fmt.Sprintf("%d samples of rx_packets lie in the window", n))
	} else {
		add("monitoring-gap", "unknown", fmt.Sprintf("no sample of rx_packets for %.0f s of the window", longest))
	}
	verdict, because = j.countedDrop(start, end)
	add("counted-drop", verdict, because)
	add("guest-firewall", "no", "rx_packets counts before any firewall of the guest, and it stood still")
	if skipped {
		add("flow-log-loss", "yes", "SKIPDATA: more was delivered than is recorded")
	}
	for _, e := range j.in.Events {
		at := unix(e.Time) + j.offset
		if e.Host != j.guest.Host || at < start || at > end {
			continue
		}
		switch e.Kind {
		case "no-route", "neighbour-failed":
			w.Support = append(w.Support, fmt.Sprintf("%s: %s", e.Origin, e.Text))
		}
	}
	w.BlackHole = "yes"
	for _, x := range w.Explanations {
		switch {
		case x.Verdict == "yes" && (x.What == "interface-down" || x.What == "guest-paused" || x.What == "guest-rebooted"):
			w.BlackHole = "no"
			return
		case x.Verdict == "unknown" && (x.What == "interface-down" || x.What == "guest-paused" || x.What == "monitoring-gap"):
			w.BlackHole = "possible"
		}
	}
}

// linkDown looks at the state of the interface in the window.
func (j *joiner) linkDown(start, end float64) (string, string) {
	seen := 0
	var last string
	for _, metric := range []string{counters.Up, counters.Carrier} {
		s, ok := counters.Find(j.in.Guest, j.guest.Host, j.guest.Interface, metric)
		if !ok {
			continue
		}
		down, up := 0, 0
		for _, v := range s.Samples {
			if at := unix(v.Time) + j.offset; at > start && at < end {
				if v.Value == 0 {
					down++
				} else {
					up++
				}
			}
		}
		if down > 0 && down >= up {
			return "yes", fmt.Sprintf("%s was 0 in %d of %d samples of the window (%s)", metric, down, down+up, s.Origin)
		}
		seen += up
		last = s.Origin
	}
	for _, e := range j.in.Events {
		at := unix(e.Time) + j.offset
		if e.Host == j.guest.Host && (e.Interface == "" || e.Interface == j.guest.Interface) && e.Kind == "link-down" && at > start-j.step && at < end {
			return "yes", fmt.Sprintf("%s: %s", e.Origin, e.Text)
		}
	}
	if seen > 0 {
		return "no", fmt.Sprintf("up in all %d samples of the window (%s)", seen, last)
	}
	if slices.ContainsFunc(j.in.Events, func(e Event) bool { return e.Host == j.guest.Host && e.Kind == "log" }) {
		return "unknown", "no state of the interface in the evidence; the log says nothing of a link that went down, which not every driver would"
	}
	return "unknown", "no state of the interface in the evidence (ip -s -j link, node_network_up, kernel log)"
}

func (j *joiner) rebooted(start, end float64) (string, string) {
	for _, d := range j.rx.deltas {
		if d.reset && d.to > start && d.from < end+j.step {
			return "yes", "rx_packets began again from zero"
		}
	}
	for _, e := range j.in.Events {
		if at := unix(e.Time) + j.offset; e.Host == j.guest.Host && (e.Kind == "boot" || e.Kind == "shutdown") && at > start && at < end+j.step {
			return "yes", fmt.Sprintf("%s: %s", e.Origin, e.Text)
		}
	}
	if s, ok := counters.Find(j.in.Guest, j.guest.Host, j.guest.Interface, counters.RxPackets); ok && s.Kind == counters.Cumulative {
		return "no", "rx_packets goes on from where it stood"
	}
	if step, _, ok := j.uptime(counters.Uptime, start, end); ok {
		if step < -5 {
			return "yes", fmt.Sprintf("uptime stepped by %.0f s", step)
		}
		return "no", "uptime goes on without a step"
	}
	return "unknown", "neither a cumulative counter nor an uptime is in the evidence"
}

// countedDrop looks for packets that the guest counted as lost.
func (j *joiner) countedDrop(start, end float64) (string, string) {
	looked := ""
	for _, metric := range []string{counters.RxErrors, counters.RxDropped} {
		g, ok := guestOf(j.in.Guest, j.guest, metric, j.offset)
		if !ok {
			continue
		}
		if n, _ := g.within(start, end); n >= 1 {
			return "yes", fmt.Sprintf("%s grew by %.0f", metric, n)
		}
		looked += " " + metric
	}
	if looked == "" {
		return "unknown", "no error counter in the evidence"
	}
	return "no", "no growth of" + looked
}

// certainty: high needs two intervals, enough packets and every other
// explanation excluded.
func (j *joiner) certainty(w *Window, intervals int) string {
	open, excluded := 0, 0
	for _, x := range w.Explanations {
		switch x.Verdict {
		case "unknown":
			open++
		case "yes":
			excluded++
		}
	}
	switch {
	case intervals >= 2 && w.GuestRan == "yes" && open == 0 && w.NetworkPackets >= 10*j.in.MinPackets:
		return "high"
	case intervals >= 2 && w.GuestRan != "unknown":
		return "medium"
	}
	return "low"
}

// gaps lists the times in which the guest's samples are missing.
func (j *joiner) gaps() []Gap {
	var out []Gap
	add := func(from, to float64, d *span) {
		var w Window
		j.amounts(&w, from, to)
		if w.NetworkPackets == 0 {
			return
		}
		g := Gap{Start: w.Start, End: w.End, NetworkPackets: w.NetworkPackets, GuestRan: "unknown",
			GuestRanBecause: "samples end here", Meaning: "no sample of the guest follows: it says nothing of this time"}
		if d != nil {
			j.across(&g, from, to, d)
		}
		out = append(out, g)
	}
	last := j.rx.deltas[0].from
	for i := range j.rx.deltas {
		d := &j.rx.deltas[i]
		switch {
		case d.gap:
			add(d.from, d.to, d)
		case d.from-last > j.step: // rates say nothing of the time before
			add(last, d.from, nil)
		}
		last = d.to
	}
	if end := float64(j.n.Buckets[len(j.n.Buckets)-1].Start) + j.step; end-last > 2*j.step {
		add(last, end, nil)
	}
	return out
}

// across judges a gap over which a cumulative counter went on.
func (j *joiner) across(g *Gap, from, to float64, d *span) {
	g.GuestRan, g.GuestRanBecause = j.ran(from, to)
	n := uint64(d.amount + 0.5)
	switch {
	case d.reset:
		g.Meaning = "the guest was silent and its counter began again: it was rebooted or its driver loaded anew"
		g.GuestRan, g.GuestRanBecause = "no", "rx_packets began again from zero"
	case d.amount >= float64(g.NetworkPackets)/2:
		g.GuestPackets = &n
		g.Meaning = "only the monitoring was silent: the counter took in over the gap what the network delivered"
	case g.GuestRan == "no":
		g.GuestPackets = &n
		g.Meaning = "the guest stood still: paused or stopped"
	default:
		g.GuestPackets = &n
		g.Meaning = "the monitoring was silent, and over the gap the counter took in less than the network delivered"
	}
}

// silent makes a window of a gap over which the counter stood still although
// the guest ran on.
func (j *joiner) silent(g Gap) (Window, bool) {
	if g.GuestPackets == nil || float64(*g.GuestPackets) > stillPart*float64(g.NetworkPackets) || g.NetworkPackets < j.in.MinPackets {
		return Window{}, false
	}
	start, end := unix(g.Start), unix(g.End)
	w := Window{Kind: DeliveredNotReceived}
	j.amounts(&w, start, end)
	w.GuestPackets = *g.GuestPackets
	w.GuestRan, w.GuestRanBecause = g.GuestRan, g.GuestRanBecause
	j.explain(&w, start, end, false)
	w.Certainty = "low"
	if w.GuestRan != "unknown" {
		w.Certainty = "medium"
	}
	return w, true
}
