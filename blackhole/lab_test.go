//go:build linux

package blackhole_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ddx/blackhole"
	"ddx/counters"
	"ddx/flowlog"
	"ddx/flowsum"
	"ddx/netlab"
)

const (
	labENI      = "eni-0aaaaaaaaaaaaaaaa"
	labInterval = 2 * time.Second
)

// labRun is one real run: traffic, recorder, collectd in the guest, and
// something done to the guest for a known window.
type labRun struct {
	joined     *blackhole.Joined
	begin, end time.Time // of what was done
	network    []blackhole.NetworkSeries
}

// runLab lets traffic flow, calls fault, calls the function that it returns
// five intervals later, and joins what the recorder and collectd wrote.
func runLab(t *testing.T, fault func(l *netlab.Lab, collectd *collectd) (end func())) labRun {
	t.Parallel()
	l := netlab.New(t)
	dir := t.TempDir()
	c := &collectd{l: l, bin: netlab.Tool(t, "collectd-core", "collectd"), dir: dir}
	c.configure(t)
	c.start()
	links := pollLinks(l)
	return runJoin(t, l, func() func() { return fault(l, c) }, func() ([]counters.Series, string) {
		c.stop()
		guest, err := counters.Load(filepath.Join(dir, "csv"), "")
		if err != nil {
			t.Fatal(err)
		}
		state, macs := links()
		return append(guest.Series, state...), macs["eth0"]
	})
}

// runJoin does so with any source of the guest's counters.
func runJoin(t *testing.T, l *netlab.Lab, fault func() (end func()), source func() (all []counters.Series, mac string)) labRun {
	dir := t.TempDir()
	flows, err := os.Create(filepath.Join(dir, "flows.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer flows.Close()
	recorder := l.Record(netlab.ToClient, labENI, labInterval, flows)
	stopTraffic := l.Traffic(9000, 60)

	run := labRun{}
	recorder.Wait(t, 4)
	run.begin = time.Now()
	end := fault()
	recorder.Wait(t, 5)
	end()
	run.end = time.Now()
	recorder.Wait(t, 4)
	stopTraffic()
	if err := recorder.Stop(); err != nil {
		t.Fatal(err)
	}
	all, mac := source()

	res, err := flowlog.Read(context.Background(), []string{flows.Name()}, flowlog.Options{Interval: labInterval})
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := res.Lost(); n > 0 || res.Err() != nil {
		t.Fatalf("lost %d records: %v", n, res.Err())
	}
	// The recorder's own count and the sums agree to the packet.
	in, out := recorder.Packets()
	var sumIn, sumOut uint64
	for k, a := range res.Sums.All() {
		switch k.Direction {
		case flowsum.Ingress:
			sumIn += a.Packets
		case flowsum.Egress:
			sumOut += a.Packets
		}
	}
	if in != sumIn || out != sumOut || in == 0 {
		t.Errorf("recorded %d in, %d out; summed %d in, %d out", in, out, sumIn, sumOut)
	}
	run.network = blackhole.Network(res.Sums, labInterval)
	run.joined = blackhole.Join(blackhole.JoinInput{Network: run.network, Guest: all,
		Identities: []flowlog.Identity{{ENI: labENI, MAC: mac}, {Host: "guest", Interface: "eth0", MAC: mac}}})
	if len(run.joined.Interfaces) != 1 || run.joined.Interfaces[0].PairedBy != "mac" {
		t.Fatalf("%+v", run.joined)
	}
	picture(t, run.joined)
	for _, w := range run.joined.Interfaces[0].Windows {
		t.Log(w)
	}
	for _, g := range run.joined.Interfaces[0].Gaps {
		t.Logf("gap %s .. %s network %d: %s", g.Start.Format(time.TimeOnly), g.End.Format(time.TimeOnly), g.NetworkPackets, g.Meaning)
	}
	return run
}

// picture keeps the drawing of a real run for people to look at.
func picture(t *testing.T, j *blackhole.Joined) {
	dir := os.Getenv("DDX_PICTURES")
	if dir == "" {
		return
	}
	f, err := os.Create(filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "-")+".svg"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := j.WriteSVG(f); err != nil {
		t.Fatal(err)
	}
}

// collectd is the real one, in the guest's namespace.
type collectd struct {
	l        *netlab.Lab
	bin, dir string
	stop     func()
}

func (c *collectd) configure(t *testing.T) {
	t.Helper()
	text := fmt.Sprintf(`Hostname "guest"
FQDNLookup false
Interval 1
BaseDir %[1]q
PIDFile "%[1]s/pid"
PluginDir "/usr/lib/collectd"
TypesDB "/usr/share/collectd/types.db"
LoadPlugin interface
LoadPlugin cpu
LoadPlugin uptime
LoadPlugin csv
<Plugin interface>
  Interface "eth0"
</Plugin>
<Plugin csv>
  DataDir "%[1]s/csv"
</Plugin>
`, c.dir)
	if err := os.WriteFile(filepath.Join(c.dir, "collectd.conf"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (c *collectd) start() {
	c.stop = c.l.Start(c.l.Guest, c.bin, "-f", "-C", filepath.Join(c.dir, "collectd.conf"))
}

// pollLinks writes down `ip -s -j link` of the guest every second, in the form
// that the reader documents, and gives the states of the interface (the
// packets are collectd's to tell).
func pollLinks(l *netlab.Lab) (read func() ([]counters.Series, map[string]string)) {
	var mu sync.Mutex
	var b bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			out, err := exec.Command("ip", "-n", l.Guest, "-s", "-j", "link").Output()
			if err == nil {
				mu.Lock()
				fmt.Fprintf(&b, "%.6f\n%s\n", float64(time.Now().UnixMicro())/1e6, out)
				mu.Unlock()
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() ([]counters.Series, map[string]string) {
		cancel()
		<-ended
		all, macs, _ := counters.IPLink(&b, "guest", "ip -s -j link")
		var state []counters.Series
		for _, s := range all {
			if s.Interface == "eth0" && s.Kind == counters.State {
				state = append(state, s)
			}
		}
		return state, macs
	}
}

// notReceived gives the windows in which the network delivered and the guest
// received nothing.
func (r labRun) notReceived() (out []blackhole.Window) {
	for _, w := range r.joined.Interfaces[0].Windows {
		if w.Kind == blackhole.DeliveredNotReceived {
			out = append(out, w)
		}
	}
	return out
}

// near wants a window at the known one to within an aggregation interval.
func (r labRun) near(t *testing.T, w blackhole.Window) {
	t.Helper()
	if d := w.Start.Sub(r.begin); math.Abs(d.Seconds()) > labInterval.Seconds() {
		t.Errorf("window begins %v from when it did", d)
	}
	if d := w.End.Sub(r.end); math.Abs(d.Seconds()) > labInterval.Seconds() {
		t.Errorf("window ends %v from when it did", d)
	}
}

func explanation(w blackhole.Window, what string) string {
	for _, x := range w.Explanations {
		if x.What == what {
			return x.Verdict
		}
	}
	return "not given"
}

// The black hole of 2017, made for real: packets that the network delivered
// vanish before the guest's counters, and no error is counted.
func TestLabBlackHole(t *testing.T) {
	r := runLab(t, func(l *netlab.Lab, _ *collectd) func() { return l.Drop() })
	w := r.notReceived()
	if len(w) != 1 {
		t.Fatalf("%d windows, want 1", len(w))
	}
	r.near(t, w[0])
	if w[0].BlackHole != "yes" || w[0].Certainty != "high" || w[0].GuestRan != "yes" {
		t.Errorf("%+v", w[0])
	}
	for _, what := range []string{"interface-down", "guest-paused", "guest-rebooted", "monitoring-gap", "counted-drop"} {
		if got := explanation(w[0], what); got != "no" {
			t.Errorf("%s: %s", what, got)
		}
	}
}

func TestLabControl(t *testing.T) {
	r := runLab(t, func(*netlab.Lab, *collectd) func() { return func() {} })
	i := r.joined.Interfaces[0]
	if len(r.notReceived()) != 0 || len(i.Gaps) != 0 || r.joined.BlackHoles() != 0 {
		t.Errorf("found something where nothing was done: %+v", i)
	}
}

func TestLabInterfaceDown(t *testing.T) {
	r := runLab(t, func(l *netlab.Lab, _ *collectd) func() {
		l.IP(l.Guest, "link set eth0 down")
		return func() {
			l.IP(l.Guest, "link set eth0 up")
			l.Neighbours()
		}
	})
	w := r.notReceived()
	if len(w) != 1 {
		t.Fatalf("%d windows, want 1", len(w))
	}
	r.near(t, w[0])
	if w[0].BlackHole != "no" || explanation(w[0], "interface-down") != "yes" {
		t.Errorf("%+v", w[0])
	}
}

func TestLabCollectdStopped(t *testing.T) {
	r := runLab(t, func(_ *netlab.Lab, c *collectd) func() {
		c.stop()
		return c.start
	})
	g := r.joined.Interfaces[0].Gaps
	if len(r.notReceived()) != 0 || len(g) != 1 || !strings.Contains(g[0].Meaning, "only the monitoring") || g[0].GuestRan != "yes" {
		t.Errorf("windows %+v, gaps %+v", r.notReceived(), g)
	}
}

func TestLabGuestFirewall(t *testing.T) {
	r := runLab(t, func(l *netlab.Lab, _ *collectd) func() { return l.Firewall() })
	var unanswered []blackhole.Window
	for _, w := range r.joined.Interfaces[0].Windows {
		if w.Kind == blackhole.DeliveredReceived && w.Answered == "no" {
			unanswered = append(unanswered, w)
		}
	}
	if len(r.notReceived()) != 0 || len(unanswered) != 1 {
		t.Fatalf("not received %+v, unanswered %+v", r.notReceived(), unanswered)
	}
	r.near(t, unanswered[0])
}

// The same black hole, with a Prometheus and a node exporter in the guest as
// the source of its counters.
func TestLabPrometheus(t *testing.T) {
	t.Parallel()
	prometheus := netlab.Tool(t, "prometheus", "prometheus")
	exporter := netlab.Tool(t, "prometheus-node-exporter", "prometheus-node-exporter")
	l := netlab.New(t)
	dir := t.TempDir()
	config := "global:\n  scrape_interval: 1s\nscrape_configs:\n- job_name: node\n  static_configs:\n  - targets: ['127.0.0.1:9100']\n    labels: {nodename: guest}\n"
	if err := os.WriteFile(filepath.Join(dir, "p.yml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	// The exporter reads the interfaces' state from /sys, which ip netns exec
	// mounts for the namespace.
	l.Start(l.Guest, exporter, "--web.listen-address=127.0.0.1:9100")
	l.Start(l.Guest, prometheus, "--config.file="+filepath.Join(dir, "p.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address=127.0.0.1:9090")
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, addr string) (conn net.Conn, err error) {
		err = netlab.In(l.Guest, func() error {
			conn, err = (&net.Dialer{}).DialContext(ctx, network, addr)
			return err
		})
		return conn, err
	}}}
	begin := time.Now()
	r := runJoin(t, l, l.Drop, func() ([]counters.Series, string) {
		all, err := counters.Prometheus(context.Background(), client, "http://127.0.0.1:9090", begin, time.Now(), time.Second)
		if err != nil {
			t.Fatal(err)
		}
		mac := strings.Fields(string(l.Run("ip", "-n", l.Guest, "-br", "link", "show", "eth0")))[2]
		return all, mac
	})
	w := r.notReceived()
	if len(w) != 1 {
		t.Fatalf("%d windows, want 1", len(w))
	}
	r.near(t, w[0])
	if w[0].BlackHole != "yes" || w[0].GuestRan != "yes" || explanation(w[0], "interface-down") != "no" {
		t.Errorf("%+v", w[0])
	}
}
