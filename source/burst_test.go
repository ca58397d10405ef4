package source

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"ddx"
	"ddx/logline"
)

const burst = 1_000_000

// numbered gives n lines as a stream, each with its number.
func numbered(n int, format func(b []byte, i int) []byte) io.Reader {
	return &generator{n: n, format: format}
}

type generator struct {
	i, n   int
	format func([]byte, int) []byte
	buf    []byte
	left   []byte
}

func (g *generator) Read(p []byte) (int, error) {
	for len(g.left) == 0 {
		if g.i == g.n {
			return 0, io.EOF
		}
		g.buf = g.format(g.buf[:0], g.i)
		g.left = g.buf
		g.i++
	}
	n := copy(p, g.left)
	g.left = g.left[n:]
	return n, nil
}

func syslogLine(b []byte, i int) []byte {
	b = append(b, "Mar 14 01:57:54 ip-10-0-0-1 kernel: burst line "...)
	return append(strconv.AppendInt(b, int64(i), 10), '\n')
}

func exportRecord(b []byte, i int) []byte {
	b = append(b, "__CURSOR=x\n__REALTIME_TIMESTAMP=1710381474000000\n__MONOTONIC_TIMESTAMP=3000000\n_TRANSPORT=syslog\nSYSLOG_IDENTIFIER=x\n_PID=7\n_HOSTNAME=h\nMESSAGE=burst line "...)
	return append(strconv.AppendInt(b, int64(i), 10), "\n\n"...)
}

// account reads the log of a take and checks that its numbered lines are whole
// and in order; it returns how many there are, and what the log says is lost.
func account(t *testing.T, take Take, reader, mark string) (lines, lost int64, bound string) {
	t.Helper()
	_, logs, err := Facts(take)
	if err != nil {
		t.Fatal(err)
	}
	for i := range logs {
		if logs[i].Reader != reader {
			continue
		}
		r, err := logs[i].Open()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		last := -1
		sc := bufio.NewScanner(r)
		for sc.Scan() {
			at := bytes.LastIndexByte(sc.Bytes(), ' ')
			if at < 0 || !bytes.HasSuffix(sc.Bytes()[:at], []byte(mark)) {
				continue // of the machine, in the real ring buffer
			}
			n, err := strconv.Atoi(string(sc.Bytes()[at+1:]))
			if err != nil || n <= last {
				t.Fatalf("line %q after number %d", sc.Bytes(), last)
			}
			last = n
			lines++
		}
		if sc.Err() != nil {
			t.Fatal(sc.Err())
		}
		lost, bound = logs[i].Loss()
		return lines, lost, bound
	}
	t.Fatalf("no log of %s among %d", reader, len(logs))
	return 0, 0, ""
}

func TestBurst(t *testing.T) {
	check := func(t *testing.T, take Take, reader string, wantLost int64) {
		t.Helper()
		lines, lost, bound := account(t, take, reader, "burst line")
		if lines+lost != burst || lost != wantLost || bound != "exact" {
			t.Errorf("%d lines read and %d lost (%s) of %d, want %d lost", lines, lost, bound, burst, wantLost)
		}
	}
	t.Run("file", func(t *testing.T) {
		p := filepath.Join(t.TempDir(), "messages")
		f, err := os.Create(p)
		if err != nil {
			t.Fatal(err)
		}
		w := bufio.NewWriter(f)
		if _, err := io.Copy(w, numbered(burst, syslogLine)); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		f.Close()
		check(t, open(t, clock, p)[0], "kernel-log", 0)
	})
	t.Run("pipe", func(t *testing.T) {
		o := clock
		o.Stdin = numbered(burst, syslogLine)
		check(t, open(t, o, "-")[0], "kernel-log", 0)
	})
	t.Run("ring buffer", func(t *testing.T) {
		// Every thousandth read finds that 10 records were overwritten.
		seq, reads := 0, 0
		h := recorded(nil, nil, func() (io.ReadCloser, error) {
			return io.NopCloser(readerFunc(func(p []byte) (int, error) {
				if reads++; reads%1000 == 0 {
					seq += 10
					return 0, syscall.EPIPE
				}
				if seq >= burst {
					return 0, syscall.EAGAIN
				}
				b := fmt.Appendf(p[:0], "4,%d,%d,-;burst line %d\n", seq, seq, seq)
				seq++
				return len(b), nil
			})), nil
		})
		take := live(t, h)
		lines, lost, bound := account(t, take, "kernel-log", "burst line")
		// What was overwritten after the last record that was read shows only in the next record.
		if lines+lost < burst-10 || lines+lost > burst || lost < 9000 || bound != "exact" {
			t.Errorf("%d lines and %d lost (%s)", lines, lost, bound)
		}
	})
	t.Run("journal", func(t *testing.T) {
		h := recorded(nil, nil, nil)
		h.Stream = func(_ context.Context, _ []string, w io.Writer) Output {
			if _, err := io.Copy(w, numbered(burst, exportRecord)); err != nil {
				return Output{Absent: ddx.NotReadable, Detail: err.Error()}
			}
			return Output{Data: []byte{}}
		}
		check(t, live(t, h), "journal", 0)
	})
	t.Run("syslog file of a live host", func(t *testing.T) {
		dir := t.TempDir()
		var text bytes.Buffer
		if _, err := io.Copy(&text, numbered(burst, syslogLine)); err != nil {
			t.Fatal(err)
		}
		write(t, dir, "var/log/messages", text.Bytes())
		check(t, live(t, &Host{FS: os.DirFS(dir)}), "log", 0)
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A journal beyond the limit ends with an item that says so.
func TestJournalLimit(t *testing.T) {
	h := recorded(nil, nil, nil)
	h.Stream = func(_ context.Context, _ []string, w io.Writer) Output {
		if _, err := io.Copy(w, numbered(burst, exportRecord)); err != nil {
			return Output{Absent: ddx.NotReadable, Detail: err.Error()}
		}
		return Output{Data: []byte{}}
	}
	take, err := Live(context.Background(), Options{Host: h, MaxLog: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer take.Close()
	lines, _, bound := account(t, take, "journal", "burst line")
	if lines < 1000 || bound != "unknown" {
		t.Errorf("%d lines, bound %s", lines, bound)
	}
	for _, f := range factsOf(t, take.Items) {
		if f.Kind == "unavailable" && f.String("what") == "journalctl" && f.String("reason") == "not-asked" {
			return
		}
	}
	t.Error("nothing says that the journal was not read to its end")
}

// The ring buffer of this machine: what is written comes back, or its number does.
func TestRealRingBuffer(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: writes to /dev/kmsg")
	}
	const limit = "/proc/sys/kernel/printk_devkmsg"
	before, err := os.ReadFile(limit)
	if err != nil {
		t.Skipf("needs a kernel with %s: %v", limit, err)
	}
	if err := os.WriteFile(limit, []byte("on\n"), 0); err != nil && strings.TrimSpace(string(before)) != "on" {
		t.Skipf("needs to lift the rate limit of /dev/kmsg: %v", err)
	}
	defer os.WriteFile(limit, before, 0)
	w, err := os.OpenFile("/dev/kmsg", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("needs a /dev/kmsg that can be written: %v", err)
	}
	defer w.Close()
	const n = 2000
	mark := fmt.Sprintf("run %d.%d", os.Getpid(), time.Now().UnixNano())
	for i := range n {
		// Without its line end the kernel keeps a record open for a continuation, and shows it to nobody.
		if _, err := fmt.Fprintf(w, "<14>ddx: burst line of %s %d\n", mark, i); err != nil {
			t.Fatal(err)
		}
	}
	h := &Host{FS: fstest.MapFS{}, Kmsg: openKmsg}
	take := live(t, h)
	lines, lost, bound := account(t, take, "kernel-log", mark)
	if bound != "exact" || lines < n && lost < n-lines {
		t.Errorf("%d of %d lines, %d lost (%s)", lines, n, lost, bound)
	}
	_, logs, _ := Facts(take)
	for line := range bytes.Lines(logs[0].Data) {
		if l := logline.Parse(line, logline.Hint{}); bytes.Contains(line, []byte("burst line")) && l.Channel != logline.Service {
			t.Fatalf("a line of facility user counts as the kernel's: %q", line)
		}
	}
}
