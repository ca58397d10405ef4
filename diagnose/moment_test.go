package diagnose

import (
	"strings"
	"testing"
	"time"

	"ddx"
	"ddx/match"
)

// aSaid is a mode whose line of recovery also says that there was a fault.
const aSaid = "indicators: [{id: a, log: [{text: 'zq delta failed'}], effect: confirms}, {id: was, log: [{text: 'zq delta is well again'}], effect: supports, strength: strong}, {id: ok, log: [{text: 'zq delta is well again'}], effect: clears}]\n"

const aReport = "indicators: [{id: a, fact: kernel.report, when: 'type == \"soft-lockup\"', effect: confirms}, {id: ok, log: [{text: 'zq alpha is well'}], effect: clears}]\n"

// TestWhatEnds holds that only recovery of the same machine, after the last sign,
// ends a finding: by the clock, by the order of lines where the clock does not
// tell, and within a boot where there is none.
func TestWhatEnds(t *testing.T) {
	cat, m := engineWith(t, map[string]string{"zq-alpha": aFails, "zq-report": aReport, "zq-said": aSaid})
	const (
		fails = "zq alpha failed on eth0\n"
		well  = "zq alpha is well\n"
		boot  = "Linux version 6.1.0 (x@y) #1\n"
		stuck = "watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [app:812]\n"
	)
	at := func(clock, host, msg string) string {
		return "2026-03-01T11:" + clock + "Z " + host + " kernel: " + msg
	}
	for _, c := range []struct {
		name, mode, text string
		want             ddx.Active
		why              string
	}{
		{"the same second, recovery last", "zq-alpha", at("50:00", "h", fails) + at("50:00", "h", well), ddx.No, "cleared"},
		{"the same second, recovery first", "zq-alpha", at("50:00", "h", well) + at("50:00", "h", fails), ddx.Yes, "last seen"},
		{"no clock, recovery last", "zq-alpha", fails + well, ddx.No, "cleared"},
		{"no clock, recovery first", "zq-alpha", well + fails, ddx.Unknown, ""},
		{"no clock, recovery in between", "zq-alpha", fails + well + fails, ddx.Unknown, ""},
		{"the other host is well", "zq-alpha", at("50:00", "db1.example.com", fails) + at("50:03", "db2.example.com", well), ddx.Yes, "last seen"},
		{"hosts by address", "zq-alpha", at("50:00", "10.0.0.1", fails) + at("50:03", "10.0.0.2", well), ddx.Yes, "last seen"},
		{"the same host by its short name", "zq-alpha", at("50:00", "db1.example.com", fails) + at("50:03", "db1", well), ddx.No, "cleared"},
		{"a host without its name yet", "zq-alpha", at("50:00", "localhost", fails) + at("50:03", "db1", well), ddx.No, "cleared"},
		{"well in the boot before", "zq-alpha", "[ 5000.000000] " + well + "[    0.000000] " + boot + "[   10.000000] " + fails, ddx.Unknown, ""},
		{"the other host boots", "zq-alpha", at("50:00", "db1", fails) + at("50:03", "db2", boot) + at("50:04", "db2", "fine\n"), ddx.Yes, "last seen"},
		{"the host boots", "zq-alpha", at("50:00", "db1", fails) + at("50:03", "localhost", boot), ddx.No, "it was in an earlier boot"},
		{"rotated files the wrong way round", "zq-alpha", at("58:00", "h", fails) + at("40:00", "h", fails) + at("45:00", "h", well), ddx.Yes, "last seen"},
		{"a line that says both", "zq-said", at("50:00", "h", "zq delta failed\n") + at("51:00", "h", "zq delta is well again\n"), ddx.No, "cleared"},
		{"a line that says both, without a clock", "zq-said", "zq delta failed\nzq delta is well again\n", ddx.No, "cleared"},
		{"a report of the boot before", "zq-report", at("50:00", "h", stuck) + at("53:00", "h", boot) + at("53:01", "h", "fine\n"), ddx.No, "it was in an earlier boot"},
		{"a report of this boot", "zq-report", at("50:00", "h", boot) + at("53:00", "h", stuck), ddx.Yes, "last seen"},
	} {
		f := find(runText(t, cat, m, match.Stream{Origin: "log"}, c.text), c.mode)
		if f == nil || f.Active != c.want || !strings.HasPrefix(f.ActiveWhy, c.why) {
			t.Errorf("%s: want active %s because %q..., got %+v", c.name, c.want, c.why, f)
		}
	}
}

// TestEndsAcrossClocks holds that seconds since boot and the wall clock are not
// compared as if they were one.
func TestEndsAcrossClocks(t *testing.T) {
	wall := time.Date(2026, 3, 1, 11, 50, 0, 0, time.UTC)
	for _, c := range []struct {
		name    string
		m, last moment
		want    bool
	}{
		{"another log without a clock", moment{Moment: ddx.Moment{Mono: 10}, log: "dmesg", line: 9}, moment{Moment: ddx.Moment{Wall: wall}, log: "messages", line: 1}, false},
		{"a state at the look", moment{Moment: ddx.Moment{Wall: wall}}, moment{Moment: ddx.Moment{Mono: 10}, log: "dmesg", line: 9}, true},
		{"two logs without a clock", moment{log: "a", line: 9}, moment{log: "b", line: 1}, false},
	} {
		if got := c.m.ends(c.last); got != c.want {
			t.Errorf("%s: ends is %v", c.name, got)
		}
	}
}

// TestTwoLogs holds that a finding in two logs has the wall clock's times, and
// ends when each of the two tells of its end.
func TestTwoLogs(t *testing.T) {
	cat, m := engineWith(t, map[string]string{"zq-alpha": aFails})
	const fails, well = "zq alpha failed on eth0\n", "zq alpha is well\n"
	const old, oldWell = "2026-03-01T11:50:00Z h kernel: " + fails, "2026-03-01T11:51:00Z h kernel: " + well
	for _, c := range []struct {
		name, dmesg, messages string
		cleared               bool
	}{
		{"both end", "[ 10.000000] " + fails + "[ 11.000000] " + well, old + oldWell, true},
		{"only the older ends", "[ 10.000000] " + fails, old + oldWell, false},
		{"the end in one of them, the fault in the other", "[ 10.000000] " + fails, oldWell, false},
	} {
		facts, err := m.Match(match.Stream{Origin: "messages"}, strings.NewReader(c.messages))
		if err != nil {
			t.Fatal(err)
		}
		f := find(runText(t, cat, m, match.Stream{Origin: "dmesg"}, c.dmesg, facts...), "zq-alpha")
		if cleared := strings.HasPrefix(f.ActiveWhy, "cleared"); cleared != c.cleared {
			t.Errorf("%s: active %s because %q", c.name, f.Active, f.ActiveWhy)
		}
		if strings.Contains(c.messages, "failed") && (f.FirstSeen == nil || f.LastSeen == nil) {
			t.Errorf("%s: seen from %v to %v", c.name, f.FirstSeen, f.LastSeen)
		}
	}
}
