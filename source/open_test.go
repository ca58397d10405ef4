package source

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"ddx"
	"ddx/logline"
)

var (
	today  = time.Date(2024, time.March, 15, 12, 0, 0, 0, time.UTC)
	clock  = Options{Now: func() time.Time { return today }, Version: "test"}
	mib    = bytes.Repeat([]byte{0}, 1<<20)
	ethOut = "NIC statistics:\n     tx_timeout: 0\n     bw_in_allowance_exceeded: 7\n"
)

func open(t *testing.T, o Options, paths ...string) []Take {
	t.Helper()
	got, err := OpenFiles(context.Background(), paths, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for i := range got {
			got[i].Close()
		}
	})
	return got
}

// list describes items in a few words: origin, name, size or absence.
func list(items []Item) string {
	var b strings.Builder
	for _, it := range items {
		fmt.Fprintf(&b, "%s+%d [%s] ", it.Origin, it.Line, it.Name)
		if it.Absent != "" {
			fmt.Fprintf(&b, "%s: %s\n", it.Absent, it.Detail)
		} else {
			fmt.Fprintf(&b, "%d bytes\n", it.Size)
		}
	}
	return b.String()
}

// The same text in any wrapping is the same material.
func TestWrappings(t *testing.T) {
	text := "[    1.000000] nvme nvme0: I/O 29 QID 1 timeout, aborting\n"
	plain := []byte(text)
	log := member{name: "var/log/dmesg", content: text}
	for name, content := range map[string][]byte{
		"plain": plain, "a.gz": gz(plain), "a.zst": zst(plain), "a.xz": xzed(t, plain), "twice.gz.gz": gz(gz(plain)),
		"a.tar": tarOf(t, log), "a.tar.gz": gz(tarOf(t, log)), "a.tar.xz": xzed(t, tarOf(t, log)), "a.tar.zst": zst(tarOf(t, log)), "a.zip": zipOf(t, log),
		"nested.tar": tarOf(t, member{name: "in.tar.gz", content: string(gz(tarOf(t, log)))}), "rotated.tar": tarOf(t, member{name: "dmesg.1.gz", content: string(gz(plain))}),
		"utf16": utf16Of(text, false), "utf16 big": utf16Of(text, true), "utf16.gz": gz(utf16Of(text, false)), "utf8": append([]byte("\xef\xbb\xbf"), text...),
	} {
		t.Run(name, func(t *testing.T) {
			got := open(t, clock, write(t, t.TempDir(), name, content))
			if len(got) != 1 || len(got[0].Items) != 1 || string(got[0].Items[0].Data) != text {
				t.Fatalf("%d takes: %s", len(got), list(got[0].Items))
			}
			_, logs, err := Facts(got[0])
			if err != nil || len(logs) != 1 || logs[0].Channel != logline.Kernel || logs[0].Incidental {
				t.Errorf("logs %+v, error %v", logs, err)
			}
		})
	}
}

func TestStdin(t *testing.T) {
	o := clock
	o.Stdin = bytes.NewReader(gz([]byte(ethOut)))
	got := open(t, o, "-")
	if len(got[0].Items) != 1 || got[0].Items[0].Origin != "stdin" || string(got[0].Items[0].Data) != ethOut {
		t.Fatal(list(got[0].Items))
	}
}

// What hostile or broken material does: an item that says what and where; the
// rest is read.
func TestBrokenMaterial(t *testing.T) {
	good := member{name: "good", content: ethOut}
	truncated := tarOf(t, good, member{name: "cut", content: strings.Repeat("x\n", 5000)})
	noise := gz(bytes.Repeat([]byte("line of a log that goes on\n"), 5000))
	three := gz(tarOf(t, member{name: "2.tar", content: string(tarOf(t, member{name: "3.tar", content: string(tarOf(t, good))}))}))
	for _, test := range []struct {
		name    string
		content []byte
		want    string // in the detail of the one absent item
		items   int    // items with content
	}{
		{"traversal.tar", tarOf(t, member{name: "../../etc/passwd", content: "x"}, good), `the name "../../etc/passwd" leads out`, 1},
		{"absolute.tar", tarOf(t, member{name: "/etc/passwd", content: "x"}, good), `the name "/etc/passwd" leads out`, 1},
		{"link.tar", tarOf(t, member{name: "a/b", target: "../../x"}, good), "leads out", 1},
		{"traversal.zip", zipOf(t, member{name: "../x", content: "x"}, good), "leads out", 1},
		{"truncated.tar", truncated[:3000], "after 1464 bytes of it: unexpected EOF", 2},
		{"truncated.gz", noise[:len(noise)-40], "gzip at offset", 1},
		{"damaged.xz", append([]byte("\xfd7zXZ\x00"), "nothing of the kind"...), "xz at offset", 0},
		{"damaged.zip", append([]byte("PK\x03\x04"), "nothing of the kind"...), "is it complete?", 0},
		{"deep.tar.gz", three, "unpack it first", 0},
		{"bomb.tar.gz", bombOf(t, good, 400), "a decompression bomb", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "other", []byte("[    1.000000] still read\n"))
			write(t, dir, test.name, test.content)
			items := open(t, clock, dir)[0].Items
			var absent []Item
			present := 0
			for _, it := range items {
				if it.Absent != "" {
					absent = append(absent, it)
				} else if it.Name != "other" {
					present++
				}
			}
			if len(absent) == 0 || !strings.Contains(absent[0].Detail, test.want) || !strings.Contains(absent[0].Origin, test.name) {
				t.Errorf("want an absence with %q:\n%s", test.want, list(items))
			}
			if present != test.items || !slices.ContainsFunc(items, func(it Item) bool { return it.Name == "other" }) {
				t.Errorf("%d other items, want %d:\n%s", present, test.items, list(items))
			}
		})
	}
}

func TestLinksAndPipesInFolders(t *testing.T) {
	dir := t.TempDir()
	secret := write(t, t.TempDir(), "secret", []byte("top secret\n"))
	write(t, dir, "a", []byte(ethOut))
	for name, target := range map[string]string{"in": "a", "out": secret} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	items := open(t, clock, dir)[0].Items
	if len(items) != 2 || items[0].Name != "a" || items[1].Absent != ddx.NotReadable || !strings.Contains(items[1].Detail, "leads out") {
		t.Error(list(items))
	}
}

func TestManyHosts(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "hosts/b/dmesg", []byte("[    1.000000] b\n"))
	write(t, dir, "hosts/a/ethtool", []byte(ethOut))
	write(t, dir, "cloud/instances.json", []byte("{\n}"))
	archive := write(t, t.TempDir(), "all.tar.gz", gz(tarOf(t, member{name: "x/hosts/a/ethtool", content: ethOut}, member{name: "x/hosts/b/dmesg", content: "[    1.000000] b\n"}, member{name: "x/cloud/c.json", content: "{}"})))
	for _, p := range []string{dir, archive} {
		var hosts []string
		for _, take := range open(t, clock, p) {
			hosts = append(hosts, fmt.Sprint(take.Header.Host, len(take.Items)))
		}
		if fmt.Sprint(hosts) != "[1 a1 b1]" {
			t.Errorf("%s: takes %v", p, hosts)
		}
	}
}

func TestConsoleOutput(t *testing.T) {
	doc, _ := json.Marshal(map[string]any{"InstanceId": "i-0123456789abcdef0", "Timestamp": "2024-03-14T01:57:54.000Z", "Output": "[    1.000000] x\r\n[    2.000000] y\r\n"})
	take := open(t, clock, write(t, t.TempDir(), "console.json", doc))[0]
	_, logs, _ := Facts(take)
	if len(logs) != 1 || logs[0].Reader != "kernel-log" || string(logs[0].Data) != "[    1.000000] x\r\n[    2.000000] y\r\n" || logs[0].Time.Year() != 2024 {
		t.Errorf("logs %+v", logs)
	}
}

func TestNow(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "messages", []byte("Mar 14 01:57:54 h kernel: x\nMar 14 02:00:00 h kernel: y\n"))
	if got := open(t, clock, dir)[0].Header.Now; !got.Equal(time.Date(2024, 3, 14, 2, 0, 0, 0, time.UTC)) {
		t.Errorf("now %v, want the latest time of the log", got)
	}
	if got := open(t, clock, write(t, t.TempDir(), "ethtool", []byte(ethOut)))[0].Header.Now; !got.Equal(today) {
		t.Errorf("now %v without a time in the material, want the clock's", got)
	}
}

func TestSections(t *testing.T) {
	session := strings.Join([]string{
		"Hi, this is what I see:",
		"[root@ip-10-0-0-1 ~]# ethtool -S eth0",
		"NIC statistics:",
		"     bw_in_allowance_exceeded: 7",
		"ubuntu@ip-10-0-0-1:~$ cat /proc/meminfo",
		"MemTotal:        8009912 kB",
		"# a comment is no prompt",
		"$ sudo dmesg | tail",
		"[    1.000000] nvme nvme0: I/O 29 QID 1 timeout, aborting",
		"[root@ip-10-0-0-1 ~]# ethtool -S eth0",
		"NIC statistics:",
		"     bw_in_allowance_exceeded: 9",
		"",
	}, "\n")
	items := open(t, clock, write(t, t.TempDir(), "paste", []byte(session)))[0].Items
	var got []string
	for _, it := range items {
		got = append(got, fmt.Sprintf("%d %s %d", it.Line, it.Name, it.Sample))
	}
	want := []string{"0 paste 0", "2 ethtool -S eth0 0", "5 /proc/meminfo 0", "8 sudo dmesg | tail 0", "10 ethtool -S eth0 1"}
	if !slices.Equal(got, want) {
		t.Fatalf("sections\n got %q\nwant %q", got, want)
	}
	facts, logs, err := Facts(Take{Items: items})
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, f := range facts {
		if f.Kind == "nic.counter" && f.String("name") == "bw_in_allowance_exceeded" {
			found = true
			if f.Subject.Name != "eth0" || f.String("value") != "9" || f.String("delta") != "2" || !strings.HasSuffix(f.Evidence[0].Origin, "paste:12") || !strings.HasSuffix(f.Evidence[1].Origin, "paste:4") {
				t.Errorf("counter %+v", f)
			}
		}
	}
	if !found || len(logs) == 0 {
		t.Errorf("facts %v, %d logs", facts, len(logs))
	}
}

// Outputs that were concatenated without prompts are cut where another begins.
func TestConcatenated(t *testing.T) {
	text := "driver: ena\nversion: 2.2.10g\n" + ethOut + "Filesystem 1K-blocks Used Available Use% Mounted on\n/dev/root 10 5 5 50% /\n"
	items := sections(Item{Origin: "x", Name: "x", Data: []byte(text)})
	if len(items) != 3 || items[1].Line != 2 || items[2].Line != 5 {
		t.Error(list(items))
	}
	same := "Filesystem 1K-blocks Used Available Use% Mounted on\n/dev/root 10 5 5 50% /\n"
	if items := sections(Item{Origin: "x", Data: []byte(same + same)}); len(items) != 1 {
		t.Errorf("one output, given twice, was cut: %s", list(items))
	}
}

// A binary journal is read by journalctl; where that is missing, it is said.
func TestBinaryJournal(t *testing.T) {
	p := write(t, t.TempDir(), "system.journal", []byte(journalMagic+strings.Repeat("\x00", 1000)))
	o := clock
	o.Host = recorded(nil, map[string][]string{"journalctl": {string(logline.Frame("journal-export", "x y", today, 1))}}, nil)
	take := open(t, o, p)[0]
	_, logs, err := Facts(take)
	if err != nil || len(logs) != 1 || !strings.Contains(string(logs[0].Data), "kernel: [    1.000000] x y") {
		t.Errorf("logs %+v, error %v", logs, err)
	}
	o.Host = recorded(nil, nil, nil)
	take = open(t, o, p)[0]
	if it := take.Items[0]; it.Absent != ddx.NotThere || !strings.Contains(it.Detail, "journalctl --file") {
		t.Error(list(take.Items))
	}
}

// A line of a gigabyte is material like any other, and does not fill the memory.
func TestLongLine(t *testing.T) {
	if testing.Short() {
		t.Skip("needs time and a gigabyte of temporary space")
	}
	o := clock
	part := bytes.Repeat([]byte("x"), 1<<20)
	o.Stdin = io.MultiReader(strings.NewReader("[    1.000000] before\n"), numbered(1<<10, func([]byte, int) []byte { return part }), strings.NewReader("\n[    2.000000] after\n"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	take := open(t, o, "-")[0]
	_, logs, err := Facts(take)
	if err != nil || len(logs) != 1 || logs[0].Size < 1<<30 {
		t.Fatalf("%d logs, error %v", len(logs), err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
		t.Errorf("%d MiB were allocated for it", grown>>20)
	}
	if tail := take.Items[0].tail(64); string(tail) != "[    2.000000] after\n" {
		t.Errorf("it ends with %q", tail)
	}
}

// The files of a sosreport that hold the output of a command are named after
// it; what a name says, such as the interface, is used.
func TestSosreport(t *testing.T) {
	members := []member{
		{name: "sosreport-h-2024/sos_commands/networking/ethtool_-S_eth0", content: ethOut},
		{name: "sosreport-h-2024/proc/meminfo", content: "MemTotal:        8009912 kB\nMemFree:          538760 kB\nMemAvailable:    6820236 kB\n"},
		{name: "sosreport-h-2024/proc/mounts", content: "fs-0123:/ /efs nfs4 rw,hard 0 0\n"},
		{name: "sosreport-h-2024/var/log/messages", content: "Mar 14 01:57:54 h kernel: nfs: server fs-0123 not responding, still trying\n"},
		{name: "sosreport-h-2024/free", target: "sos_commands/memory/free"},
		{name: "sosreport-h-2024/etc/localtime", target: "/usr/share/zoneinfo/UTC"},
	}
	dir := t.TempDir()
	for _, m := range members {
		if m.target == "" {
			write(t, dir, m.name, []byte(m.content))
		}
	}
	for _, p := range []string{write(t, t.TempDir(), "sosreport-h-2024.tar.xz", xzed(t, tarOf(t, members...))), dir} {
		take := open(t, clock, p)[0]
		kinds := map[string]string{}
		facts, logs, err := Facts(take)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range facts {
			kinds[f.Kind] = f.Subject.Name
		}
		if kinds["nic.counter"] != "eth0" || kinds["mount"] != "/efs" || len(kinds) < 3 {
			t.Errorf("%s: facts %v", p, kinds)
		}
		if !slices.ContainsFunc(logs, func(l Log) bool { return !l.Incidental && strings.HasSuffix(l.Origin, "var/log/messages") }) {
			t.Errorf("%s: no log among %d", p, len(logs))
		}
	}
}
