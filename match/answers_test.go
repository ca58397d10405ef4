package match

import (
	"strings"
	"testing"

	"ddx"
	"ddx/catalog"
)

// TestAnswers: a group that took no part is not known, one that matched nothing
// is empty. What was said of the one is no answer for the other.
func TestAnswers(t *testing.T) {
	cat, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	mode := &ddx.Mode{ID: "x-widget", Subject: ddx.Host, Indicators: []ddx.Indicator{{ID: "nameless", Channel: "any", When: `name == ""`,
		Log: []ddx.Pattern{{Regexp: `widget is (?:named:(?P<name>\w*) )?stuck`}}, Effect: ddx.Supports, Strength: ddx.Strong}}}
	if err := cat.Add([]*ddx.Mode{mode}, []byte("x")); err != nil {
		t.Fatal(err)
	}
	m, err := New(cat)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		want int64
	}{
		{"widget is stuck\nwidget is named: stuck\n", 1},
		{"widget is named: stuck\nwidget is stuck\nwidget is named: stuck\n", 2},
		{"widget is named:a stuck\nwidget is stuck\n", 0},
	} {
		facts, err := m.Match(Stream{Origin: "log"}, strings.NewReader(c.text))
		if err != nil {
			t.Fatal(err)
		}
		var got int64
		for _, f := range facts {
			if f.String("indicator") == "x-widget/nameless" {
				got, _ = f.Int("count")
			}
		}
		if got != c.want {
			t.Errorf("%q: counted %d, want %d", c.text, got, c.want)
		}
	}
}
