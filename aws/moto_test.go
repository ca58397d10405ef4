package aws_test

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ddx/aws"
	"ddx/awsfake"
	"ddx/controlplane"
	"ddx/dnstest"
	"ddx/failover"
)

// TestMoto puts changes that fit to moto, a Route 53 that others wrote: what is
// sent and read is the service's language, not only our fake's. Changes that do
// not fit are left out: moto 5 compares a DELETE with every change it ever took,
// not with what is there, so it has no fence to agree with; and it refuses to
// create in a batch what the same batch deletes, if it took that change before.
func TestMoto(t *testing.T) {
	prog, err := exec.LookPath("moto_server")
	if err != nil {
		t.Skip("needs moto_server: pip install 'moto[server]'")
	}
	port := strconv.Itoa(dnstest.FreePort(t))
	url := "http://127.0.0.1:" + port
	cmd := exec.Command(prog, "-H", "127.0.0.1", "-p", port)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	fake := awsfake.NewRoute53(t, "127.0.0.1", dnstest.FreePort(t), "race.example")
	client(t, fake, "", awsfake.AccessKey) // for the environment
	z, err := aws.NewRoute53(t.Context(), aws.Route53Options{ZoneID: motoZone(t, url), Endpoint: url})
	if err != nil {
		t.Fatal(err)
	}
	p := failover.Batch{Zone: z}
	var cur failover.Current
	for i, addrs := range []string{"192.0.2.1", "192.0.2.1 192.0.2.2 2001:db8::1", "2001:db8::2", "192.0.2.7 192.0.2.8"} {
		to := first()
		to.Record.Generation, to.Addresses = controlplane.Generation(i+1), parse(addrs)
		status, err := p.Commit(t.Context(), name, cur, to)
		if status != controlplane.Applied {
			t.Fatalf("generation %d: status %d %v", i+1, status, err)
		}
		if cur, err = p.Read(t.Context(), name); err != nil || cur.Text != to.Record.String() || cur.Addresses.String() != addrs || cur.TTL != 30 {
			t.Fatalf("generation %d: %+v %v", i+1, cur, err)
		}
		if done, err := p.InSync(t.Context()); !done || err != nil {
			t.Errorf("generation %d: in sync %t %v", i+1, done, err)
		}
	}
	if status, err := p.Commit(t.Context(), name, failover.Current{Owned: true, Text: "ddx1 gen=99 hash=never", TextTTL: 5}, first()); status != controlplane.Refused && status != controlplane.Conflict {
		t.Errorf("a record that was never there: status %d %v", status, err)
	}
}

// motoZone makes a hosted zone as soon as moto answers.
func motoZone(t *testing.T, url string) string {
	t.Helper()
	const body = `<CreateHostedZoneRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Name>race.example.</Name><CallerReference>one</CallerReference></CreateHostedZoneRequest>`
	for deadline := time.Now().Add(60 * time.Second); ; {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/2013-04-01/hostedzone", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "text/xml")
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+awsfake.AccessKey+"/20260101/us-east-1/route53/aws4_request, SignedHeaders=host, Signature=0")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			if time.Now().After(deadline) {
				t.Skipf("moto_server does not answer: %v", err)
			}
			continue
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		var out struct {
			ID string `xml:"HostedZone>Id"`
		}
		if err := xml.Unmarshal(text, &out); err != nil || out.ID == "" {
			t.Fatalf("create zone: %s %v\n%s", resp.Status, err, text)
		}
		return strings.TrimPrefix(out.ID, "/hostedzone/")
	}
}

func parse(addrs string) failover.Addresses {
	var out []netip.Addr
	for _, s := range strings.Fields(addrs) {
		out = append(out, netip.MustParseAddr(s))
	}
	return failover.Sorted(out...)
}
