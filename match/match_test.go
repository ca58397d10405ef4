package match

import "testing"

func TestHasLiteral(t *testing.T) {
	for expr, want := range map[string]bool{
		`volume "(\w+)"`: true, `(?:a|b "c)`: true, `x["']y`: true, `a\nb`: true, `[^"]+ b`: false, `\S+ .*? b`: false, `plain`: false, `a'b`: false,
	} {
		if got := hasLiteral(expr, escapes); got != want {
			t.Errorf("%s: %v, want %v", expr, got, want)
		}
	}
}
