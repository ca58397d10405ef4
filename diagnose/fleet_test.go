package diagnose

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"ddx"
)

// TestFleet: one finding a mode over all hosts, roots before consequences, the
// hosts in the order in which they were struck.
func TestFleet(t *testing.T) {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	at := func(minute int) *time.Time {
		if minute < 0 {
			return nil
		}
		m := day.Add(time.Duration(minute) * time.Minute)
		return &m
	}
	finding := func(mode, subject string, v ddx.Verdict, minute int, by ...string) ddx.Finding {
		s, err := ddx.ParseSubject(subject)
		if err != nil {
			t.Fatal(err)
		}
		return ddx.Finding{ID: mode + "@" + subject, Mode: mode, Subject: s, Verdict: v, FirstSeen: at(minute), LastSeen: at(minute), Active: ddx.Unknown, ExplainedBy: by,
			Evidence: []ddx.Support{{Text: "against", Effect: ddx.Against}, {Text: fmt.Sprint(mode, " at ", minute), Time: at(minute), Effect: ddx.Supports, Strength: ddx.Strong}}}
	}
	risk := finding("old-driver", "nic:eth0", ddx.Likely, 0)
	risk.Latent = true
	host := func(name string, all ...ddx.Finding) *ddx.Diagnosis {
		return &ddx.Diagnosis{Host: ddx.HostInfo{Name: name}, Findings: all}
	}
	describe := func(f ddx.Fleet) string {
		var b strings.Builder
		for _, x := range f.Findings {
			fmt.Fprintf(&b, "%s %s by %s on", x.ID, x.Verdict, strings.Join(x.ExplainedBy, ","))
			for _, h := range x.Hosts {
				fmt.Fprintf(&b, " %s#%d=%s", h.Host, h.At, strings.Join(h.Findings, "+"))
			}
			b.WriteString("\n")
		}
		return b.String()
	}
	for name, c := range map[string]struct {
		hosts []*ddx.Diagnosis
		want  string
	}{
		"nothing": {[]*ddx.Diagnosis{host("a"), host("b", finding("x", "host:", ddx.Possible, 1), risk)}, ""},
		"the earliest host first, unknown times last, two subjects of one host together": {
			[]*ddx.Diagnosis{host("a", finding("x", "nic:eth0", ddx.Likely, 9), finding("x", "nic:eth1", ddx.Confirmed, 9)), host("a", finding("x", "nic:eth0", ddx.Likely, -1)), host("c", finding("x", "nic:eth0", ddx.Likely, 3))},
			"x@fleet: confirmed by  on c#2=x@nic:eth0 a#0=x@nic:eth0+x@nic:eth1 a#1=x@nic:eth0\n",
		},
		"what all name alike is the subject": {
			[]*ddx.Diagnosis{host("a", finding("x", "endpoint:db", ddx.Likely, 1)), host("b", finding("x", "endpoint:db", ddx.Likely, 2))},
			"x@endpoint:db likely by  on a#0=x@endpoint:db b#1=x@endpoint:db\n",
		},
		"a path is not shared": {
			[]*ddx.Diagnosis{host("a", finding("x", "mount:/srv", ddx.Likely, 1)), host("b", finding("x", "mount:/srv", ddx.Likely, 2))},
			"x@fleet: likely by  on a#0=x@mount:/srv b#1=x@mount:/srv\n",
		},
		"more hosts before fewer, consequences after their root": {
			[]*ddx.Diagnosis{
				host("a", finding("few", "host:", ddx.Likely, 1)),
				host("b", finding("many", "host:", ddx.Likely, 1), finding("after", "host:", ddx.Likely, 2, "many@host:")),
				host("c", finding("many", "host:", ddx.Likely, 1), finding("after", "host:", ddx.Likely, 2, "many@host:")),
			},
			"many@fleet: likely by  on b#1=many@host: c#2=many@host:\nafter@fleet: likely by many@fleet: on b#1=after@host: c#2=after@host:\nfew@fleet: likely by  on a#0=few@host:\n",
		},
		"a root on one host is one": {
			[]*ddx.Diagnosis{
				host("b", finding("many", "host:", ddx.Confirmed, 1), finding("after", "host:", ddx.Likely, 2, "many@host:")),
				host("c", finding("after", "host:", ddx.Likely, 1)),
			},
			"many@fleet: confirmed by  on b#0=many@host:\nafter@fleet: likely by  on c#1=after@host: b#0=after@host:\n",
		},
	} {
		if got := describe(Fleet(c.hosts)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}

	fleet := Fleet([]*ddx.Diagnosis{host("a", finding("x", "host:", ddx.Likely, 5)), host("b", finding("x", "host:", ddx.Likely, 1))})
	f := fleet.Findings[0]
	if !f.FirstSeen.Equal(*at(1)) || !f.LastSeen.Equal(*at(5)) || len(f.Evidence) != 2 || f.Evidence[0].Host != "b" || f.Evidence[0].Text != "x at 1" {
		t.Errorf("%+v", f)
	}
	b, err := json.Marshal(Fleet(nil))
	if err != nil || !strings.Contains(string(b), `"findings":[]`) {
		t.Errorf("%s (%v)", b, err)
	}
}

// What is accepted on every host that has it is accepted in the fleet.
func TestFleetAccepted(t *testing.T) {
	host := func(accepted string) *ddx.Diagnosis {
		return &ddx.Diagnosis{Findings: []ddx.Finding{{ID: "x@host:", Mode: "x", Verdict: ddx.Confirmed, Accepted: accepted}}}
	}
	if f := Fleet([]*ddx.Diagnosis{host("known"), host("known")}).Findings[0]; f.Accepted != "known" || f.Wrong() {
		t.Errorf("%+v", f)
	}
	if f := Fleet([]*ddx.Diagnosis{host("known"), host("")}).Findings[0]; f.Accepted != "" || !f.Wrong() {
		t.Errorf("%+v", f)
	}
}
