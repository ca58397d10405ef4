package catalog

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ddx"
)

func TestCompilePattern(t *testing.T) {
	for _, tt := range []struct {
		pattern, message string
		captures         map[string]string // nil: no match
	}{
		{"timeout, {msecs:int} msecs", "x: timeout, 6100 msecs since", map[string]string{"msecs": "6100"}},
		{"timeout, {msecs:int} msecs", "x: timeout, many msecs", nil},
		{"I/O error, dev {disk:dev}, sector", "I/O error, dev nvme0n1, sector 8", map[string]string{"disk": "nvme0n1"}},
		{"{R|r}eading reg", "Reading reg failed", map[string]string{}},
		{"{R|r}eading reg", "reading reg failed", map[string]string{}},
		{"a{? b} c", "a c", map[string]string{}},
		{"a{? b} c", "a b c", map[string]string{}},
		{"^alpha beta", "alpha beta", map[string]string{}},
		{"^alpha beta", "x alpha beta", nil},
		{"ends here$", "it ends here  ", map[string]string{}},
		{"ends here$", "it ends here not", nil},
		{"braces {{x}}", "braces {x}", map[string]string{}},
		{"a.b*c", "a.b*c", map[string]string{}},
		{"a.b*c", "axbbc", nil},
		{"{word: colon|other: colon} x", "other: colon x", map[string]string{}},
		{"from {src:ip} to", "from 10.0.0.7 to", map[string]string{"src": "10.0.0.7"}},
		{"from {src:ip} to", "from fe80::1 to", map[string]string{"src": "fe80::1"}},
		{"from {src:ip} to", "from xx.xx.xx.xx to", map[string]string{"src": "xx.xx.xx.xx"}},
		{"from {src:ip} to", "from 10.x.x.7 to", map[string]string{"src": "10.x.x.7"}},
		{"from {src:ip} to", "from here to", nil},
		{"server {server:any} not", "server 10.0.0.1 not responding", map[string]string{"server": "10.0.0.1"}},
	} {
		p, err := CompilePattern(tt.pattern)
		if err != nil {
			t.Errorf("%q: %v", tt.pattern, err)
			continue
		}
		values, found := p.Find([]byte(tt.message), nil)
		if found != (tt.captures != nil) {
			t.Errorf("%q on %q: %v, want %v", tt.pattern, tt.message, found, tt.captures)
			continue
		}
		for i, v := range values {
			if want := tt.captures[p.Names[i]]; string(v) != want {
				t.Errorf("%q on %q: capture %s=%q, want %q", tt.pattern, tt.message, p.Names[i], v, want)
			}
		}
	}
	for _, bad := range []string{"a {", "a }", "{nope}", "{x:nope}", "{a:int} {a:int}"} {
		if _, err := CompilePattern(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

// sameAsExpression finds a pattern in a message in both ways.
func sameAsExpression(t *testing.T, p *CompiledPattern, message []byte) {
	t.Helper()
	got, found := p.Find(message, nil)
	loc := p.Regexp().FindSubmatchIndex(message)
	var want [][]byte
	for i, name := range p.Regexp().SubexpNames() {
		if name != "" && loc != nil {
			want = append(want, message[loc[2*i]:loc[2*i+1]])
		}
	}
	if found != (loc != nil) || !slices.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("pattern %q on %q: %v %q, its expression %v %q", p.Text, message, found, got, loc, want)
	}
}

// TestFormat compares formats with their expressions on messages that they fit,
// nearly fit, and do not fit.
func TestFormat(t *testing.T) {
	cat, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	var patterns []*CompiledPattern
	var messages []string
	for _, m := range cat.Modes {
		for _, ind := range m.Indicators {
			for _, p := range ind.Log {
				cp, err := cat.Pattern(p)
				if err != nil {
					t.Fatal(err)
				}
				if cp.format != nil {
					patterns = append(patterns, cp)
				}
			}
		}
		for _, e := range m.Examples {
			messages = append(messages, strings.Split(e.Text, "\n")...)
		}
	}
	if len(patterns) < 1000 || len(messages) < 1000 {
		t.Fatalf("%d patterns, %d messages: the test has nothing to compare", len(patterns), len(messages))
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, p := range patterns {
		for _, m := range messages {
			if bytes.Contains([]byte(m), p.format.must) {
				for range 4 {
					sameAsExpression(t, p, []byte(m))
					m = mutated(r, m)
				}
			}
		}
	}
	for _, p := range []string{"{any}", "{rest}", "{a:any}{b:word}{c:int}$", "{n:num}", "{n:num}.5", "{h:hex}x", "{i:ip}:", "{a:name}{b:name}b",
		"{d:dev}: {x:word}", "{?a|ab}{b|bc}d", "{x:any}a{y:rest}a", "{p:path}{s:sp}$", "^{int}{int}{int}{int}x", "^a{?b}$", "é{any}é", "{|a}a{b|}b", "{?|a}{?a||b}x"} {
		cp, err := CompilePattern(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []string{"", "a", "-1.5.5", "0x0X12x", "10.0.0.1:", "aabab: b", "abcd", "aa aa", "/x/y  \n", "11111111111111111111111111111111x", "ab \n", "éßé\xffé", "a\nba"} {
			sameAsExpression(t, cp, []byte(m))
		}
	}
}

// mutated changes a message a little.
func mutated(r *rand.Rand, m string) string {
	if m == "" {
		return " "
	}
	i, j := r.IntN(len(m)), r.IntN(len(m))
	switch i, j = min(i, j), max(i, j); r.IntN(4) {
	case 0:
		return m[:i] + m[i+1:]
	case 1:
		return m[:j] + m[i:]
	case 2:
		return m[:i] + string(" 0-.:/x\xe9"[r.IntN(8)]) + m[i:]
	}
	return m + m[i:j]
}

// TestFormatGivesUp: a message on which a format would go back for ever is left
// to the expression, which cannot.
func TestFormatGivesUp(t *testing.T) {
	p, err := CompilePattern("{a:any} {b:any} {c:any} {d:any} {e:any} {f:any} end of it")
	if err != nil {
		t.Fatal(err)
	}
	m := []byte(strings.Repeat("x ", 500) + "end of it")
	sameAsExpression(t, p, m)
	m = []byte(" end of it" + strings.Repeat("x ", 500))
	if _, sure := p.format.find(new(search), m, false); sure {
		t.Error("the format went on")
	}
	sameAsExpression(t, p, m)
}

// TestFormatOnLongLine: however long a line is, giving up is in proportion to
// it. If the way to the next text cost nothing, this would take hours.
func TestFormatOnLongLine(t *testing.T) {
	for _, text := range []string{"{a:any}a{b:any}a{c:any}a{d:any}ab", "{a:dev}a{b:name}a{c:any}ab", "a{b:any}a{c:rest}ab", "{a:word}a{b:sp}ab", "aa{x:any}aa{y:any}ab"} {
		p, err := CompilePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []string{strings.Repeat("a", 1<<18), "ab" + strings.Repeat("a", 1<<18), strings.Repeat("a b ", 1<<16)} {
			sameAsExpression(t, p, []byte(m))
		}
	}
}

func FuzzFormat(f *testing.F) {
	f.Add("timeout, {msecs:int} {a|b}{?c} {{x}}$", "timeout, 5 b {x}")
	f.Add("{d:dev}: {n:num}{any}{w:word} {h:hex}{i:ip}{p:path}{sp}{rest}", "eth0: -1.5 x ff 10.0.0.1/x y")
	f.Fuzz(func(t *testing.T, s, message string) {
		if p, err := CompilePattern(s); err == nil && len(message) < 1<<12 {
			sameAsExpression(t, p, []byte(message))
		}
	})
}

// TestLint holds that the built-in catalogue has no problem.
func TestLint(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range Lint(c) {
		t.Error(p)
	}
}

// TestOverlay holds that site modes replace and add, that the digest covers
// them, and that mistakes are named.
func TestOverlay(t *testing.T) {
	base, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "no modes/*.yaml") {
		t.Errorf("empty folder: %v", err)
	}
	text, err := Source("disk-full")
	if err != nil {
		t.Fatal(err)
	}
	write("modes/disk-full.yaml", strings.Replace(string(text), "title: ", "title: site ", 1))
	write("modes/site-own.yaml", strings.Replace(string(text), "id: disk-full", "id: site-own", 1))
	c, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Modes) != len(base.Modes)+1 || !strings.HasPrefix(c.Mode("disk-full").Title, "site ") || c.Digest == base.Digest {
		t.Errorf("%d modes, title %q, digest %s", len(c.Modes), c.Mode("disk-full").Title, c.Digest)
	}
	for name, want := range map[string]string{"nope: 1\n": "field nope", "id: other\n": "does not match the file name", "": "empty file", "a: [": "yaml", "id: &a [*a, *a]\n": "catalogue"} {
		write("modes/broken.yaml", name)
		if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "broken.yaml") {
			t.Errorf("%q: error %v, want %q and the file's name", name, err, want)
		}
	}
}

// TestConditionsAreThreeValued holds that what is not known is unknown.
func TestConditionsAreThreeValued(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	vars := map[string]any{"name": "x", "value": int64(3), "kernel": "5.10.0-21-amd64"}
	for expr, want := range map[string]Truth{
		`value > 2`:                             True,
		`value > 3`:                             False,
		`delta > 0`:                             Unknown,
		`value > 2 || delta > 0`:                True,
		`value > 3 && delta > 0`:                False,
		`value > 2 && delta > 0`:                Unknown,
		`vcmp(kernel, "5.9") > 0`:               True,
		`hypervisor == "nitro"`:                 Unknown,
		`in_cidr("10.0.0.1", "10.0.0.0/8")`:     True,
		`overlaps("10.0.0.0/8", "10.1.0.0/16")`: True,
	} {
		got, err := c.Eval(FactScope("nic.counter"), expr, vars)
		if err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", expr, got, err, want)
		}
	}
	if _, err := c.Eval(FactScope("nic.counter"), `nosuch > 1`, vars); err == nil {
		t.Error("an undeclared field was accepted")
	}
	if ddx.LookupFact("nic.counter") == nil {
		t.Error("no nic.counter")
	}
}
