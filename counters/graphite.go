package counters

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
)

// graphiteName reads host, interface and metric out of a Graphite path. Known
// are collectd's write_graphite plugin (PREFIX.HOST.interface-eth0.if_packets.rx,
// PREFIX.HOST.cpu-0.cpu-idle) and Diamond (PREFIX.HOST.network.eth0.rx_packets).
// Dots of a host name are underscores there and stay so.
func graphiteName(path string) (host, iface, metric string, ok bool) {
	if i, j := strings.LastIndexByte(path, '('), strings.IndexByte(path, ')'); i >= 0 && j > i {
		path = path[i+1 : j] // a function of the render API around it
	}
	w := strings.Split(path, ".")
	for i, p := range w {
		if i == 0 {
			continue
		}
		plugin, instance, _ := strings.Cut(p, "-")
		rest := w[i+1:]
		switch {
		case p == "network" && len(rest) == 2:
			dir, what, _ := strings.Cut(rest[1], "_")
			if m := metricName(what, dir); m != "" {
				return w[i-1], rest[0], m, true
			}
		case (plugin == "interface" || plugin == "cpu" || plugin == "uptime" || plugin == "load") && len(rest) >= 1:
			typ, typInstance, _ := strings.Cut(rest[0], "-")
			source := "value"
			if len(rest) > 1 {
				source = rest[len(rest)-1]
			}
			if iface, m := collectdMetric(plugin, instance, typ, typInstance, source); m != "" {
				return w[i-1], iface, m, true
			}
		}
	}
	return "", "", "", false
}

// graphiteKind finds whether a Graphite series is a counter or a rate, which
// is written nowhere: a counter is whole and does not fall.
func graphiteKind(s *Series) {
	switch s.Metric {
	case Uptime, Load1, Boot, Up, Carrier:
		s.Kind = State
	case CPU:
		if s.Kind = Cumulative; storedRates([][]Sample{s.Samples}) {
			s.Kind = Rate
		} else {
			for i := range s.Samples {
				s.Samples[i].Value /= userHZ
			}
		}
	default:
		if s.Kind = Cumulative; storedRates([][]Sample{s.Samples}) {
			s.Kind = Rate
		}
	}
}

func graphiteSeries(out *set) []Series {
	all := out.series()
	for i := range all {
		graphiteKind(&all[i])
	}
	return all
}

// GraphiteJSON reads an answer of the render API with format=json.
func GraphiteJSON(r io.Reader, origin string) ([]Series, error) {
	var targets []struct {
		Target     string
		Datapoints [][2]*float64
	}
	if err := json.NewDecoder(r).Decode(&targets); err != nil {
		return nil, fmt.Errorf("read Graphite JSON %s: %w: ask the render API with format=json", origin, err)
	}
	var out set
	for _, t := range targets {
		host, iface, metric, ok := graphiteName(t.Target)
		if !ok {
			continue
		}
		var step time.Duration
		if d := t.Datapoints; len(d) > 1 && d[0][1] != nil && d[1][1] != nil {
			step = time.Duration((*d[1][1] - *d[0][1]) * float64(time.Second))
		}
		for _, p := range t.Datapoints {
			if p[0] == nil || p[1] == nil { // null: no value was stored
				continue
			}
			if metric == CPU {
				out.sumAt(host, CPU, Cumulative, step, origin, seconds(*p[1]), *p[0])
				continue
			}
			out.add(host, iface, metric, Cumulative, step, origin, seconds(*p[1]), *p[0])
		}
	}
	return graphiteSeries(&out), nil
}

// Whisper reads one Whisper file. name is its Graphite path (the file's path
// below the storage directory with dots for slashes). Of the archives the
// finest that still holds a time is taken for it; a coarse point that overlaps
// finer ones is left out.
// Source: the layout in whisper.py: big-endian, a header of 16 bytes
// (aggregation, maximum retention, xFilesFactor, archives), 12 bytes an archive
// (offset, seconds per point, points), 12 bytes a point (time, value).
func Whisper(r io.ReaderAt, size int64, name, origin string) ([]Series, error) {
	host, iface, metric, ok := graphiteName(name)
	if !ok {
		return nil, nil
	}
	points, step, err := whisperPoints(r, size)
	if err != nil {
		return nil, fmt.Errorf("read Whisper file %s: %w", origin, err)
	}
	if len(points) == 0 {
		return nil, nil
	}
	s := Series{Host: host, Interface: iface, Metric: metric, Step: step, Origin: origin, Samples: points}
	s.sort()
	if metric != CPU {
		graphiteKind(&s)
	}
	return []Series{s}, nil
}

func whisperPoints(r io.ReaderAt, size int64) ([]Sample, time.Duration, error) {
	var head [16]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return nil, 0, fmt.Errorf("header: %w", err)
	}
	n := binary.BigEndian.Uint32(head[12:])
	if aggregation := binary.BigEndian.Uint32(head[:]); n == 0 || n > 64 || aggregation == 0 || aggregation > 16 {
		return nil, 0, fmt.Errorf("header claims %d archives and aggregation %d: not a Whisper file", n, aggregation)
	}
	archives := make([]byte, 12*n)
	if _, err := r.ReadAt(archives, 16); err != nil {
		return nil, 0, fmt.Errorf("list of archives: %w", err)
	}
	var all []Sample
	var step time.Duration
	oldest := int64(math.MaxInt64)
	for i := range int(n) {
		a := archives[12*i:]
		offset, sec, count := int64(binary.BigEndian.Uint32(a)), int64(binary.BigEndian.Uint32(a[4:])), int64(binary.BigEndian.Uint32(a[8:]))
		if sec == 0 || offset+12*count > size {
			return nil, 0, fmt.Errorf("archive %d claims %d points from byte %d on, beyond the file's %d bytes", i, count, offset, size)
		}
		data := make([]byte, 12*count)
		if _, err := r.ReadAt(data, offset); err != nil && !(errors.Is(err, io.EOF) && count == 0) {
			return nil, 0, fmt.Errorf("archive %d: %w", i, err)
		}
		var newest int64
		for p := 0; p < len(data); p += 12 {
			newest = max(newest, int64(binary.BigEndian.Uint32(data[p:])))
		}
		finer := oldest
		for p := 0; p < len(data); p += 12 {
			// A place of the ring that was not overwritten this time round
			// holds a time older than the archive reaches.
			at := int64(binary.BigEndian.Uint32(data[p:]))
			// A coarse point stands for sec seconds: one that reaches into what
			// the finer archive holds would tell these seconds twice.
			if at == 0 || at <= newest-sec*count || at+sec > finer && finer != math.MaxInt64 {
				continue
			}
			v := math.Float64frombits(binary.BigEndian.Uint64(data[p+4:]))
			if !math.IsNaN(v) {
				all = append(all, Sample{time.Unix(at, 0).UTC(), v})
			}
			oldest = min(oldest, at)
		}
		if i == 0 {
			step = time.Duration(sec) * time.Second
		}
	}
	return all, step, nil
}

// Carbon gathers series from Graphite's plaintext protocol. It may be used by
// several goroutines, one for each connection.
type Carbon struct {
	Origin string

	mu  sync.Mutex
	set set
}

// Read takes lines "path value time" until r ends. Lines that are none of
// these come back in the error, the first with its text and the others by their
// number; they do not stop the reading.
func (c *Carbon) Read(r io.Reader) error {
	var first error
	bad := 0
	sc := bufio.NewScanner(r)
	for n := 1; sc.Scan(); n++ {
		if err := c.Line(sc.Text()); err != nil {
			if bad++; first == nil {
				first = fmt.Errorf("line %d: %w", n, err)
			}
		}
	}
	if bad > 1 {
		first = fmt.Errorf("%w, and %d more such lines", first, bad-1)
	}
	return errors.Join(first, sc.Err())
}

// Line takes one line.
func (c *Carbon) Line(line string) error {
	w := strings.Fields(line)
	if len(w) == 0 {
		return nil
	}
	if len(w) != 3 {
		return fmt.Errorf("%.60q is not path, value and time", line)
	}
	v, err1 := strconv.ParseFloat(w[1], 64)
	at, err2 := strconv.ParseFloat(w[2], 64)
	if err1 != nil || err2 != nil || !(at > 0 && at < 1<<34) {
		return fmt.Errorf("%.60q is not path, value and time", line)
	}
	host, iface, metric, ok := graphiteName(w[0])
	if !ok || math.IsNaN(v) {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if metric == CPU {
		c.set.sumAt(host, CPU, Cumulative, 0, c.Origin, seconds(at), v)
	} else {
		c.set.add(host, iface, metric, Cumulative, 0, c.Origin, seconds(at), v)
	}
	return nil
}

// Series gives what was gathered so far.
func (c *Carbon) Series() []Series {
	c.mu.Lock()
	defer c.mu.Unlock()
	return graphiteSeries(&set{m: cloned(c.set.m)})
}

func cloned(m map[setKey]*Series) map[setKey]*Series {
	out := make(map[setKey]*Series, len(m))
	for k, v := range m {
		s := *v
		s.Samples = append([]Sample(nil), v.Samples...)
		out[k] = &s
	}
	return out
}
