package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"ddx"
	"ddx/counters"
	"ddx/source"
)

// ownSamples reads what bundles of ddx collect counted on interfaces: a bundle
// holds one reading of each or two, several bundles of a host make a series.
// Path is a bundle, or a folder of bundles.
func (a *app) ownSamples(ctx context.Context, path, host string) ([]counters.Series, error) {
	var all [][]counters.Series
	for _, p := range bundlesIn(path) {
		takes, err := source.OpenFiles(ctx, []string{p}, source.Options{Version: version(), Stdin: a.stdin, Now: time.Now})
		if err != nil {
			return nil, err
		}
		for i := range takes {
			t := &takes[i]
			facts, _, err := source.Facts(*t)
			if err = firstError(err, t.Close()); err != nil {
				return nil, err
			}
			for k := range facts {
				if s, ok := countedSeries(&facts[k], cmp.Or(t.Header.Host, host)); ok {
					all = append(all, []counters.Series{s})
				}
			}
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no bundle of ddx collect with counters of an interface")
	}
	return counters.Merge(all...), nil
}

// bundlesIn lists the bundles of a folder; what is none stands for itself.
func bundlesIn(path string) (bundles []string) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return []string{path}
	}
	if _, err := os.Stat(filepath.Join(path, "records.jsonl")); err == nil {
		return []string{path}
	}
	for _, e := range entries {
		bundles = append(bundles, filepath.Join(path, e.Name()))
	}
	return bundles
}

// countedSeries makes a series of one counter as the kernel keeps it for every
// interface; what drivers count besides has names of their own.
func countedSeries(f *ddx.Fact, host string) (counters.Series, bool) {
	if f.Kind != "nic.counter" || len(f.Evidence) == 0 || f.Evidence[0].Kind != "ip-link" || f.Time.IsZero() {
		return counters.Series{}, false
	}
	s := counters.Series{Host: host, Interface: f.Subject.Name, Kind: counters.Cumulative, Origin: f.Evidence[0].Origin}
	switch s.Metric = f.String("name"); s.Metric {
	case counters.RxPackets, counters.TxPackets, counters.RxBytes, counters.TxBytes,
		counters.RxErrors, counters.TxErrors, counters.RxDropped, counters.TxDropped:
	default:
		return counters.Series{}, false
	}
	value, ok := f.Float("value")
	if !ok {
		return counters.Series{}, false
	}
	delta, counted := f.Float("delta")
	seconds, _ := f.Float("seconds")
	if counted && seconds > 0 {
		s.Samples = append(s.Samples, counters.Sample{Time: f.Time.Add(-time.Duration(seconds * float64(time.Second))), Value: value - delta})
	}
	s.Samples = append(s.Samples, counters.Sample{Time: f.Time, Value: value})
	return s, true
}
