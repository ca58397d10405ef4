package kernlog

import (
	"regexp/syntax"
	"testing"
)

// The literal that is looked for first must be part of every expression that
// has one, or a report would never be seen.
func TestRequired(t *testing.T) {
	for expr, want := range map[string]string{
		`BUG: kernel NULL pointer dereference`: "BUG: kernel NULL pointer dereference",
		`(\S+) invoked oom-killer: x=(\S+?),`:  " invoked oom-killer: x=",
		`(?:divide error|int3): [0-9a-f]{4}`:   ": ",
		`(?i)panic`:                            "",
		`ab?c`:                                 "a",
		`(?:lost)? pages`:                      " pages",
		`a|b`:                                  "",
	} {
		re, err := syntax.Parse(expr, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		if got := required(re); got != want {
			t.Errorf("required(%s) = %q, want %q", expr, got, want)
		}
	}
	for _, s := range starts() {
		if s.must == "" {
			t.Errorf("%s: no literal to look for first", s.expr)
		}
	}
}
