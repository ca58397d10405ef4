package catalog

import (
	"testing"

	"ddx"
)

// TestVocabularyCompiles holds that every declared fact kind can be the scope
// of a condition: no field has a name that CEL reserves.
func TestVocabularyCompiles(t *testing.T) {
	var c conditions
	seen := map[string]bool{}
	for _, k := range ddx.FactKinds {
		if seen[k.Name] {
			t.Errorf("fact kind %s is declared twice", k.Name)
		}
		seen[k.Name] = true
		for _, f := range k.Fields {
			expr := f.Name + " == " + f.Name
			if _, err := c.compile("fact "+k.Name, expr); err != nil {
				t.Errorf("%s: %v", k.Name, err)
			}
		}
	}
}

func TestCompareVersions(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"2.1.0K", "2.1.0", 0}, {"2.8.1g", "2.8.1", 0}, {"2.2.9", "2.2.10", -1}, {"4.14.67-generic", "4.14.67", 0},
		{"2.12.1-k-rh7.3", "2.14.2", -1}, {"3.10.0-514.el7", "3.10.0-1160.el7", -1}, {"6.12", "6.1.192", 1}, {"", "1", -1},
	} {
		if got := CompareVersions(tt.a, tt.b); got != tt.want {
			t.Errorf("CompareVersions(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// TestEveryModeIsTested: for each mode there is something to look at next, a
// test that speaks for it or against it, or one that tells it from a near miss.
func TestEveryModeIsTested(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	tested := map[string]bool{}
	for _, m := range c.Modes {
		for _, near := range m.ConfusedWith {
			tested[m.ID], tested[near.Mode] = true, true
		}
		for _, test := range m.Tests {
			tested[m.ID] = true
			for _, o := range test.Outcomes {
				for _, id := range append(o.Supports, o.Refutes...) {
					tested[id] = true
				}
			}
		}
	}
	for _, m := range c.Modes {
		if !tested[m.ID] {
			t.Errorf("%s: no test speaks for it or against it", m.ID)
		}
	}
}
