package counters

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// need finds a program, or skips the test by the name of its package.
func need(t *testing.T, pkg string, names ...string) string {
	t.Helper()
	for _, n := range names {
		if p, err := exec.LookPath(n); err == nil {
			return p
		}
	}
	t.Skipf("needs Debian package %s: no program %v", pkg, names)
	return ""
}

// run starts a program and ends it with the test.
func run(t *testing.T, name string, arg ...string) {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(name, arg...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		done := make(chan struct{})
		go func() { _ = cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
		if t.Failed() {
			t.Logf("%s: %s", name, out.String())
		}
	})
}

// until waits for a condition, at most thirty seconds.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-tick.C {
		if ok() {
			return
		}
	}
	t.Fatalf("%s: not within 30 s", what)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// freePort gives a port that nobody listens on at the moment, below those that
// the kernel gives to connections: none of them can take it before the server
// does, and no dial to it can connect to itself.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(10000 + rand.IntN(20000))
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("a hundred ports are taken")
	return ""
}

func collectdConfig(dir, body string) string {
	return fmt.Sprintf(`Hostname "realhost"
FQDNLookup false
Interval 1
BaseDir %q
PIDFile %q
PluginDir "/usr/lib/collectd"
TypesDB "/usr/share/collectd/types.db"
LoadPlugin interface
LoadPlugin cpu
LoadPlugin uptime
%s
`, dir, filepath.Join(dir, "pid"), body)
}

// A real collectd sends to the listener: plain, signed and encrypted, and
// writes CSV at the same time; both tell of the same interface.
func TestRealCollectd(t *testing.T) {
	collectd := need(t, "collectd-core", "collectd", "/usr/sbin/collectd")
	for _, level := range []string{"None", "Sign", "Encrypt"} {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			conn, err := net.ListenPacket("udp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			_, port, _ := net.SplitHostPort(conn.LocalAddr().String())
			write(t, filepath.Join(dir, "conf"), collectdConfig(dir, fmt.Sprintf(`LoadPlugin network
LoadPlugin csv
<Plugin csv>
  DataDir %q
</Plugin>
<Plugin network>
  <Server "127.0.0.1" %q>
    SecurityLevel %q
    Username "ddx"
    Password "secret"
  </Server>
</Plugin>`, filepath.Join(dir, "csv"), port, level)))
			c := &CollectdPackets{Users: map[string]string{"ddx": "secret"}, Require: level != "None", Origin: "udp"}
			stranger := &CollectdPackets{Users: map[string]string{"ddx": "wrong"}, Require: level != "None"}
			tee := teeConn{conn, func(b []byte) {
				if err := stranger.Add(b); (err != nil) != (level != "None") {
					t.Errorf("with the wrong password: %v", err)
				}
			}}
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				if err := ListenCollectd(ctx, tee, c, func(_ net.Addr, err error) { t.Error(err) }); err != nil {
					t.Error(err)
				}
			}()
			defer func() { cancel(); <-ended }()
			run(t, collectd, "-f", "-C", filepath.Join(dir, "conf"))
			// Traffic on loopback, so that something is counted.
			go func() {
				for ctx.Err() == nil {
					if conn, err := net.Dial("udp", "127.0.0.1:9"); err == nil {
						_, _ = conn.Write([]byte("x"))
						conn.Close()
					}
					select {
					case <-ctx.Done():
					case <-time.After(50 * time.Millisecond):
					}
				}
			}()
			until(t, "four samples of lo", func() bool {
				s, ok := Find(c.Series(), "realhost", "lo", RxPackets)
				return ok && len(s.Samples) >= 4
			})
			s, _ := Find(c.Series(), "realhost", "lo", RxPackets)
			cpu, ok := Find(c.Series(), "realhost", "", CPU)
			if s.Kind != Cumulative || s.Step != time.Second || s.Deltas()[1].Amount < 1 {
				t.Errorf("%+v", s)
			}
			if !ok || cpu.Kind != Cumulative {
				t.Errorf("cpu %+v", cpu)
			}
			var file *Series
			until(t, "the CSV file", func() bool {
				l, err := Load(filepath.Join(dir, "csv"), "")
				if err != nil {
					return false
				}
				file, ok = Find(l.Series, "realhost", "lo", RxPackets)
				return ok && len(file.Samples) >= 4
			})
			if file.Kind != Cumulative {
				t.Errorf("CSV of counters was read as %s", file.Kind)
			}
			// What came by network must be in the file too, to the packet.
			have := map[float64]bool{}
			for _, v := range file.Samples {
				have[v.Value] = true
			}
			if !have[s.Samples[1].Value] {
				t.Errorf("network says %v, file says %v", s.Samples[1], file.Samples)
			}
		})
	}
}

// teeConn shows every packet to a second reader.
type teeConn struct {
	net.PacketConn
	see func([]byte)
}

func (c teeConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.PacketConn.ReadFrom(b)
	if err == nil {
		c.see(b[:n])
	}
	return n, from, err
}

// A real Prometheus that scrapes a real node exporter is asked over its API,
// and the exporter's own text is read.
func TestRealPrometheus(t *testing.T) {
	prometheus := need(t, "prometheus", "prometheus")
	exporter := need(t, "prometheus-node-exporter", "prometheus-node-exporter")
	dir := t.TempDir()
	metrics, api := freePort(t), freePort(t)
	write(t, filepath.Join(dir, "p.yml"), fmt.Sprintf("global:\n  scrape_interval: 1s\nscrape_configs:\n- job_name: node\n  static_configs:\n  - targets: ['127.0.0.1:%s']\n", metrics))
	run(t, exporter, "--web.listen-address=127.0.0.1:"+metrics, "--collector.disable-defaults", "--collector.netdev", "--collector.netdev.device-exclude=^$", "--collector.netclass", "--collector.cpu", "--collector.stat")
	run(t, prometheus, "--config.file="+filepath.Join(dir, "p.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address=127.0.0.1:"+api)
	begin := time.Now()
	var all []Series
	ctx := context.Background()
	until(t, "five samples in Prometheus", func() bool {
		var err error
		all, err = Prometheus(ctx, http.DefaultClient, "http://127.0.0.1:"+api, begin.Add(-time.Second), time.Now(), time.Second)
		if err != nil {
			return false
		}
		s, ok := Find(all, "127.0.0.1", "lo", RxPackets)
		return ok && len(s.Samples) >= 5
	})
	s, _ := Find(all, "127.0.0.1", "lo", RxPackets)
	sum := 0.0
	for _, d := range s.Deltas() {
		sum += d.Amount
	}
	if s.Kind != Cumulative || sum <= 0 {
		t.Errorf("%+v", s)
	}
	for _, metric := range []string{CPU, Boot} {
		if _, ok := Find(all, "127.0.0.1", "", metric); !ok {
			t.Errorf("no %s", metric)
		}
	}
	resp, err := http.Get("http://127.0.0.1:" + metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Read(bytes.NewReader(text), "me", "metrics", time.Now())
	if err != nil || l.Format != "exposition" || len(l.Errors) > 0 {
		t.Fatalf("%v %+v", err, l)
	}
	if now, ok := Find(l.Series, "me", "lo", RxPackets); !ok || now.Samples[0].Value < s.Samples[0].Value {
		t.Errorf("%+v", now)
	}
}

// Debian's carbon-cache writes Whisper files from the same lines that the
// carbon listener takes: both give the same samples.
func TestRealCarbon(t *testing.T) {
	carbon := need(t, "graphite-carbon", "carbon-cache")
	dir := t.TempDir()
	linePort := freePort(t)
	write(t, filepath.Join(dir, "carbon.conf"), fmt.Sprintf(`[cache]
STORAGE_DIR = %[1]s
CONF_DIR = %[1]s
LOG_DIR = %[1]s
PID_DIR = %[1]s
LOCAL_DATA_DIR = %[1]s/whisper/
USER =
MAX_UPDATES_PER_SECOND = inf
MAX_CREATES_PER_MINUTE = inf
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = %[2]s
PICKLE_RECEIVER_INTERFACE = 127.0.0.1
PICKLE_RECEIVER_PORT = %[3]s
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = %[4]s
`, dir, linePort, freePort(t), freePort(t)))
	write(t, filepath.Join(dir, "storage-schemas.conf"), "[all]\npattern = .*\nretentions = 10s:1h,1m:1d\n")
	run(t, carbon, "--config="+filepath.Join(dir, "carbon.conf"), "--nodaemon", "start")

	now := time.Now().Truncate(10 * time.Second).Add(-10 * time.Minute)
	var lines strings.Builder
	for i := range 30 {
		fmt.Fprintf(&lines, "collectd.web1.interface-eth0.if_packets.rx %d %d\n", 1000+i*i, now.Add(time.Duration(i)*10*time.Second).Unix())
		for _, state := range []string{"idle", "user"} {
			fmt.Fprintf(&lines, "collectd.web1.cpu-0.cpu-%s %d %d\n", state, 1000+i*500, now.Add(time.Duration(i)*10*time.Second).Unix())
		}
	}
	until(t, "carbon-cache to listen", func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+linePort)
		if err != nil {
			return false
		}
		defer conn.Close()
		_, err = io.WriteString(conn, lines.String())
		return err == nil
	})

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &Carbon{Origin: "tcp"}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- ListenCarbon(ctx, l, c, func(_ net.Addr, err error) { t.Error(err) })
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, lines.String()); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	until(t, "thirty samples at the listener", func() bool {
		s, ok := Find(c.Series(), "web1", "eth0", RxPackets)
		return ok && len(s.Samples) == 30
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}

	var loaded *Loaded
	until(t, "thirty samples in the Whisper file", func() bool {
		loaded, err = Load(filepath.Join(dir, "whisper"), "")
		if err != nil {
			return false
		}
		s, ok := Find(loaded.Series, "web1", "eth0", RxPackets)
		cpu, ok2 := Find(loaded.Series, "web1", "", CPU)
		return ok && ok2 && len(s.Samples) == 30 && len(cpu.Samples) == 30 && cpu.Samples[29].Value == 2*(1000+29*500)/100
	})
	for _, key := range []struct{ iface, metric string }{{"eth0", RxPackets}, {"", CPU}} {
		a, _ := Find(loaded.Series, "web1", key.iface, key.metric)
		b, ok := Find(c.Series(), "web1", key.iface, key.metric)
		if !ok || a.Kind != Cumulative || b.Kind != Cumulative || len(a.Samples) != len(b.Samples) {
			t.Fatalf("Whisper %+v\nlistener %+v", a, b)
		}
		for i := range a.Samples {
			if a.Samples[i] != b.Samples[i] {
				t.Errorf("sample %d: Whisper %v, listener %v", i, a.Samples[i], b.Samples[i])
			}
		}
	}
}

// sysstat itself writes the JSON that Sadf reads.
func TestRealSadf(t *testing.T) {
	sadf := need(t, "sysstat", "sadf")
	need(t, "sysstat", "/usr/lib/sysstat/sadc")
	file := filepath.Join(t.TempDir(), "sa")
	if out, err := exec.Command("/usr/lib/sysstat/sadc", "-S", "DISK", "1", "4", file).CombinedOutput(); err != nil {
		t.Fatalf("sadc: %v %s", err, out)
	}
	out, err := exec.Command(sadf, "-j", file, "--", "-n", "DEV", "-n", "EDEV", "-u").Output()
	if err != nil {
		t.Fatal(err)
	}
	l, err := Read(bytes.NewReader(out), "", "sadf", time.Now())
	if err != nil || l.Format != "sadf" {
		t.Fatalf("%v %s", err, out)
	}
	host, _ := os.Hostname()
	s, ok := Find(l.Series, host, "lo", RxPackets)
	if !ok || s.Kind != Rate || len(s.Samples) < 2 {
		t.Errorf("%+v", l.Series)
	}
	if _, ok := Find(l.Series, host, "", CPU); !ok {
		t.Error("no sign of life from cpu-load")
	}
}
