package match

import (
	"strings"
	"testing"

	"ddx"
	"ddx/catalog"
)

// TestLines holds what a pattern over several lines matches, and where.
func TestLines(t *testing.T) {
	filler := strings.Repeat("kernel: random: crng init done\n", catalog.MaxLines)
	for _, c := range []struct{ name, expr, log, want string }{
		{"two", `alpha found\n.*omega`, "kernel: alpha found\nkernel: the omega\n", "x:2"},
		{"not next to each other", `alpha found\n.*omega`, "kernel: alpha found\nkernel: beta\nkernel: the omega\n", ""},
		{"any number", `alpha found\n(?:.*\n)*.*omega`, "kernel: alpha found\nkernel: b\nkernel: c\nkernel: omega\n", "x:4"},
		{"too many", `alpha found\n(?:.*\n)*.*omega`, "kernel: alpha found\n" + filler + "kernel: omega\n", ""},
		{"room for anything", `alpha found[\s\S]*omega`, "kernel: alpha found\nkernel: b\nkernel: omega\n", "x:3"},
		{"in one line after all", `alpha found[\s\S]*omega`, "kernel: alpha found: omega\nkernel: omega\n", "x:1"},
		{"begun twice", `alpha found\n.*omega`, "kernel: alpha found\nkernel: alpha found\nkernel: omega\n", "x:3"},
		{"twice", `alpha found\n.*omega`, "kernel: alpha found\nkernel: omega\nkernel: alpha found\nkernel: omega\n", "x:2 x:4"},
		{"a service between", `alpha found\n.*omega`, "kernel: alpha found\nMar  1 10:00:00 h app[1]: omega\nkernel: omega\n", "x:3"},
		{"cut", `alpha found\n.*omega`, "kernel: alpha found\n", ""},
		{"end tied", `alpha found\n.*omega\s*\z`, "kernel: alpha found\nkernel: omega minus\n", ""},
	} {
		cat, err := catalog.Load()
		if err != nil {
			t.Fatal(err)
		}
		cat.Modes = []*ddx.Mode{{ID: "m", Subject: ddx.Host, Indicators: []ddx.Indicator{{ID: "i", Log: []ddx.Pattern{{Regexp: c.expr}}, Effect: ddx.Supports}}}}
		m, err := New(cat)
		if err != nil {
			t.Fatal(err)
		}
		facts, err := m.Match(Stream{Origin: "x"}, strings.NewReader(c.log))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range facts {
			if f.Kind == "log.match" {
				for _, e := range f.Evidence {
					got = append(got, e.Origin)
				}
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}
