package source

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"ddx"
	"ddx/logline"
)

// recorded is a host whose answers are written down: files, commands by their
// line, and records of the ring buffer.
func recorded(files map[string]string, commands map[string][]string, ring func() (io.ReadCloser, error)) *Host {
	root := fstest.MapFS{}
	for name, content := range files {
		root[name] = &fstest.MapFile{Data: []byte(content), Mode: 0o644}
	}
	var mu sync.Mutex // a live look runs its commands side by side
	asked := map[string]int{}
	clock := today
	h := &Host{FS: root, Kmsg: ring, Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return clock
	}}
	h.Run = func(_ context.Context, argv []string) Output {
		line := strings.Join(argv, " ")
		answers := commands[line]
		if len(answers) == 0 {
			return Output{Absent: ddx.NotThere, Detail: argv[0] + ": not installed"}
		}
		mu.Lock()
		defer mu.Unlock()
		n := asked[line]
		asked[line]++
		clock = clock.Add(time.Second)
		return Output{Data: []byte(answers[min(n, len(answers)-1)])}
	}
	h.Stream = func(ctx context.Context, argv []string, w io.Writer) Output {
		if answers := commands[argv[0]]; len(answers) > 0 {
			if _, err := io.WriteString(w, answers[0]); err != nil {
				return Output{Absent: ddx.NotReadable, Detail: err.Error()}
			}
			return Output{Data: []byte{}}
		}
		return Output{Absent: ddx.NotThere, Detail: argv[0] + ": not installed"}
	}
	return h
}

// ringOf plays records of /dev/kmsg; an empty record is EPIPE.
func ringOf(records ...string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return &ring{records}, nil }
}

type ring struct{ records []string }

func (r *ring) Read(p []byte) (int, error) {
	if len(r.records) == 0 {
		return 0, syscall.EAGAIN
	}
	rec := r.records[0]
	r.records = r.records[1:]
	if rec == "" {
		return 0, &os.PathError{Op: "read", Path: "/dev/kmsg", Err: syscall.EPIPE}
	}
	return copy(p, rec), nil
}

func (r *ring) Close() error { return nil }

var recordedFiles = map[string]string{
	"proc/sys/kernel/hostname":        "ip-10-0-0-1\n",
	"proc/sys/kernel/random/boot_id":  "11111111-2222-3333-4444-555555555555\n",
	"proc/uptime":                     "3600.00 7000.00\n",
	"proc/self/mounts":                "/dev/nvme0n1p1 / ext4 rw 0 0\nfs-0123:/ /efs nfs4 rw,hard 0 0\n",
	"sys/class/net/eth0/device/class": "0x020000\n",
	"sys/class/net/lo/address":        "00:00:00:00:00:00\n",
	"var/log/amazon/efs/mount.log":    "2024-03-14 01:57:54 UTC - ERROR - Failed to mount\n",
}

var recordedCommands = map[string][]string{
	"ethtool -S eth0": {"NIC statistics:\n     bw_in_allowance_exceeded: 7\n     tx_timeout: 5\n", "NIC statistics:\n     bw_in_allowance_exceeded: 19\n     tx_timeout: 1\n"},
	"journalctl": {string(logline.Frame("journal-export", "nfs: server fs-0123 not responding, still trying", today.Add(-time.Minute), 3540)) +
		string(logline.Frame("service-export", "mount failed", today.Add(-time.Minute), 3541))},
}

func live(t *testing.T, h *Host) Take {
	t.Helper()
	take, err := Live(context.Background(), Options{Host: h, Version: "test", Pause: time.Nanosecond, Deadline: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { take.Close() })
	return take
}

// everything is what diagnosis sees of a take: facts, and logs with their text.
func everything(t *testing.T, take Take) string {
	t.Helper()
	facts, logs, err := Facts(take)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, f := range facts {
		if err := f.Check(); err != nil {
			t.Error(err)
		}
		line, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	for i := range logs {
		l := &logs[i]
		n, bound := l.Loss()
		fmt.Fprintf(&b, "log %s+%d %s %v incidental=%v lost %d %s boot %q hint %v %v\n", l.Origin, l.Line, l.Reader, l.Channel, l.Incidental, n, bound, l.Boot, l.Hint.Now, l.Hint.Boot)
		r, err := l.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		b.Write(text)
	}
	return b.String()
}

// A bundle of a host gives byte for byte what the live look gave.
func TestBundleReplaysLive(t *testing.T) {
	h := recorded(recordedFiles, recordedCommands, ringOf("4,100,3000000000,-;nvme nvme0: I/O 29 QID 1 timeout, aborting\n SUBSYSTEM=nvme\n", "", "30,105,3000000001,-;systemd[1]: x"))
	take := live(t, h)
	want := everything(t, take)
	for _, part := range []string{`"delta":12`, `"reset":true`, "lost 104 exact", "I/O 29 QID 1", "mount failed", "Failed to mount", `"unavailable"`} {
		if !strings.Contains(want, part) {
			t.Errorf("the live look lacks %s:\n%s", part, want)
		}
	}
	if strings.Contains(want, "not responding") {
		t.Error("the journal repeats a kernel line that the ring buffer has given")
	}
	var bundle, again bytes.Buffer
	if err := WriteBundle(&bundle, take); err != nil {
		t.Fatal(err)
	}
	if err := WriteBundle(&again, take); err != nil || !bytes.Equal(bundle.Bytes(), again.Bytes()) {
		t.Errorf("the same take gives another bundle (%v)", err)
	}
	read := open(t, Options{}, write(t, t.TempDir(), "bundle.tar.gz", bundle.Bytes()))
	if len(read) != 1 || read[0].Header.Host != "ip-10-0-0-1" || !read[0].Header.Now.Equal(take.Header.Now) {
		t.Fatalf("read back %d takes, header %+v", len(read), read[0].Header)
	}
	if got := everything(t, read[0]); got != want {
		t.Errorf("replay differs:\n got %s\nwant %s", got, want)
	}
	cut := open(t, clock, write(t, t.TempDir(), "cut.tar.gz", bundle.Bytes()[:bundle.Len()-200]))
	if !slices.ContainsFunc(cut[0].Items, func(it Item) bool { return it.Absent == ddx.NotReadable && strings.Contains(it.Detail, "bundle") }) {
		t.Errorf("a cut bundle does not say so of its pieces:\n%s", list(cut[0].Items))
	}
	if it := cut[0].Items[len(cut[0].Items)-1]; !it.Named || !strings.Contains(it.Detail, "the bundle is cut or damaged: ") {
		t.Errorf("a cut bundle does not say so as a whole: %+v", it)
	}
}

// Everything that is missing is said, with what it would have yielded.
func TestLiveOnNothing(t *testing.T) {
	facts, logs, err := Facts(live(t, &Host{FS: fstest.MapFS{}, Kmsg: func() (io.ReadCloser, error) {
		return nil, &os.PathError{Op: "open", Path: "/dev/kmsg", Err: syscall.EPERM}
	}}))
	if err != nil || len(logs) != 0 {
		t.Fatalf("%d logs, error %v", len(logs), err)
	}
	basic := map[string]string{}
	for _, f := range facts {
		if f.Kind != "unavailable" || f.String("reason") == "" || f.String("what") == "" {
			t.Errorf("%+v", f)
		}
		if b, _ := f.Bool("basic"); b {
			basic[f.String("reader")] = f.String("reason")
		}
	}
	if basic["kernel-log"] != string(deniedHere()) {
		t.Errorf("basic looks that are missing: %v", basic)
	}
}

func factsOf(t *testing.T, items []Item) []ddx.Fact {
	t.Helper()
	facts, _, err := Facts(Take{Items: items})
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

// Parts of one crash are put together in the order in which they were printed.
func TestPstore(t *testing.T) {
	take := live(t, recorded(map[string]string{
		"sys/fs/pstore/dmesg-efi-1": "Panic#1 Part1\n<0>[    3.000000] third\n",
		"sys/fs/pstore/dmesg-efi-2": "Panic#1 Part3\n<0>[    1.000000] first\n",
		"sys/fs/pstore/dmesg-efi-3": "Panic#1 Part2\n<0>[    2.000000] second\n",
		"sys/fs/pstore/dmesg-efi-4": "Oops#2 Part1\n<0>[    9.000000] other\n",
	}, nil, nil))
	var texts []string
	for _, it := range take.Items {
		if strings.HasPrefix(it.Origin, "/sys/fs/pstore/") {
			texts = append(texts, string(it.Data))
		}
	}
	if len(texts) != 2 || !(strings.Index(texts[0], "first") < strings.Index(texts[0], "second") && strings.Index(texts[0], "second") < strings.Index(texts[0], "third")) {
		t.Errorf("%q", texts)
	}
}

// TestDeflatedPstore: parts that the kernel left compressed are read by live
// and recorded looks alike, a bomb and damage are told.
func TestDeflatedPstore(t *testing.T) {
	const text = "Panic#1 Part2\n<0>[    1.000000] first\n"
	pack := func(plain string, open func(io.Writer) io.WriteCloser) string {
		var b bytes.Buffer
		w := open(&b)
		_, err := io.WriteString(w, plain)
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	raw := func(w io.Writer) io.WriteCloser {
		f, err := flate.NewWriter(w, 9)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	zl := func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }
	long := text + strings.Repeat("<0>[    1.000000] and so on\n", 400)
	for _, c := range []struct{ name, file, want, absent string }{
		{"zlib", pack(text, zl), text, ""},
		{"deflate", pack(text, raw), text, ""},
		{"with what the backend put behind it", pack(text, raw) + "\n0 Corrected bytes, 0 unrecoverable blocks\n", text, ""},
		{"cut", pack(long, raw)[:60], "Panic#1 Part2\n<0>[    1.000000] first\n", ""},
		{"bomb", pack(text+strings.Repeat("0", 64<<20), zl), "", "no part of a crash is that long"},
		{"no crash", pack("some other text\n", zl), "", "neither zlib nor deflate"},
		{"noise", "\xf0\x13noise that nobody compressed", "", "neither zlib nor deflate"},
	} {
		const name = "dmesg-efi-17.enc.z"
		dir := t.TempDir()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		recordedTakes, err := OpenFiles(context.Background(), []string{file}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for where, items := range map[string][]Item{
			"live":     live(t, recorded(map[string]string{"sys/fs/pstore/" + name: c.file}, nil, nil)).Items,
			"recorded": recordedTakes[0].Items,
		} {
			i := slices.IndexFunc(items, func(it Item) bool { return strings.HasSuffix(it.Origin, name) })
			if i < 0 {
				t.Errorf("%s, %s: no item", c.name, where)
				continue
			}
			if it := items[i]; !strings.HasPrefix(string(it.Data), c.want) || c.absent == "" && it.Absent != "" || !strings.Contains(it.Detail, c.absent) {
				t.Errorf("%s, %s: %q, absent %q: %s", c.name, where, it.Data[:min(len(it.Data), 200)], it.Absent, it.Detail)
			}
		}
		recordedTakes[0].Close()
	}
}

// cutFS holds a log that is cut as soon as it has been opened. Looks run side
// by side, so the files themselves never change.
type cutFS struct {
	before, after fs.FS
	cut           *atomic.Bool
}

func (c cutFS) now() fs.FS {
	if c.cut.Load() {
		return c.after
	}
	return c.before
}

func (c cutFS) Stat(name string) (fs.FileInfo, error) { return fs.Stat(c.now(), name) }

func (c cutFS) Open(name string) (fs.File, error) {
	f, err := c.now().Open(name)
	if err == nil && name == "var/log/messages" {
		c.cut.Store(true)
	}
	return f, err
}

func TestCutLog(t *testing.T) {
	h := recorded(map[string]string{"var/log/messages": "Mar 14 01:57:54 h kernel: a\nMar 14 01:57:54 h kernel: b\n"}, nil, nil)
	after := maps.Clone(h.FS.(fstest.MapFS))
	after["var/log/messages"] = &fstest.MapFile{Data: []byte("x\n"), Mode: 0o644}
	h.FS = cutFS{h.FS, after, new(atomic.Bool)}
	take := live(t, h)
	for _, it := range take.Items {
		if it.Origin == "/var/log/messages" {
			if it.Bound != "unknown" || !strings.Contains(string(it.Data), "kernel: b") {
				t.Errorf("%+v", it)
			}
			return
		}
	}
	t.Error(errors.New("the log was not read"), list(take.Items))
}

// This machine can be looked at, whatever it has, and every fact is declared.
func TestLiveThisHost(t *testing.T) {
	start := time.Now()
	take, err := Live(context.Background(), Options{Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer take.Close()
	took := time.Since(start)
	facts, logs, err := Facts(take)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, f := range facts {
		kinds[f.Kind]++
		if err := f.Check(); err != nil {
			t.Error(err)
		}
		if f.Kind == "unavailable" {
			t.Logf("unavailable: %s: %s: %.150s", f.String("what"), f.String("reason"), f.String("detail"))
		}
	}
	for i := range logs {
		n, bound := logs[i].Loss()
		t.Logf("log %s: %d bytes, lost %d (%s)", logs[i].Origin, logs[i].Size, n, bound)
	}
	t.Logf("%v for %d items, then %v for %d facts: %v", took, len(take.Items), time.Since(start)-took, len(facts), kinds)
}

// A year-less time is in the zone of the host that wrote it.
func TestTimeZone(t *testing.T) {
	zone, err := os.ReadFile("/usr/share/zoneinfo/America/New_York")
	if err != nil {
		t.Skipf("needs tzdata: %v", err)
	}
	take := live(t, recorded(map[string]string{"etc/localtime": string(zone), "var/log/messages": "Mar 14 01:57:54 h kernel: x\n"}, nil, nil))
	_, logs, err := Facts(take)
	if err != nil || len(logs) != 1 {
		t.Fatalf("%d logs, %v", len(logs), err)
	}
	if l := logline.Parse(logs[0].Data, logs[0].Hint); !l.Time.Equal(time.Date(2024, 3, 14, 5, 57, 54, 0, time.UTC)) {
		t.Errorf("time %v", l.Time)
	}
}

// Two sources of one counter are two measurements; what both say is said once.
func TestSamplesOfTwoSources(t *testing.T) {
	at := func(sample int, origin string, value int64) Item {
		return Item{Origin: origin, Name: origin, Sample: sample, Reader: "ethtool-statistics", Time: today.Add(time.Duration(sample) * time.Second),
			Data: fmt.Appendf(nil, "NIC statistics:\n     tx_timeout: %d\n", value)}
	}
	var got []string
	for _, f := range factsOf(t, []Item{at(0, "a", 1), at(1, "a", 3), at(0, "b", 2), at(1, "b", 3), at(1, "c", 3)}) {
		got = append(got, itemOrigin(&f)+" "+f.String("value")+" +"+f.String("delta"))
	}
	if want := []string{"a 3 +2", "b 3 +1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A log that was rotated within the day is read with what it replaced.
func TestRotatedLog(t *testing.T) {
	h := recorded(map[string]string{"var/log/syslog": "Mar 15 11:00:00 h kernel: new\n", "var/log/syslog.1": "Mar 15 10:00:00 h kernel: old\n", "var/log/syslog.2": "Mar 14 01:00:00 h kernel: older\n", "var/log/syslog.3.gz": "x"}, nil, nil)
	root := h.FS.(fstest.MapFS)
	root["var/log/syslog.1"].ModTime, root["var/log/syslog.2"].ModTime = today.Add(-time.Hour), today.Add(-25*time.Hour)
	var got []string
	for _, it := range live(t, h).Items {
		if strings.HasPrefix(it.Origin, "/var/log/syslog") {
			got = append(got, it.Name)
		}
	}
	if !slices.Equal(got, []string{"syslog.1", "syslog"}) {
		t.Errorf("read %q", got)
	}
}
