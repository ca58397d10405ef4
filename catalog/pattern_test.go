package catalog

import (
	"os"
	"path/filepath"
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
		got := p.Find([]byte(tt.message))
		if (got == nil) != (tt.captures == nil) {
			t.Errorf("%q on %q: %v, want %v", tt.pattern, tt.message, got, tt.captures)
			continue
		}
		for name, want := range tt.captures {
			if got[name] != want {
				t.Errorf("%q on %q: capture %s=%q, want %q", tt.pattern, tt.message, name, got[name], want)
			}
		}
	}
	for _, bad := range []string{"a {", "a }", "{nope}", "{x:nope}", "{a:int} {a:int}"} {
		if _, err := CompilePattern(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func FuzzCompilePattern(f *testing.F) {
	f.Add("timeout, {msecs:int} {a|b}{?c} {{x}}$")
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := CompilePattern(s); err == nil {
			p.Find([]byte(s))
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
