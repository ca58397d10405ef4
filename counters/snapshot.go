package counters

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// ipLink is an element of `ip -s -j link`.
type ipLink struct {
	Name      string   `json:"ifname"`
	Flags     []string `json:"flags"`
	OperState string   `json:"operstate"`
	Address   string   `json:"address"`
	Stats     *struct {
		RX, TX struct{ Packets, Bytes, Errors, Dropped float64 }
	} `json:"stats64"`
}

// IPLink reads repeated output of `ip -s -j link`, each with its time on a line
// before it, as this loop writes them:
//
//	while sleep 10; do date +%s.%N; ip -s -j link; done
//
// macs gives the hardware address of each interface. Half a snapshot at the
// end is an error that comes with everything before it.
func IPLink(r io.Reader, host, origin string) (all []Series, macs map[string]string, err error) {
	var out set
	macs = map[string]string{}
	err = snapshots(r, origin, func(at time.Time, body []byte) error {
		var links []ipLink
		if err := json.Unmarshal(body, &links); err != nil {
			return err
		}
		for _, l := range links {
			add := func(metric string, k Kind, v float64) { out.add(host, l.Name, metric, k, 0, origin, at, v) }
			up, carrier := 0.0, 0.0
			for _, f := range l.Flags {
				switch f {
				case "UP":
					up = 1
				case "LOWER_UP":
					carrier = 1
				}
			}
			macs[l.Name] = l.Address
			add(Up, State, up)
			add(Carrier, State, carrier)
			if s := l.Stats; s != nil {
				add(RxPackets, Cumulative, s.RX.Packets)
				add(TxPackets, Cumulative, s.TX.Packets)
				add(RxBytes, Cumulative, s.RX.Bytes)
				add(TxBytes, Cumulative, s.TX.Bytes)
				add(RxErrors, Cumulative, s.RX.Errors)
				add(TxErrors, Cumulative, s.TX.Errors)
				add(RxDropped, Cumulative, s.RX.Dropped)
				add(TxDropped, Cumulative, s.TX.Dropped)
			}
		}
		return nil
	})
	return out.series(), macs, err
}

// NetDev reads repeated copies of /proc/net/dev, each with its time on a line
// before it:
//
//	while sleep 10; do date +%s.%N; cat /proc/net/dev; done
func NetDev(r io.Reader, host, origin string) ([]Series, error) {
	var out set
	err := snapshots(r, origin, func(at time.Time, body []byte) error {
		for line := range strings.Lines(string(body)) {
			name, rest, ok := strings.Cut(line, ":")
			if !ok || strings.Contains(name, "|") {
				continue
			}
			words := strings.Fields(rest)
			if len(words) < 16 {
				return fmt.Errorf("%.40q has %d values, not 16", strings.TrimSpace(line), len(words))
			}
			for i, metric := range map[int]string{0: RxBytes, 1: RxPackets, 2: RxErrors, 3: RxDropped, 8: TxBytes, 9: TxPackets, 10: TxErrors, 11: TxDropped} {
				v, err := strconv.ParseFloat(words[i], 64)
				if err != nil {
					return fmt.Errorf("%.40q: %w", strings.TrimSpace(line), err)
				}
				out.add(host, strings.TrimSpace(name), metric, Cumulative, 0, origin, at, v)
			}
		}
		return nil
	})
	return out.series(), err
}

// snapshots cuts text at lines that are a time and gives what stands between.
func snapshots(r io.Reader, origin string, take func(at time.Time, body []byte) error) error {
	var body bytes.Buffer
	var at time.Time
	var errs error
	n, first := 0, 0
	flush := func() {
		if !at.IsZero() && body.Len() > 0 {
			if err := take(at, body.Bytes()); err != nil {
				errs = errors.Join(errs, fmt.Errorf("snapshot at line %d of %s: %w", first, origin, err))
			}
		}
		body.Reset()
	}
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		n++
		if t, ok := timeLine(sc.Text()); ok {
			flush()
			at, first = t, n
			continue
		}
		body.Write(sc.Bytes())
		body.WriteByte('\n')
	}
	flush()
	if at.IsZero() {
		errs = errors.Join(errs, fmt.Errorf("%s has no line that is a time before a snapshot: write them with date +%%s.%%N", origin))
	}
	return errors.Join(errs, sc.Err())
}

// timeLine reads a line that is nothing but a time: Unix seconds or RFC 3339,
// perhaps behind a few marks (=== 2024-... ===).
func timeLine(line string) (time.Time, bool) {
	s := strings.Trim(strings.TrimSpace(line), "=#-@[] \t")
	if len(s) < 9 || len(s) > 40 {
		return time.Time{}, false
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && f >= 1e8 && f < 1<<34 {
		return seconds(f), true
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02T15:04:05,999999999Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
