package counters

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// prometheusMetrics are node exporter's names of what is of use.
var prometheusMetrics = map[string]struct {
	metric string
	kind   Kind
}{
	"node_network_receive_packets_total":  {RxPackets, Cumulative},
	"node_network_transmit_packets_total": {TxPackets, Cumulative},
	"node_network_receive_bytes_total":    {RxBytes, Cumulative},
	"node_network_transmit_bytes_total":   {TxBytes, Cumulative},
	"node_network_receive_errs_total":     {RxErrors, Cumulative},
	"node_network_transmit_errs_total":    {TxErrors, Cumulative},
	"node_network_receive_drop_total":     {RxDropped, Cumulative},
	"node_network_transmit_drop_total":    {TxDropped, Cumulative},
	"node_network_up":                     {Up, State},
	"node_network_carrier":                {Carrier, State},
	"node_boot_time_seconds":              {Boot, State},
	"node_load1":                          {Load1, State},
	"node_cpu_seconds_total":              {CPU, Cumulative},
}

// Prometheus asks the HTTP API at base (http://HOST:9090) for what node
// exporter measured between from and to. step is the resolution; a value at a
// step is the last sample before it, at most lookback old: lookback must be the
// scrape interval or little more, or a gap in the samples stays unseen.
func Prometheus(ctx context.Context, client *http.Client, base string, from, to time.Time, step time.Duration) ([]Series, error) {
	// last_over_time with a window of one step keeps a gap a gap; without it
	// Prometheus repeats a sample for five minutes.
	window := fmt.Sprintf("[%ds]", max(1, int(step.Seconds()+0.5)))
	q := url.Values{
		"start": {strconv.FormatFloat(float64(from.UnixMilli())/1e3, 'f', 3, 64)},
		"end":   {strconv.FormatFloat(float64(to.UnixMilli())/1e3, 'f', 3, 64)},
		"step":  {strconv.FormatFloat(step.Seconds(), 'f', 3, 64)},
	}
	var out set
	for name, m := range prometheusMetrics {
		q.Set("query", fmt.Sprintf("last_over_time(%s%s)", name, window))
		if err := promRange(ctx, client, base, q, m.metric, m.kind, step, &out); err != nil {
			return nil, fmt.Errorf("ask Prometheus at %s for %s: %w", base, name, err)
		}
	}
	return out.series(), nil
}

type promAnswer struct {
	Status string
	Error  string
	Data   struct {
		ResultType string
		Result     []struct {
			Metric map[string]string
			Values [][2]any
		}
	}
}

func promRange(ctx context.Context, client *http.Client, base string, q url.Values, metric string, kind Kind, step time.Duration, out *set) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(base, "/")+"/api/v1/query_range", strings.NewReader(q.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return readPrometheus(io.LimitReader(resp.Body, 1<<30), resp.Status, base, metric, kind, step, out)
}

// readPrometheus reads the answer to a range query. A series that carries its
// name is taken by it, one that lost it to a function as the given metric.
func readPrometheus(r io.Reader, status, origin, metric string, kind Kind, step time.Duration, out *set) error {
	var a promAnswer
	if err := json.NewDecoder(r).Decode(&a); err != nil {
		return fmt.Errorf("answer %s: %w", status, err)
	}
	if a.Status != "success" {
		return fmt.Errorf("answer %s: %s", status, a.Error)
	}
	if a.Data.ResultType != "matrix" {
		return fmt.Errorf("a %s, not the matrix of a range query", a.Data.ResultType)
	}
	for _, series := range a.Data.Result {
		host, iface := promHost(series.Metric), series.Metric["device"]
		metric, kind := metric, kind
		if name, ok := prometheusMetrics[series.Metric["__name__"]]; ok {
			metric, kind = name.metric, name.kind
		}
		if metric == "" {
			continue
		}
		for _, v := range series.Values {
			at, ok := v[0].(float64)
			text, ok2 := v[1].(string)
			n, err := strconv.ParseFloat(text, 64)
			if !ok || !ok2 || err != nil {
				return fmt.Errorf("sample %v of %v is not [time, \"value\"]", v, series.Metric)
			}
			if metric != CPU {
				out.add(host, iface, metric, kind, step, origin, seconds(at), n)
				continue
			}
			out.sumAt(host, CPU, kind, step, origin, seconds(at), n)
		}
	}
	return nil
}

// promHost is the instance label without its port.
func promHost(labels map[string]string) string {
	h := labels["instance"]
	if n := labels["nodename"]; n != "" {
		return n
	}
	if i := strings.LastIndexByte(h, ':'); i > 0 && !strings.Contains(h[i+1:], "]") {
		return h[:i]
	}
	return h
}

// Exposition reads Prometheus' text format as saved from an exporter's
// /metrics, one snapshot taken at the time given. Samples that carry their own
// time keep it. Several snapshots make a series when merged with [Merge].
func Exposition(r io.Reader, host, origin string, at time.Time) ([]Series, error) {
	var out set
	var errs error
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<20)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, labels, rest, err := exposition(line)
		m, ok := prometheusMetrics[name]
		if err == nil && !ok {
			continue
		}
		var v float64
		t := at
		if err == nil {
			words := strings.Fields(rest)
			if len(words) < 1 || len(words) > 2 {
				err = errors.New("value missing")
			} else if v, err = strconv.ParseFloat(words[0], 64); err == nil && len(words) == 2 {
				var ms int64
				ms, err = strconv.ParseInt(words[1], 10, 64)
				t = time.UnixMilli(ms).UTC()
			}
		}
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("line %d of %s: %w", n, origin, err))
			continue
		}
		h := host
		if h == "" {
			h = promHost(labels)
		}
		if m.metric == CPU {
			out.sumAt(h, CPU, m.kind, 0, origin, t, v)
			continue
		}
		out.add(h, labels["device"], m.metric, m.kind, 0, origin, t, v)
	}
	return out.series(), errors.Join(errs, sc.Err())
}

// exposition splits name{label="value",...} rest.
func exposition(line string) (name string, labels map[string]string, rest string, err error) {
	i := strings.IndexAny(line, "{ \t")
	if i < 0 {
		return "", nil, "", errors.New("neither labels nor a value")
	}
	name, rest = line[:i], line[i:]
	if rest[0] != '{' {
		return name, nil, rest, nil
	}
	labels = map[string]string{}
	rest = rest[1:]
	for {
		rest = strings.TrimLeft(rest, ", \t")
		if strings.HasPrefix(rest, "}") {
			return name, labels, rest[1:], nil
		}
		k, after, ok := strings.Cut(rest, "=")
		if !ok {
			return "", nil, "", errors.New("labels without an end")
		}
		value, err := strconv.QuotedPrefix(after)
		if err != nil {
			return "", nil, "", fmt.Errorf("label %.40q: %w", k, err)
		}
		if labels[strings.TrimSpace(k)], err = strconv.Unquote(value); err != nil {
			return "", nil, "", fmt.Errorf("label %.40q: %w", k, err)
		}
		rest = after[len(value):]
	}
}

// Merge joins series of the same host, interface and metric that come in
// parts, such as one snapshot a file.
func Merge(parts ...[]Series) []Series {
	var out set
	for _, p := range parts {
		for _, s := range p {
			for _, v := range s.Samples {
				out.add(s.Host, s.Interface, s.Metric, s.Kind, s.Step, s.Origin, v.Time, v.Value)
			}
		}
	}
	return out.series()
}
