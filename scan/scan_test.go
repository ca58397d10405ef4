package scan

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"regexp"
	"testing"
	"testing/iotest"
)

// A found is a Line that outlives the visit.
type found struct {
	Number, Offset, Truncated int64
	Text, Patterns            string
	Word                      int
}

func keep(l Line) found {
	return found{l.Number, l.Offset, l.Truncated, string(l.Text), fmt.Sprint(l.Patterns), l.Word}
}

func noFollow(found) int { return 0 }

// naive is the definition of the answer: every expression and every word on
// every line.
func naive(exprs, words []string, text []byte, follow func(found) int) (lines []found, stats Stats) {
	var res []*regexp.Regexp
	for _, e := range exprs {
		res = append(res, regexp.MustCompile(e))
	}
	stats.Counts = make([]int64, len(exprs))
	stats.Bytes = int64(len(text))
	wanted := 0
	for offset := 0; offset < len(text); {
		raw, _, ended := bytes.Cut(text[offset:], []byte("\n"))
		l := Line{Number: stats.Lines + 1, Offset: int64(offset), Text: raw, Word: -1}
		if len(raw) > MaxLine {
			l.Text, l.Truncated = raw[:MaxLine], int64(len(raw)-MaxLine)
		} else {
			l.Text = bytes.TrimSuffix(raw, []byte("\r"))
		}
		for i, re := range res {
			if re.Match(l.Text) {
				l.Patterns = append(l.Patterns, i)
				stats.Counts[i]++
			}
		}
		if l.Patterns == nil {
			l.Word = firstWord(words, l.Text)
		}
		if l.Patterns != nil || l.Word >= 0 || wanted > 0 {
			wanted = max(wanted-1, 0)
			f := keep(l)
			lines = append(lines, f)
			wanted = max(wanted, follow(f))
		}
		if stats.Lines == 0 {
			stats.FirstLine = l.Text
		}
		stats.LastLine = l.Text
		stats.Lines++
		stats.Truncated += l.Truncated
		offset += len(raw)
		if ended {
			offset++
		}
	}
	return lines, stats
}

func firstWord(words []string, text []byte) int {
	for i := range text {
		for w, word := range words {
			if len(text)-i >= len(word) && equalFolded(text[i:i+len(word)], word) {
				return w
			}
		}
	}
	return -1
}

func scanAll(t testing.TB, s *Set, r io.Reader, follow func(found) int) ([]found, Stats) {
	t.Helper()
	var lines []found
	stats, err := s.Scan(r, 1, func(l Line) int {
		f := keep(l)
		lines = append(lines, f)
		return follow(f)
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines, stats
}

// same compares what must not depend on how the text was read.
func same(t testing.TB, what string, lines, wantLines []found, stats, want Stats) {
	t.Helper()
	for i := range max(len(lines), len(wantLines)) {
		if i >= len(lines) || i >= len(wantLines) || lines[i] != wantLines[i] {
			a, b := "nothing", "nothing"
			if i < len(lines) {
				a = clip(lines[i])
			}
			if i < len(wantLines) {
				b = clip(wantLines[i])
			}
			t.Fatalf("%s: delivery %d of %d:\n got %s\nwant %s (of %d)", what, i, len(lines), a, b, len(wantLines))
		}
	}
	if !bytes.Equal(stats.FirstLine, want.FirstLine) || !bytes.Equal(stats.LastLine, want.LastLine) {
		t.Fatalf("%s: first and last line %.80q, %.80q, want %.80q, %.80q", what,
			stats.FirstLine, stats.LastLine, want.FirstLine, want.LastLine)
	}
	stats.Candidates, stats.Verified, want.Candidates, want.Verified = 0, 0, 0, 0
	stats.FirstLine, stats.LastLine, want.FirstLine, want.LastLine = nil, nil, nil, nil
	if !reflect.DeepEqual(stats, want) {
		t.Fatalf("%s: stats\n got %+v\nwant %+v", what, stats, want)
	}
}

func clip(f found) string {
	if len(f.Text) > 200 {
		f.Text = f.Text[:200] + "..."
	}
	return fmt.Sprintf("%+v", f)
}

// Expressions as a catalogue has them, and some that are hard to filter for.
var someExprs = []string{
	`Keep alive watchdog timeout, (\d+) msecs since last keep alive\.`,
	`blocked for more than (\d+) seconds`,
	`(?:nf_|ip_)conntrack: table full`,
	`I/O error, dev (\S+), sector (\d+)`,
	`Oops: `,
	`EDAC MC\d+`,
	`out of memory`,
	`XFS \([^)]+\): .* Shutting down filesystem`,
	`(?i)kernel task\b`,
	`(?i)disk|desk`,
	`[Ff]ailed to (?:start|stop) unit`,
	`MCE`,
	`^nfs: server \S+ not responding, (?:still trying|timed out)$`,
	`tx_?timeouts?`,
	`x{3}yz`,
	`(ab|cd)(12|34)+ends`,
	`é:ü\s`,
	"\r{4}",
	`link is (?-i:not ready)|LINK DOWN`,
}

var someWords = []string{"error", "fail", "timed out", "warn", "bug:", "fatal", "failed", "rror"}

// Fragments meet the expressions, nearly meet them, or meet the borders.
var fragments = []string{
	"Keep alive watchdog timeout, 42 msecs since last keep alive.", "Keep alive watchdog timeout, x msecs",
	"INFO: task x blocked for more than 120 seconds.", "blocked for more than", "nf_conntrack: table full",
	"ip_conntrack: table full", "conntrack: table full", "I/O error, dev sda, sector 77", "Oops: ", "Oops:",
	"EDAC MC0", "EDAC MC", "Out of memory", "out of memory", "XFS (dm-0): x Shutting down filesystem",
	"Kernel TASK", "\u212aernel ta\u017f\u212a", "kernel tasks", "DISK", "de\u017fk", "d\u0131sk", "Failed to start unit",
	"failed to stop unit", "FAILED TO stop unit", "MCE", "MC", "E", "nfs: server a not responding, timed out",
	"nfs: server a not responding, still trying", "tx_timeout", "txtimeouts", "xxxxyz", "xxyz", "ab1234ends", "cd12",
	"é:ü ", "é:ü", "link is not ready", "LINK is not ready", "LINK DOWN", "Error", "eRRor", "erro", "fAIl", "FAILed", "timed  out",
	"Timed Out", "warn", "BUG:", "bug", "fatal", "\n", "\n", "\n", "\n\n", "\r\n", "\r", "\r\r\r\r", "\x00", "\xff", "\xe2\x84", "\xc3", " ",
	"a", "ab", "abc", "the quick brown fox ", "Mar 03 04:05:06 host kernel: ", "[12345.678]",
}

func randomText(r *rand.Rand, n int) []byte {
	var b []byte
	for range r.IntN(n + 1) {
		f := fragments[r.IntN(len(fragments))]
		if r.IntN(8) == 0 && len(f) > 0 {
			f = f[r.IntN(len(f)):]
		}
		b = append(b, f...)
	}
	return b
}

// pick returns some of list, at least one unless list is empty.
func pick(r *rand.Rand, list []string) []string {
	out := []string{}
	for _, i := range r.Perm(len(list))[:1+r.IntN(len(list))] {
		out = append(out, list[i])
	}
	return out
}

// chopReader returns reads of random sizes, also empty ones.
type chopReader struct {
	r   io.Reader
	rnd *rand.Rand
	max int
}

func (c chopReader) Read(p []byte) (int, error) {
	return c.r.Read(p[:min(len(p), c.rnd.IntN(c.max+1))])
}

func TestScanIsNaive(t *testing.T) {
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 1))
		exprs, words := pick(r, someExprs), []string(nil)
		if r.IntN(2) == 0 {
			words = pick(r, someWords)
		}
		text := randomText(r, 200)
		s, err := Compile(exprs, Words(words))
		if err != nil {
			t.Fatal(err)
		}
		follow := noFollow
		if r.IntN(2) == 0 {
			follow = someFollow
		}
		wantLines, want := naive(exprs, words, text, follow)
		for name, rd := range map[string]io.Reader{
			"whole":  bytes.NewReader(text),
			"bytes":  iotest.OneByteReader(bytes.NewReader(text)),
			"chops":  chopReader{bytes.NewReader(text), r, 1 + r.IntN(60)},
			"eof":    iotest.DataErrReader(bytes.NewReader(text)),
			"halves": iotest.HalfReader(bytes.NewReader(text)),
		} {
			lines, stats := scanAll(t, s, rd, follow)
			same(t, fmt.Sprintf("seed %d %s %q words %q", seed, name, exprs, words), lines, wantLines, stats, want)
		}
	}
}

// someFollow asks now and then for a few lines.
func someFollow(f found) int { return int(f.Number*2654435761>>3) % 5 % 3 }

// The plan is made anew in the course of a long text.
func TestLongTextIsNaive(t *testing.T) {
	exprs, words := append(benchPatterns(40), `(?i)SYN flooding`, `MC1`), benchWords[:6]
	for _, opts := range [][]string{nil, words} {
		var b bytes.Buffer
		if err := writeLog(&b, 3<<20, 7, busyLog); err != nil {
			t.Fatal(err)
		}
		s, err := Compile(exprs, Words(opts))
		if err != nil {
			t.Fatal(err)
		}
		s.fitFrom = 1 << 20
		wantLines, want := naive(exprs, opts, b.Bytes(), someFollow)
		lines, stats := scanAll(t, s, chopReader{bytes.NewReader(b.Bytes()), rand.New(rand.NewPCG(1, 1)), 300 << 10}, someFollow)
		same(t, fmt.Sprint("long text, words ", opts), lines, wantLines, stats, want)
		lines, stats = scanParallel(t, s, bytes.NewReader(b.Bytes()), 3, 1<<20, someFollow)
		same(t, fmt.Sprint("long text with workers, words ", opts), lines, wantLines, stats, want)
	}
}

func scanParallel(t testing.TB, s *Set, r io.Reader, workers int, from int64, follow func(found) int) ([]found, Stats) {
	t.Helper()
	var lines []found
	stats, err := s.scan(r, workers, from, func(l Line) int {
		f := keep(l)
		lines = append(lines, f)
		return follow(f)
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines, stats
}

// Workers give the answer of one goroutine wherever blocks end and from
// wherever on they work.
func TestParallelIsScan(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 3))
		exprs, words := pick(r, someExprs), pick(r, someWords)
		text := randomText(r, 30)
		s, err := Compile(exprs, Words(words))
		if err != nil {
			t.Fatal(err)
		}
		wantLines, want := naive(exprs, words, text, someFollow)
		for size := 1; size <= min(len(text)+1, 400); size++ {
			lines, stats := scanParallel(t, s, chopReader{bytes.NewReader(text), r, size}, 2+size%3, int64(size%7*10), someFollow)
			same(t, fmt.Sprintf("seed %d reads of up to %d of %d", seed, size, len(text)), lines, wantLines, stats, want)
		}
	}
}

// FuzzScan demands the naive answer of every expression that compiles, on any
// text, whole, in pieces and with workers.
func FuzzScan(f *testing.F) {
	for i, e := range someExprs {
		f.Add(e, someWords[i%len(someWords)], []byte(fragments[i%len(fragments)]+"\n"+fragments[i]+"\r\n"+fragments[i*2]), uint16(i))
	}
	f.Add("[\\x{fffd}abc]xyz|\ufffdabc", "fail", []byte("\xffabc\nbxyz"), uint16(3))
	f.Add("(?i)s{2}kelvin", "warn", []byte("\u017fs\u212aelvin\x00"), uint16(2))
	f.Fuzz(func(t *testing.T, expr, word string, text []byte, cut uint16) {
		if len(expr) > 200 || len(text) > 1<<16 {
			t.Skip("too long to be worth it")
		}
		words := []string{word}
		s, err := Compile([]string{expr, "beginning"}, Words(words))
		if err != nil {
			words = nil
			if s, err = Compile([]string{expr, "beginning"}); err != nil {
				t.Skip("not an expression for a Set")
			}
		}
		exprs := []string{expr, "beginning"}
		wantLines, want := naive(exprs, words, text, someFollow)
		lines, stats := scanAll(t, s, bytes.NewReader(text), someFollow)
		same(t, "whole", lines, wantLines, stats, want)
		r := rand.New(rand.NewPCG(uint64(cut), 5))
		lines, stats = scanAll(t, s, chopReader{bytes.NewReader(text), r, 1 + int(cut)%100}, someFollow)
		same(t, "pieces", lines, wantLines, stats, want)
		lines, stats = scanParallel(t, s, chopReader{bytes.NewReader(text), r, 1 + int(cut)%5000}, 2, int64(cut)%100, someFollow)
		same(t, "with workers", lines, wantLines, stats, want)
	})
}
