package scan

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func mustCompile(t testing.TB, exprs []string, opts ...Option) *Set {
	t.Helper()
	s, err := Compile(exprs, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLines(t *testing.T) {
	s := mustCompile(t, []string{`hit$`, `^hit (\d+)`, `h.t me`}, Words([]string{"warn", "warning", "fail"}))
	for _, c := range []struct {
		name, text string
		want       []string // number@offset "text" patterns word
		lines      int64
		first      string
		last       string
	}{
		{"empty", "", nil, 0, "", ""},
		{"newline only", "\n", nil, 1, "", ""},
		{"no final newline", "a\nhit", []string{`2@2 "hit" [0] -1`}, 2, "a", "hit"},
		{"final newline", "hit\n", []string{`1@0 "hit" [0] -1`}, 1, "hit", "hit"},
		{"carriage return", "a\r\nhit\r\nb\r\n", []string{`2@3 "hit" [0] -1`}, 3, "a", "b"},
		{"carriage return at the end", "hit\r", []string{`1@0 "hit" [0] -1`}, 1, "hit", "hit"},
		{"two carriage returns", "hit\r\r\n", nil, 1, "hit\r", "hit\r"},
		{"empty lines", "\n\nhit\n\n", []string{`3@2 "hit" [0] -1`}, 4, "", ""},
		{"NUL and invalid UTF-8", "\x00\xffhit\n\xc3", []string{`1@0 "\x00\xffhit" [0] -1`}, 2, "\x00\xffhit", "\xc3"},
		{"several expressions", "hit 1 hit me hit\n", []string{`1@0 "hit 1 hit me hit" [0 1 2] -1`}, 1, "hit 1 hit me hit", "hit 1 hit me hit"},
		{"leftmost word", "to FAIL with a Warning\nWARNING of fail\n",
			[]string{`1@0 "to FAIL with a Warning" [] 2`, `2@23 "WARNING of fail" [] 0`}, 2, "to FAIL with a Warning", "WARNING of fail"},
		{"expression before word", "fail hit\n", []string{`1@0 "fail hit" [0] -1`}, 1, "fail hit", "fail hit"},
		{"literal across lines", "hi\nt fa\nil\n", nil, 3, "hi", "il"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			stats, err := s.Scan(strings.NewReader(c.text), 1, func(l Line) int {
				got = append(got, fmt.Sprintf("%d@%d %q %v %d", l.Number, l.Offset, l.Text, l.Patterns, l.Word))
				return 0
			})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if stats.Lines != c.lines || stats.Bytes != int64(len(c.text)) ||
				string(stats.FirstLine) != c.first || string(stats.LastLine) != c.last {
				t.Errorf("stats %+v", stats)
			}
		})
	}
}

func TestFollow(t *testing.T) {
	s := mustCompile(t, []string{`begin (\d)`}, Words([]string{"fail"}))
	for _, c := range []struct{ text, want string }{
		{"begin 2\na\nb\nc\n", "1 2 3"},
		{"begin 0\na\nb\n", "1"},
		{"begin 9\na", "1 2"},
		// A larger number while following extends, a smaller one does not cut.
		{"begin 2\nbegin 3\nb\nc\nd\ne\n", "1 2 3 4 5"},
		{"begin 3\nbegin 1\nb\nc\nd\n", "1 2 3 4"},
		{"x\nbegin 1\n\nb\nfail\nc", "2 3 5w"},
		{"begin 1\nfail\n", "1 2w"},
	} {
		for name, r := range map[string]io.Reader{
			"whole": strings.NewReader(c.text), "bytes": iotest.OneByteReader(strings.NewReader(c.text)),
		} {
			var got []string
			_, err := s.Scan(r, 1, func(l Line) int {
				n := fmt.Sprint(l.Number)
				if l.Word >= 0 {
					n += "w"
				}
				got = append(got, n)
				if len(l.Patterns) > 0 {
					return int(l.Text[len("begin ")] - '0')
				}
				return 0
			})
			if err != nil {
				t.Fatal(err)
			}
			if g := strings.Join(got, " "); g != c.want {
				t.Errorf("%s %q: delivered %s, want %s", name, c.text, g, c.want)
			}
		}
	}
}

// With Candidates a line needs the literals of an expression only.
func TestCandidates(t *testing.T) {
	s := mustCompile(t, []string{`task \d+ blocked for`, `^panic$`}, Words([]string{"error"}), Candidates)
	lines, stats := scanAll(t, s, strings.NewReader("task 1 blocked for\ntask x blocked for an error\nx blocked for task \ntask 2\nerror\n"), noFollow)
	want := []found{
		{1, 0, 0, "task 1 blocked for", "[0]", -1},
		{2, 19, 0, "task x blocked for an error", "[0]", 0},
		{3, 47, 0, "x blocked for task ", "[0]", -1},
		{5, 74, 0, "error", "[]", 0},
	}
	if !slices.Equal(lines, want) || stats.Verified != 0 || stats.Counts[0] != 3 {
		t.Errorf("got %+v, want %+v; %+v", lines, want, stats)
	}
}

// What is behind MaxLine bytes of a line is counted and not looked at.
func TestOverLongLines(t *testing.T) {
	exprs, words := []string{"needle", "^begin", "xxxx"}, []string{"fail"}
	s := mustCompile(t, exprs, Words(words))
	x := func(n int) string { return strings.Repeat("x", n) }
	for name, text := range map[string]string{
		"as long as allowed":   x(MaxLine) + "\nneedle\n",
		"one more":             x(MaxLine+1) + "\nneedle\n",
		"carriage return fit":  x(MaxLine-1) + "\r\nneedle\n",
		"carriage return cut":  x(MaxLine) + "\r\nneedle\n",
		"needle fits":          x(MaxLine-6) + "needle" + x(500000) + "\nneedle",
		"needle is cut":        x(MaxLine-5) + "needle" + x(500000) + "\nneedle",
		"needle behind":        "begin" + x(2*MaxLine) + "needle\nfail\n",
		"word is cut":          strings.Repeat("y", MaxLine-3) + "fail\nfail\n",
		"without end":          "begin" + x(3*MaxLine),
		"in the middle":        "needle\n" + x(readSize*5+7) + "\nneedle\n" + x(9) + "\nbegin",
		"two":                  "begin" + x(2*MaxLine) + "\nbegin" + x(MaxLine) + "\nneedle",
		"carriage return last": "begin" + x(MaxLine-5) + "\r",
	} {
		wantLines, want := naive(exprs, words, []byte(text), noFollow)
		for how, r := range map[string]io.Reader{
			"whole": strings.NewReader(text), "eof": iotest.DataErrReader(strings.NewReader(text)),
			"halves": iotest.HalfReader(strings.NewReader(text)),
		} {
			lines, stats := scanAll(t, s, r, noFollow)
			same(t, name+", "+how, lines, wantLines, stats, want)
		}
		lines, stats := scanParallel(t, s, strings.NewReader(text), 2, 0, noFollow)
		same(t, name+" with workers", lines, wantLines, stats, want)
	}
}

// repeated is an endless line.
type repeated byte

func (r repeated) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r)
	}
	return len(p), nil
}

func TestMemoryIsBounded(t *testing.T) {
	s := mustCompile(t, []string{"xxxxx"}, Words([]string{"fail"}))
	in, e := newSplitter(s), newExaminer(s)
	const size = 200 << 20
	err := in.run(io.LimitReader(repeated('x'), size), func(b *block) *block {
		e.examine(b)
		if b.n != MaxLine || b.cut != size-MaxLine || b.lines != 1 {
			t.Errorf("block of %d bytes, %d more cut, %d lines", b.n, b.cut, b.lines)
		}
		return b
	})
	if err != nil || in.bytes != size {
		t.Errorf("%d bytes, %v", in.bytes, err)
	}
	if len(e.hits) > 1 {
		t.Errorf("%d hits of one needle in one line are kept", len(e.hits))
	}
	if most := MaxLine + readSize + slackSize; len(in.buf) > most {
		t.Errorf("buffer of %d bytes, want at most %d", len(in.buf), most)
	}
}

// The pipeline keeps a few blocks at a time, whatever the input.
func TestPipelineIsBounded(t *testing.T) {
	s := mustCompile(t, []string{"xxxxx"})
	const workers = 3
	seen := map[*block]bool{}
	p := newPipeline(s, workers, &delivery{})
	in := newSplitter(s)
	err := in.run(io.LimitReader(repeated('\n'), 64<<20), func(b *block) *block {
		seen[b] = true
		return p.put(b)
	})
	p.wait()
	if err != nil || in.bytes != 64<<20 {
		t.Errorf("%d bytes, %v", in.bytes, err)
	}
	if most := 8 * workers; len(seen) > most {
		t.Errorf("%d blocks, want at most %d", len(seen), most)
	}
}

var errDisk = errors.New("disk on fire")

func TestReadErrors(t *testing.T) {
	s := mustCompile(t, []string{"needle"})
	text := "needle 1\nneedle 2\nneedle 3"
	wantLines, want := naive([]string{"needle"}, nil, []byte(text), noFollow)
	var lines []found
	stats, err := s.Scan(io.MultiReader(strings.NewReader(text), iotest.ErrReader(errDisk)), 1, func(l Line) int {
		lines = append(lines, keep(l))
		return 0
	})
	if !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "byte 26") {
		t.Errorf("error %v", err)
	}
	same(t, "before the error", lines, wantLines, stats, want)

	if _, err = s.Scan(chopReader{strings.NewReader(text), rand.New(rand.NewPCG(1, 1)), 0}, 1, nil); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("reader that returns nothing: %v", err)
	}

	for at := range len(text) {
		wantLines, want := naive([]string{"needle"}, nil, []byte(text[:at]), noFollow)
		for size := 1; size < len(text); size++ {
			r := io.MultiReader(chopReader{strings.NewReader(text[:at]), rand.New(rand.NewPCG(1, 1)), size}, iotest.ErrReader(errDisk))
			var lines []found
			stats, err := s.scan(r, 2, 0, func(l Line) int {
				lines = append(lines, keep(l))
				return 0
			})
			if !errors.Is(err, errDisk) {
				t.Fatalf("fails at %d, reads of %d: error %v", at, size, err)
			}
			same(t, fmt.Sprintf("fails at %d, reads of %d", at, size), lines, wantLines, stats, want)
		}
	}
}
