package match

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"

	"ddx/catalog"
)

func builtIn(t testing.TB) *Matcher {
	t.Helper()
	cat, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(cat)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestJoined holds which lines of a console are one message, and that every
// line after it keeps its number.
func TestJoined(t *testing.T) {
	m := builtIn(t)
	const stamp = "[   12.345678] "
	for _, c := range []struct{ name, in, want string }{
		{"within a word", stamp + "ena 0000:00:05.0 eth0: Keep alive watch\r\ndog timeout.\r\n" + stamp + "next\r\n",
			stamp + "ena 0000:00:05.0 eth0: Keep alive watchdog timeout.\n\n" + stamp + "next\r\n"},
		{"after a blank", stamp + "nfs: server fs1 not \r\nresponding, still trying\r\n", stamp + "nfs: server fs1 not responding, still trying\n\n"},
		{"twice", stamp + "nfs: server fs1 not resp\r\nonding, st\r\nill trying\r\nlogin:\r\n", stamp + "nfs: server fs1 not responding, still trying\n\n\nlogin:\r\n"},
		{"within a number", stamp + "INFO: task java:12\r\n34 blocked for more than 120 seconds.\r\n", stamp + "INFO: task java:1234 blocked for more than 120 seconds.\n\n"},
		{"escapes", "\x1b[0m" + stamp + "ena 0000:00:05.0 eth0: Keep alive watch\x1b[0m\r\ndog timeout.\r\n",
			"\x1b[0m" + stamp + "ena 0000:00:05.0 eth0: Keep alive watch\x1b[0mdog timeout.\n\n"},
		{"the first line of a report", stamp + "watchdog: BUG: soft lock\r\nup - CPU#1 stuck for 22s! [app:812]\r\n", stamp + "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [app:812]\n\n"},
		{"at the end", stamp + "nfs: server fs1 not \nresponding, still trying", stamp + "nfs: server fs1 not responding, still trying\n\n"},
		// Separate messages.
		{"a message of its own", stamp + "ena 0000:00:05.0 eth0: Keep alive watchdog timeout.\r\nResponding again\r\n", ""},
		{"a second stamp", stamp + "ena 0000:00:05.0 eth0: Keep alive watch\r\n" + stamp + "dog timeout.\r\n", ""},
		{"no stamp", "ena 0000:00:05.0 eth0: Keep alive watch\r\ndog timeout.\r\n", ""},
		{"a program between", stamp + "ena 0000:00:05.0 eth0: Keep alive watch\r\nci-info: up\r\ndog timeout.\r\n", ""},
		{"room in the pattern", stamp + "nvme_tcp: queue 4 of nvme1 waits\r\nthe connection closed\r\n", ""},
		{"an empty line", stamp + "nfs: server fs1 not \r\n\r\nresponding, still trying\r\n", ""},
		{"a service", stamp + "nfs: server fs1 not \r\nsystemd[1]: responding, still trying\r\n", ""},
	} {
		want := c.want
		if want == "" {
			want = c.in
		}
		got, err := io.ReadAll(m.joined(bufio.NewReaderSize(strings.NewReader(c.in), consoleSize+1)))
		if err != nil || string(got) != want {
			t.Errorf("%s:\n got %q, %v\nwant %q", c.name, got, err, want)
		}
	}
}

// TestJoinedIsBounded: a log that no console can have kept passes unchanged.
func TestJoinedIsBounded(t *testing.T) {
	in := "[   12.345678] nfs: server fs1 not \r\nresponding, still trying\r\n" + strings.Repeat("[   13.000000] usb 1-1: reset\r\n", consoleSize/30)
	got, err := io.ReadAll(builtIn(t).joined(bufio.NewReaderSize(strings.NewReader(in), consoleSize+1)))
	if err != nil || string(got) != in {
		t.Errorf("%d bytes became %d, %v", len(in), len(got), err)
	}
}

// TestMatchBrokenMessage: the fact's origin is the line where the message begins.
func TestMatchBrokenMessage(t *testing.T) {
	const log = "[   11.000000] random: crng init done\r\n[   12.345678] ena 0000:00:05.0 eth0: Keep alive watch\r\ndog timeout.\r\n[   13.000000] nfs: server fs1 not responding, still trying\r\n"
	facts, err := builtIn(t).Match(Stream{Origin: "console"}, strings.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	origins := map[string]string{}
	for _, f := range facts {
		if f.Kind == "log.match" {
			origins[f.Evidence[0].Origin] = f.Evidence[0].Text
		}
	}
	if got := origins["console:2"]; !strings.HasSuffix(got, "Keep alive watchdog timeout.") {
		t.Errorf("line 2: %q of %v", got, origins)
	}
	if got := origins["console:4"]; !strings.Contains(got, "not responding") {
		t.Errorf("line 4: %q of %v", got, origins)
	}
}

// FuzzJoined: whatever the text, no byte but those of line ends comes or goes,
// and there are as many lines as before.
func FuzzJoined(f *testing.F) {
	m := builtIn(f)
	f.Add([]byte("[   12.345678] ena 0000:00:05.0 eth0: Keep alive watch\r\ndog timeout.\r\n[   13.000000] next"))
	f.Add([]byte("[   12.345678] nfs: server fs1 not resp\nonding, st\r\r\nill trying"))
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := io.ReadAll(m.joined(bufio.NewReaderSize(bytes.NewReader(in), consoleSize+1)))
		if err != nil {
			t.Fatal(err)
		}
		bare := func(b []byte) string { return strings.NewReplacer("\r", "", "\n", "").Replace(string(b)) }
		lines := func(b []byte) int { return len(bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n"))) }
		if bare(in) != bare(out) || lines(in) != lines(out) && len(in) > 0 {
			t.Errorf("%q became %q", in, out)
		}
	})
}
