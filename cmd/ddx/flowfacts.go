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
// of the items that it read.
func flowFacts(ctx context.Context, t source.Take, host []ddx.Fact, logs []source.Log, used map[string]bool) ([]ddx.Fact, error) {
	flows, series := sides(t)
	if len(flows) == 0 {
		return nil, nil
	}
	for _, it := range slices.Concat(flows, series) {
		used[it.Origin] = true
	}
	dir, err := os.MkdirTemp("", "ddx-flows-")
	if err != nil {
		return nil, fmt.Errorf("join flow logs: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := lay(filepath.Join(dir, "flows"), flows); err != nil {
		return nil, err
	}
	res, err := flowlog.Read(ctx, []string{filepath.Join(dir, "flows")}, flowlog.Options{Flows: 10_000})
	if err != nil {
		return nil, err
	}
	interfaces := res.Sums.Interfaces()
	facts := flowpattern.Facts(flowpattern.Patterns(slices.Collect(res.Conversations.All(interfaces)), nil))
	in := blackhole.JoinInput{Network: blackhole.Network(res.Sums, 0)}
	for i := range t.Items {
		it := &t.Items[i]
		if bytes.Contains(it.Data, []byte("NetworkInterfaceId")) {
			if ids, err := flowlog.ReadIdentities(bytes.NewReader(it.Data), t.Header.Host, it.Origin); err == nil {
				in.Identities = append(in.Identities, ids...)
			}
		}
	}
	if len(series) > 0 {
		if err := lay(filepath.Join(dir, "counters"), series); err != nil {
			return nil, err
		}
		l, err := counters.Load(filepath.Join(dir, "counters"), t.Header.Host)
		if err != nil {
			return nil, err
		}
		in.Guest = counters.Merge(l.Series)
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
	return facts, nil
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

// sides finds the flow logs and the counter series among the items.
func sides(t source.Take) (flows, series []*source.Item) {
	for i := range t.Items {
		it := &t.Items[i]
		if it.Absent != "" || it.Reader != "" && it.Reader != "log" {
			continue
		}
		head := itemHead(it, 512)
		switch {
		case flowHead.Match(head):
			flows = append(flows, it)
		case bytes.HasPrefix(head, []byte("epoch,")), strings.HasSuffix(it.Origin, ".wsp"):
			series = append(series, it)
		}
	}
	return flows, series
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
		name := filepath.Join(dir, filepath.FromSlash(path.Clean("/"+it.Origin)))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return fmt.Errorf("join flow logs: %w", err)
		}
		if err := copyItem(name, it); err != nil {
			return fmt.Errorf("join flow logs: %s: %w", it.Origin, err)
		}
	}
	return nil
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
