package dns

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"ddx/dnstest"

	mdns "github.com/miekg/dns"
)

// world is a small tree of zones on loopback addresses of its own: the root at
// .1, two authorities of "shop." at .2 and .3, a resolver at .9.
type world struct {
	t    *testing.T
	port int
	net  string

	started map[int]bool // which of the addresses have a server
}

func newWorld(t *testing.T) *world {
	port := dnstest.FreePort(t)
	w := &world{t: t, port: port, started: map[int]bool{}, net: fmt.Sprintf("127.%d.%d.", port>>8, port&255)}
	for _, n := range []int{1, 2, 3, 8, 9, 77} {
		dnstest.Address(t, w.ip(n))
	}
	return w
}

func (w *world) ip(n int) string   { return fmt.Sprintf("%s%d", w.net, n) }
func (w *world) addr(n int) string { return fmt.Sprintf("%s:%d", w.ip(n), w.port) }

// zone writes the zone "shop." with the given further records.
func (w *world) zone(serial int, records string) string {
	return fmt.Sprintf("$ORIGIN shop.\n$TTL 60\n@ 60 IN SOA ns1 host %d 3600 600 86400 300\n@ IN NS ns1\n@ IN NS ns2\nns1 IN A %s\nns2 IN A %s\n%s\n",
		serial, w.ip(2), w.ip(3), records)
}

// root starts the root server with the given delegation of "shop.".
func (w *world) root(delegation string) {
	if delegation == "" {
		delegation = fmt.Sprintf("shop. IN NS ns1.shop.\nshop. IN NS ns2.shop.\nns1.shop. IN A %s\nns2.shop. IN A %s\n", w.ip(2), w.ip(3))
	}
	w.started[1] = true
	dnstest.Bind(w.t, w.ip(1), w.port, dnstest.Zones{".": "$TTL 60\n. IN SOA a.root. host.root. 1 3600 600 86400 60\n. IN NS a.root.\na.root. IN A " + w.ip(1) + "\n" + delegation}, "")
}

// authorities starts BIND at .2 and Knot at .3 with the zones given for each.
func (w *world) authorities(bind, knot string) (b, k *dnstest.Process) {
	w.started[2] = true
	b = dnstest.Bind(w.t, w.ip(2), w.port, dnstest.Zones{"shop.": bind}, "")
	zones := dnstest.Zones{"other.": strings.ReplaceAll(w.zone(1, ""), "shop.", "other.")}
	if knot != "" {
		zones = dnstest.Zones{"shop.": knot}
	}
	k = dnstest.Knot(w.t, w.ip(3), w.port, zones)
	return b, k
}

func (w *world) unbound(extra string) *dnstest.Process {
	w.started[9] = true
	return dnstest.Unbound(w.t, w.ip(9), w.port, map[string]string{"shop.": fmt.Sprintf("%s:%d", w.ip(2), w.port)}, extra)
}

// check runs Check from the root, with the resolver when there is one.
func (w *world) check(name string, change func(*Options)) Answers {
	w.t.Helper()
	o := Options{Roots: []string{w.addr(1)}, Port: uint16(w.port), Timeout: 1500 * time.Millisecond, Attempts: 2, ResolvConf: "/dev/null"}
	if change != nil {
		change(&o)
	}
	a, err := Check(context.Background(), name, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) withResolver(o *Options) { o.Resolvers = []string{w.addr(9)} }

func want(t *testing.T, v Verdict, c Class, l Level) {
	t.Helper()
	if v.Class != c || v.Level != l {
		t.Errorf("class %s (%s), want %s (%s)\n%s", v.Class, v.Level, c, l, dump(v))
	}
}

func dump(v Verdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s %v gen %d expected %q\n", v.Name, v.Class, v.Addresses, v.Generation, v.Expected)
	for _, f := range v.Findings {
		fmt.Fprintf(&b, "  %s %s: %s clears %v\n", f.Level, f.Class, f.Summary, f.Clears)
		for _, e := range f.Evidence {
			fmt.Fprintf(&b, "    %s\n", e)
		}
	}
	for _, g := range v.Gaps {
		fmt.Fprintf(&b, "  gap %s: %s\n", g.What, g.Why)
	}
	return b.String()
}

// update sends a signed dynamic update of one RRset to BIND.
func (w *world) update(addr, name, typ string, records ...string) {
	w.t.Helper()
	m := new(mdns.Msg)
	m.SetUpdate("shop.")
	m.RemoveRRset([]mdns.RR{&mdns.ANY{Hdr: mdns.RR_Header{Name: name, Rrtype: mdns.StringToType[typ]}}})
	for _, r := range records {
		rr, err := mdns.NewRR(fmt.Sprintf("%s 60 IN %s %s", name, typ, r))
		if err != nil {
			w.t.Fatal(err)
		}
		m.Insert([]mdns.RR{rr})
	}
	m.SetTsig(dnstest.KeyName, dnstest.KeyAlgo, 300, time.Now().Unix())
	c := &mdns.Client{Net: "tcp", TsigSecret: map[string]string{dnstest.KeyName: dnstest.KeySecret}}
	r, _, err := c.Exchange(m, addr)
	if err != nil || r.Rcode != mdns.RcodeSuccess {
		w.t.Fatalf("update %s: %v %v", name, err, r)
	}
}

// TestRealEmptiness tells apart what a name without an address can mean.
func TestRealEmptiness(t *testing.T) {
	if !dnstest.InNamespace(t) {
		return
	}
	w := newWorld(t)
	w.root("")
	zone := w.zone(7, `good IN A 192.0.2.1
good IN AAAA 2001:db8::1
four IN A 192.0.2.4
hollow IN TXT "was an endpoint"
chain IN CNAME hollow
broken IN CNAME gone
round IN CNAME robin
robin IN CNAME round
_ddx.fenced IN TXT "gen=4 hash=x owner=a nonce=b"
fenced IN A 192.0.2.5`)
	w.authorities(zone, zone)
	w.unbound("")
	both := func(o *Options) { w.withResolver(o); o.Generation = true }
	had := Baseline{Addresses: []string{"192.0.2.1", "192.0.2.2"}}
	for _, c := range []struct {
		name  string
		base  Baseline
		class Class
		level Level
	}{
		{"good.shop.", Baseline{}, OK, ""},
		{"four.shop.", Baseline{}, OK, ""}, // AAAA is empty, as it should be
		{"four.shop.", Baseline{Addresses: []string{"192.0.2.4", "2001:db8::4"}}, OneFamily, Wrong},
		{"hollow.shop.", Baseline{}, NoData, Suspect},
		{"hollow.shop.", had, NoData, Wrong},
		{"hollow.shop.", Baseline{Failing: []string{"A"}}, NoData, Wrong},
		{"hollow.shop.", Baseline{MeantEmpty: true, Addresses: had.Addresses}, MeantEmpty, ""},
		{"gone.shop.", Baseline{}, NXDomain, Suspect},
		{"gone.shop.", had, NXDomain, Wrong},
		{"chain.shop.", Baseline{}, Dangling, Wrong},
		{"broken.shop.", Baseline{}, Dangling, Wrong},
		{"round.shop.", Baseline{}, Dangling, Wrong},
		{"fenced.shop.", Baseline{Generation: 4}, OK, ""},
		{"fenced.shop.", Baseline{Generation: 9}, Regressed, Wrong},
		{"good.shop.", Baseline{Minimum: 3}, Shrunk, Wrong},
		{"four.shop.", Baseline{Addresses: []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"}}, Shrunk, Suspect},
	} {
		t.Run(c.name+string(c.class), func(t *testing.T) {
			a := w.check(c.name, both)
			v := Classify(a, c.base)
			want(t, v, c.class, c.level)
			if v.Authorities != 2 || v.Resolvers != 1 {
				t.Errorf("%d authorities and %d resolvers heard, want 2 and 1\n%s", v.Authorities, v.Resolvers, dump(v))
			}
		})
	}
}

// TestRealServers tells apart faults of the servers and of the delegation.
func TestRealServers(t *testing.T) {
	if !dnstest.InNamespace(t) {
		return
	}
	t.Run("lame", func(t *testing.T) {
		w := newWorld(t)
		w.root("")
		w.authorities(w.zone(1, "api IN A 192.0.2.1"), "")
		want(t, Classify(w.check("api.shop.", nil), Baseline{}), Lame, Wrong)
	})
	t.Run("delegation", func(t *testing.T) {
		w := newWorld(t)
		w.root(fmt.Sprintf("shop. IN NS ns1.shop.\nns1.shop. IN A %s\n", w.ip(2)))
		z := w.zone(1, "api IN A 192.0.2.1")
		w.authorities(z, z)
		want(t, Classify(w.check("api.shop.", nil), Baseline{}), Delegation, Suspect)
	})
	t.Run("glue", func(t *testing.T) {
		w := newWorld(t)
		w.root(fmt.Sprintf("shop. IN NS ns1.shop.\nshop. IN NS ns2.shop.\nns1.shop. IN A %s\n", w.ip(2)))
		z := w.zone(1, "api IN A 192.0.2.1")
		w.authorities(z, z)
		v := Classify(w.check("api.shop.", nil), Baseline{})
		want(t, v, Delegation, Wrong)
		if len(v.Findings) == 0 || !strings.Contains(v.Findings[0].Summary, "missing glue") {
			t.Error(dump(v))
		}
	})
	t.Run("disagree", func(t *testing.T) {
		w := newWorld(t)
		w.root("")
		w.authorities(w.zone(2, "api IN A 192.0.2.1"), w.zone(1, "api IN A 192.0.2.2"))
		a := w.check("api.shop.", nil)
		want(t, Classify(a, Baseline{}), Disagree, Suspect)
		want(t, Classify(a, Baseline{DisagreeSince: a.Time.Add(-2 * time.Hour)}), Disagree, Wrong)
		v := Classify(a, Baseline{DisagreeSince: a.Time.Add(-time.Minute)})
		want(t, v, Disagree, Suspect)
		if !strings.Contains(v.Findings[0].Summary, "propagating") {
			t.Error(dump(v))
		}
	})
	t.Run("one empty", func(t *testing.T) {
		w := newWorld(t)
		w.root("")
		w.authorities(w.zone(2, "api IN TXT x"), w.zone(1, "api IN A 192.0.2.2"))
		v := Classify(w.check("api.shop.", nil), Baseline{})
		want(t, v, NoData, Wrong)
		if !v.Has(Disagree) {
			t.Error(dump(v))
		}
	})
	t.Run("timeout", func(t *testing.T) {
		w := newWorld(t)
		w.root("")
		z := w.zone(1, "api IN A 192.0.2.1")
		b, k := w.authorities(z, z)
		k.Stop()
		want(t, Classify(w.check("api.shop.", nil), Baseline{}), TimedOutClass, Suspect)
		b.Stop()
		want(t, Classify(w.check("api.shop.", nil), Baseline{}), TimedOutClass, Wrong)
		b.Continue()
		k.Continue()
	})
	t.Run("unreachable", func(t *testing.T) {
		w := newWorld(t)
		w.root("")
		z := w.zone(1, "api IN A 192.0.2.1")
		b, k := w.authorities(z, z)
		b.Kill()
		k.Kill()
		v := Classify(w.check("api.shop.", nil), Baseline{})
		want(t, v, UnreachClass, Wrong)
		if !strings.Contains(dump(v), "ICMP port unreachable") {
			t.Error(dump(v))
		}
	})
	t.Run("targets dead", func(t *testing.T) {
		w := newWorld(t)
		w.root("")
		z := w.zone(1, "api IN A "+w.ip(77))
		w.authorities(z, z)
		l, err := net.Listen("tcp", w.ip(77)+":0")
		if err != nil {
			t.Fatal(err)
		}
		port := uint16(l.Addr().(*net.TCPAddr).Port)
		ports := func(o *Options) { o.Connect = []uint16{port} }
		want(t, Classify(w.check("api.shop.", ports), Baseline{}), OK, "")
		l.Close()
		want(t, Classify(w.check("api.shop.", ports), Baseline{}), TargetsDead, Wrong)
	})
}

// TestRealResolver tells apart faults that only a resolver shows.
func TestRealResolver(t *testing.T) {
	if !dnstest.InNamespace(t) {
		return
	}
	t.Run("negative cached", func(t *testing.T) {
		w := newWorld(t)
		w.root("")
		b, _ := w.authorities(w.zone(1, "api IN TXT x"), w.zone(1, "api IN A 192.0.2.1"))
		w.unbound("")
		dnstest.BindResolver(t, w.ip(8), w.port, map[string]string{"shop": w.addr(2)}, "")
		both := func(o *Options) { o.Resolvers = []string{w.addr(8), w.addr(9)} }
		want(t, Classify(w.check("api.shop.", both), Baseline{}), NoData, Wrong)
		w.update(b.Addr, "api.shop.", "A", "192.0.2.1")
		a := w.check("api.shop.", both)
		v := Classify(a, Baseline{})
		want(t, v, NegativeCached, Wrong)
		if left := v.Clears.Sub(a.Time); left <= 0 || left > 61*time.Second || v.Negative != 2 {
			t.Errorf("clears in %v at %d resolvers, want within the 60 s of the SOA's TTL at 2\n%s", left, v.Negative, dump(v))
		}
		if !strings.Contains(dump(v), "counting down from") {
			t.Errorf("the second look must show the TTL counting down\n%s", dump(v))
		}
	})
	t.Run("stale", func(t *testing.T) {
		w := newWorld(t)
		w.root("")
		z := w.zone(1, "api IN A 192.0.2.1")
		b, k := w.authorities(z, z)
		w.unbound("")
		want(t, Classify(w.check("api.shop.", w.withResolver), Baseline{}), OK, "")
		w.update(b.Addr, "api.shop.", "A", "192.0.2.2")
		w.update(k.Addr, "api.shop.", "A", "192.0.2.2")
		a := w.check("api.shop.", w.withResolver)
		want(t, Classify(a, Baseline{}), Stale, Suspect) // it might be another set for another place
		v := Classify(a, Baseline{Addresses: []string{"192.0.2.1"}})
		want(t, v, Stale, Wrong)
		w.update(b.Addr, "api.shop.", "A")
		w.update(k.Addr, "api.shop.", "A")
		w.update(b.Addr, "api.shop.", "TXT", "x")
		w.update(k.Addr, "api.shop.", "TXT", "x")
		v = Classify(w.check("api.shop.", w.withResolver), Baseline{})
		want(t, v, NoData, Wrong) // the resolver's memory is the expectation
		if !v.Has(Stale) {
			t.Error(dump(v))
		}
	})
	t.Run("serve stale", func(t *testing.T) {
		w := newWorld(t)
		w.root("")
		z := strings.ReplaceAll(w.zone(1, "api 1 IN A 192.0.2.1"), "$TTL 60", "$TTL 1")
		b, k := w.authorities(z, z)
		w.unbound("serve-expired: yes\nserve-expired-client-timeout: 0\nede-serve-expired: yes")
		a := w.check("api.shop.", w.withResolver)
		want(t, Classify(a, Baseline{}), OK, "")
		b.Kill()
		k.Kill()
		var v Verdict
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline) && !v.Has(Stale); { // the second of TTL runs out
			v = Classify(w.check("api.shop.", w.withResolver), Baseline{})
		}
		if !v.Has(Stale) || !v.Has(UnreachClass) {
			t.Error(dump(v))
		}
	})
	t.Run("servfail bogus", func(t *testing.T) {
		w := newWorld(t)
		w.root("")
		z := w.zone(1, "api IN A 192.0.2.1")
		w.authorities(z, z)
		w.unbound(`trust-anchor: "shop. DS 31589 8 2 CDE0D742D6998AA554A92D890F8184C698CFAC8A26FA59875A990C03E576343C"`)
		v := Classify(w.check("api.shop.", w.withResolver), Baseline{})
		want(t, v, ServFail, Wrong)
		if !strings.Contains(dump(v), "DNSSEC validation fails") {
			t.Error(dump(v))
		}
	})
	t.Run("other view", func(t *testing.T) {
		w := newWorld(t)
		w.root("")
		z := w.zone(1, "api IN A 192.0.2.1")
		w.authorities(z, z)
		w.unbound(`local-zone: "api.shop." static` + "\n" + `local-data: "api.shop. 60 IN A 10.9.9.9"`)
		want(t, Classify(w.check("api.shop.", w.withResolver), Baseline{}), OtherView, Suspect)
	})
	t.Run("resolver silent", func(t *testing.T) {
		w := newWorld(t)
		w.root("")
		z := w.zone(1, "api IN A 192.0.2.1")
		w.authorities(z, z)
		u := w.unbound("")
		u.Stop()
		defer u.Continue()
		v := Classify(w.check("api.shop.", w.withResolver), Baseline{})
		want(t, v, TimedOutClass, Wrong)
		if !strings.Contains(v.Findings[0].Summary, "resolver") {
			t.Error(dump(v))
		}
	})
	t.Run("local", func(t *testing.T) {
		w := newWorld(t)
		w.root("")
		z := w.zone(1, "api IN A 192.0.2.1\n*.corp IN A 192.0.2.99\napi.shop.corp IN A 192.0.2.98")
		w.authorities(z, z)
		w.unbound("")
		conf := dnstest.Write(t, t.TempDir(), "resolv.conf", "nameserver "+w.ip(66)+"\nnameserver "+w.ip(9)+"\nsearch corp.shop\noptions ndots:5\n")
		fromConf := func(o *Options) { o.ResolvConf = conf; o.Resolvers = []string{w.ip(66), w.ip(9)} }
		v := Classify(w.check("api.shop", fromConf), Baseline{})
		want(t, v, Local, Wrong)
		if got := dump(v); !strings.Contains(got, "api.shop.corp.shop.") || !strings.Contains(got, "every lookup waits 5 s") {
			t.Error(got)
		}
		want(t, Classify(w.check("api.shop.", func(o *Options) { w.withResolver(o); o.ResolvConf = conf }), Baseline{}), OK, "")
	})
	t.Run("no roots", func(t *testing.T) {
		w := newWorld(t)
		z := w.zone(1, "api IN A 192.0.2.1")
		w.authorities(z, z)
		w.unbound("")
		conf := dnstest.Write(t, t.TempDir(), "resolv.conf", "nameserver "+w.ip(9)+"\n")
		v := Classify(w.check("api.shop.", func(o *Options) { o.Roots = nil; o.ResolvConf = conf }), Baseline{})
		want(t, v, OK, "")
		if v.Authorities != 2 {
			t.Errorf("%d authorities found through the resolver, want 2\n%s", v.Authorities, dump(v))
		}
	})
}

// manyAddresses do not fit into a UDP answer.
var manyAddresses = func() string {
	var many strings.Builder
	for i := range 95 {
		fmt.Fprintf(&many, "big IN A 10.1.2.%d\n", i)
	}
	return many.String()
}()

// TestRealTruncation cuts TCP with a packet filter in a namespace of its own.
func TestRealTruncation(t *testing.T) {
	if !dnstest.InNamespace(t) {
		return
	}
	w := newWorld(t)
	w.root("")
	z := w.zone(1, manyAddresses)
	w.authorities(z, z)
	v := Classify(w.check("big.shop.", nil), Baseline{})
	want(t, v, OK, "")
	if len(v.Addresses) != 95 {
		t.Errorf("%d addresses over TCP, want 95", len(v.Addresses))
	}
	dnstest.Filter(t, fmt.Sprintf("tcp dport %d ip daddr { %s, %s } reject with tcp reset", w.port, w.ip(2), w.ip(3)))
	v = Classify(w.check("big.shop.", nil), Baseline{})
	want(t, v, TCPFailed, Wrong)
	if v.Has(NoData) {
		t.Errorf("what is too large for UDP is not empty\n%s", dump(v))
	}
	if !strings.Contains(dump(v), "TCP connection refused") {
		t.Error(dump(v))
	}
	dnstest.Filter(t, fmt.Sprintf("tcp dport %d ip daddr { %s, %s } drop", w.port, w.ip(2), w.ip(3)))
	v = Classify(w.check("big.shop.", nil), Baseline{})
	want(t, v, TCPFailed, Wrong)
	if !strings.Contains(dump(v), "no answer") {
		t.Error(dump(v))
	}
	dnstest.Filter(t, fmt.Sprintf("udp dport %d ip daddr { %s, %s } reject with icmp host-unreachable", w.port, w.ip(2), w.ip(3)))
	want(t, Classify(w.check("big.shop.", nil), Baseline{}), UnreachClass, Wrong)
}
