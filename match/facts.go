package match

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ddx"
	"ddx/kernlog"
	"ddx/logline"
	"ddx/scan"
)

// facts turns a pass into facts, in a stable order.
func (t *matching) facts(stats scan.Stats) []ddx.Fact {
	var out []ddx.Fact
	for _, f := range t.order {
		out = append(out, f.fact(t))
	}
	for _, r := range t.reports.Reports() {
		out = append(out, t.report(r))
	}
	host := ddx.Subject{Kind: ddx.Host}
	for _, tpl := range t.folded {
		out = append(out, tpl.fact(host))
	}
	if t.other != nil {
		out = append(out, t.other.fact(host))
	}
	if t.s.Incidental {
		return out
	}
	return append(out, t.coverage(stats))
}

func (f *found) fact(t *matching) ddx.Fact {
	evidence := t.lines(f)
	fields := map[string]any{
		"indicator": f.pattern.key, "count": f.count, "peak": f.peak,
		"first": f.first.String(), "last": f.last.String(), "catalogue": t.m.cat.Digest, "boot": t.bootName(evidence[len(evidence)-1].Host, f.boot),
	}
	var caps []string
	for i, c := range f.captures {
		if c != nil {
			caps = append(caps, f.pattern.pattern.Names[i]+"="+string(c))
		}
	}
	if len(caps) > 0 {
		slices.Sort(caps)
		fields["captures"] = caps
	}
	return ddx.Fact{Kind: "log.match", Subject: ddx.Subject{Kind: f.pattern.mode.Subject, Name: f.name}, Time: f.last.Wall, Fields: fields, Evidence: evidence}
}

func (t *matching) bootName(host string, boot int) string {
	if boot < t.bootsOf(host) {
		return "earlier"
	}
	return t.s.Boot
}

// reportBoot is the boot of the last line of a report: its message says nothing
// of the host, so that only the boot of every host makes it an earlier one.
func (t *matching) reportBoot(r *kernlog.Report) string {
	at := r.First.Origin
	if r.Count > 1 {
		at = r.Last.Origin
	}
	line, err := strconv.ParseInt(strings.TrimPrefix(at, t.s.Origin+":"), 10, 64)
	if err != nil || len(t.booted) != 1 {
		return t.s.Boot
	}
	for _, boot := range t.booted {
		if line-int64(t.s.Offset) < boot {
			return "earlier"
		}
	}
	return t.s.Boot
}

func (t *matching) coverage(stats scan.Stats) ddx.Fact {
	first := logline.Parse(stats.FirstLine, t.s.Hint)
	last := logline.Parse(stats.LastLine, t.s.Hint)
	fields := map[string]any{
		"log": t.s.Origin, "channel": t.s.Channel.String(), "lines": stats.Lines, "drop_bound": "unknown",
		"from": ddx.Moment{Wall: first.Time, Mono: max(first.Mono, 0)}.String(), "to": ddx.Moment{Wall: last.Time, Mono: max(last.Mono, 0)}.String(),
	}
	if t.s.Channel == logline.Unknown && first.Channel == logline.Kernel && last.Channel == logline.Kernel {
		fields["channel"] = "kernel"
	}
	if t.s.Dropped != nil {
		if n, bound := t.s.Dropped(); bound != "unknown" {
			fields["dropped"], fields["drop_bound"] = n, bound
		}
	}
	if stats.Truncated > 0 { // ends of lines that are longer than any log's
		t.lost++
		t.lostAny = true
	}
	if t.lostAny {
		had, _ := fields["dropped"].(int64)
		fields["dropped"], fields["drop_bound"] = had+t.lost, "at-least"
	}
	return ddx.Fact{Kind: "log.coverage", Subject: ddx.Subject{Kind: ddx.Host}, Time: last.Time, Fields: fields,
		Evidence: []ddx.Evidence{{Kind: "log", Origin: t.s.Origin, Text: fmt.Sprintf("%d lines", stats.Lines)}}}
}

// report turns a kernel report into a fact.
func (t *matching) report(r *kernlog.Report) ddx.Fact {
	f := ddx.Fact{Kind: "kernel.report", Subject: ddx.Subject{Kind: ddx.Host}, Time: r.First.Time,
		Fields: map[string]any{"type": r.Type, "title": r.Title, "count": r.Count, "boot": t.reportBoot(r)}}
	set := func(name, v string) {
		if v != "" {
			f.Fields[name] = v
		}
	}
	num := func(name string, v int64) {
		if v >= 0 {
			f.Fields[name] = v
		}
	}
	set("task", r.Task)
	set("symbol", r.Function)
	set("module", r.Module)
	set("release", r.Release)
	set("taint", r.Taint)
	set("reason", r.Reason)
	set("cgroup", r.Cgroup)
	set("victim", r.Victim)
	set("mode_flags", r.Flags)
	num("pid", r.PID)
	num("seconds", r.Seconds)
	num("cpu", r.CPU)
	num("victim_kb", r.VictimKB)
	num("order", r.Order)
	f.Fields["frames"] = append([]string{}, r.Frames...)
	f.Fields["modules"] = append([]string{}, r.Modules...)
	f.Fields["fatal"] = r.Fatal
	switch r.Type {
	case "hung-task":
		f.Subject = ddx.Subject{Kind: ddx.Task, Name: r.Task + ":" + strconv.FormatInt(r.PID, 10)}
	case "ena-reset":
		f.Fields["completed"] = r.Completed
		f.Subject = ddx.Subject{Kind: ddx.NIC, Name: r.Device}
	}
	f.Evidence = []ddx.Evidence{reportEvidence(r.First)}
	if r.Count > 1 {
		f.Evidence = append(f.Evidence, reportEvidence(r.Last))
	}
	return f
}

func reportEvidence(l kernlog.Line) ddx.Evidence {
	return ddx.Evidence{Kind: "log", Origin: l.Origin, Time: l.Time, Mono: max(l.Mono, 0), Text: l.Text}
}
