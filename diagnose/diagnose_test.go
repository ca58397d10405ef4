package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ddx"
	"ddx/catalog"
	"ddx/match"
	"ddx/scan"
)

var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// diagnoseText runs log text and further facts through the whole engine.
func diagnoseText(t *testing.T, text string, more ...ddx.Fact) *ddx.Diagnosis {
	t.Helper()
	cat, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	m, err := match.New(cat)
	if err != nil {
		t.Fatal(err)
	}
	facts, err := m.Match(match.Stream{Origin: "test.log"}, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	facts = append(facts, more...)
	for _, f := range facts {
		if err := f.Check(); err != nil {
			t.Error(err)
		}
	}
	d, err := Run(cat, facts, testNow, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestKeepAliveLine(t *testing.T) {
	d := diagnoseText(t, "ena 0000:00:07.0 eth1: Keep alive watchdog timeout.\n")
	if len(d.Findings) == 0 {
		t.Fatal("no finding")
	}
	f := d.Findings[0]
	if f.ID != "ena-keepalive-timeout@nic:eth1" || f.Verdict != ddx.Confirmed || !f.Root {
		t.Errorf("got %s %s root=%v", f.ID, f.Verdict, f.Root)
	}
	if f.Evidence[0].Origin != "test.log:1" {
		t.Errorf("origin %q", f.Evidence[0].Origin)
	}
}

// A quote within a logfmt message is escaped: the pattern meets the decoded
// message, not the raw line.
func TestEscapedLogfmtMessage(t *testing.T) {
	d := diagnoseText(t, `time="2026-03-01T11:59:00Z" level=error msg="Failed to resolve \"fs-0123abcd.efs.eu-west-1.amazonaws.com\" - check that your file system ID is correct"`+"\n")
	if len(d.Findings) == 0 || d.Findings[0].Mode != "efs-dns-resolve-failed" {
		t.Fatalf("findings %v", d.Findings)
	}
}

// A full host breaks what lies on loop devices, and no real disk.
func TestEdgeOnlyToNamedSubjects(t *testing.T) {
	root := func(dev string) string {
		d := diagnoseText(t, "loop: Write error at byte offset 4096, length 4096.\nI/O error, dev "+dev+", sector 8 op 0x1:(WRITE) flags 0x0 phys_seg 1 prio class 0\n")
		for _, f := range d.Findings {
			if f.Mode == "block-device-io-error" {
				return strings.Join(f.ExplainedBy, " ")
			}
		}
		t.Fatalf("%s: no I/O error found in %v", dev, d.Findings)
		return ""
	}
	if got := root("loop1"); !strings.HasPrefix(got, "disk-full@") {
		t.Errorf("loop1: explained by %q, want disk-full", got)
	}
	if got := root("nvme1n1"); got != "" {
		t.Errorf("nvme1n1: explained by %q, want nothing", got)
	}
}

// What other programs complain of in the midst of a kernel report is told, and
// the report's own lines are not.
func TestWarningsWithinAReport(t *testing.T) {
	d := diagnoseText(t, "kernel: BUG: kernel NULL pointer dereference, address: 0000000000000010\n"+
		"kernel: Oops: 0000 [#1] SMP PTI\n"+
		"kernel: foobar 3: zq exchange failed\n"+
		"app[7]: zq quota denied\n"+
		"kernel: Code: error failed 48 8b\n"+
		"kernel: RIP: 0010:zq_xmit+0x1a/0x40\nkernel: Call Trace:\nkernel:  zq_send+0x10/0x20\n")
	var got []string
	for _, u := range d.Unexplained {
		got = append(got, u.Text)
	}
	want := []string{"kernel: foobar 3: zq exchange failed", "app[7]: zq quota denied"}
	if !slices.Equal(got, want) {
		t.Errorf("unexplained %q, want %q", got, want)
	}
}

// A lost-lines message that only looks like one says nothing of a loss.
func TestLossNeedsTheWholeMessage(t *testing.T) {
	for text, want := range map[string]string{
		"kernel: net_ratelimit: 7 callbacks suppressed\n":    "7",
		"app: all callbacks suppressed\n":                    "unknown",
		"kernel: printk: some messages dropped\nnext line\n": "unknown",
	} {
		d := diagnoseText(t, text)
		for _, x := range d.Examined {
			got := "unknown"
			if x.Dropped != nil {
				got = fmt.Sprint(*x.Dropped)
			}
			if x.Kind == "log" && got != want {
				t.Errorf("%q: %s dropped, want %s", text, got, want)
			}
		}
	}
}

// TestCountedOnce holds that a line which two wordings of an indicator fit is
// one line: it must not make up a count that the indicator asks for.
func TestCountedOnce(t *testing.T) {
	cat, m := engineWith(t, map[string]string{"zq-twice": "indicators: [{id: a, log: [{text: 'zq gamma failed'}, {text: 'zq gamma {what:word} on {nic:dev}'}, {text: 'gamma failed on {nic:dev}'}], count: 2, within: 1h, effect: confirms, on: host}]\n"})
	line := "[    1.000000] zq gamma failed on eth0\n"
	if f := find(runText(t, cat, m, match.Stream{}, line), "zq-twice"); f != nil {
		t.Errorf("one line counted as %d", f.Evidence[0].Count)
	}
	f := find(runText(t, cat, m, match.Stream{}, line+line), "zq-twice")
	if f == nil || f.Evidence[0].Count != 2 {
		t.Errorf("two lines: %+v", f)
	}
}

// TestEscapesWithinAMessage holds that what a console drew between the words of
// a message does not hide it.
func TestEscapesWithinAMessage(t *testing.T) {
	cat, m := engineWith(t, map[string]string{"zq-alpha": aFails})
	// Two records in one line, of which the second has escapes in its words.
	if f := find(runText(t, cat, m, match.Stream{}, "[    1.000000] x\x1b[0m is done[    2.000000] zq al\x1b[Kpha failed on eth0\n"), "zq-alpha"); f == nil {
		t.Error("not found behind another record")
	}
	if f := find(runText(t, cat, m, match.Stream{}, "\x1b[1;1H\x1b[2J[    1.000000] zq al\x1b[Kpha fai\x1b[0mled on eth0\x1b[0m\r\n"), "zq-alpha"); f == nil || f.Subject.Name != "eth0" {
		t.Errorf("found %+v", f)
	}
}

// TestOverLongLine holds that a line which is not looked at to its end is a gap:
// what was behind it is unknown, not absent.
func TestOverLongLine(t *testing.T) {
	_, m := engineWith(t, map[string]string{"zq-alpha": aFails})
	coverage := func(text string) ddx.Fact {
		facts, err := m.Match(match.Stream{Dropped: func() (int64, string) { return 0, "exact" }}, strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return facts[len(facts)-1]
	}
	line := "[    1.000000] x\n"
	if n, _ := coverage(line).Int("dropped"); n != 0 {
		t.Errorf("a short line: dropped %d", n)
	}
	f := coverage(line + "[    2.000000] " + strings.Repeat("y", 2*scan.MaxLine) + "\n" + line)
	if n, _ := f.Int("dropped"); n != 1 || f.String("drop_bound") != "at-least" {
		t.Errorf("an over-long line: %v", f.Fields)
	}
}
