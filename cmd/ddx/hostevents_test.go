package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"ddx"
	"ddx/blackhole"
	"ddx/source"
)

func TestLogEvents(t *testing.T) {
	log := `Jun 20 01:00:00 web1 app[7]: started
Jun 20 01:00:00 web1 app[7]: in the same second
Jun 20 01:00:01 web1 kernel: [  100.000000] ixgbevf 0000:00:03.0 eth0: NIC Link is Down
Jun 20 01:00:02 web1 kernel: [  101.000000] ixgbevf 0000:00:03.0 eth0: NIC Link is Up 10 Gbps
Jun 20 01:00:03 web1 app[7]: the link is Down, says the customer
Jun 20 01:00:04 web1 systemd-networkd[8]: eth1: Lost carrier
Jun 20 01:00:05 web1.example.com app[7]: connect to 10.0.0.1: No route to host
Jun 20 01:00:06 other kernel: [    0.000000] Linux version 6.1.0 (builder@x)
` + "Jun 20 01:00:07 web1 app[7]: " + strings.Repeat("long ", 50_000) + `
Jun 20 01:00:08 web1 kernel: [  105.000000] reboot: Restarting system
Jun 20 09:00:00 web1 app[7]: after the window
`
	at := time.Date(2017, 6, 20, 1, 0, 0, 0, time.UTC)
	l := source.Log{Item: source.Item{Origin: "syslog", Data: []byte(log)}}
	l.Hint.Now = at.Add(24 * time.Hour)
	var got []string
	events, err := logEvents(&l, "web1", at, at.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		got = append(got, strings.TrimSpace(strings.Join([]string{e.Origin, e.Host, e.Kind, e.Interface}, " ")))
	}
	want := []string{
		"syslog:1 web1 log", "syslog:3 web1 link-down eth0", "syslog:4 web1 link-up eth0", "syslog:5 web1 log",
		"syslog:6 web1 link-down eth1", "syslog:7 web1 no-route", "syslog:8 other boot", "syslog:9 web1 log", "syslog:10 web1 shutdown",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What the network delivered to a link that was down, as the kernel logged it,
// is no black hole.
func TestLinkDownIsNoBlackHole(t *testing.T) {
	e, err := newEngine(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, down := range []bool{false, true} {
		takes, err := source.OpenFiles(context.Background(), []string{"../../examples/ixgbevf-blackhole-2017"}, source.Options{})
		if err != nil {
			t.Fatal(err)
		}
		take := takes[0]
		defer take.Close()
		windows := holes(t, e, take)
		if len(windows) == 0 {
			t.Fatal("the example has no window")
		}
		if !down {
			continue
		}
		var lines strings.Builder
		for _, w := range windows {
			lines.WriteString(w.Time.UTC().Add(time.Minute).Format("Jan _2 15:04:05") + " graphite1 kernel: [ 9999.000000] ixgbevf 0000:00:03.0 eth0: NIC Link is Down\n")
		}
		take.Items = append(take.Items, source.Item{Origin: "/var/log/kern.log", Data: []byte(lines.String()), Time: take.Header.Now})
		if left := holes(t, e, take); len(left) != 0 {
			t.Errorf("%d windows with the link down, %d are still a black hole: %v", len(windows), len(left), left)
		}
	}
}

func holes(t *testing.T, e *engine, take source.Take) []ddx.Fact {
	t.Helper()
	facts, err := e.facts(take)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(facts, func(f ddx.Fact) bool {
		return f.Kind != "flow.window" || f.String("kind") != string(blackhole.DeliveredNotReceived) ||
			slices.ContainsFunc(f.Strings("alternatives"), func(a string) bool { return strings.HasPrefix(a, "yes:") })
	})
}
