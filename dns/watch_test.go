package dns

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

const (
	lookOK    = "authority 192.0.2.1:53 api.x. A NOERROR aa | api.x. 60 A 10.0.0.1; api.x. 60 A 10.0.0.2; api.x. 60 A 10.0.0.3"
	lookTwo   = "authority 192.0.2.1:53 api.x. A NOERROR aa | api.x. 60 A 10.0.0.1"
	lookEmpty = "authority 192.0.2.1:53 api.x. A NOERROR aa | | " + soa
	lookLame  = "authority 192.0.2.2:53 api.x. A REFUSED"
	gen4      = `authority 192.0.2.1:53 _ddx.api.x. TXT NOERROR aa | _ddx.api.x. 5 TXT "gen=4"`
	gen5      = `authority 192.0.2.1:53 _ddx.api.x. TXT NOERROR aa | _ddx.api.x. 5 TXT "gen=5"`
)

// watch feeds looks, a minute apart, and returns "look:kind alarm" for each event.
func watch(t *testing.T, cfg WatchConfig, e Endpoint, looks ...[]string) (string, WatchState) {
	t.Helper()
	var s WatchState
	var out []string
	for i, l := range looks {
		var evs []Event
		s, evs = Observe(cfg, e, s, answers(t, t0.Add(time.Duration(i)*time.Minute), l...))
		for _, ev := range evs {
			out = append(out, fmt.Sprintf("%d:%s %s", i, ev.Kind, ev.Alarm.Name))
		}
	}
	return strings.Join(out, ", "), s
}

func TestWatch(t *testing.T) {
	api := Endpoint{Name: "api.x"}
	ok, none := []string{lookOK}, []string{}
	for _, c := range []struct {
		name  string
		e     Endpoint
		looks [][]string
		want  string
	}{
		{"empty alarms at the first look, clears after two good ones", api, [][]string{ok, {lookEmpty}, ok, ok}, "1:raised dns-endpoint-empty, 3:cleared dns-endpoint-empty"},
		{"empty from the beginning: no history, no alarm", api, [][]string{{lookEmpty}, {lookEmpty}}, ""},
		{"meant to be empty", Endpoint{Name: "api.x", MeantEmpty: true}, [][]string{ok, {lookEmpty}, {lookEmpty}}, ""},
		{"silence does not clear", api, [][]string{ok, {lookEmpty}, none, none, none, {lookEmpty}}, "1:raised dns-endpoint-empty"},
		{"an empty look is no new baseline", api, [][]string{ok, {lookEmpty}, {lookEmpty}, ok, ok, {lookEmpty}}, "1:raised dns-endpoint-empty, 4:cleared dns-endpoint-empty, 5:raised dns-endpoint-empty"},
		{"lame needs two looks", api, [][]string{{lookOK, lookLame}, ok, {lookOK, lookLame}, {lookOK, lookLame}, ok, ok}, "3:raised dns-lame, 5:cleared dns-lame"},
		{"below the minimum", Endpoint{Name: "api.x", Minimum: 2}, [][]string{ok, {lookTwo}, {lookTwo}}, "2:raised dns-shrunk"},
		{"regressed at the first look", api, [][]string{{lookOK, gen5}, {lookOK, gen4}, {lookOK, gen4}, {lookOK, gen5}, {lookOK, gen5}}, "1:raised dns-regressed, 4:cleared dns-regressed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, s := watch(t, WatchConfig{}, c.e, c.looks...); got != c.want {
				t.Errorf("%s\nwant %s\n%s", got, c.want, dump(s.Verdict))
			}
		})
	}
}

// A smaller set becomes the baseline only when it stays.
func TestWatchAcceptsASmallerSet(t *testing.T) {
	_, s := watch(t, WatchConfig{Accept: 2 * time.Minute}, Endpoint{Name: "api.x"}, []string{lookOK}, []string{lookTwo}, []string{lookTwo})
	if len(s.Baseline.Addresses) != 3 {
		t.Errorf("accepted too early: %v", s.Baseline.Addresses)
	}
	_, s = watch(t, WatchConfig{Accept: 2 * time.Minute}, Endpoint{Name: "api.x"}, []string{lookOK}, []string{lookTwo}, []string{lookTwo}, []string{lookTwo})
	if len(s.Baseline.Addresses) != 1 {
		t.Errorf("not accepted: %v", s.Baseline.Addresses)
	}
}

// Observe is a function of its arguments: it changes no state it is given.
func TestObserveLeavesItsArgument(t *testing.T) {
	_, s := watch(t, WatchConfig{}, Endpoint{Name: "api.x"}, []string{lookOK})
	before := fmt.Sprintf("%+v", s)
	Observe(WatchConfig{}, Endpoint{Name: "api.x"}, s, answers(t, t0.Add(time.Hour), lookEmpty))
	if after := fmt.Sprintf("%+v", s); after != before {
		t.Errorf("changed from %s to %s", before, after)
	}
}

// The baseline outlives a restart: an endpoint found empty by a fresh process
// alarms at its first look, and the metrics say so.
func TestWatcherRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	look := lookOK
	var events []string
	start := func() (*Watcher, context.CancelFunc, chan error, chan time.Time) {
		ctx, cancel := context.WithCancel(context.Background())
		w := &Watcher{Endpoints: []Endpoint{{Name: "api.x"}}, StateFile: file,
			Look: func(context.Context, Endpoint) (Answers, error) {
				if look == "" {
					return Answers{}, errors.New("no name server to ask")
				}
				return answers(t, t0, look), nil
			},
			Sink: func(e Event) error { events = append(events, string(e.Kind)+" "+e.Alarm.Name); return nil }}
		tick, done := make(chan time.Time), make(chan error, 1)
		go func() { done <- w.Run(ctx, tick) }()
		tick <- t0 // the first look is over when the second begins
		return w, cancel, done, tick
	}
	_, cancel, done, _ := start()
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	look = lookEmpty
	w, cancel, done, tick := start()
	tick <- t0
	cancel()
	<-done
	if got := strings.Join(events, ", "); got != "raised dns-endpoint-empty" {
		t.Errorf("events %q", got)
	}
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(w)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{
		`ddx_dns_addresses{endpoint="api.x.",family="A"} 0`,
		`ddx_dns_class{class="nodata",endpoint="api.x."} 1`,
		`ddx_dns_class{class="ok",endpoint="api.x."} 0`,
		`ddx_dns_alarm{alarm="dns-endpoint-empty",endpoint="api.x."} 1`,
		`ddx_dns_alarm_since_seconds{alarm="dns-endpoint-empty",endpoint="api.x."} 1.76094288e+09`,
		`ddx_dns_look_failed{endpoint="api.x."} 0`,
	} {
		if !strings.Contains(b.String(), want+"\n") {
			t.Errorf("metrics lack %s\n%s", want, b.String())
		}
	}
}

func TestLint(t *testing.T) {
	a := answers(t, t0,
		"authority 192.0.2.1:53 api.x. SOA NOERROR aa | | x. 3600 SOA ns. host. 7 3600 600 86400 86400",
		"authority 192.0.2.1:53 api.x. A NOERROR aa | api.x. 300 A 10.0.0.1",
		"authority 192.0.2.1:53 x. NS NOERROR aa | x. 60 NS ns1.x.",
		"authority 192.0.2.2:53 api.x. A NOERROR aa | api.x. 300 A 10.0.0.1")
	var rules []string
	for _, ad := range Lint(a) {
		rules = append(rules, ad.Rule)
	}
	if got := strings.Join(rules, " "); got != "negative-ttl address-ttl one-server one-network one-address" {
		t.Errorf("%s", got)
	}
	good := answers(t, t0,
		"authority 192.0.2.1:53 api.x. SOA NOERROR aa | | "+soa,
		"authority 192.0.2.1:53 x. NS NOERROR aa | x. 60 NS ns1.x.; x. 60 NS ns2.x.",
		"authority 192.0.2.1:53 api.x. A NOERROR aa | api.x. 60 A 10.0.0.1; api.x. 60 A 10.0.0.2",
		"authority 198.51.100.2:53 api.x. A NOERROR aa | api.x. 60 A 10.0.0.1; api.x. 60 A 10.0.0.2")
	if ad := Lint(good); len(ad) != 0 {
		t.Errorf("a good zone: %+v", ad)
	}
	if ad := Lint(answers(t, t0)); len(ad) != 1 || ad[0].Rule != "not-examined" {
		t.Errorf("nothing heard: %+v", ad)
	}
}
