package failover

import (
	"context"
	"net"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ddx/dns"
	"ddx/dnstest"
)

const fullConfig = `
name: api.race.example
ttl: 30
demand: 15
provider:
  rfc2136: {zone: race.example, server: "127.0.0.1:5353", key_name: ddx-test, key_file: tsig.key}
targets:
  - {address: 127.0.0.1, site: home, capacity: 10}
  - {address: 127.0.0.2, site: home, capacity: 10}
  - {address: 127.0.0.3, site: away, capacity: 10}
check: {kind: tcp, port: 80}
gate: {down_after: 1, up_after: 1, hold: 0s}
guards: {minimum: 1, max_shrink_percent: 50, window: 10m}
`

func readConfig(t *testing.T, text string) (Config, error) {
	t.Helper()
	dir := t.TempDir()
	dnstest.Write(t, dir, "tsig.key", dnstest.KeySecret+"\n")
	dnstest.Write(t, dir, "vote.key", "a key that is long enough\n")
	return ReadConfig(strings.NewReader(text), dir)
}

func TestReadConfig(t *testing.T) {
	c, err := readConfig(t, fullConfig)
	if err != nil {
		t.Fatal(err)
	}
	if c.Name != raceName || c.Guards.Window != 10*time.Minute || c.Automatic || c.Check.Host != "api.race.example" {
		t.Errorf("%+v", c)
	}
	prov, err := c.Dynamic()
	if err != nil || prov.Secret != dnstest.KeySecret || prov.KeyName != dnstest.KeyName || prov.KeyAlgo != dnstest.KeyAlgo || prov.Zone != raceZone {
		t.Errorf("%+v %v", prov, err)
	}
	for change, want := range map[string]string{
		"name: api.race.example->name: api.other.example":                    "does not lie in zone",
		"max_shrink_percent->max_shrink_percnt":                              "max_shrink_percnt",
		"minimum: 1->minimum: 0":                                             "guards.minimum",
		"127.0.0.2->127.0.0.1":                                               "listed twice",
		"{kind: tcp->{kind: icmp":                                            "check.kind",
		"gate: {->automatic: true\ngate: {":                                  "automatic needs vantage.quorum",
		"gate: {->vantage: {quorum: 2}\ngate: {":                             "cannot be reached",
		"gate: {->vantage: {peers: [\"http://x/\"]}\ngate: {":                "vantage.key_file",
		"down_after: 1->down_after: 0":                                       "gate.down_after",
		"ttl: 30->ttl: 86400":                                                "ttl must",
		"provider:->providers:":                                              "providers",
		"  rfc2136: {zone: race.example->  other: {zone: race.example":       "other",
		"provider:->provider:\n  route53: {zone: race.example, zone_id: Z1}": "one of rfc2136 and route53",
		"  rfc2136: {zone: race.example, server: \"127.0.0.1:5353\", key_name: ddx-test, key_file: tsig.key}->  route53: {zone: race.example}":             "zone_id are needed",
		"  rfc2136: {zone: race.example, server: \"127.0.0.1:5353\", key_name: ddx-test, key_file: tsig.key}->  route53: {zone: example.org, zone_id: Z1}": "does not lie in zone",
	} {
		from, to, _ := strings.Cut(change, "->")
		if _, err := readConfig(t, strings.Replace(fullConfig, from, to, 1)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", change, err, want)
		}
	}
}

func FuzzReadConfig(f *testing.F) {
	f.Add(fullConfig)
	f.Add("targets: [{address: ::1%eth0}]\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ReadConfig(strings.NewReader(text), "/nowhere")
		if err == nil && (c.Guards.Minimum < 1 || len(c.Targets) == 0) {
			t.Errorf("accepted %+v", c)
		}
	})
}

// TestDaemon runs the whole of it against a real server: adoption by a person,
// a target that dies, dry run, freeze file, freeze record, cut-over, rehearsal.
func TestDaemon(t *testing.T) {
	zone := strings.Replace(emptyZone, "IN SOA", "IN SOA", 1) + "api 30 IN A 127.0.0.1\napi 30 IN A 127.0.0.2\n"
	server := dnstest.Bind(t, "127.0.0.1", dnstest.FreePort(t), dnstest.Zones{raceZone: zone}, "")
	c, err := readConfig(t, fullConfig)
	if err != nil {
		t.Fatal(err)
	}
	c.Provider.RFC2136.Server = server.Addr
	listen := func(ip string) net.Listener {
		l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
		if c.Check.Port != 0 && c.Check.Port != 80 {
			l.Close()
			l, err = net.Listen("tcp", net.JoinHostPort(ip, itoa(c.Check.Port)))
		}
		if err != nil {
			t.Fatal(err)
		}
		c.Check.Port = port(l.Addr().String())
		return l
	}
	first, second, away := listen("127.0.0.1"), listen("127.0.0.2"), listen("127.0.0.3")
	defer first.Close()
	defer away.Close()
	c.FreezeFile = filepath.Join(t.TempDir(), "frozen")
	prov, err := c.Dynamic()
	if err != nil {
		t.Fatal(err)
	}
	d, err := c.Daemon(prov, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	round := func(what string, order Order, verdict, part string, applied bool) Result {
		t.Helper()
		res, err := d.Round(t.Context(), order)
		if err != nil || res.Decision.Verdict != verdict || res.Applied != applied || !strings.Contains(res.Decision.Why, part) {
			t.Fatalf("%s: %s %q applied %t %v", what, res.Decision.Verdict, res.Decision.Why, res.Applied, err)
		}
		return res
	}
	d.Apply = true
	round("a name that is not ours", Order{}, VerdictHeld, "--adopt", false)
	d.Apply = false
	round("adopt, dry run", Order{Adopt: true}, VerdictChange, "generation 0 -> 1", false)
	d.Apply = true
	round("adopt", Order{Adopt: true}, VerdictChange, "generation 0 -> 1", true)
	round("all up", Order{}, VerdictUnchanged, "", false)
	if line := rehearse(t, d, "away"); line != "health up, capacity down, record up, ttl up, credentials up, zone unknown" {
		t.Errorf("rehearsal: %s", line)
	}
	second.Close()
	d.Apply = false
	round("one dead, dry run", Order{}, VerdictChange, "1 removed", false)
	d.Apply = true
	os.WriteFile(c.FreezeFile, nil, 0o644)
	round("one dead, freeze file", Order{}, VerdictChange, "1 removed", false)
	os.Remove(c.FreezeFile)
	on, off := true, false
	round("freeze", Order{Freeze: &on}, VerdictChange, "frozen true", true)
	round("one dead, frozen", Order{}, VerdictHeld, "frozen since generation 2", false)
	if line := rehearse(t, d, "away"); !strings.Contains(line, "record down") {
		t.Errorf("rehearsal while frozen: %s", line)
	}
	round("thaw", Order{Freeze: &off}, VerdictChange, "frozen false", true)
	round("one dead", Order{}, VerdictChange, "1 removed", true)
	res := round("cut over", Order{Site: "away"}, VerdictChange, `side "away"`, true)
	if res.Current.Addresses.String() != "127.0.0.3" || res.Current.Record.Generation != 5 {
		t.Errorf("%+v", res.Current)
	}
	round("the side that is down now stays out", Order{}, VerdictUnchanged, "", false)
	away.Close()
	round("nothing is healthy", Order{}, VerdictHeld, "the last good set stays", false)
	answers, err := dns.Check(t.Context(), raceName, dns.Options{Authorities: []string{server.Addr}, Generation: true})
	if err != nil {
		t.Fatal(err)
	}
	if v := dns.Classify(answers, dns.Baseline{Generation: 5}); v.Class != dns.OK || v.Generation != 5 {
		t.Errorf("the watcher sees %s at generation %d", v.Class, v.Generation)
	}
}

func itoa(n uint16) string { return netip.AddrPortFrom(netip.IPv4Unspecified(), n).String()[8:] }

func rehearse(t *testing.T, d *Daemon, site string) string {
	t.Helper()
	var out []string
	for _, r := range Rehearse(t.Context(), d.Policy, d.Enactor.Provider, d.Health(t.Context()), site, nil) {
		if r.Detail == "" {
			t.Errorf("%s says nothing", r.Name)
		}
		out = append(out, r.Name+" "+string(r.Ready))
	}
	return strings.Join(out, ", ")
}

// A vantage point that cannot be asked is a voice less, not a voice for down.
func TestQuorumOfVantagePoints(t *testing.T) {
	key := []byte("a key that is long enough")
	ip := netip.MustParseAddr("127.0.0.1")
	peer := httptest.NewServer(VoteHandler(key, func() Vote { return Vote{"west", time.Now(), map[netip.Addr]Health{ip: Down}} }))
	defer peer.Close()
	closed, _ := net.Listen("tcp", "127.0.0.1:0")
	deadPort := port(closed.Addr().String())
	closed.Close()
	v := &Vantage{Name: "east", Check: CheckConfig{Kind: CheckTCP, Port: deadPort}, Targets: []netip.Addr{ip}, Now: time.Now}
	v.Gate.FailAfter, v.Gate.PassAfter = 1, 1
	v.Look(t.Context())
	d := &Daemon{Vantage: v, VoteKey: key, Quorum: 2, MaxAge: time.Minute, Now: time.Now}
	for _, c := range []struct {
		peers []string
		want  Health
	}{{nil, Unknown}, {[]string{"http://127.0.0.1:1/"}, Unknown}, {[]string{peer.URL}, Down}} {
		d.Peers = c.peers
		if got := d.Health(context.Background())[ip].Health; got != c.want {
			t.Errorf("%v: %s, want %s", c.peers, got, c.want)
		}
	}
}

func TestWeigh(t *testing.T) {
	costs := Costs{Outage: 100, Degraded: 10, Move: 500, Warmup: 4 * time.Minute, Risk: 0.1}
	for _, c := range []struct {
		name    string
		change  func(*Costs)
		elapsed time.Duration
		move    bool
		waiting float64
		moving  float64
		even    time.Duration
	}{
		// rest 10 min: waiting 1000; moving 500 + 5*100 + 5*(10+10) = 1100
		{"just begun", nil, 10 * time.Minute, false, 1000, 1100, 11*time.Minute + 15*time.Second},
		// rest 60 min: waiting 6000; moving 500 + 500 + 55*20 = 2100
		{"an hour", nil, time.Hour, true, 6000, 2100, 11*time.Minute + 15*time.Second},
		// past outages that lasted longer than 10 min: 20, 30, 70 more
		{"history", func(c *Costs) {
			c.Durations = []time.Duration{5 * time.Minute, 20 * time.Minute, 30 * time.Minute, 70 * time.Minute}
		}, 10 * time.Minute, true, 3000, 1500, 11*time.Minute + 15*time.Second},
		{"the other side is no better", func(c *Costs) { c.Degraded = 95 }, time.Hour, false, 6000, 6775, -1},
	} {
		in := costs
		if c.change != nil {
			c.change(&in)
		}
		k := Weigh(in, c.elapsed, time.Minute)
		if k.Move != c.move || int(k.Waiting+0.5) != int(c.waiting) || int(k.Moving+0.5) != int(c.moving) || k.BreakEven != c.even || len(k.Inputs) != 5 {
			t.Errorf("%s: %+v", c.name, k)
		}
	}
}

// Three daemons for one endpoint, over a real server, while targets come and
// go: an observer never sees it empty or going back, and all end in agreement.
func TestDaemonsSideBySide(t *testing.T) {
	zone := emptyZone + "api 30 IN A 127.0.0.1\napi 30 IN A 127.0.0.2\napi 30 IN A 127.0.0.3\n"
	server := dnstest.Bind(t, "127.0.0.1", dnstest.FreePort(t), dnstest.Zones{raceZone: zone}, "")
	c, err := readConfig(t, fullConfig)
	if err != nil {
		t.Fatal(err)
	}
	c.Provider.RFC2136.Server = server.Addr
	c.Guards.MaxShrink = 100
	for i := range c.Targets {
		c.Targets[i].Site = ""
	}
	c.Check.Port = uint16(dnstest.FreePort(t))
	up := make([]net.Listener, len(c.Targets))
	flip := func(i int) {
		if up[i] != nil {
			up[i].Close()
			up[i] = nil
			return
		}
		l, err := net.Listen("tcp", net.JoinHostPort(c.Targets[i].Address.String(), itoa(c.Check.Port)))
		if err != nil {
			t.Error(err)
		}
		up[i] = l
	}
	for i := range up {
		flip(i)
	}
	defer func() {
		for _, l := range up {
			if l != nil {
				l.Close()
			}
		}
	}()
	prov, err := c.Dynamic()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	for i := range 3 {
		c.Vantage.Name = "vantage-" + itoa(uint16(i))
		d, err := c.Daemon(prov, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		d.Apply = true
		if i == 0 {
			if res, err := d.Round(ctx, Order{Adopt: true}); err != nil || !res.Applied {
				t.Fatalf("adopt: %+v %v", res, err)
			}
		}
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		wg.Go(func() { d.Run(ctx, tick.C) })
	}
	generation, looks, flips := Record{}.Generation, 0, 0
	look := func() Current {
		cur, err := prov.Read(ctx, raceName)
		if err != nil {
			t.Fatal(err)
		}
		if looks++; len(cur.Addresses) == 0 || cur.Record.Generation < generation {
			t.Errorf("%d addresses at generation %d after %d", len(cur.Addresses), cur.Record.Generation, generation)
		}
		generation = cur.Record.Generation
		return cur
	}
	end, last := time.Now().Add(raceTime()/3), time.Now().Add(time.Minute) // a busy machine may need longer
	for time.Now().Before(end) || generation < 4 && time.Now().Before(last) {
		flip(flips % 2) // the third target stays up
		before := look().Record.Generation
		for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline) && look().Record.Generation == before; {
		}
		flips++
	}
	for i := range 2 {
		if up[i] == nil {
			flip(i)
		}
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline) && len(look().Addresses) < 3; {
	}
	if cur := look(); cur.Addresses.String() != "127.0.0.1 127.0.0.2 127.0.0.3" || cur.Drifted() {
		t.Errorf("does not converge: %+v", cur)
	}
	cancel()
	wg.Wait()
	t.Logf("%d looks, %d changes of health, generation %d", looks, flips, generation)
	if generation < 4 {
		t.Error("too little happened to prove anything")
	}
}
