package dns

import (
	"strings"
	"testing"
	"time"
)

var t0 = time.Date(2025, 10, 20, 6, 48, 0, 0, time.UTC)

// reply builds one answered Reply from a compact form: "ROLE ADDR NAME TYPE
// RCODE FLAGS | answer records | authority records", records separated by ';'.
func reply(t testing.TB, at time.Time, text string) Reply {
	t.Helper()
	parts := strings.Split(text, "|")
	f := strings.Fields(parts[0])
	r := Reply{Server: Server{Addr: f[1], Role: Role(f[0])}, Name: f[2], Type: f[3], Time: at, Transport: "udp", Outcome: Answered, Rcode: f[4]}
	for _, fl := range f[5:] {
		switch fl {
		case "aa":
			r.AA = true
		case "tc":
			r.TC = true
		case "tcp":
			r.Transport = "tcp"
		}
	}
	for i, sec := range []*[]RR{&r.Answer, &r.Auth} {
		if len(parts) <= i+1 {
			break
		}
		for rec := range strings.SplitSeq(parts[i+1], ";") {
			rf := strings.Fields(rec)
			if len(rf) < 4 {
				continue
			}
			ttl := uint32(0)
			for _, c := range rf[1] {
				ttl = ttl*10 + uint32(c-'0')
			}
			*sec = append(*sec, RR{Name: rf[0], TTL: ttl, Type: rf[2], Data: strings.Join(rf[3:], " ")})
		}
	}
	return r
}

const soa = "x. 60 SOA ns. host. 7 3600 600 86400 300"

func answers(t testing.TB, at time.Time, lines ...string) Answers {
	t.Helper()
	a := Answers{Name: "api.x.", Time: at, Resolv: Resolv{Ndots: 1, Timeout: 5}}
	for _, l := range lines {
		a.Replies = append(a.Replies, reply(t, at, l))
	}
	return a
}

func TestClassify(t *testing.T) {
	const okA = "authority 192.0.2.1:53 api.x. A NOERROR aa | api.x. 60 A 10.0.0.1"
	const no4 = "authority 192.0.2.1:53 api.x. A NOERROR aa | | " + soa
	const no6 = "authority 192.0.2.1:53 api.x. AAAA NOERROR aa | | " + soa
	had := Baseline{Addresses: []string{"10.0.0.1"}}
	for _, c := range []struct {
		name  string
		base  Baseline
		lines []string
		class Class
		level Level
	}{
		{"nothing heard", Baseline{}, nil, Unknown, ""},
		{"only A exists", had, []string{okA, no6}, OK, ""},
		{"AAAA alone asked and empty", had, []string{no6}, NoData, Wrong},
		{"AAAA alone asked, nothing known", Baseline{}, []string{no6}, NoData, Suspect},
		{"both empty", had, []string{no4, no6}, NoData, Wrong},
		{"both empty, a resolver remembers", Baseline{}, []string{no4, no6, "resolver 192.0.2.9:53 api.x. A NOERROR | api.x. 12 A 10.0.0.1"}, NoData, Wrong},
		{"both empty, meant", Baseline{MeantEmpty: true}, []string{no4, no6}, MeantEmpty, ""},
		{"SOA asked where none is", Baseline{}, []string{"resolver 192.0.2.9:53 api.x. SOA NOERROR | | " + soa}, OK, ""},
		{"denied for A, known for AAAA", Baseline{}, []string{"authority 192.0.2.1:53 api.x. A NXDOMAIN aa | | " + soa, "authority 192.0.2.1:53 api.x. AAAA NOERROR aa | api.x. 60 AAAA 2001:db8::1"}, WrongNXDomain, Wrong},
		{"denied for AAAA, empty for A", Baseline{}, []string{no4, "authority 192.0.2.1:53 api.x. AAAA NXDOMAIN aa | | " + soa}, WrongNXDomain, Wrong},
		{"a chain into nothing is no contradiction", Baseline{}, []string{"authority 192.0.2.1:53 api.x. A NXDOMAIN aa | api.x. 60 CNAME gone.x. | " + soa, "authority 192.0.2.1:53 api.x. CNAME NOERROR aa | api.x. 60 CNAME gone.x."}, Dangling, Wrong},
		{"empty where a minimum is required", Baseline{Minimum: 1}, []string{no4, no6}, NoData, Wrong},
		{"non-authoritative authority", Baseline{}, []string{"authority 192.0.2.1:53 api.x. A NOERROR | api.x. 60 A 10.0.0.1"}, Lame, Wrong},
		{"upward referral", Baseline{}, []string{"authority 192.0.2.1:53 api.x. A NOERROR | | . 60 NS a.root."}, Lame, Wrong},
		{"refused by one of two", Baseline{}, []string{okA, "authority 192.0.2.2:53 api.x. A REFUSED"}, Lame, Wrong},
		{"resolver empty, no authority heard, had addresses", had, []string{"resolver 192.0.2.9:53 api.x. A NOERROR | | " + soa}, NoData, Wrong},
		{"resolver SERVFAIL, nothing else", Baseline{}, []string{"resolver 192.0.2.9:53 api.x. A SERVFAIL"}, ServFail, Wrong},
		{"resolver denies what exists", Baseline{}, []string{okA, no6, "resolver 192.0.2.9:53 api.x. A NXDOMAIN | | x. 17 SOA ns. host. 7 3600 600 86400 300"}, NegativeCached, Wrong},
		{"resolver with a claim of its own", Baseline{}, []string{okA, no6, "resolver 192.0.2.9:53 api.x. A NOERROR aa | api.x. 60 A 10.9.9.9"}, OtherView, Suspect},
		{"serial went back", Baseline{Serial: map[string]uint32{"192.0.2.1:53": 9}}, []string{okA, no6}, Regressed, Suspect},
		{"serial wrapped", Baseline{Serial: map[string]uint32{"192.0.2.1:53": 4294967290}}, []string{okA, no6}, OK, ""},
		{"same serial, other set", Baseline{}, []string{okA, no6, "authority 192.0.2.2:53 api.x. A NOERROR aa | api.x. 60 A 10.0.0.2", "authority 192.0.2.2:53 api.x. AAAA NOERROR aa | | " + soa}, Disagree, Suspect},
		{"generation behind", Baseline{Generation: 5}, []string{okA, no6, `authority 192.0.2.1:53 _ddx.api.x. TXT NOERROR aa | _ddx.api.x. 5 TXT "gen=4 hash=q"`}, Regressed, Wrong},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := Classify(answers(t, t0, c.lines...), c.base)
			want(t, v, c.class, c.level)
			for _, f := range v.Findings {
				if f.Summary == "" || len(f.Evidence) == 0 && f.Class != Regressed && f.Class != Local {
					t.Errorf("%s has no evidence", f.Class)
				}
			}
		})
	}
}

// A zone that changes all the time is not stuck, however long its servers are
// apart; one whose server stands still is.
func TestStuck(t *testing.T) {
	a := answers(t, t0, "authority 192.0.2.1:53 api.x. SOA NOERROR aa | | x. 60 SOA ns. host. 9 300 600 86400 300",
		"authority 192.0.2.2:53 api.x. SOA NOERROR aa | | x. 60 SOA ns. host. 7 300 600 86400 300",
		"authority 192.0.2.1:53 api.x. A NOERROR aa | api.x. 60 A 10.0.0.1", "authority 192.0.2.2:53 api.x. A NOERROR aa | api.x. 60 A 10.0.0.2")
	hourAgo := t0.Add(-time.Hour)
	want(t, Classify(a, Baseline{DisagreeSince: hourAgo, Serial: map[string]uint32{"192.0.2.2:53": 7}}), Disagree, Wrong)
	want(t, Classify(a, Baseline{DisagreeSince: hourAgo, Serial: map[string]uint32{"192.0.2.2:53": 6}}), Disagree, Suspect)
}

// Where only the resolver may be asked, silent authorities are no fault.
func TestAuthoritiesBehindAFilter(t *testing.T) {
	a := answers(t, t0, "resolver 192.0.2.9:53 api.x. A NOERROR | api.x. 12 A 10.0.0.1")
	silent := Reply{Server: Server{Addr: "192.0.2.1:53", Role: Authority}, Name: "api.x.", Type: "SOA", Time: t0, Transport: "udp", Outcome: TimedOut}
	alone := a
	alone.Replies = []Reply{silent}
	a.Replies = append(a.Replies, silent)
	want(t, Classify(a, Baseline{}), OK, "")
	want(t, Classify(alone, Baseline{}), TimedOutClass, Wrong)
	a.Replies[1].Outcome = Unreachable
	want(t, Classify(a, Baseline{}), UnreachClass, Suspect)
}

// The time at which the last negative cache clears is the latest over all
// resolvers, each from its own TTL.
func TestNegativeCacheClears(t *testing.T) {
	a := answers(t, t0, "authority 192.0.2.1:53 api.x. A NOERROR aa | api.x. 60 A 10.0.0.1",
		"resolver 192.0.2.8:53 api.x. A NOERROR | | x. 12 SOA ns. host. 7 3600 600 86400 300",
		"resolver 192.0.2.9:53 api.x. A NOERROR | | x. 290 SOA ns. host. 7 3600 600 86400 45")
	v := Classify(a, Baseline{})
	if want := t0.Add(45 * time.Second); !v.Clears.Equal(want) || v.Negative != 2 {
		t.Errorf("clears %v at %d, want %v at 2", v.Clears, v.Negative, want)
	}
}

func TestClassesAreComplete(t *testing.T) {
	seen := map[Class]bool{}
	for _, c := range Classes() {
		if seen[c] {
			t.Errorf("%s is listed twice", c)
		}
		seen[c] = true
	}
	if len(seen) != 23 {
		t.Errorf("%d classes", len(seen))
	}
}

func TestCandidates(t *testing.T) {
	c, err := ParseResolv(strings.NewReader("# comment\nnameserver 192.0.2.1\nnameserver bad\nnameserver 192.0.2.2\nnameserver 2001:db8::3\nnameserver 192.0.2.4\ndomain a.b\nsearch corp.example example\noptions ndots:2 timeout:99 attempts:x rotate\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Servers) != 3 || len(c.Ignored) != 1 || c.Timeout != 30 || c.Attempts != 2 || !c.Rotate {
		t.Errorf("%+v", c)
	}
	for name, want := range map[string]string{
		"api":      "api.corp.example. api.example. api.",
		"api.x":    "api.x.corp.example. api.x.example. api.x.",
		"api.x.y":  "api.x.y. api.x.y.corp.example. api.x.y.example.",
		"api.x.y.": "api.x.y.",
	} {
		if got := strings.Join(c.Candidates(name), " "); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestCheckRefusesNonsense(t *testing.T) {
	for _, name := range []string{"", "a..b", strings.Repeat("x", 64) + ".x", "a b.c"} {
		if _, err := Check(t.Context(), name, Options{Resolvers: []string{"127.0.0.1:1"}}); err == nil || !strings.Contains(err.Error(), "not a domain name") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := Check(t.Context(), "x.example", Options{ResolvConf: "/dev/null"}); err == nil || !strings.Contains(err.Error(), "--resolver") {
		t.Errorf("%v", err)
	}
}

func FuzzParseResolv(f *testing.F) {
	f.Add("nameserver 192.0.2.1\nsearch a b\noptions ndots:5\n", "api")
	f.Fuzz(func(t *testing.T, text, name string) {
		c, err := ParseResolv(strings.NewReader(text))
		if err != nil {
			return
		}
		if len(c.Servers) > maxServers || c.Ndots > 15 || len(c.Candidates(name)) == 0 {
			t.Errorf("%+v", c)
		}
	})
}
