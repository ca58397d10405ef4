package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	asked := map[string]int{}
	clock := today
	h := &Host{FS: root, Kmsg: ring, Now: func() time.Time { return clock }}
	h.Run = func(_ context.Context, argv []string) Output {
		line := strings.Join(argv, " ")
		answers := commands[line]
		if len(answers) == 0 {
			return Output{Absent: ddx.NotThere, Detail: argv[0] + ": not installed"}
		}
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
		t.Errorf("a cut bundle does not say so:\n%s", list(cut[0].Items))
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
	if basic["kernel-log"] != "needs-root" {
		t.Errorf("basic looks that are missing: %v", basic)
	}
}

// A file that never answers costs its deadline and nothing else. A FIFO without
// a writer blocks in open, as a file on a dead mount does.
func TestBlockingFile(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skipf("needs a file system with FIFOs: %v", err)
	}
	before := write(t, dir, "before", []byte("one"))
	after := write(t, dir, "after", []byte("two"))
	got := map[string]Output{}
	ThisHost().ReadFiles(context.Background(), []string{before, fifo, after, filepath.Join(dir, "none")}, 300*time.Millisecond, func(p string, o Output) { got[filepath.Base(p)] = o })
	if string(got["before"].Data) != "one" || string(got["after"].Data) != "two" || got["fifo"].Absent != ddx.TimedOut || got["none"].Absent != ddx.NotThere {
		t.Errorf("%+v", got)
	}
}

// What a file gave before it blocked is kept.
func TestPartOfBlockingFile(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skipf("needs a file system with FIFOs: %v", err)
	}
	w, err := os.OpenFile(fifo, os.O_RDWR, 0) // both ends: does not block, and keeps the FIFO open
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.WriteString("first part"); err != nil {
		t.Fatal(err)
	}
	ThisHost().ReadFiles(context.Background(), []string{fifo}, 300*time.Millisecond, func(_ string, o Output) {
		if string(o.Data) != "first part" || o.Absent != ddx.TimedOut {
			t.Errorf("%+v", o)
		}
	})
}

// A tool that stops, or leaves a child behind that holds its output, ends at its deadline.
func TestStuckTool(t *testing.T) {
	for name, script := range map[string]string{
		"stopped":       "echo before; kill -STOP $$; echo after",
		"child remains": "echo before; sleep 1000 & exec sleep 1000",
		"closed output": "echo before; exec >&- 2>&-; sleep 1000",
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
			defer cancel()
			o := ThisHost().Run(ctx, []string{"sh", "-c", script})
			if o.Absent != ddx.TimedOut || string(o.Data) != "before\n" {
				t.Errorf("%+v", o)
			}
		})
	}
}

func TestOutcomes(t *testing.T) {
	run := func(script string) Output {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return ThisHost().Run(ctx, []string{"sh", "-c", script})
	}
	for script, want := range map[string]ddx.Absence{
		"echo x; exit 1": "",
		"true":           "",
		"echo 'x: Operation not permitted' >&2; exit 1":                           ddx.NeedsRoot,
		"echo 'x: unrecognized option -j' >&2; exit 1":                            ddx.TooOld,
		"echo 'Cannot get: No such device' >&2; exit 1":                           ddx.NotThere,
		"echo 'something else' >&2; exit 1":                                       ddx.NotReadable,
		"printf '%s' \"$(head -c 200000 /dev/zero | tr '\\0' x)\" >&2; echo done": "",
	} {
		if o := run(script); o.Absent != want {
			t.Errorf("%s: %q %s, want %q", script, o.Absent, o.Detail, want)
		}
	}
	if o := ThisHost().Run(context.Background(), []string{"ddx-no-such-tool"}); o.Absent != ddx.NotThere {
		t.Errorf("a tool that is not installed: %+v", o)
	}
}

func TestStatfs(t *testing.T) {
	dir := t.TempDir()
	h := ThisHost()
	l := &looking{ctx: context.Background(), o: &Options{}, h: h, spool: &spool{}}
	h.FS = fstest.MapFS{"proc/self/mounts": {Data: []byte("/dev/x " + dir + " ext4 rw 0 0\nnone " + dir + "/none nfs rw 0 0\n")}}
	items := l.checkMounts()
	got := map[string]string{}
	for _, f := range factsOf(t, items) {
		if f.Kind == "mount.check" {
			got[f.Subject.Name] = f.String("result")
		} else if size, _ := f.Int("size"); f.Kind != "fs" || size <= 0 || f.String("fstype") != "ext4" {
			t.Errorf("%+v", f)
		}
	}
	if got[dir] != "ok" || got[dir+"/none"] != "error" {
		t.Errorf("results %v", got)
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

// cutFile is a log that is cut while it is read.
type cutFS struct{ fstest.MapFS }

func (c cutFS) Open(name string) (fs.File, error) {
	f, err := c.MapFS.Open(name)
	if err == nil && name == "var/log/messages" {
		c.MapFS[name] = &fstest.MapFile{Data: []byte("x\n"), Mode: 0o644}
	}
	return f, err
}

func TestCutLog(t *testing.T) {
	h := recorded(map[string]string{"var/log/messages": "Mar 14 01:57:54 h kernel: a\nMar 14 01:57:54 h kernel: b\n"}, nil, nil)
	h.FS = cutFS{h.FS.(fstest.MapFS)}
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
