package logline

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

var (
	when = time.Date(2024, time.March, 14, 1, 57, 54, 123456000, time.UTC)
	now  = time.Date(2024, time.March, 15, 0, 0, 0, 0, time.UTC)
)

const uptime = 12345.678901

var messages = []string{
	"nvme nvme0: I/O 29 QID 1 timeout, aborting",
	"nfs: server 10.0.0.9 not responding, still trying",
	`EXT4-fs error (device nvme0n1p1): ext4_find_entry:1455: inode #2: comm "x\y": reading directory`,
	"[drm] resolution 1024x768",
	"kernel: nothing",
}

// Every message comes out of every framing as it went in, with what the framing says.
func TestFramings(t *testing.T) {
	for _, fr := range Framings {
		t.Run(fr.Name, func(t *testing.T) {
			for _, msg := range messages {
				framed, err := io.ReadAll(NewReader(bytes.NewReader(Frame(fr.Name, msg, when, uptime))))
				if err != nil {
					t.Fatal(err)
				}
				if n := bytes.Count(framed, []byte("\n")); n != 1 {
					t.Fatalf("%q: %d lines, want 1", framed, n)
				}
				l := Parse(framed, Hint{Now: now})
				want := msg
				switch fr.Name {
				case "plain":
					want = "WARNING " + msg
				case "bare", "dmesg", "dmesg-raw", "dmesg-decoded", "console", "console-prefix", "dmesg-caller", "dmesg-json":
					want = strings.TrimPrefix(msg, "kernel: ") // an inner tag of the kernel is framing there
				}
				if string(l.Message) != want && string(l.Message) != msg {
					t.Errorf("%q: message %q, want %q", framed, l.Message, want)
				}
				if fr.Name != "bare" && l.Channel != fr.Channel {
					t.Errorf("%q: channel %v, want %v", framed, l.Channel, fr.Channel)
				}
				if l.Mono >= 0 && math.Abs(l.Mono-uptime) > 1e-6 {
					t.Errorf("%q: mono %v", framed, l.Mono)
				}
				if !l.Time.IsZero() && l.Time.Truncate(time.Second) != when.Truncate(time.Second) {
					t.Errorf("%q: time %v, want %v", framed, l.Time, when)
				}
				if l.Time.IsZero() && l.Mono < 0 && fr.Name != "bare" && fr.Name != "tag" {
					t.Errorf("%q: no time at all", framed)
				}
			}
		})
	}
}

// Lines as tools and daemons print them, and what must be read from them.
func TestParse(t *testing.T) {
	utc := func(y int, mo time.Month, d, h, m, s, us int) time.Time {
		return time.Date(y, mo, d, h, m, s, us*1000, time.UTC)
	}
	for _, test := range []struct {
		name, line string
		want       Line
	}{
		{"kmsg with a dictionary flag", "6,339,5140900,-,caller=T1;NET: Registered PF_INET6", Line{Mono: 5.1409, Priority: 6, Seq: 339, Channel: Kernel, Message: []byte("NET: Registered PF_INET6")}},
		{"kmsg of a daemon", "30,400,6000000,-;systemd[1]: Started x.", Line{Mono: 6, Priority: 6, Seq: 400, Channel: Service, Program: "systemd", PID: 1, Message: []byte("Started x.")}},
		{"kmsg escape", `4,1,2,-;a\x09b\x5cc`, Line{Mono: 0.000002, Priority: 4, Seq: 1, Channel: Kernel, Message: []byte("a\tb\\c")}},
		{"kernel within the log of a program", "2023-05-25T07:29:42.180730Z  INFO guest_console: [   33.084020] BUG: kernel NULL pointer dereference", Line{Time: utc(2023, 5, 25, 7, 29, 42, 180730), Mono: 33.084020, Priority: 6, Seq: -1, Channel: Kernel, Message: []byte("BUG: kernel NULL pointer dereference")}},
		{"seconds right after the level of a program", "2023-05-25T07:29:42.180730Z WARNING [   33.084020] all rows read", Line{Time: utc(2023, 5, 25, 7, 29, 42, 180730), Mono: -1, Priority: 4, Seq: -1, Channel: Service, Message: []byte("WARNING [   33.084020] all rows read")}},
		{"numbers in brackets within the log of a program", "2023-05-25T07:29:42.180730Z  INFO timings: [   33.08] all rows read", Line{Time: utc(2023, 5, 25, 7, 29, 42, 180730), Mono: -1, Priority: 6, Seq: -1, Channel: Service, Message: []byte("INFO timings: [   33.08] all rows read")}},
		{"logfmt with quotes within a value", `time="2023-05-25T07:29:42Z" level=error msg="CreateContainer within "d2b0" failed" error="no such thing`, Line{Time: utc(2023, 5, 25, 7, 29, 42, 0), Mono: -1, Priority: 3, Seq: -1, Channel: Service, Message: []byte(`CreateContainer within  d2b0" failed" error="no such thing`)}},
		{"the CPU after the seconds since boot", "[   49.655045]@0 Internal error: Oops", Line{Mono: 49.655045, Priority: -1, Seq: -1, Channel: Kernel, Message: []byte("Internal error: Oops")}},
		{"an address after the seconds since boot", "[   49.655045]@home is mounted", Line{Mono: 49.655045, Priority: -1, Seq: -1, Channel: Kernel, Message: []byte("@home is mounted")}},
		{"kmsg by way of netconsole and syslog", "May 25 07:29:42 x 0,16627,40311380557,-,caller=C0;BUG: workqueue lockup - pool", Line{Time: utc(2023, 5, 25, 7, 29, 42, 0), Mono: 40311.380557, Priority: 0, Seq: 16627, Host: "x", Channel: Kernel, Message: []byte("BUG: workqueue lockup - pool")}},
		{"quoted", "> > [ 12.345678] nvme nvme0: I/O 29 QID 1 timeout", Line{Mono: 12.345678, Priority: -1, Seq: -1, Channel: Kernel, Message: []byte("nvme nvme0: I/O 29 QID 1 timeout")}},
		{"a time with a colon has no host behind it", "Jun 12 06:39:16: low memory! at or below", Line{Time: utc(2023, 6, 12, 6, 39, 16, 0), Mono: -1, Priority: -1, Seq: -1, Message: []byte("low memory! at or below")}},
		{"csv is no kmsg", "1,2,3,4,5", Line{Mono: -1, Priority: -1, Seq: -1, Message: []byte("1,2,3,4,5")}},
		{"caller of an interrupt", "[    7.773876][    C0] md: waiting", Line{Mono: 7.773876, Priority: -1, Seq: -1, Channel: Kernel, Message: []byte("md: waiting")}},
		{"indentation stays", "[  100.000001]       Not tainted 5.4.0", Line{Mono: 100.000001, Priority: -1, Seq: -1, Channel: Kernel, Message: []byte("      Not tainted 5.4.0")}},
		{"dmesg -d", "[  100.000001 <    0.000002>] x y", Line{Mono: 100.000001, Priority: -1, Seq: -1, Channel: Kernel, Message: []byte("x y")}},
		{"dmesg -H", "[Mar14 01:57] x y", Line{Time: utc(2024, 3, 14, 1, 57, 0, 0), Mono: -1, Priority: -1, Seq: -1, Channel: Kernel, Message: []byte("x y")}},
		{"dmesg -H, one digit", "[Mar 4 01:57] x y", Line{Time: utc(2024, 3, 4, 1, 57, 0, 0), Mono: -1, Priority: -1, Seq: -1, Channel: Kernel, Message: []byte("x y")}},
		{"dmesg delta", "[<    0.000123>] x y", Line{Mono: -1, Priority: -1, Seq: -1, Channel: Kernel, Message: []byte("x y")}},
		{"no delta", "[<b>bold</b>] x y", Line{Mono: -1, Priority: -1, Seq: -1, Message: []byte("[<b>bold</b>] x y")}},
		{"a number is no time", "1772332860.123456 seconds passed: x", Line{Mono: -1, Priority: -1, Seq: -1, Message: []byte("1772332860.123456 seconds passed: x")}},
		{"a number is no length", "118 <b> x", Line{Mono: -1, Priority: -1, Seq: -1, Message: []byte("118 <b> x")}},
		{"dmesg -H, later line", "[  +0.000123] x y", Line{Mono: -1, Priority: -1, Seq: -1, Channel: Kernel, Message: []byte("x y")}},
		{"Xorg counts in ms", "[    12.345] (II) x", Line{Mono: -1, Priority: -1, Seq: -1, Message: []byte("[    12.345] (II) x")}},
		{"dmesg -T", "[Thu Mar 14 01:57:54 2019] Out of memory", Line{Time: utc(2019, 3, 14, 1, 57, 54, 0), Mono: -1, Priority: -1, Seq: -1, Channel: Kernel, Message: []byte("Out of memory")}},
		{"dmesg -T in German", "[So Nov 15 16:03:41 2020]  schedule", Line{Time: utc(2020, 11, 15, 16, 3, 41, 0), Mono: -1, Priority: -1, Seq: -1, Channel: Kernel, Message: []byte(" schedule")}},
		{"dmesg -T in another script", "[\u65e5 11\u6708 15 16:03:41 2020] x", Line{Mono: -1, Priority: -1, Seq: -1, Channel: Kernel, Message: []byte("x")}},
		{"dmesg -x -T", "kern  :err   : [Thu Mar 14 01:57:54 2019] x", Line{Time: utc(2019, 3, 14, 1, 57, 54, 0), Mono: -1, Priority: 3, Seq: -1, Channel: Kernel, Message: []byte("x")}},
		{"dmesg -x of a daemon", "daemon:info  : [    1.000000] systemd[1]: x", Line{Mono: 1, Priority: 6, Seq: -1, Channel: Service, Message: []byte("systemd[1]: x")}},
		{"dmesg iso", "2024-03-14T01:57:54,123456+01:00 nvme nvme0: gone", Line{Time: utc(2024, 3, 14, 0, 57, 54, 123456), Mono: -1, Priority: -1, Seq: -1, Channel: Kernel, Message: []byte("nvme nvme0: gone")}},
		{"no year, last year", "Dec 31 23:59:59 h kernel: x", Line{Time: utc(2023, 12, 31, 23, 59, 59, 0), Mono: -1, Priority: -1, Seq: -1, Host: "h", Program: "kernel", Channel: Kernel, Message: []byte("x")}},
		{"no year, a day ahead", "Mar 15 20:00:00 h kernel: x", Line{Time: utc(2024, 3, 15, 20, 0, 0, 0), Mono: -1, Priority: -1, Seq: -1, Host: "h", Program: "kernel", Channel: Kernel, Message: []byte("x")}},
		{"no such day", "Feb 30 20:00:00 h kernel: x", Line{Mono: -1, Priority: -1, Seq: -1, Host: "h", Program: "kernel", Channel: Kernel, Message: []byte("x")}},
		{"single digit day", "May  7 06:45:12 h kernel: [21584690.529862] mce: x", Line{Time: utc(2023, 5, 7, 6, 45, 12, 0), Mono: 21584690.529862, Priority: -1, Seq: -1, Host: "h", Program: "kernel", Channel: Kernel, Message: []byte("mce: x")}},
		{"no host", "Mar  7 06:45:12 kernel: x", Line{Time: utc(2024, 3, 7, 6, 45, 12, 0), Mono: -1, Priority: -1, Seq: -1, Program: "kernel", Channel: Kernel, Message: []byte("x")}},
		{"host blacked out", "Mar  7 06:45:12 [ip] kernel: x", Line{Time: utc(2024, 3, 7, 6, 45, 12, 0), Mono: -1, Priority: -1, Seq: -1, Host: "[ip]", Program: "kernel", Channel: Kernel, Message: []byte("x")}},
		{"relay's address before the host", "Mar  7 06:45:12 10.0.0.9 h kernel: [   12.000001] x", Line{Time: utc(2024, 3, 7, 6, 45, 12, 0), Mono: 12.000001, Priority: -1, Seq: -1, Host: "h", Program: "kernel", Channel: Kernel, Message: []byte("x")}},
		{"relay's address before a daemon", "Mar  7 06:45:12 2001:db8::9 h sshd[9]: x", Line{Time: utc(2024, 3, 7, 6, 45, 12, 0), Mono: -1, Priority: -1, Seq: -1, Host: "h", Program: "sshd", PID: 9, Channel: Service, Message: []byte("x")}},
		{"an address alone is the host", "Mar  7 06:45:12 10.0.0.9 sshd[9]: x", Line{Time: utc(2024, 3, 7, 6, 45, 12, 0), Mono: -1, Priority: -1, Seq: -1, Host: "10.0.0.9", Program: "sshd", PID: 9, Channel: Service, Message: []byte("x")}},
		{"a host without a tag", "Mar  7 06:45:12 10.0.0.9 [  956.153918]  do_idle+0x1be/0x1d0", Line{Time: utc(2024, 3, 7, 6, 45, 12, 0), Mono: 956.153918, Priority: -1, Seq: -1, Host: "10.0.0.9", Channel: Kernel, Message: []byte(" do_idle+0x1be/0x1d0")}},
		{"no space after the tag", "Mar  7 06:45:12 h kernel:[   12.000001] x", Line{Time: utc(2024, 3, 7, 6, 45, 12, 0), Mono: 12.000001, Priority: -1, Seq: -1, Host: "h", Program: "kernel", Channel: Kernel, Message: []byte("x")}},
		{"busybox", "Mar  7 06:45:12 h kern.warn kernel: x", Line{Time: utc(2024, 3, 7, 6, 45, 12, 0), Mono: -1, Priority: 4, Seq: -1, Host: "h", Program: "kernel", Channel: Kernel, Message: []byte("x")}},
		{"year first and a level", "2025 Jul  2 06:56:56.907166 switch ERR python[61092]: x", Line{Time: utc(2025, 7, 2, 6, 56, 56, 907166), Mono: -1, Priority: 3, Seq: -1, Host: "switch", Program: "python", PID: 61092, Channel: Service, Message: []byte("x")}},
		{"mark", "Mar  7 06:45:12 h -- MARK --", Line{Time: utc(2024, 3, 7, 6, 45, 12, 0), Mono: -1, Priority: -1, Seq: -1, Host: "h", Channel: Service, Message: []byte("-- MARK --")}},
		{"kernel tag of another facility", "<30>Mar  7 06:45:12 h kernel: x", Line{Time: utc(2024, 3, 7, 6, 45, 12, 0), Mono: -1, Priority: 6, Seq: -1, Host: "h", Program: "kernel", Channel: Service, Message: []byte("x")}},
		{"a program called kernel", "Mar  7 06:45:12 h kernel[77]: x", Line{Time: utc(2024, 3, 7, 6, 45, 12, 0), Mono: -1, Priority: -1, Seq: -1, Host: "h", Program: "kernel", PID: 77, Channel: Service, Message: []byte("x")}},
		{"kubelet in syslog", "Apr 28 11:20:25 h kubelet: I0428 11:20:25.369597    3995 kubelet_getters.go:176] \"Pod\"", Line{Time: utc(2023, 4, 28, 11, 20, 25, 0), Mono: -1, Priority: 6, Seq: -1, Host: "h", Program: "kubelet", PID: 3995, Channel: Service, Message: []byte(`"Pod"`)}},
		{"journal with zone name", "Thu 2024-03-14 01:57:54 UTC h systemd-networkd.service[12]: x", Line{Time: utc(2024, 3, 14, 1, 57, 54, 0), Mono: -1, Priority: -1, Seq: -1, Host: "h", Program: "systemd-networkd.service", PID: 12, Channel: Service, Message: []byte("x")}},
		{"short monotonic", "[    5.000001] h systemd[1]: x", Line{Mono: 5.000001, Priority: -1, Seq: -1, Host: "h", Program: "systemd", PID: 1, Channel: Service, Message: []byte("x")}},
		{"kernel message that looks like host and tag", "[    5.000001] nvme nvme0: x", Line{Mono: 5.000001, Priority: -1, Seq: -1, Channel: Kernel, Message: []byte("nvme nvme0: x")}},
		{"segfault has a tag's form", "python[123]: segfault at 0 ip 0", Line{Mono: -1, Priority: -1, Seq: -1, Message: []byte("python[123]: segfault at 0 ip 0")}},
		{"rsyslog time", "2024-03-14T01:57:54.123456+00:00 h sshd[9]: x", Line{Time: when, Mono: -1, Priority: -1, Seq: -1, Host: "h", Program: "sshd", PID: 9, Channel: Service, Message: []byte("x")}},
		{"cloudwatch export", "2024-03-14T01:57:54.123456Z [   12.000001] x", Line{Time: when, Mono: 12.000001, Priority: -1, Seq: -1, Channel: Kernel, Message: []byte("x")}},
		{"zap console", "2024-03-14T01:57:54.123456Z\tERROR\tcontroller\tno capacity", Line{Time: when, Mono: -1, Priority: 3, Seq: -1, Channel: Service, Message: []byte("ERROR\tcontroller\tno capacity")}},
		{"words after a time are no host and tag", "2024-03-14T01:57:54.123456Z starting server: x", Line{Time: when, Mono: -1, Priority: -1, Seq: -1, Message: []byte("starting server: x")}},
		{"go log", "2024/03/14 01:57:54 Started watching", Line{Time: utc(2024, 3, 14, 1, 57, 54, 0), Mono: -1, Priority: -1, Seq: -1, Message: []byte("Started watching")}},
		{"zap with other fields", `{"level":"error","ts":"2024-03-14T01:57:54.123456Z","caller":"a.go:1","msg":"no \"address\"","error":"full"}`, Line{Time: when, Mono: -1, Priority: 3, Seq: -1, Channel: Service, Message: []byte(`no "address" caller=a.go:1 error=full`)}},
		{"zap epoch", `{"level":"info","ts":1710381474.5,"msg":"x"}`, Line{Time: utc(2024, 3, 14, 1, 57, 54, 500000), Mono: -1, Priority: 6, Seq: -1, Channel: Service, Message: []byte("x")}},
		{"logfmt with other fields", `time="2024-03-14T01:57:54.123456Z" level=error msg="no \"a\"" pod=x`, Line{Time: when, Mono: -1, Priority: 3, Seq: -1, Channel: Service, Message: []byte(`no "a" pod=x`)}},
		{"json that is no log", `{"Instances":[]}`, Line{Mono: -1, Priority: -1, Seq: -1, Message: []byte(`{"Instances":[]}`)}},
		{"cri around klog", "2024-03-14T01:57:54.123456Z stderr F E0314 01:57:54.123456       1 a.go:1] x", Line{Time: when, Mono: -1, Priority: 3, PID: 1, Seq: -1, Channel: Service, Message: []byte("x")}},
		{"journal spoof", `{"__REALTIME_TIMESTAMP":"1710381474123456","_TRANSPORT":"syslog","SYSLOG_IDENTIFIER":"kernel","MESSAGE":"x"}`, Line{Time: when, Mono: -1, Priority: -1, Seq: -1, Program: "kernel", Channel: Service, Message: []byte("x")}},
		{"two records in one line", "[    2.615978] s[    2.616807] audit: x", Line{Mono: 2.615978, Priority: -1, Seq: -1, Channel: Kernel, Message: []byte("s"), Rest: []byte("[    2.616807] audit: x")}},
		{"a record after a prompt", "host login: [    2.616807] audit: x", Line{Mono: -1, Priority: -1, Seq: -1, Message: []byte("host login: "), Rest: []byte("[    2.616807] audit: x")}},
		{"empty", "", Line{Mono: -1, Priority: -1, Seq: -1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Parse([]byte(test.line), Hint{Now: now})
			if !got.Time.Equal(test.want.Time) {
				t.Errorf("time %v, want %v", got.Time, test.want.Time)
			}
			if !bytes.Equal(got.Message, test.want.Message) || !bytes.Equal(got.Rest, test.want.Rest) {
				t.Errorf("message %q rest %q, want %q rest %q", got.Message, got.Rest, test.want.Message, test.want.Rest)
			}
			got.Time, got.Message, got.Rest = test.want.Time, test.want.Message, test.want.Rest
			if g, w := describe(got), describe(test.want); g != w {
				t.Errorf("got  %s\nwant %s", g, w)
			}
		})
	}
}

func describe(l Line) string {
	l.Message, l.Rest, l.Time = nil, nil, time.Time{}
	return fmt.Sprintf("%+v", l)
}

func TestHints(t *testing.T) {
	boot := when.Add(-time.Hour)
	if l := Parse([]byte("[   60.000000] x"), Hint{Boot: boot}); !l.Time.Equal(boot.Add(time.Minute)) {
		t.Errorf("time from boot: %v", l.Time)
	}
	if l := Parse([]byte("[   60.000000] box dhclient: x"), Hint{Host: "box"}); l.Program != "dhclient" || l.Channel != Service {
		t.Errorf("host of the hint: %+v", l)
	}
	zone := time.FixedZone("", 2*3600)
	if l := Parse([]byte("Mar 14 01:57:54 h kernel: x"), Hint{Now: now, Location: zone}); !l.Time.Equal(when.Truncate(time.Second).Add(-2 * time.Hour)) {
		t.Errorf("location of the hint: %v", l.Time)
	}
	if l := Parse([]byte("Mar 14 01:57:54 h kernel: x"), Hint{}); !l.Time.IsZero() {
		t.Errorf("a year out of nothing: %v", l.Time)
	}
}

// Common forms are parsed without allocating.
func TestParseAllocations(t *testing.T) {
	hint := Hint{Now: now, Names: Names{}}
	for _, name := range []string{"kmsg", "dmesg", "dmesg-time", "journal-short", "rfc3164-mono", "rsyslog-iso", "rfc5424", "service-short", "klog-syslog", "cri", "zap", "docker-json", "plain"} {
		line := Frame(name, messages[1], when, uptime)
		Parse(line, hint)
		if n := testing.AllocsPerRun(100, func() { Parse(line, hint) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	hint := Hint{Now: now, Names: Names{}}
	for _, name := range []string{"kmsg", "dmesg", "journal-short", "rsyslog-iso", "zap", "bare"} {
		line := Frame(name, messages[1], when, uptime)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(line)))
			for b.Loop() {
				Parse(line, hint)
			}
		})
	}
}

// Whatever the bytes: no panic, and message and rest are no longer than the line.
func FuzzParse(f *testing.F) {
	for _, fr := range Framings {
		for _, msg := range messages {
			f.Add(Frame(fr.Name, msg, when, uptime))
		}
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		before := bytes.Clone(line)
		l := Parse(line, Hint{Now: now, Boot: when})
		if !bytes.Equal(before, line) {
			t.Fatalf("changed its input %q to %q", before, line)
		}
		if len(l.Rest) > len(line) || len(l.Rest) > 0 && len(l.Rest) == len(line) {
			t.Fatalf("rest does not shrink: %q of %q", l.Rest, line)
		}
		if l.Priority < -1 || l.Priority > 7 {
			t.Fatalf("priority %d of %q", l.Priority, line)
		}
	})
}

// A Reader gives one line a record, and ends with an error that names the place.
func TestReader(t *testing.T) {
	var in []byte
	for i := range 1000 {
		in = append(in, Frame("journal-export-binary", fmt.Sprintf("line %d\nsecond part", i), when, uptime)...)
	}
	out, err := io.ReadAll(NewReader(bytes.NewReader(in)))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSuffix(out, []byte("\n")), []byte("\n"))
	if len(lines) != 1000 {
		t.Fatalf("%d lines, want 1000", len(lines))
	}
	if l := Parse(lines[999], Hint{}); string(l.Message) != "line 999#012second part" {
		t.Errorf("message %q", l.Message)
	}

	cut := in[:len(in)-20]
	out, err = io.ReadAll(NewReader(bytes.NewReader(cut)))
	if n := bytes.Count(out, []byte("\n")); n != 999 || err == nil || !strings.Contains(err.Error(), "record 1000 at offset ") {
		t.Errorf("cut stream: %d lines, error %v", n, err)
	}
	damaged := bytes.Replace(in, []byte("MESSAGE\n\x12\x00"), []byte("MESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xff"), 1)
	if _, err = io.ReadAll(NewReader(bytes.NewReader(damaged))); err == nil {
		t.Error("damaged length: no error")
	}
	text := "any\x00text\r\nstays\n"
	if out, _ = io.ReadAll(NewReader(strings.NewReader(text))); string(out) != text {
		t.Errorf("text came out as %q", out)
	}
}

// Records that are spread over lines come one a line, whatever stands between
// them; what is cut off at the end is no record.
func TestSpreadRecords(t *testing.T) {
	dmesg := `{
   "dmesg": [
      {
         "fac": "kern",
         "pri": "warn",
         "time":  88860.000000,
         "caller": "T1",
         "msg": "a \"b\"\nc {"
      },{
         "fac": "daemon",
         "pri": "info",
         "time": 88861.5,
         "msg": "systemd[1]: x"
      },{
         "pri": 3,
         "time": 88862.000000,
         "msg": "z"
      }
   ]
}
`
	verbose := "-- Journal begins at x. --\nThu 2024-03-14 01:57:54.123456 UTC [s=7;i=4]\n    PRIORITY=4\n    _TRANSPORT=kernel\n    MESSAGE=one = 1\nThu 2024-03-14 01:57:55.000000 UTC [s=7;i=5]\n    _TRANSPORT=syslog\n    SYSLOG_IDENTIFIER=app\n    MESSAGE=two\n"
	pretty := "{\n  \"_TRANSPORT\" : \"kernel\",\n  \"MESSAGE\" : [\n 72,\n 105\n ]\n}\n{\n  \"MESSAGE\" : \"two\",\n  \"_TRANSPORT\" : \"stdout\"\n}\n"
	array := "[\n {\n  \"_TRANSPORT\" : \"kernel\",\n  \"MESSAGE\" : \"x\"\n },\n {\n  \"_TRANSPORT\" : \"kernel\",\n  \"MESSAGE\" : \"y\"\n },\n {\n  \"_TRANSPORT\" : \"ker"
	for _, c := range []struct{ name, in, want string }{
		{"dmesg -J", dmesg, "<4>[88860.000000] a \"b\"#012c {\n<14>[88861.500000] systemd[1]: x\n<3>[88862.000000] z\n"},
		{"verbose", verbose, "<4>2024-03-14T01:57:54.123456+00:00 - kernel: one = 1\n<30>2024-03-14T01:57:55.000000+00:00 - app: two\n"},
		{"json-pretty", pretty, "<6>1970-01-01T00:00:00.000000+00:00 - kernel: Hi\n<30>1970-01-01T00:00:00.000000+00:00 - -: two\n"},
		{"an array, cut off", array, "<6>1970-01-01T00:00:00.000000+00:00 - kernel: x\n<6>1970-01-01T00:00:00.000000+00:00 - kernel: y\n"},
	} {
		if out, err := io.ReadAll(NewReader(strings.NewReader(c.in))); (err != nil) != strings.Contains(c.name, "cut off") || string(out) != c.want {
			t.Errorf("%s: error %v\n%s\nwant\n%s", c.name, err, out, c.want)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, name := range []string{"journal-verbose", "journal-json-pretty", "journal-json-seq", "journal-json-sse", "dmesg-json", "journal-export", "journal-export-binary", "journal-json", "journal-json-bytes", "bare"} {
		f.Add(Frame(name, messages[0], when, uptime))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		out, _ := io.ReadAll(NewReader(bytes.NewReader(b)))
		for line := range bytes.Lines(out) {
			Parse(line, Hint{Now: now})
		}
	})
}
