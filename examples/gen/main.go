package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"time"

	"ddx"
	"ddx/source"
)

// example is one bundle. Its answer stands in want: the first finding.
type example struct {
	name  string
	host  string
	want  string // MODE@SUBJECT VERDICT, one line a finding that must be there, the first one first
	items []source.Item
	now   time.Time // when it was taken; zero is the common moment
}

// now is the moment the bundles were taken.
var now = time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)

func main() {
	log.SetFlags(0)
	for _, ex := range []example{keepAlive(), mmio(), conntrack(), nfsHang(), outage(), blackHole()} {
		if err := write(filepath.Join("examples", ex.name), ex); err != nil {
			log.Fatalf("write example %s: %v", ex.name, err)
		}
	}
}

// write lays a bundle out as a folder, so that it can be read with an editor.
func write(dir string, ex example) error {
	t := source.Take{Header: ddx.Header{DDX: "example", Host: ex.host, Boot: "b1", Now: now}, Items: ex.items}
	if !ex.now.IsZero() {
		t.Header.Now = ex.now
	}
	var b bytes.Buffer
	if err := source.WriteBundle(&b, t); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	zr, err := gzip.NewReader(&b)
	if err != nil {
		return err
	}
	tr := tar.NewReader(zr)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(dir+".want", []byte(ex.want), 0o644)
}

// item is the content of a file or the output of a command.
func item(origin, text string) source.Item {
	return source.Item{Origin: origin, Name: origin, Time: now, Data: []byte(text)}
}

// syslog writes innocent lines of a busy host from start on, one every step,
// and the lines of events at their moments among them.
func syslog(host string, start time.Time, n int, step time.Duration, events map[time.Duration][]string) string {
	var b bytes.Buffer
	seed := uint32(7)
	random := func(n int) int {
		seed = seed*1664525 + 1013904223
		return int(seed>>8) % n
	}
	line := func(at time.Time, text string) {
		fmt.Fprintf(&b, "%s %s %s\n", at.UTC().Format(time.Stamp), host, text)
	}
	done := time.Duration(0)
	for i := range n {
		at := start.Add(time.Duration(i) * step)
		for d := done; d <= at.Sub(start); d += time.Second {
			for k, text := range events[d] {
				line(start.Add(d), fmt.Sprintf("kernel: [%12.6f] %s", 86400+d.Seconds()+float64(k)/1000, text))
			}
			done = d + time.Second
		}
		pid := 1000 + random(30000)
		switch random(12) {
		case 0:
			line(at, fmt.Sprintf("sshd[%d]: Accepted publickey for deploy from 10.0.%d.%d port %d ssh2: ED25519 SHA256:abc", pid, random(250), random(250), 30000+random(20000)))
		case 1:
			line(at, fmt.Sprintf("systemd[1]: Started Session %d of User deploy.", random(9000)))
		case 2:
			line(at, fmt.Sprintf("CRON[%d]: (root) CMD (/usr/lib/sysstat/debian-sa1 1 1)", pid))
		case 3:
			line(at, fmt.Sprintf("kernel: [%12.6f] IPv6: ADDRCONF(NETDEV_CHANGE): veth%x: link becomes ready", 86400+at.Sub(start).Seconds(), random(1<<28)))
		case 4:
			line(at, fmt.Sprintf("containerd[812]: time=\"%s\" level=info msg=\"StartContainer for \\\"%08x\\\" returns successfully\"", at.UTC().Format(time.RFC3339), random(1<<30)))
		case 5:
			line(at, fmt.Sprintf("kubelet[901]: I%s    901 kubelet_getters.go:176] \"Pod status updated\" pod=\"prod/api-%d\" status=\"Running\"", at.UTC().Format("0102 15:04:05.000000"), random(40)))
		case 6:
			line(at, fmt.Sprintf("nginx[%d]: 10.1.%d.%d - - \"GET /v1/items/%d HTTP/1.1\" 200 %d", pid, random(250), random(250), random(100000), random(9000)))
		case 7:
			line(at, fmt.Sprintf("dhclient[611]: bound to 10.0.1.20 -- renewal in %d seconds.", 1500+random(300)))
		case 8:
			line(at, "chronyd[512]: Selected source 169.254.169.123")
		case 9:
			line(at, fmt.Sprintf("app[%d]: level=info msg=\"request done\" path=/v1/error-report ms=%d", pid, random(90)))
		case 10:
			line(at, fmt.Sprintf("systemd-networkd[421]: veth%x: Gained carrier", random(1<<28)))
		default:
			line(at, fmt.Sprintf("app[%d]: level=info msg=\"retries disabled, no failed deliveries\" queue=%d", pid, random(9)))
		}
	}
	return b.String()
}
