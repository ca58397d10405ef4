package flowlog

import (
	"fmt"
	"testing"
)

// The registers give what the slow way gives, for numbers and for what is none.
func TestNumbers(t *testing.T) {
	for _, s := range []string{"0", "7", "10", "99999999", "100000000", "1700000040", "18446744073709551615", "18446744073709551616",
		"", "-", "1x", "x1", "12345678x", "1700000:40", "170000004/", "/700000040", "99999999999999999999", "1 2", "\x001"} {
		b := append(append(make([]byte, slack), s...), make([]byte, slack)...)
		for i := slack + len(s); i < len(b); i++ {
			b[i] = '5'
		}
		want, wantOK := longNumber([]byte(s))
		wantOK = wantOK && s != ""
		if n, ok := number(b, slack, slack+len(s)); ok != wantOK || ok && n != want {
			t.Errorf("number(%q) = %d %v, want %d %v", s, n, ok, want, wantOK)
		}
	}
	var p prefixes
	for _, first := range []string{"1700000040", "1700000199", "1999999999"} {
		b := append(append(make([]byte, slack), first...), make([]byte, slack)...)
		p.learn(b, slack)
		base, _ := longNumber([]byte(first[:8]))
		for n := base*100 - 100; n < base*100+300; n++ {
			copy(b[slack:], fmt.Sprint(n))
			if got, ok := p.seconds(b, slack); ok != (n >= base*100 && n < base*100+200) || ok && got != n {
				t.Errorf("after %s, %d is %d %v", first, n, got, ok)
			}
		}
		for c := range 256 {
			copy(b[slack:], first)
			for _, at := range []int{8, 9} {
				old := b[slack+at]
				b[slack+at] = byte(c)
				if _, ok := p.seconds(b, slack); ok != (c >= '0' && c <= '9') {
					t.Errorf("byte %#x at %d: %v", c, at, ok)
				}
				b[slack+at] = old
			}
		}
	}
}
