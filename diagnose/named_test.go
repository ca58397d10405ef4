package diagnose

import (
	"slices"
	"strings"
	"testing"

	"ddx/match"
)

// TestNamedOnce: a line that a particular pattern has matched, which tells whom
// it is about, makes no second finding without a name through a general one; a
// line that only the general one matches does.
func TestNamedOnce(t *testing.T) {
	cat, m := engineWith(t, map[string]string{"x-stuck": "indicators:\n- {id: line, channel: any, log: [{text: 'widget {nic:name} is stuck'}, {text: 'is stuck'}], effect: supports, strength: strong}\n"})
	a, b, other := "widget a is stuck\n", "widget b is stuck\n", "the thing is stuck\n"
	for _, c := range []struct {
		text string
		want []string
	}{
		{a, []string{"x-stuck@nic:a"}},
		{a + b, []string{"x-stuck@nic:a", "x-stuck@nic:b"}},
		{strings.Repeat(a+b+b, 50), []string{"x-stuck@nic:a", "x-stuck@nic:b"}},
		{other, []string{"x-stuck@nic:"}},
		{a + b + other, []string{"x-stuck@nic:", "x-stuck@nic:a", "x-stuck@nic:b"}},
	} {
		var got []string
		for _, f := range runText(t, cat, m, match.Stream{Origin: "log"}, c.text).Findings {
			got = append(got, f.ID)
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%.60q: %q, want %q", c.text, got, c.want)
		}
	}
}
