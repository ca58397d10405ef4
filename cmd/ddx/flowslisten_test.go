package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ddx/counters"
)

// watched is a stream that a test can wait for a text on.
type watched struct {
	mu      sync.Mutex
	text    strings.Builder
	written chan struct{} // closed at the next write
}

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.written != nil {
		close(w.written)
		w.written = nil
	}
	return w.text.Write(b)
}

// after waits until text that begins with what was written and gives the rest of
// its line.
func (w *watched) after(t *testing.T, what string) string {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		w.mu.Lock()
		all := w.text.String()
		if w.written == nil {
			w.written = make(chan struct{})
		}
		written := w.written
		w.mu.Unlock()
		if _, rest, ok := strings.Cut(all, what); ok && strings.Contains(rest, "\n") {
			line, _, _ := strings.Cut(rest, "\n")
			return line
		}
		select {
		case <-written:
		case <-limit:
			t.Fatalf("no %q within a minute in %q", what, all)
		}
	}
}

// A real collectd sends by its own protocol and as Graphite to "ddx flows listen",
// by way of the test, which sees what passes: then a last bad packet and line
// tell that all before them were taken. What the command writes is material for
// --counters.
func TestFlowsListen(t *testing.T) {
	collectd, err := exec.LookPath("/usr/sbin/collectd")
	if err != nil {
		t.Skip("needs Debian package collectd-core: no program /usr/sbin/collectd")
	}
	for _, c := range []struct {
		level, password string
		taken           bool
	}{{"Sign", "secret", true}, {"Encrypt", "secret", true}, {"Encrypt", "wrong", false}, {"None", "secret", false}} {
		t.Run(c.level+" "+c.password, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			auth := filepath.Join(dir, "auth")
			if err := os.WriteFile(auth, []byte("# users\nddx: "+c.password+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			var out bytes.Buffer
			errs := &watched{}
			ended := make(chan error, 1)
			go func() {
				root := (&app{stdin: &bytes.Buffer{}, stdout: &out, stderr: errs}).root()
				root.SetArgs([]string{"flows", "listen", "--collectd", "127.0.0.1:0", "--carbon", "127.0.0.1:0", "--auth-file", auth, "--for", "10m"})
				ended <- root.ExecuteContext(ctx)
			}()
			udp, carbon := errs.after(t, "listening for collectd on "), errs.after(t, "listening for carbon on ")

			packets := relayPackets(t, udp, c.level)
			lines := relayLines(t, carbon)
			startCollectd(t, collectd, dir, c.level, packets.addr, lines.addr)
			<-packets.done
			<-lines.done
			errs.after(t, "ddx: "+packets.from+": ")
			if why := errs.after(t, "ddx: "+lines.from+": "); !strings.Contains(why, "is not path, value and time") {
				t.Errorf("the bad line: %s", why)
			}
			cancel()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, "counters.json")
			if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			l, err := counters.Load(file, "")
			if err != nil || len(l.Errors) > 0 {
				t.Fatal(err, l.Errors)
			}
			if _, ok := counters.Find(l.Series, "realhost", "lo", counters.RxPackets); !ok {
				t.Errorf("read again there is no lo in %+v", l.Series)
			}
			got := map[bool]int{} // by protocol
			for d := json.NewDecoder(&out); ; {
				var s counters.Series
				if err := d.Decode(&s); err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				if s.Host == "realhost" && s.Interface == "lo" && s.Metric == counters.RxPackets {
					got[strings.HasPrefix(s.Origin, "carbon")] += len(s.Samples)
				}
			}
			if want := c.taken; (got[false] >= 3) != want || !want && got[false] > 0 || got[true] < 3 {
				t.Errorf("samples by collectd %d, by carbon %d; collectd's are taken: %v\n%s", got[false], got[true], want, errs.text.String())
			}
		})
	}
}

func startCollectd(t *testing.T, collectd, dir, level, udp, tcp string) {
	t.Helper()
	port := func(addr string) string { _, p, _ := net.SplitHostPort(addr); return p }
	conf := filepath.Join(dir, "conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, `Hostname "realhost"
FQDNLookup false
Interval 1
BaseDir %q
PIDFile %q
PluginDir "/usr/lib/collectd"
TypesDB "/usr/share/collectd/types.db"
LoadPlugin interface
LoadPlugin network
LoadPlugin write_graphite
<Plugin interface>
  Interface "lo"
</Plugin>
<Plugin network>
  MaxPacketSize 1024
  <Server "127.0.0.1" %q>
    SecurityLevel %q
    Username "ddx"
    Password "secret"
  </Server>
</Plugin>
<Plugin write_graphite>
  <Node "ddx">
    Host "127.0.0.1"
    Port %q
    Protocol "tcp"
    Prefix "collectd."
    StoreRates false
  </Node>
</Plugin>
`, dir, filepath.Join(dir, "pid"), port(udp), level, port(tcp)), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(collectd, "-f", "-C", conf)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("collectd: %s", log.String())
		}
	})
}

// relay is a port of the test that passes on what comes in. done is closed when
// enough has passed and something bad was sent after it; from is where ddx sees
// it come from.
type relay struct {
	addr, from string
	done       chan struct{}
}

const enough = 4 // samples of lo

func relayPackets(t *testing.T, to, level string) *relay {
	t.Helper()
	in, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	on, err := net.Dial("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); on.Close() })
	r := &relay{in.LocalAddr().String(), on.LocalAddr().String(), make(chan struct{})}
	go func() {
		defer close(r.done)
		seen := &counters.CollectdPackets{Users: map[string]string{"ddx": "secret"}}
		buf := make([]byte, 64<<10)
		for {
			n, _, err := in.ReadFrom(buf)
			if err != nil {
				return // the test is over
			}
			_, _ = on.Write(buf[:n])
			if err := seen.Add(buf[:n]); err != nil {
				t.Errorf("security level %s: %v", level, err)
			}
			if s, ok := counters.Find(seen.Series(), "realhost", "lo", counters.RxPackets); ok && len(s.Samples) >= enough {
				break
			}
		}
		_, _ = io.WriteString(on, "no packet of collectd")
	}()
	return r
}

func relayLines(t *testing.T, to string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	on, err := net.Dial("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); on.Close() })
	r := &relay{l.Addr().String(), on.LocalAddr().String(), make(chan struct{})}
	go func() {
		defer close(r.done)
		in, err := l.Accept()
		if err != nil {
			return
		}
		defer in.Close()
		lines := bufio.NewScanner(in)
		for n := 0; n < enough && lines.Scan(); {
			fmt.Fprintf(on, "%s\n", lines.Text())
			if strings.HasPrefix(lines.Text(), "collectd.realhost.interface-lo.if_packets.rx ") {
				n++
			}
		}
		_, _ = io.WriteString(on, "no line of Graphite\n")
		_ = on.Close()
	}()
	return r
}
