package dns

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ddx/dnstest"
)

// TestBlackboxCallsItHealthy runs Prometheus' blackbox exporter, with its
// defaults for a DNS probe, beside ours: on an endpoint without addresses it
// reports success. The statement in docs/dns.md rests on this.
func TestBlackboxCallsItHealthy(t *testing.T) {
	prog, err := exec.LookPath("prometheus-blackbox-exporter")
	if err != nil {
		t.Skip("needs prometheus-blackbox-exporter: apt-get install prometheus-blackbox-exporter")
	}
	const zone = "$ORIGIN shop.\n$TTL 60\n@ IN SOA ns1 host 7 3600 600 86400 300\n@ IN NS ns1\nns1 IN A 127.0.0.1\nhollow IN TXT x\n"
	server := dnstest.Bind(t, "127.0.0.1", dnstest.FreePort(t), dnstest.Zones{"shop.": zone}, "")
	dir := t.TempDir()
	dnstest.Write(t, dir, "blackbox.yml", "modules:\n  empty:\n    prober: dns\n    dns:\n      query_name: hollow.shop\n      query_type: A\n      preferred_ip_protocol: ip4\n")
	addr := fmt.Sprintf("127.0.0.1:%d", dnstest.FreePort(t))
	cmd := exec.Command(prog, "--config.file="+filepath.Join(dir, "blackbox.yml"), "--web.listen-address="+addr)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	var text string
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline) && text == ""; {
		resp, err := http.Get("http://" + addr + "/probe?module=empty&target=" + server.Addr)
		if err != nil {
			continue
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		text = string(b)
	}
	for _, want := range []string{"\nprobe_success 1\n", "\nprobe_dns_answer_rrs 0\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the exporter does not say %q any more:\n%s", strings.TrimSpace(want), text)
		}
	}
	a, err := Check(t.Context(), "hollow.shop", Options{Authorities: []string{server.Addr}})
	if err != nil {
		t.Fatal(err)
	}
	want(t, Classify(a, Baseline{Addresses: []string{"192.0.2.1"}}), NoData, Wrong)
}
