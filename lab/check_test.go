package lab

import (
	"bytes"
	"context"
	"ddx/golden"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func check(t *testing.T, model string, safeguards ...string) *CheckResult {
	t.Helper()
	r, err := Check(context.Background(), model, safeguards, CheckOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wellFormed fails unless the picture is well-formed XML.
func wellFormed(t *testing.T, what, svg string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// Without flags: the race of October 2025.
func TestCheckDefault(t *testing.T) {
	r := check(t, "dns")
	for name, want := range map[string]int{"NeverRegress": 8, "NeverEmpty": 10, "NeverDeleteInUse": 10, "RollbackUsable": 6} {
		if v := r.Invariants[name]; v.Holds || v.Length != want || len(v.Trace) != want {
			t.Errorf("%s: %+v, want broken at step %d", name, v, want)
		}
	}
	if r.TrapStates != 150 || r.States != 1444 || !r.Complete || !r.Violated() {
		t.Errorf("got %d traps, %d states, complete %v", r.TrapStates, r.States, r.Complete)
	}
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/check-dns.txt", text.Bytes())
	svg, err := r.SVG("NeverEmpty")
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, "diagram", svg)
	golden.Compare(t, "testdata/check-dns.svg", []byte(svg))
}

func TestCheckJSON(t *testing.T) {
	b, err := json.Marshal(check(t, "dns", "generation-cas", "conditional-delete", "generation-cas"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Model       string   `json:"model"`
		Safeguards  []string `json:"safeguards"`
		Complete    bool     `json:"complete"`
		States      int      `json:"states"`
		Transitions int      `json:"transitions"`
		Invariants  map[string]struct {
			Holds  bool             `json:"holds"`
			Length int              `json:"length"`
			Trace  []map[string]any `json:"trace"`
		} `json:"invariants"`
		Traps *int `json:"trap_states"`
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got.Model != "dns" || strings.Join(got.Safeguards, " ") != "generation-cas conditional-delete" || !got.Complete || got.States == 0 || got.Transitions == 0 || got.Traps == nil || *got.Traps != 0 {
		t.Errorf("got %s", b)
	}
	if v := got.Invariants["NeverEmpty"]; !v.Holds || v.Length != 0 || v.Trace == nil {
		t.Errorf("NeverEmpty: %+v", v)
	}
	v := got.Invariants["RollbackUsable"]
	if v.Holds || len(v.Trace) != v.Length || v.Trace[0]["actor"] != "planner" || v.Trace[0]["action"] != "generate" || v.Trace[v.Length-1]["breaks"] == nil {
		t.Errorf("RollbackUsable: %+v", v)
	}
}

func TestCheckErrors(t *testing.T) {
	for _, tt := range []struct {
		model      string
		safeguards []string
		set        map[string]int
		want       string
	}{
		{"dsn", nil, nil, `no model "dsn": choose one of dns,`},
		{"dns", []string{"hope"}, nil, `no safeguard "hope"`},
		{"dns", nil, map[string]int{"servers": 1}, `no parameter "servers"`},
		{"dns", nil, map[string]int{"enactors": 9}, "enactors=9 is outside 1 to 4"},
	} {
		_, err := Check(context.Background(), tt.model, tt.safeguards, CheckOptions{Set: tt.set})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %v %v: %v, want %q", tt.model, tt.safeguards, tt.set, err, tt.want)
		}
	}
	r := check(t, "dns", "generation-cas")
	for _, name := range []string{"NeverEmpty", "NoSuch"} {
		if _, err := r.SVG(name); err == nil {
			t.Errorf("SVG(%s): no error", name)
		}
	}
}

// Every trace of every model can be told and drawn, whatever is switched on.
func TestEveryTraceCanBeTold(t *testing.T) {
	for _, m := range Models() {
		sets := [][]string{nil, {"lock-fence", "cleaner-lock"}, {"generation-guard"}}
		for _, s := range m.Safeguards {
			sets = append(sets, []string{s.Name})
		}
		for _, set := range sets {
			r := check(t, m.Name, set...)
			for name, v := range r.Invariants {
				for _, s := range v.Trace {
					if s.Text == "" || s.Action == "" || s.Actor == "" || s.State == "" || s.line.Short == "" {
						t.Errorf("%s %v %s: step %d says nothing: %+v", m.Name, set, name, s.Step, s)
					}
				}
				if !v.Holds {
					svg, err := r.SVG(name)
					if err != nil {
						t.Fatal(err)
					}
					wellFormed(t, m.Name, svg)
				}
			}
			if worst := r.Worst(); (worst == "") != !r.Violated() {
				t.Errorf("%s %v: worst %q, violated %v", m.Name, set, worst, r.Violated())
			}
		}
	}
}

// Shipped models stay small: each is explored completely in well under two
// seconds, which a bound on states holds whatever the machine is doing.
func TestShippedModelsAreSmall(t *testing.T) {
	for _, m := range Models() {
		for _, s := range append([]Safeguard{{}}, m.Safeguards...) {
			var set []string
			if s.Name != "" {
				set = []string{s.Name}
			}
			if r := check(t, m.Name, set...); !r.Complete || r.States > 500_000 {
				t.Errorf("%s %v: %d states, complete %v", m.Name, set, r.States, r.Complete)
			}
		}
	}
}
