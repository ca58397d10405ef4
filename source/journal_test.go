package source

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ddx/logline"
)

const journalRemote = "/lib/systemd/systemd-journal-remote"

// realJournal makes a binary journal of records in the export format.
func realJournal(t *testing.T, export []byte) string {
	t.Helper()
	if _, err := os.Stat(journalRemote); err != nil {
		t.Skip("needs the Debian package systemd-journal-remote, which makes journal files")
	}
	if _, err := lookPath("journalctl"); err != nil {
		t.Skip("needs journalctl of the Debian package systemd")
	}
	dir := t.TempDir()
	out := filepath.Join(dir, "system.journal")
	cmd := exec.Command(journalRemote, "--output="+out, write(t, dir, "export", export))
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return out
}

// What journalctl itself makes of a journal comes through whole: kernel and
// service told apart by transport, binary messages, order and number.
func TestRealJournal(t *testing.T) {
	const n = 3000
	var export bytes.Buffer
	for i := range n {
		at := today.Add(time.Duration(i) * time.Millisecond)
		switch i % 3 {
		case 0:
			export.Write(realRecord(at, i, "kernel", "kernel", fmt.Sprintf("nvme nvme0: I/O %d QID 1 timeout, aborting", i), false))
		case 1:
			export.Write(realRecord(at, i, "syslog", "kernel", fmt.Sprintf("spoofed %d", i), false))
		case 2:
			export.Write(realRecord(at, i, "stdout", "agent", fmt.Sprintf("two\nlines \x01 %d", i), true))
		}
	}
	p := realJournal(t, export.Bytes())
	check := func(t *testing.T, take Take) {
		t.Helper()
		_, logs, err := Facts(take)
		if err != nil || len(logs) != 1 {
			t.Fatalf("%d logs, error %v\n%s", len(logs), err, list(take.Items))
		}
		r, err := logs[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		for line := range bytes.Lines(text) {
			l := logline.Parse(line, logs[0].Hint)
			want, channel := fmt.Sprintf("nvme nvme0: I/O %d QID 1 timeout, aborting", i), logline.Kernel
			if i%3 == 1 {
				want, channel = fmt.Sprintf("spoofed %d", i), logline.Service
			} else if i%3 == 2 {
				want, channel = fmt.Sprintf("two#012lines \x01 %d", i), logline.Service
			}
			if string(l.Message) != want || l.Channel != channel || l.Host != "ip-10-0-0-1" || !l.Time.Equal(today.Add(time.Duration(i)*time.Millisecond)) {
				t.Fatalf("record %d: %q became %+v", i, line, l)
			}
			i++
		}
		if i != n {
			t.Errorf("%d of %d records", i, n)
		}
	}
	t.Run("file", func(t *testing.T) { check(t, open(t, clock, p)[0]) })
	t.Run("in an archive", func(t *testing.T) {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		check(t, open(t, clock, write(t, t.TempDir(), "sos.tar.gz", gz(tarOf(t, member{name: "sos/var/log/journal/x/system.journal", content: string(b)}))))[0])
	})
	for _, form := range []string{"export", "json"} {
		t.Run(form, func(t *testing.T) {
			b, err := exec.Command("journalctl", "--file="+p, "--output="+form, "--no-pager").Output()
			if err != nil {
				t.Fatal(err)
			}
			take := open(t, clock, write(t, t.TempDir(), "journal", b))[0]
			check(t, take)
			if want := today.Add((n - 1) * time.Millisecond); !take.Header.Now.Equal(want) {
				t.Errorf("now is %v, want the time of the last record, %v", take.Header.Now, want)
			}
		})
	}
	// The forms for people are told apart as far as they tell: the tag only.
	for _, form := range []string{"short", "short-iso", "short-precise", "short-full", "with-unit"} {
		t.Run(form, func(t *testing.T) {
			cmd := exec.Command("journalctl", "--file="+p, "--output="+form, "--no-pager")
			cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C")
			b, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			kernel := 0
			for line := range bytes.Lines(b) {
				l := logline.Parse(line, logline.Hint{Now: today.Add(time.Hour)})
				if strings.HasPrefix(string(l.Message), "nvme nvme0: I/O ") && l.Channel == logline.Kernel && l.Time.Truncate(time.Minute).Equal(today) {
					kernel++
				}
			}
			if kernel != n/3 {
				t.Errorf("%d of %d kernel lines", kernel, n/3)
			}
		})
	}
	t.Run("live", func(t *testing.T) {
		h := recorded(nil, nil, nil)
		h.Stream = func(ctx context.Context, argv []string, w io.Writer) Output {
			args := []string{"journalctl", "--file=" + p}
			for _, a := range argv[1:] { // the boot and the time of the test's journal are its own
				if !strings.HasPrefix(a, "--boot") && !strings.HasPrefix(a, "--since") {
					args = append(args, a)
				}
			}
			return streamCommand(ctx, args, w)
		}
		check(t, live(t, h))
	})
}

func realRecord(at time.Time, i int, transport, ident, msg string, inBinary bool) []byte {
	b := fmt.Appendf(nil, "__CURSOR=s=%032x;i=%x;b=0123456789abcdef0123456789abcdef;m=%x;t=%x;x=%x\n", 1, i+1, i+1, at.UnixMicro(), i)
	b = fmt.Appendf(b, "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=0123456789abcdef0123456789abcdef\n_MACHINE_ID=0123456789abcdef0123456789abcdef\n", at.UnixMicro(), 1000000+i*1000)
	b = fmt.Appendf(b, "_TRANSPORT=%s\nPRIORITY=4\nSYSLOG_IDENTIFIER=%s\n_HOSTNAME=ip-10-0-0-1\n", transport, ident)
	if transport != "kernel" {
		b = fmt.Appendf(b, "_PID=%d\n", 4000+i)
	}
	if inBinary {
		b = append(b, "MESSAGE\n"...)
		b = append(b, byte(len(msg)), 0, 0, 0, 0, 0, 0, 0)
		return append(append(b, msg...), "\n\n"...)
	}
	return fmt.Appendf(b, "MESSAGE=%s\n\n", msg)
}
