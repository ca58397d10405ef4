package failover

import (
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"ddx/controlplane"
)

// gate feeds results, a second apart, and returns the health after each.
func gate(results string) string {
	cfg := controlplane.NodeConfig{FailAfter: 2, PassAfter: 2, HoldDown: 4 * time.Second, MaxHoldDown: time.Minute}
	var g Gate
	var out strings.Builder
	for i, r := range results {
		g = StepGate(cfg, g, map[rune]Health{'u': Up, 'd': Down, '?': Unknown}[r], time.Duration(i)*time.Second)
		out.WriteByte(g.Health[0])
	}
	return out.String()
}

func TestStepGate(t *testing.T) {
	for in, want := range map[string]string{
		"uu":           "uu", // unknown, then up: both begin with u, told apart below
		"dd":           "ud",
		"uud":          "uuu",
		"uudd":         "uuud",
		"uud?d":        "uuuud", // a check that could not be made breaks no row
		"uudu":         "uuuu",
		"uudduuuu":     "uuudddd" + "u", // held down for 4 s after it fell
		"????":         "uuuu",
		"uudduuuudduu": "uuuddddu" + "uddd", // the second time for longer
	} {
		if got := gate(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	if g := StepGate(controlplane.NodeConfig{FailAfter: 2, PassAfter: 2}, Gate{}, Up, 0); g.Health != Unknown {
		t.Errorf("after one good check: %s", g.Health)
	}
	if g := StepGate(controlplane.NodeConfig{FailAfter: 2, PassAfter: 1}, Gate{}, Up, 0); g.Health != Up {
		t.Errorf("after all the good checks that are needed: %s", g.Health)
	}
}

func TestCount(t *testing.T) {
	ip := netip.MustParseAddr("10.0.0.1")
	vote := func(who string, age time.Duration, h Health) Vote {
		return Vote{who, now.Add(-age), map[netip.Addr]Health{ip: h}}
	}
	for _, c := range []struct {
		name   string
		quorum int
		votes  []Vote
		want   Health
	}{
		{"nobody", 1, nil, Unknown},
		{"one says up", 1, []Vote{vote("a", 0, Up)}, Up},
		{"one of the two that are needed", 2, []Vote{vote("a", 0, Down), vote("b", 0, Unknown)}, Unknown},
		{"two of three", 2, []Vote{vote("a", 0, Down), vote("b", 0, Down), vote("c", 0, Up)}, Down},
		{"split in half", 1, []Vote{vote("a", 0, Down), vote("b", 0, Up)}, Unknown},
		{"an old vote does not count", 2, []Vote{vote("a", 0, Down), vote("b", time.Minute, Down)}, Unknown},
		{"nor one from the future", 2, []Vote{vote("a", 0, Down), vote("b", -time.Minute, Down)}, Unknown},
		{"one vantage point has one voice", 2, []Vote{vote("a", 0, Down), vote("a", time.Second, Down)}, Unknown},
		{"its newer one", 1, []Vote{vote("a", 0, Down), vote("a", time.Second, Up)}, Down},
	} {
		if got := Count(c.votes, []netip.Addr{ip}, c.quorum, 30*time.Second, now)[ip].Health; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func port(addr string) uint16 {
	_, p, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(p)
	return uint16(n)
}

// Probes against real listeners: up, down, and a host that cannot look.
func TestProbe(t *testing.T) {
	lo := netip.MustParseAddr("127.0.0.1")
	status := 200
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "api.example" || r.URL.Path != "/health" {
			w.WriteHeader(404)
			return
		}
		w.WriteHeader(status)
	}))
	defer web.Close()
	secure := httptest.NewTLSServer(nil)
	defer secure.Close()
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed, _ := net.Listen("tcp", "127.0.0.1:0")
	closedPort := port(closed.Addr().String())
	closed.Close()
	quick := 300 * time.Millisecond
	webPort, tlsPort := port(web.Listener.Addr().String()), port(secure.Listener.Addr().String())
	for _, c := range []struct {
		name   string
		cfg    CheckConfig
		status int
		want   Health
	}{
		{"tcp", CheckConfig{Kind: CheckTCP, Port: webPort}, 0, Up},
		{"tcp, closed", CheckConfig{Kind: CheckTCP, Port: closedPort}, 0, Down},
		{"http", CheckConfig{Kind: CheckHTTP, Port: webPort, Host: "api.example", Path: "/health"}, 200, Up},
		{"http, redirect is up and not followed", CheckConfig{Kind: CheckHTTP, Port: webPort, Host: "api.example", Path: "/health"}, 302, Up},
		{"http, expected status", CheckConfig{Kind: CheckHTTP, Port: webPort, Host: "api.example", Path: "/health", Expect: 204}, 200, Down},
		{"http, 503", CheckConfig{Kind: CheckHTTP, Port: webPort, Host: "api.example", Path: "/health"}, 503, Down},
		{"http, other host", CheckConfig{Kind: CheckHTTP, Port: webPort, Path: "/health"}, 200, Down},
		{"http, no answer", CheckConfig{Kind: CheckHTTP, Port: port(silent.Addr().String()), Timeout: quick}, 0, Down},
		{"tls", CheckConfig{Kind: CheckTLS, Port: tlsPort, Host: "example.com", Roots: roots}, 0, Up},
		{"tls, certificate for another name", CheckConfig{Kind: CheckTLS, Port: tlsPort, Host: "api.example", Roots: roots}, 0, Down},
		{"tls, unknown authority", CheckConfig{Kind: CheckTLS, Port: tlsPort, Host: "example.com", Roots: x509.NewCertPool()}, 0, Down},
		{"tls, no handshake", CheckConfig{Kind: CheckTLS, Port: port(silent.Addr().String()), Host: "x", Timeout: quick}, 0, Down},
	} {
		status = c.status
		if got, err := Probe(t.Context(), c.cfg, lo); got != c.want || (err == nil) != (got == Up) {
			t.Errorf("%s: %s %v, want %s", c.name, got, err, c.want)
		}
	}
	// A socket that this host may not open says nothing about the target.
	if got, err := Probe(t.Context(), CheckConfig{Kind: CheckTCP, Port: 9}, netip.MustParseAddr("255.255.255.255")); got != Unknown {
		t.Errorf("no permission: %s %v", got, err)
	}
}

func TestVotes(t *testing.T) {
	key := []byte("a key that is long enough")
	ip := netip.MustParseAddr("2001:db8::1")
	v := Vote{"east", now, map[netip.Addr]Health{ip: Down}}
	srv := httptest.NewServer(VoteHandler(key, func() Vote { return v }))
	defer srv.Close()
	got, err := FetchVote(t.Context(), srv.URL, key)
	if err != nil || got.Vantage != "east" || !got.At.Equal(now) || got.Health[ip] != Down {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := FetchVote(t.Context(), srv.URL, []byte("another key")); err == nil || !strings.Contains(err.Error(), "signature does not hold") {
		t.Errorf("forged: %v", err)
	}
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(signatureHeader, sign(key, []byte("{")))
		w.Write([]byte("{"))
	}))
	defer bad.Close()
	if _, err := FetchVote(t.Context(), bad.URL, key); err == nil {
		t.Error("half a vote is accepted")
	}
}
