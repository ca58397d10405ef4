package source

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"ddx"
)

// hangs is the deadline of what never answers: long enough that what does
// answer is not cut off on a busy machine.
const hangs = 2 * time.Second

// A file that never answers costs its deadline and nothing else. A FIFO without
// a writer blocks in open, as a file on a dead mount does.
func TestBlockingFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skipf("needs a file system with FIFOs: %v", err)
	}
	before := write(t, dir, "before", []byte("one"))
	after := write(t, dir, "after", []byte("two"))
	got := map[string]Output{}
	ThisHost().ReadFiles(context.Background(), []string{before, fifo, after, filepath.Join(dir, "none")}, hangs, func(p string, o Output) { got[filepath.Base(p)] = o })
	if string(got["before"].Data) != "one" || string(got["after"].Data) != "two" || got["fifo"].Absent != ddx.TimedOut || got["none"].Absent != ddx.NotThere {
		t.Errorf("%+v", got)
	}
}

// What a file gave before it blocked is kept.
func TestPartOfBlockingFile(t *testing.T) {
	t.Parallel()
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
	ThisHost().ReadFiles(context.Background(), []string{fifo}, hangs, func(_ string, o Output) {
		if string(o.Data) != "first part" || o.Absent != ddx.TimedOut {
			t.Errorf("%+v", o)
		}
	})
}

// A tool that stops, or leaves a child behind that holds its output, ends at its deadline.
func TestStuckTool(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"stopped":       "echo before; kill -STOP $$; echo after",
		"child remains": "echo before; sleep 1000 & exec sleep 1000",
		"closed output": "echo before; exec >&- 2>&-; sleep 1000",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), hangs)
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
		"echo 'x: Operation not permitted' >&2; exit 1":                           deniedHere(),
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
