package diagnose

import (
	"slices"
	"strings"
	"testing"

	"ddx"
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

// TestDecides: what could decide a mode with evidence and was not seen makes a
// look incomplete. That there is no such file has been seen.
func TestDecides(t *testing.T) {
	cat, m := engineWith(t, map[string]string{"x-stuck": "indicators:\n- {id: line, channel: any, log: [{text: 'widget {nic:name} is stuck'}], effect: supports, strength: weak}\n" +
		"- {id: setting, fact: config, when: 'name == \"widget\"', effect: against, strength: strong}\n"})
	for _, c := range []struct {
		what, reason string
		want         bool
	}{
		{"/etc/widget.conf", string(ddx.NotThere), false},
		{"/etc/widget.conf", string(ddx.Refused), true},
		{"widgetctl show", string(ddx.NotThere), true}, // a tool that is not installed
	} {
		missing := ddx.Fact{Kind: "unavailable", Subject: ddx.Subject{Kind: ddx.Host},
			Fields: map[string]any{"what": c.what, "reason": c.reason, "kinds": []string{"config"}}}
		d := runText(t, cat, m, match.Stream{Origin: "log"}, "widget a is stuck\n", missing)
		if len(d.NotExamined) != 1 || d.NotExamined[0].Decides != c.want {
			t.Errorf("%s %s: %+v, want decides %v", c.what, c.reason, d.NotExamined, c.want)
		}
	}
}
