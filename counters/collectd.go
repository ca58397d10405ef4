package counters

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
	"time"
)

// collectdName splits what collectd names a value by. plugin and typ may carry
// an instance after a hyphen: interface-eth0/if_packets, cpu-0/cpu-idle.
func collectdMetric(plugin, instance, typ, typInstance, source string) (iface, metric string) {
	switch plugin {
	case "interface":
		return instance, metricName(typ, source)
	case "uptime":
		return "", Uptime
	case "load":
		if source == "shortterm" {
			return "", Load1
		}
	case "cpu":
		if typ == "cpu" && instance != "" {
			return "", CPU
		}
	}
	return "", ""
}

// jiffies per second of collectd's cpu plugin (USER_HZ, 100 on every Linux).
const userHZ = 100

// CollectdCSV reads a folder written by collectd's csv plugin:
// HOST/PLUGIN[-INSTANCE]/TYPE[-INSTANCE]-YYYY-MM-DD, below root of fsys, at
// any depth. Lines that cannot be read are told of in errs; the rest is
// returned. Whether the plugin stored rates or counters (StoreRates) is not
// written down: it is found by the values, see storedRates.
func CollectdCSV(fsys fs.FS, root string) (all []Series, errs []error) {
	type column struct {
		host, iface, metric string
		samples             []Sample
	}
	var columns []*column
	index := map[string]*column{}
	err := fs.WalkDir(fsys, root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			errs = append(errs, fmt.Errorf("read collectd folder: %w", err))
			return nil
		}
		base := path.Base(p)
		if d.IsDir() || !isDated(base) {
			return nil
		}
		typ, typInstance, _ := strings.Cut(base[:len(base)-len("-2006-01-02")], "-")
		plugin, instance, _ := strings.Cut(path.Base(path.Dir(p)), "-")
		host := path.Base(path.Dir(path.Dir(p)))
		f, err := fsys.Open(p)
		if err != nil {
			errs = append(errs, fmt.Errorf("read collectd folder: %w", err))
			return nil
		}
		defer f.Close()
		names, samples, err := readCollectdCSV(f)
		if err != nil {
			errs = append(errs, fmt.Errorf("read collectd file %s: %w", p, err))
		}
		for i, n := range names {
			iface, metric := collectdMetric(plugin, instance, typ, typInstance, n)
			if metric == "" {
				continue
			}
			// A file a day: the days of one column are joined, the states of
			// one processor are kept apart until they are summed.
			key := strings.Join([]string{host, plugin, instance, typ, typInstance, n}, "/")
			c := index[key]
			if c == nil {
				c = &column{host: host, iface: iface, metric: metric}
				index[key] = c
				columns = append(columns, c)
			}
			c.samples = append(c.samples, samples[i]...)
		}
		return nil
	})
	if err != nil {
		errs = append(errs, err)
	}
	byHost := map[string][][]Sample{}
	for _, c := range columns {
		if c.metric != Uptime && c.metric != Load1 {
			byHost[c.host] = append(byHost[c.host], c.samples)
		}
	}
	rates := map[string]bool{}
	for h, s := range byHost {
		rates[h] = storedRates(s)
	}
	var out set
	origin := "collectd csv"
	cpu := map[string]map[int64]float64{}
	for _, c := range columns {
		kind := Cumulative
		switch {
		case c.metric == Uptime || c.metric == Load1:
			kind = State
		case rates[c.host]:
			kind = Rate
		}
		for _, s := range c.samples {
			if c.metric != CPU {
				out.add(c.host, c.iface, c.metric, kind, 0, origin, s.Time, s.Value)
				continue
			}
			// The values of one reading carry times some microseconds apart.
			if cpu[c.host] == nil {
				cpu[c.host] = map[int64]float64{}
			}
			cpu[c.host][s.Time.Round(time.Second).Unix()] += s.Value / userHZ
		}
	}
	for h, m := range cpu {
		kind := Cumulative
		if rates[h] {
			kind = Rate
		}
		for at, v := range m {
			out.add(h, "", CPU, kind, 0, origin, time.Unix(at, 0).UTC(), v)
		}
	}
	all = out.series()
	for i := range all {
		if all[i].Metric == CPU && all[i].Kind == Cumulative {
			all[i].dropPartial()
		}
	}
	return all, errs
}

// dropPartial removes sums that lack a processor or state because the second
// they were rounded to was split: such a sum falls far below its neighbours.
func (s *Series) dropPartial() {
	kept := s.Samples[:0]
	for i, v := range s.Samples {
		if i > 0 && i+1 < len(s.Samples) && v.Value < s.Samples[i-1].Value && s.Samples[i+1].Value >= s.Samples[i-1].Value {
			continue
		}
		kept = append(kept, v)
	}
	s.Samples = kept
}

// isDated says whether a name ends in -YYYY-MM-DD.
func isDated(name string) bool {
	const n = len("-2006-01-02")
	if len(name) <= n {
		return false
	}
	_, err := time.Parse("-2006-01-02", name[len(name)-n:])
	return err == nil
}

// readCollectdCSV reads "epoch,NAME,..." and the lines below it. A half line at
// the end, as collectd leaves it when it is killed, is an error that comes with
// everything before it.
func readCollectdCSV(r io.Reader) (names []string, samples [][]Sample, err error) {
	sc := bufio.NewScanner(r)
	for n := 1; sc.Scan(); n++ {
		cells := strings.Split(sc.Text(), ",")
		if n == 1 {
			if cells[0] != "epoch" || len(cells) < 2 {
				return nil, nil, fmt.Errorf("line 1: %.40q is not the header of a collectd CSV file (epoch,...)", sc.Text())
			}
			names = cells[1:]
			samples = make([][]Sample, len(names))
			continue
		}
		at, bad := strconv.ParseFloat(cells[0], 64)
		if bad != nil || len(cells) != len(names)+1 || !(at > 0 && at < 1<<34) {
			err = errors.Join(err, fmt.Errorf("line %d: %.60q is not epoch and %d values", n, sc.Text(), len(names)))
			continue
		}
		for i, c := range cells[1:] {
			v, bad := strconv.ParseFloat(c, 64)
			switch {
			case bad != nil:
				err = errors.Join(err, fmt.Errorf("line %d: %.40q is not a number", n, c))
			case !math.IsNaN(v): // nan: no rate yet
				samples[i] = append(samples[i], Sample{seconds(at), v})
			}
		}
	}
	return names, samples, errors.Join(err, sc.Err())
}

// storedRates decides whether the columns of a host are rates or counters. All
// files of one csv plugin are of one kind. Counters are whole numbers that
// rarely fall; a rate has a fraction sooner or later, or falls as often as it
// rises. Only zeros and constants decide nothing: then counters, which is
// the plugin's default.
func storedRates(columns [][]Sample) bool {
	fractions, rises, falls := 0, 0, 0
	for _, c := range columns {
		for i, s := range c {
			if s.Value != math.Trunc(s.Value) {
				fractions++
			}
			if i > 0 && s.Value > c[i-1].Value {
				rises++
			}
			if i > 0 && s.Value < c[i-1].Value {
				falls++
			}
		}
	}
	return fractions > 0 || falls > 2 && falls*4 > rises
}
