package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"ddx"
	"ddx/blackhole"
	"ddx/counters"
	"ddx/flowlog"
	"ddx/flowpattern"
	"ddx/source"
)

// flowHead is the first line of a flow log: its header, or a record of version 2.
var flowHead = regexp.MustCompile(`^(?:version |.*\binterface-id\b.*\baction\b|2 \d{12} eni-[0-9a-f]+ )`)

// flowFacts puts the flow logs of a take beside its host counters: windows in
// which the network delivered and the guest received nothing. Without counters
// there are none; without flow logs there is nothing to do. It notes the origins
// of the items that it read. What cannot be read of them is a fact too.
func flowFacts(ctx context.Context, t source.Take, host []ddx.Fact, logs []source.Log, used map[string]bool) ([]ddx.Fact, error) {
	m := sides(t)
	if len(m.flows) == 0 {
		return nil, nil
	}
	for _, it := range slices.Concat(m.flows, m.folder, m.files) {
		used[it.Origin] = true
	}
	dir, err := os.MkdirTemp("", "ddx-flows-")
	if err != nil {
		return nil, fmt.Errorf("join flow logs: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := lay(filepath.Join(dir, "flows"), m.flows); err != nil {
		return nil, err
	}
	res, err := flowlog.Read(ctx, []string{filepath.Join(dir, "flows")}, flowlog.Options{Flows: 10_000})
	if err != nil {
		return nil, err
	}
	interfaces := res.Sums.Interfaces()
	facts := flowpattern.Facts(flowpattern.Patterns(slices.Collect(res.Conversations.All(interfaces)), nil))
	in := blackhole.JoinInput{Network: blackhole.Network(res.Sums, 0)}
	if err := res.Sums.Err(); err != nil {
		return nil, err
	}
	for i := range t.Items {
		it := &t.Items[i]
		if bytes.Contains(it.Data, []byte("NetworkInterfaceId")) {
			if ids, err := flowlog.ReadIdentities(bytes.NewReader(it.Data), t.Header.Host, it.Origin); err == nil {
				in.Identities = append(in.Identities, ids...)
			}
		}
	}
	guest, lost, err := m.counters(filepath.Join(dir, "counters"), t.Header.Host, &in)
	if err != nil {
		return nil, err
	}
	if in.Guest = counters.Merge(guest...); len(in.Guest) > 0 {
		if first, last, ok := span(in.Network); ok {
			// A log that cannot be read the matcher tells of.
			in.Events, _ = hostEvents(host, logs, t.Header.Host, first, last, used)
		}
		facts = append(facts, blackhole.Join(in).Facts()...)
	}
	for i := range facts {
		for k := range facts[i].Evidence {
			ev := &facts[i].Evidence[k]
			ev.Origin = strings.ReplaceAll(ev.Origin, dir+"/flows", "")
			ev.Text = strings.ReplaceAll(ev.Text, dir+"/counters", "")
		}
	}
	for _, f := range res.Files {
		why := f.Error
		if n, _ := f.Lost(); why == "" && n > 0 {
			why = fmt.Sprintf("%d records could not be read, the first at byte %d: %s", n, f.Losses[0].Offset, f.Losses[0].Reason)
		}
		if why != "" {
			of := slices.IndexFunc(m.flows, func(it *source.Item) bool { return f.Path == laid(filepath.Join(dir, "flows"), it) })
			lost = append(lost, unreadSide(m.flows[max(of, 0)], why))
		}
	}
	for i := range lost {
		lost[i].Fields["detail"] = strings.ReplaceAll(lost[i].String("detail"), dir+"/counters", "")
	}
	return append(facts, lost...), nil
}

// unreadSide says that a flow log, or counters beside one, could not be read.
func unreadSide(it *source.Item, why string) ddx.Fact {
	return ddx.Fact{Kind: "unavailable", Subject: ddx.Subject{Kind: ddx.Host}, Time: it.Time, Fields: map[string]any{
		"what": it.Origin, "reader": "flow-log", "reason": string(ddx.NotReadable), "detail": why, "kinds": []string{"flow.window"}, "named": it.Named}}
}

// counters reads the counters of the guest, and what cannot be read of them.
func (m *material) counters(dir, host string, in *blackhole.JoinInput) (guest [][]counters.Series, lost []ddx.Fact, err error) {
	if len(m.folder) > 0 {
		if err := lay(dir, m.folder); err != nil {
			return nil, nil, err
		}
		l, err := counters.Load(dir, host)
		if err != nil {
			lost = append(lost, unreadSide(m.folder[0], err.Error()))
		} else {
			guest = append(guest, l.Series)
		}
	}
	for _, it := range m.files {
		l, err := readCounters(it, host)
		if err != nil {
			lost = append(lost, unreadSide(it, err.Error()))
			continue
		}
		guest = append(guest, l.Series)
		for iface, mac := range l.MACs {
			in.Identities = append(in.Identities, flowlog.Identity{Host: host, Interface: iface, MAC: mac})
		}
	}
	return guest, lost, nil
}

func readCounters(it *source.Item, host string) (*counters.Loaded, error) {
	r := io.NopCloser(io.Reader(bytes.NewReader(it.Data)))
	if it.Open != nil {
		f, err := it.Open()
		if err != nil {
			return nil, err
		}
		r = f
	}
	defer r.Close()
	return counters.Read(r, host, it.Origin, it.Time)
}

// span is the time that the network's side covers, with an hour around it: the
// clocks of the two sides may differ.
func span(network []blackhole.NetworkSeries) (first, last time.Time, ok bool) {
	for _, n := range network {
		if len(n.Buckets) == 0 {
			continue
		}
		from, to := time.Unix(n.Buckets[0].Start, 0), time.Unix(n.Buckets[len(n.Buckets)-1].Start, 0).Add(n.Interval)
		if !ok || from.Before(first) {
			first = from
		}
		if !ok || to.After(last) {
			last = to
		}
		ok = true
	}
	return first.Add(-time.Hour), last.Add(time.Hour), ok
}

// material is what the items of a take hold of the two sides.
type material struct {
	flows  []*source.Item
	folder []*source.Item // counters whose host and interface stand in the path
	files  []*source.Item // counters in one file
}

// sides finds the flow logs and the counters among the items. A single snapshot
// of counters is no series, and not counted among them.
func sides(t source.Take) (m material) {
	for i := range t.Items {
		it := &t.Items[i]
		if it.Absent != "" {
			continue
		}
		head := itemHead(it, 4<<10)
		format := counters.Recognise(head)
		repeated := format == "ip-link" || format == "net-dev" // one look alone has a reader of its own
		switch {
		case it.Reader != "" && it.Reader != "log" && !repeated:
		case flowHead.Match(head[:min(512, len(head))]), bytes.HasPrefix(head, []byte("PAR1")):
			m.flows = append(m.flows, it)
		case bytes.HasPrefix(head, []byte("epoch,")), strings.HasSuffix(it.Origin, ".wsp"):
			m.folder = append(m.folder, it)
		case repeated, format == "sadf", format == "series", format == "graphite-json", format == "prometheus-json" && bytes.Contains(head, []byte(`"matrix"`)),
			format == "carbon" && len(bytes.TrimSpace(head)) > 0 && it.Reader == "":
			m.files = append(m.files, it)
		}
	}
	return m
}

func itemHead(it *source.Item, n int) []byte {
	if it.Open == nil {
		return it.Data[:min(n, len(it.Data))]
	}
	r, err := it.Open()
	if err != nil {
		return nil
	}
	defer r.Close()
	head := make([]byte, n)
	k, _ := io.ReadFull(r, head) // what cannot be read, source has said
	return head[:k]
}

// lay writes items below a folder by their origins, where the readers of
// folders look for hosts and interfaces in the names.
func lay(dir string, items []*source.Item) error {
	for _, it := range items {
		name := laid(dir, it)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return fmt.Errorf("join flow logs: %w", err)
		}
		if err := copyItem(name, it); err != nil {
			return fmt.Errorf("join flow logs: %s: %w", it.Origin, err)
		}
	}
	return nil
}

func laid(dir string, it *source.Item) string {
	return filepath.Join(dir, filepath.FromSlash(path.Clean("/"+it.Origin)))
}

func copyItem(name string, it *source.Item) error {
	r := io.NopCloser(io.Reader(bytes.NewReader(it.Data)))
	if it.Open != nil {
		f, err := it.Open()
		if err != nil {
			return err
		}
		r = f
	}
	defer r.Close()
	w, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return firstError(err, w.Close())
}
