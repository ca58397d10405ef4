package counters

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// sysstat's JSON as `sadf -j -- -n DEV -n EDEV -u` writes it.
type sadfFile struct {
	Sysstat struct {
		Hosts []struct {
			Nodename   string
			Statistics []struct {
				Timestamp struct {
					Date, Time string
					UTC        int
					Interval   float64
				}
				Network struct {
					Dev []struct {
						Iface                    string
						Rxpck, Txpck, RxkB, TxkB float64
					} `json:"net-dev"`
					Edev []struct {
						Iface                        string
						Rxerr, Txerr, Rxdrop, Txdrop float64
					} `json:"net-edev"`
				}
				Load []struct {
					CPU  string
					Idle *float64
				} `json:"cpu-load"`
				LoadAll []struct {
					CPU  string
					Idle *float64
				} `json:"cpu-load-all"`
			}
			Restarts []struct {
				Boot struct {
					Date, Time string
					UTC        int
				}
			}
		}
	}
}

// Sadf reads the output of `sadf -j`: rates per second. Times that are not
// marked as UTC are of the zone given. A restart that sysstat noted becomes a
// sample of the metric boot_time.
func Sadf(r io.Reader, origin string, zone *time.Location) ([]Series, error) {
	var f sadfFile
	if err := json.NewDecoder(r).Decode(&f); err != nil {
		return nil, fmt.Errorf("read sysstat JSON %s: %w: make it with sadf -j -- -n DEV -n EDEV -u", origin, err)
	}
	var out set
	parse := func(date, clock string, utc int) (time.Time, error) {
		z := zone
		if utc != 0 || z == nil {
			z = time.UTC
		}
		return time.ParseInLocation("2006-01-02 15:04:05", date+" "+clock, z)
	}
	for _, h := range f.Sysstat.Hosts {
		for _, s := range h.Statistics {
			at, err := parse(s.Timestamp.Date, s.Timestamp.Time, s.Timestamp.UTC)
			if err != nil {
				return nil, fmt.Errorf("read sysstat JSON %s: host %s: %w", origin, h.Nodename, err)
			}
			at = at.UTC()
			step := time.Duration(s.Timestamp.Interval * float64(time.Second))
			add := func(iface, metric string, v float64) {
				out.add(h.Nodename, iface, metric, Rate, step, origin, at, v)
			}
			for _, d := range s.Network.Dev {
				add(d.Iface, RxPackets, d.Rxpck)
				add(d.Iface, TxPackets, d.Txpck)
				add(d.Iface, RxBytes, d.RxkB*1024)
				add(d.Iface, TxBytes, d.TxkB*1024)
			}
			for _, d := range s.Network.Edev {
				add(d.Iface, RxErrors, d.Rxerr)
				add(d.Iface, TxErrors, d.Txerr)
				add(d.Iface, RxDropped, d.Rxdrop)
				add(d.Iface, TxDropped, d.Txdrop)
			}
			for _, l := range append(s.Load, s.LoadAll...) {
				if l.CPU == "all" && l.Idle != nil {
					add("", CPU, 1) // all states of a processor add up to one
					break
				}
			}
		}
		for _, b := range h.Restarts {
			at, err := parse(b.Boot.Date, b.Boot.Time, b.Boot.UTC)
			if err != nil {
				continue // sysstat before 12 wrote restarts in another shape
			}
			out.add(h.Nodename, "", Boot, State, 0, origin, at.UTC(), float64(at.Unix()))
		}
	}
	return out.series(), nil
}
