package counters

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Loaded is what was read of a path.
type Loaded struct {
	Format string            // collectd-csv, whisper, sadf, graphite-json, prometheus-json, exposition, ip-link, net-dev, carbon, series
	Series []Series          // in order of host, interface, metric
	MACs   map[string]string // hardware address by interface, where the source has it
	Errors []error           // parts that could not be read, each with its file and place
}

// Load reads a file or folder of host counters, recognised by content. host
// names the host where the source does not. An error means that nothing could
// be read; what was unreadable beside readable parts is in Errors.
func Load(p, host string) (*Loaded, error) {
	info, err := os.Stat(p)
	if err != nil {
		return nil, fmt.Errorf("read host counters: %w", err)
	}
	if info.IsDir() {
		return loadFolder(p)
	}
	f, err := os.Open(p)
	if err != nil {
		return nil, fmt.Errorf("read host counters: %w", err)
	}
	defer f.Close()
	if strings.HasSuffix(p, ".wsp") {
		name := strings.ReplaceAll(strings.TrimSuffix(filepath.ToSlash(p), ".wsp"), "/", ".")
		s, err := Whisper(f, info.Size(), name, p)
		if err != nil {
			return nil, err
		}
		return &Loaded{Format: "whisper", Series: s}, nil
	}
	l, err := Read(f, host, p, info.ModTime())
	if err != nil {
		return nil, fmt.Errorf("read host counters: %w", err)
	}
	return l, nil
}

func loadFolder(p string) (*Loaded, error) {
	fsys := os.DirFS(p)
	l := &Loaded{Format: "collectd-csv"}
	if l.Series, l.Errors = WhisperFolder(fsys, p); len(l.Series) > 0 {
		l.Format = "whisper"
	}
	csv, errs := CollectdCSV(fsys, ".")
	l.Errors = append(l.Errors, errs...)
	if l.Series = Merge(l.Series, csv); len(l.Series) == 0 {
		return nil, fmt.Errorf("read host counters: no collectd CSV file and no Whisper file of a network interface below %s: %w", p, errors.Join(l.Errors...))
	}
	return l, nil
}

// WhisperFolder reads all Whisper files below the storage directory fsys.
func WhisperFolder(fsys fs.FS, origin string) (all []Series, errs []error) {
	var out set
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(p) != ".wsp" {
			return err
		}
		f, err := fsys.Open(p)
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		at, ok := f.(io.ReaderAt)
		if !ok {
			return fmt.Errorf("%s cannot be read at a place", p)
		}
		name := strings.ReplaceAll(strings.TrimSuffix(p, ".wsp"), "/", ".")
		series, err := Whisper(at, info.Size(), name, path.Join(origin, p))
		if err != nil {
			errs = append(errs, err)
		}
		for _, s := range series {
			for _, v := range s.Samples {
				if s.Metric == CPU {
					out.sumAt(s.Host, CPU, s.Kind, s.Step, origin, v.Time, v.Value)
				} else {
					out.add(s.Host, s.Interface, s.Metric, s.Kind, s.Step, s.Origin, v.Time, v.Value)
				}
			}
		}
		return nil
	})
	if err != nil {
		errs = append(errs, fmt.Errorf("read Whisper folder %s: %w", origin, err))
	}
	return graphiteSeries(&out), errs
}

// Read reads host counters from a stream, recognised by content. at is the time
// of a snapshot that carries none.
func Read(r io.Reader, host, origin string, at time.Time) (*Loaded, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	head, err := b.Peek(4 << 10)
	if len(head) == 0 {
		return nil, fmt.Errorf("%s: empty: %w", origin, err)
	}
	l := &Loaded{Format: Recognise(head)}
	switch l.Format {
	case "sadf":
		l.Series, err = Sadf(b, origin, time.UTC)
	case "graphite-json":
		l.Series, err = GraphiteJSON(b, origin)
	case "prometheus-json":
		var out set
		err = readPrometheus(b, "in "+origin, origin, "", Cumulative, 0, &out)
		l.Series = out.series()
	case "exposition":
		l.Series, err = Exposition(b, host, origin, at)
	case "ip-link":
		l.Series, l.MACs, err = IPLink(b, host, origin)
	case "net-dev":
		l.Series, err = NetDev(b, host, origin)
	case "carbon":
		c := &Carbon{Origin: origin}
		err = c.Read(b)
		l.Series = c.Series()
	case "series":
		l.Series, err = readSeries(b)
	default:
		return nil, fmt.Errorf("%s: neither collectd, sadf -j, Graphite, Prometheus nor repeated ip -s -j link or /proc/net/dev", origin)
	}
	if err != nil {
		l.Errors = append(l.Errors, err)
	}
	if len(l.Series) == 0 {
		return nil, fmt.Errorf("%s (%s): no counter of a network interface: %w", origin, l.Format, errors.Join(l.Errors...))
	}
	return l, nil
}

// Recognise names the format of a file by its first bytes, a few kilobytes of
// them; "" when it is none.
func Recognise(head []byte) string {
	text := bytes.TrimSpace(head)
	compact := bytes.ReplaceAll(bytes.ReplaceAll(bytes.ReplaceAll(text, []byte(" "), nil), []byte("\n"), nil), []byte("\t"), nil)
	line, after, _ := bytes.Cut(text, []byte{'\n'})
	switch _, isTime := timeLine(string(line)); {
	case bytes.HasPrefix(compact, []byte(`{"sysstat"`)):
		return "sadf"
	case bytes.HasPrefix(compact, []byte(`{"status"`)):
		return "prometheus-json"
	case bytes.HasPrefix(compact, []byte(`{"host"`)):
		return "series"
	case bytes.HasPrefix(compact, []byte(`[{"target"`)), bytes.HasPrefix(compact, []byte(`[{"datapoints"`)):
		return "graphite-json"
	case isTime && bytes.HasPrefix(bytes.TrimSpace(after), []byte("[")):
		return "ip-link"
	case isTime && bytes.Contains(after, []byte("Inter-|")):
		return "net-dev"
	case bytes.HasPrefix(text, []byte("# HELP")), bytes.HasPrefix(text, []byte("# TYPE")), bytes.HasPrefix(text, []byte("node_")):
		return "exposition"
	case isCarbon(string(line)):
		return "carbon"
	}
	return ""
}

// isCarbon says whether a line is a path of several names, a value and a time.
func isCarbon(line string) bool {
	w := strings.Fields(line)
	if len(w) != 3 || strings.IndexByte(w[0], '.') <= 0 {
		return false
	}
	_, err1 := strconv.ParseFloat(w[1], 64)
	_, err2 := strconv.ParseFloat(w[2], 64)
	return err1 == nil && err2 == nil
}

// readSeries reads Series as JSON, one a line: ddx's own samples.
func readSeries(r io.Reader) ([]Series, error) {
	var parts [][]Series
	d := json.NewDecoder(r)
	for {
		var s Series
		if err := d.Decode(&s); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			} else {
				err = fmt.Errorf("series at byte %d: %w", d.InputOffset(), err)
			}
			return Merge(parts...), err
		}
		parts = append(parts, []Series{s})
	}
}
