package kernlog

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// claimed reports whether a report of any type but oom would take the line, or
// end with it.
func claimed(msg string) string {
	for _, typ := range []string{"oops", "hung-task", "ena-reset"} {
		if r := newReport(typ, Line{}); r.take(msg) || r.ended(msg) {
			return typ
		}
	}
	return ""
}

// A line that Skip passes over must be one that no report would have taken.
func TestMarks(t *testing.T) {
	for _, p := range parts {
		if !marked([]byte("x " + p + " y")) {
			t.Errorf("no mark in %q", p)
		}
	}
	for _, m := range marks {
		if len(m) != 3 {
			t.Errorf("mark %q: %d bytes, want 3", m, len(m))
		}
	}
	for _, m := range []string{
		"CPU: 3 PID: 812 Comm: kworker/3:1 Not tainted 5.10.0 #1", "CPU: 0 UID: 0 PID: 1 Comm: init Tainted: G        W          6.12.1 #1",
		"      Not tainted 5.4.0-1045-aws #47", "RIP: 0010:tcp_ack+0x12/0x40", "IP: [<ffffffff814ac9d0>] tcp_ack+0x19/0x60", "IP  tcp_ack+19",
		"EIP: 0061:[<c04adf9d>] x+1", "EIP is at tcp_ack+0x1/0x2", "PC is at skb_put+0x1/0x2", "pc : skb_put+0x1/0x2", "    [exception RIP: tcp_fragment+2754]",
		" #8 [ffff88002828] tcp_ack at ffffffff814afb2c", "#12 [ffff88002828] tcp_ack at ffffffff814afb2c", " ? io_schedule+0xe/0x20", "[<c0010ff0>] (skb_put) from [<c001c210>] (kfree_skb+0x20/0x24)",
		"Workqueue: netns cleanup_net", "---[ end trace 0123 ]---", "ena 0000:00:05.0 eth0: x", "ena: x", "[ENA_COM: ena_com_wait] x",
		"Device reset completed successfully", "Reset attempt failed. Can not reset the device", "Restore attempt failed",
	} {
		if claimed(m) == "" {
			t.Errorf("no report takes %q: a test of nothing", m)
		} else if !marked([]byte(m)) {
			t.Errorf("no mark in %q", m)
		}
	}
	files, err := filepath.Glob("../examples/*/files/*")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if by := claimed(line); by != "" && !marked([]byte(line)) {
				t.Errorf("%s: a report of %s takes %q, which has no mark", f, by, line)
			}
		}
	}
}

func FuzzMarks(f *testing.F) {
	for _, p := range parts {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, msg string) {
		if by := claimed(msg); by != "" && !marked([]byte(msg)) {
			t.Errorf("a report of %s takes %q, which has no mark", by, msg)
		}
	})
}
