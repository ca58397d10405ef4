package scan

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
)

func TestRequirements(t *testing.T) {
	for _, c := range []struct {
		expr string
		want string // requirements separated by ";", alternatives by "|", folded ones in <>
	}{
		{`out of memory`, `out of memory`},
		{`blocked for more than (\d+) seconds`, ` seconds;blocked for more than `},
		{`(?:nf_|ip_)conntrack: table full`, `ip_conntrack: table full|nf_conntrack: table full`},
		{`XFS \([^)]+\): .* Shutting down`, ` Shutting down;): ;XFS (`},
		{`[Ff]ailed`, `Failed|failed`},
		{`(?i)denied`, `<denied>`},
		{`(?i)task`, `<ta\u017f\u212a>|<ta\u017fk>|<tas\u212a>|<task>`},
		{`timeouts?:`, `timeout:|timeouts:`},
		{`x{3}yz`, `xxxyz`},
		{`(abc)+`, `abc`},
		{`(abc){2,}`, `abc`},
		{`^\bend$`, `end`},
		{`foo.*|bar.*`, `bar|foo`},
		{`\x{fffd}abc`, `abc`},
		{`[a-c]def`, `adef|bdef|cdef`},
		{`[a-z]def`, `def`},
		{`12:34`, `12:34`},
		{`(?i)12:34`, `12:34`},
		// Nothing to search for.
		{``, ``}, {`.*`, ``}, {`ab`, ``}, {`abc|`, ``}, {`(abc)?`, ``}, {`(abc)*`, ``}, {`(abc){0,3}`, ``},
		{`\d+ \w+`, ``}, {`(?i)abc`, ``}, {`abc|\d+`, ``}, {`[^\x00-\x{10ffff}]abcd`, `abcd`}, {`\x{fffd}{5}`, ``},
	} {
		re, err := syntax.Parse(c.expr, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, a := range requirements(re) {
			var one []string
			for _, l := range a {
				if s := strings.Trim(fmt.Sprintf("%+q", l.text), `"`); l.fold {
					one = append(one, "<"+s+">")
				} else {
					one = append(one, s)
				}
			}
			slices.Sort(one)
			all = append(all, strings.Join(one, "|"))
		}
		slices.Sort(all)
		if got := strings.Join(slices.Compact(all), ";"); got != c.want {
			t.Errorf("%s: got %s, want %s", c.expr, got, c.want)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	for _, c := range []struct {
		exprs, words []string
		want         []string // parts of the message
	}{
		{[]string{"fine", "("}, nil, []string{"expression 1", `"("`, "missing closing )"}},
		{[]string{"fine", `\d+ ok`, `\d+`}, nil, []string{"expression 2", `"\\d+"`, "add some of the message's fixed text"}},
		{nil, []string{"bad"}, []string{`word "bad"`, "shorter than 4 bytes"}},
		{nil, []string{"Error"}, []string{`word "Error"`, "lower case"}},
		{nil, []string{"näher"}, []string{"printable ASCII"}},
		{nil, []string{"one\ntwo"}, []string{"printable ASCII"}},
	} {
		_, err := Compile(c.exprs, Words(c.words))
		for _, part := range c.want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%q %q: error %v, want %q in it", c.exprs, c.words, err, part)
			}
		}
	}
	if s, err := Compile(nil); err != nil {
		t.Error(err)
	} else if stats, err := s.Scan(strings.NewReader("a\nb\n"), 1, nil); err != nil || stats.Lines != 2 {
		t.Errorf("empty set: %+v, %v", stats, err)
	}
}

// Each expression of the benchmark has a long literal or is known to have none,
// so that the benchmark shows what it claims.
func TestBenchPatterns(t *testing.T) {
	list := benchPatterns(500)
	mustCompile(t, list)
	if len(slices.Compact(slices.Sorted(slices.Values(list)))) != 500 {
		t.Error("benchmark expressions are not 500 different ones")
	}
}
