package remedy

import (
	"strings"
	"testing"
	"time"

	"ddx"
	"ddx/catalog"
)

func fact(kind string, s ddx.Subject, fields map[string]any) ddx.Fact {
	return ddx.Fact{Kind: kind, Subject: s, Fields: fields, Evidence: []ddx.Evidence{{Origin: "aws.json:3"}}}
}

// TestBlastRadius holds that an effect is yes, no or unknown by the facts of
// this machine, and never decided without one.
func TestBlastRadius(t *testing.T) {
	cat, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	instance := func(store bool) ddx.Fact {
		return fact("cloud.instance", ddx.Subject{Kind: ddx.Instance, Name: "i-1"}, map[string]any{"instance_store": store, "public_ip": "198.51.100.7", "elastic_ip": false, "asg": ""})
	}
	for name, tt := range map[string]struct {
		facts []ddx.Fact
		wipes ddx.Active
		run   string
	}{
		"with instance store":    {[]ddx.Fact{instance(true)}, ddx.Yes, "--instance-ids i-1"},
		"without instance store": {[]ddx.Fact{instance(false)}, ddx.No, "--instance-ids i-1"},
		"nothing known":          {nil, ddx.Unknown, "--instance-ids <instance>"},
	} {
		d := &ddx.Diagnosis{Now: time.Now(), Findings: []ddx.Finding{{ID: "ena-keepalive-timeout@nic:eth0", Mode: "ena-keepalive-timeout", Verdict: ddx.Confirmed, Subject: ddx.Subject{Kind: ddx.NIC, Name: "eth0"}}}}
		if err := Fill(cat, d, tt.facts); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, p := range d.Findings[0].Remedies {
			if p.ID != "stop-start" {
				continue
			}
			found = true
			if !strings.Contains(p.Steps[0].Run, tt.run) {
				t.Errorf("%s: step %q, want %q in it", name, p.Steps[0].Run, tt.run)
			}
			for _, b := range p.BlastRadius {
				if strings.Contains(b.Effect, "instance-store") && b.Applies != tt.wipes {
					t.Errorf("%s: wipes instance store: %s (%s), want %s", name, b.Applies, b.Because, tt.wipes)
				}
			}
		}
		if !found {
			t.Errorf("%s: no plan stop-start", name)
		}
	}
}

// TestFillIsSafe holds that evidence cannot put shell syntax into a printed
// command.
func TestFillIsSafe(t *testing.T) {
	for v, want := range map[string]string{
		"eth0":           "ip link show eth0",
		"eth0; rm -rf /": "ip link show <nic>",
		"$(reboot)":      "ip link show <nic>",
		"`id`":           "ip link show <nic>",
		"a\nb":           "ip link show <nic>",
		"":               "ip link show <nic>",
	} {
		if got := fill("ip link show {nic}", map[string]string{"nic": v}); got != want {
			t.Errorf("%q: %q, want %q", v, got, want)
		}
	}
}
