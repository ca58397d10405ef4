package scan

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestRequire(t *testing.T) {
	for _, c := range []struct{ expr, want string }{
		{`(?m)^\s*NIC statistics:`, "NIC statistics:"},
		{`(?m)^(?:VOLUMES?|ATTACHMENTS?)[ \t]+vol-[0-9a-f]+\b`, "ATTACHMENT|VOLUME"},
		{`a\d+ longer|b\d+ long enough`, " long enough| longer"},
		{`(?i)denied`, ""},
		{`\d+`, ""},
		{`(`, ""},
	} {
		var got []string
		for _, text := range Require(c.expr) {
			got = append(got, string(text))
		}
		slices.Sort(got)
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s: %q, want %q", c.expr, got, c.want)
		}
	}
}

// What an expression matches meets its requirement.
func FuzzRequire(f *testing.F) {
	f.Add(`(?m)^x(?:abc|def)+$`, "\nxabcdef\n")
	f.Fuzz(func(t *testing.T, expr, text string) {
		re, err := regexp.Compile(expr)
		if err == nil && re.MatchString(text) && !Require(expr).Met([]byte(text)) {
			t.Errorf("%s matches %q, which does not meet %q", expr, text, Require(expr))
		}
	})
}
