package dns

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ddx/dnstest"
)

// peer is another prober of names: how to run it on one name at one server.
type peer struct {
	name, program string
	why           string // what is needed to run it
	probe         func(t *testing.T, prog, server, name string) bool
}

var peers = []peer{
	{"gatus", "gatus", "go install github.com/TwiN/gatus/v5@latest", probeGatus},
	{"blackbox", "prometheus-blackbox-exporter", "apt-get install prometheus-blackbox-exporter", probeBlackbox},
}

// probeGatus uses the condition that gatus' own documentation gives for names.
func probeGatus(t *testing.T, prog, server, name string) bool {
	port := dnstest.FreePort(t)
	conf := dnstest.Write(t, t.TempDir(), "gatus.yaml", fmt.Sprintf("metrics: true\nweb:\n  address: 127.0.0.1\n  port: %d\nendpoints:\n  - name: x\n    url: %q\n    interval: 10m\n    dns: {query-name: %q, query-type: A}\n    conditions: [\"[DNS_RCODE] == NOERROR\"]\n", port, server, name))
	background(t, "GATUS_CONFIG_PATH="+conf, prog)
	good := false
	poll(t, fmt.Sprintf("http://127.0.0.1:%d/metrics", port), func(body []byte) bool {
		for line := range strings.Lines(string(body)) {
			if strings.HasPrefix(line, "gatus_results_total{") {
				good = strings.Contains(line, `success="true"`)
				return true
			}
		}
		return false
	})
	return good
}

// probeBlackbox uses the exporter's defaults for the DNS prober.
func probeBlackbox(t *testing.T, prog, server, name string) bool {
	conf := dnstest.Write(t, t.TempDir(), "blackbox.yml", fmt.Sprintf("modules:\n  x:\n    prober: dns\n    dns:\n      query_name: %q\n      query_type: A\n      preferred_ip_protocol: ip4\n", strings.TrimSuffix(name, ".")))
	addr := fmt.Sprintf("127.0.0.1:%d", dnstest.FreePort(t))
	background(t, "", prog, "--config.file="+conf, "--web.listen-address="+addr)
	good := false
	poll(t, "http://"+addr+"/probe?module=x&target="+server, func(body []byte) bool {
		if name == "hollow.shop." && !strings.Contains(string(body), "\nprobe_dns_answer_rrs 0\n") {
			t.Errorf("the exporter does not count answers as docs/dns.md says:\n%s", body)
		}
		good = strings.Contains(string(body), "\nprobe_success 1\n")
		return good || strings.Contains(string(body), "\nprobe_success 0\n")
	})
	return good
}

// background runs a program that ends with the test.
func background(t *testing.T, env string, argv ...string) {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	if env != "" {
		cmd.Env = append(os.Environ(), env)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
}

// poll asks a page, as Prometheus does with a limit of 3 s, until done likes it.
func poll(t *testing.T, url string, done func([]byte) bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "3")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			continue
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err == nil && done(body) {
			return
		}
	}
	t.Fatalf("%s: no answer of use", url)
}

// TestPeers runs other probers with their usual settings beside ours, on real
// servers that are set up to be each class; the peers ask the server that a
// person would give them: the resolver, where there is one. The table of
// docs/dns.md must say the same.
func TestPeers(t *testing.T) {
	if !dnstest.InNamespace(t) {
		return
	}
	programs := map[string]string{}
	for _, p := range peers {
		if prog, err := exec.LookPath(p.program); err == nil {
			programs[p.name] = prog
		}
	}
	had := Baseline{Addresses: []string{"192.0.2.1", "192.0.2.2"}}
	for _, c := range []struct {
		class   Class
		name    string
		base    Baseline
		peers   string                                  // gatus, blackbox
		records string                                  // of the zone, at both authorities
		make    func(w *world, z string) func(*Options) // sets the fault up; returns what our check needs
		target  int                                     // whom the peers ask; 0: the resolver
	}{
		{class: OK, name: "api.shop.", peers: "healthy healthy"},
		{class: NoData, name: "hollow.shop.", base: had, peers: "healthy healthy"},
		{class: NXDomain, name: "gone.shop.", base: had, peers: "fault fault"},
		{class: Dangling, name: "chain.shop.", peers: "healthy healthy", records: "chain IN CNAME hollow"},
		{class: Regressed, name: "api.shop.", base: Baseline{Generation: 9}, peers: "healthy healthy", records: `_ddx.api IN TXT "gen=4 hash=x owner=a nonce=b"`},
		{class: Shrunk, name: "api.shop.", base: Baseline{Minimum: 3}, peers: "healthy healthy"},
		{class: OneFamily, name: "api.shop.", base: Baseline{Addresses: []string{"192.0.2.1", "2001:db8::1"}}, peers: "healthy healthy"},
		{class: Disagree, name: "api.shop.", peers: "healthy healthy", make: func(w *world, z string) func(*Options) {
			w.authorities(z, w.zone(1, "api IN A 192.0.2.9"))
			return nil
		}},
		{class: Lame, name: "api.shop.", peers: "healthy healthy", make: func(w *world, z string) func(*Options) {
			w.authorities(z, "")
			return nil
		}},
		{class: Delegation, name: "api.shop.", peers: "healthy healthy", make: func(w *world, z string) func(*Options) {
			w.root(fmt.Sprintf("shop. IN NS ns1.shop.\nns1.shop. IN A %s\n", w.ip(2)))
			w.authorities(z, z)
			return nil
		}},
		{class: TimedOutClass, name: "api.shop.", peers: "fault fault", make: func(w *world, z string) func(*Options) {
			b, k := w.authorities(z, z)
			b.Stop()
			k.Stop()
			return func(o *Options) { o.Resolvers = nil }
		}},
		{class: UnreachClass, name: "api.shop.", peers: "fault fault", make: func(w *world, z string) func(*Options) {
			b, k := w.authorities(z, z)
			b.Kill()
			k.Kill()
			return func(o *Options) { o.Resolvers = nil }
		}},
		{class: TCPFailed, name: "big.shop.", peers: "healthy healthy", target: 2, records: manyAddresses, make: func(w *world, z string) func(*Options) {
			w.authorities(z, z)
			dnstest.Filter(w.t, fmt.Sprintf("tcp dport %d ip daddr { %s, %s } drop", w.port, w.ip(2), w.ip(3)))
			return func(o *Options) { o.Resolvers = nil }
		}},
		{class: ServFail, name: "api.shop.", peers: "fault fault", make: func(w *world, z string) func(*Options) {
			w.authorities(z, z)
			w.unbound(`trust-anchor: "shop. DS 31589 8 2 CDE0D742D6998AA554A92D890F8184C698CFAC8A26FA59875A990C03E576343C"`)
			return nil
		}},
		{class: NegativeCached, name: "late.shop.", peers: "healthy healthy", records: "late IN TXT x", make: func(w *world, z string) func(*Options) {
			b, k := w.authorities(z, z)
			w.unbound("")
			w.check("late.shop.", w.withResolver)
			w.update(b.Addr, "late.shop.", "A", "192.0.2.1")
			w.update(k.Addr, "late.shop.", "A", "192.0.2.1")
			return nil
		}},
		{class: Stale, name: "api.shop.", base: Baseline{Addresses: []string{"192.0.2.1"}}, peers: "healthy healthy", make: func(w *world, z string) func(*Options) {
			b, k := w.authorities(z, z)
			w.unbound("")
			w.check("api.shop.", w.withResolver)
			w.update(b.Addr, "api.shop.", "A", "192.0.2.2")
			w.update(k.Addr, "api.shop.", "A", "192.0.2.2")
			return nil
		}},
		{class: OtherView, name: "api.shop.", peers: "healthy healthy", make: func(w *world, z string) func(*Options) {
			w.authorities(z, z)
			w.unbound(`local-zone: "api.shop." static` + "\n" + `local-data: "api.shop. 60 IN A 10.9.9.9"`)
			return nil
		}},
		{class: TargetsDead, name: "api.shop.", peers: "healthy healthy", make: func(w *world, z string) func(*Options) {
			dead := w.zone(1, "api IN A "+w.ip(77))
			w.authorities(dead, dead)
			return func(o *Options) { w.withResolver(o); o.Connect = []uint16{uint16(dnstest.FreePort(w.t))} }
		}},
	} {
		t.Run(string(c.class), func(t *testing.T) {
			dnstest.Filter(t, "")
			w := newWorld(t)
			z := w.zone(7, "api IN A 192.0.2.1\nhollow IN TXT x\n"+c.records)
			options := w.withResolver
			if c.make != nil {
				if o := c.make(w, z); o != nil {
					options = o
				}
			}
			if !w.started[1] {
				w.root("")
			}
			if !w.started[2] {
				w.authorities(z, z)
			}
			if !w.started[9] {
				w.unbound("")
			}
			target := w.addr(9)
			if c.target != 0 {
				target = w.addr(c.target)
			}
			generation := func(o *Options) { options(o); o.Generation = true }
			if v := Classify(w.check(c.name, generation), c.base); v.Class != c.class {
				t.Errorf("ours: %s", dump(v))
			}
			said := documented(t, c.class)
			for i, p := range peers {
				want := strings.Fields(c.peers)[i]
				if len(said) != len(peers) || said[i] != want {
					t.Errorf("docs/dns.md says %q of the peers, this test says %q", said, c.peers)
				}
				if programs[p.name] == "" {
					t.Logf("%s was not run: %s", p.name, p.why)
					continue
				}
				got := "fault"
				if p.probe(t, programs[p.name], target, c.name) {
					got = "healthy"
				}
				if got != want {
					t.Errorf("%s says %s, want %s", p.name, got, want)
				}
			}
		})
	}
}

// documented reads the last columns of a class from the table of docs/dns.md.
func documented(t *testing.T, class Class) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "docs", "dns.md"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) == 4 && strings.Contains(cells[0], "`"+string(class)+"`") {
			return []string{strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3])}
		}
	}
	return nil
}
