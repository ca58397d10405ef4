package diagnose

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ddx"
	"ddx/catalog"
	"ddx/match"
)

// siteMode is a mode of a test catalogue; the fields that tests do not vary
// are filled in.
func siteMode(id, body string) string {
	return "id: " + id + "\ntitle: " + id + "\nfamily: network\nsubject: nic\nsummary: x\nsymptoms: [x]\nfrequency: uncommon\nwhys: [a, b]\nremedies: [{id: watch-only}]\nreferences: [x]\nreview: verified\nexamples: [{text: x}]\nlook_alikes: [{text: x}]\n" + body
}

// engineWith loads the catalogue with test modes over it.
func engineWith(t *testing.T, modes map[string]string) (*catalog.Catalogue, *match.Matcher) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "modes"), 0o755); err != nil {
		t.Fatal(err)
	}
	for id, body := range modes {
		if err := os.WriteFile(filepath.Join(dir, "modes", id+".yaml"), []byte(siteMode(id, body)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cat, err := catalog.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	m, err := match.New(cat)
	if err != nil {
		t.Fatal(err)
	}
	return cat, m
}

func runText(t *testing.T, cat *catalog.Catalogue, m *match.Matcher, s match.Stream, text string, more ...ddx.Fact) *ddx.Diagnosis {
	t.Helper()
	facts, err := m.Match(s, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Run(cat, append(facts, more...), testNow, Options{All: true})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func find(d *ddx.Diagnosis, mode string) *ddx.Finding {
	for i := range d.Findings {
		if d.Findings[i].Mode == mode {
			return &d.Findings[i]
		}
	}
	return nil
}

const (
	aFails = "indicators: [{id: a, log: [{text: 'zq alpha failed on {nic:dev}$'}], effect: confirms}, {id: ok, log: [{text: 'zq alpha is well'}], effect: clears}]\n"
	bFails = "indicators: [{id: b, log: [{text: 'zq beta failed on {nic:dev}$'}], effect: confirms}]\n"
)

// TestRootBeforeConsequence holds that a finding explains another only along
// leads_to, on the same subject where the edge says so, and never backwards in
// time.
func TestRootBeforeConsequence(t *testing.T) {
	cat, m := engineWith(t, map[string]string{
		"zq-alpha": aFails + "leads_to: [{mode: zq-beta, same: true}]\n",
		"zq-beta":  bFails,
	})
	for name, tt := range map[string]struct {
		log       string
		explained bool
	}{
		"cause first":    {"2026-03-01T11:00:00Z h kernel: zq alpha failed on eth0\n2026-03-01T11:00:10Z h kernel: zq beta failed on eth0\n", true},
		"no times":       {"zq beta failed on eth0\nzq alpha failed on eth0\n", true},
		"within slack":   {"2026-03-01T11:00:00Z h kernel: zq beta failed on eth0\n2026-03-01T11:00:03Z h kernel: zq alpha failed on eth0\n", true},
		"cause too late": {"2026-03-01T11:00:00Z h kernel: zq beta failed on eth0\n2026-03-01T11:10:00Z h kernel: zq alpha failed on eth0\n", false},
		"other subject":  {"zq alpha failed on eth0\nzq beta failed on eth1\n", false},
	} {
		d := runText(t, cat, m, match.Stream{Origin: "log"}, tt.log)
		a, b := find(d, "zq-alpha"), find(d, "zq-beta")
		if a == nil || b == nil {
			t.Fatalf("%s: findings missing", name)
		}
		if got := len(b.ExplainedBy) > 0; got != tt.explained || !a.Root || b.Root == tt.explained {
			t.Errorf("%s: beta explained by %v, root %v; alpha root %v", name, b.ExplainedBy, b.Root, a.Root)
		}
		if tt.explained && d.Findings[0].Mode != "zq-alpha" {
			t.Errorf("%s: first finding %s", name, d.Findings[0].ID)
		}
	}
}

// TestClears holds that recovery evidence after the last sign ends a finding,
// and that recovery before it does not.
func TestClears(t *testing.T) {
	cat, m := engineWith(t, map[string]string{"zq-alpha": aFails})
	fail, ok := "2026-03-01T11:50:00Z h kernel: zq alpha failed on eth0\n", "2026-03-01T11:5%s:00Z h kernel: zq alpha is well\n"
	if f := find(runText(t, cat, m, match.Stream{}, fail+strings.Replace(ok, "%s", "1", 1)), "zq-alpha"); f.Active != ddx.No || !strings.HasPrefix(f.ActiveWhy, "cleared") {
		t.Errorf("after recovery: active %s (%s)", f.Active, f.ActiveWhy)
	}
	if f := find(runText(t, cat, m, match.Stream{}, strings.Replace(ok, "11:5%s", "11:40", 1)+fail), "zq-alpha"); f.Active != ddx.Yes {
		t.Errorf("recovery before the failure: active %s (%s)", f.Active, f.ActiveWhy)
	}
	old := strings.Replace(fail, "2026-03-01T11:50", "2026-02-01T11:50", 1)
	if f := find(runText(t, cat, m, match.Stream{}, old), "zq-alpha"); f.Active != ddx.No {
		t.Errorf("a month old: active %s", f.Active)
	}
	if f := find(runText(t, cat, m, match.Stream{}, "zq alpha failed on eth0\n"), "zq-alpha"); f.Active != ddx.Unknown {
		t.Errorf("without a time: active %s", f.Active)
	}
}

// TestEarlierBoot holds that what a log tells from before the last boot is over.
func TestEarlierBoot(t *testing.T) {
	cat, m := engineWith(t, map[string]string{"zq-alpha": aFails})
	d := runText(t, cat, m, match.Stream{}, "[   10.000000] zq alpha failed on eth0\n[    0.000000] Linux version 6.1.0 (x@y) #1\n[    1.000000] fine\n")
	if f := find(d, "zq-alpha"); f == nil || f.Active != ddx.No {
		t.Errorf("finding of an earlier boot: %+v", f)
	}
}

// TestChannels holds that a line counts as the kernel's only if the kernel
// wrote it.
func TestChannels(t *testing.T) {
	cat, m := engineWith(t, map[string]string{"zq-alpha": aFails})
	for line, want := range map[string]bool{
		"zq alpha failed on eth0":                                          true,
		"Mar  1 11:00:00 h kernel: zq alpha failed on eth0":                true,
		"Mar  1 11:00:00 h app[12]: zq alpha failed on eth0":               false,
		"4,812,123456,-;zq alpha failed on eth0":                           true,
		"12,812,123456,-;zq alpha failed on eth0":                          false,
		`{"_TRANSPORT":"syslog","MESSAGE":"zq alpha failed on eth0"}`:      false,
		`{"_TRANSPORT":"kernel","MESSAGE":"zq alpha failed on eth0"}`:      true,
		`{"_TRANSPORT":"kernel","MESSAGE":"\u007aq alpha failed on eth0"}`: true,
	} {
		if got := find(runText(t, cat, m, match.Stream{}, line+"\n"), "zq-alpha") != nil; got != want {
			t.Errorf("%s: found %v, want %v", line, got, want)
		}
	}
}

// TestAbsence holds that a missing line speaks only when the log was read
// without gaps and the software at hand would have printed it.
func TestAbsence(t *testing.T) {
	cat, m := engineWith(t, map[string]string{"zq-alpha": `indicators:
- {id: a, log: [{text: zq alpha failed}], effect: confirms, absent: {effect: refutes, fact: nic.driver, when: 'driver == "ena"'}}
- {id: s, fact: nic.counter, when: 'name == "zq" && value > 0', effect: supports, strength: strong}
`})
	counter := ddx.Fact{Kind: "nic.counter", Subject: ddx.Subject{Kind: ddx.NIC, Name: "eth0"}, Fields: map[string]any{"name": "zq", "value": int64(3)}}
	driver := func(d string) ddx.Fact {
		return ddx.Fact{Kind: "nic.driver", Subject: counter.Subject, Fields: map[string]any{"driver": d}}
	}
	lost := func(n int64) func() (int64, string) { return func() (int64, string) { return n, "exact" } }
	for name, tt := range map[string]struct {
		facts   []ddx.Fact
		dropped func() (int64, string)
		want    ddx.Verdict
	}{
		"complete log, driver prints it": {[]ddx.Fact{counter, driver("ena")}, lost(0), ddx.RuledOut},
		"lines were lost":                {[]ddx.Fact{counter, driver("ena")}, lost(7), ddx.Likely},
		"loss unknown":                   {[]ddx.Fact{counter, driver("ena")}, nil, ddx.Likely},
		"driver would not print it":      {[]ddx.Fact{counter, driver("ixgbevf")}, lost(0), ddx.Likely},
		"driver unknown":                 {[]ddx.Fact{counter}, lost(0), ddx.Likely},
	} {
		d := runText(t, cat, m, match.Stream{Dropped: tt.dropped}, "kernel is quiet\n", tt.facts...)
		if f := find(d, "zq-alpha"); f == nil || f.Verdict != tt.want {
			t.Errorf("%s: %+v, want %s", name, f, tt.want)
		}
	}
}

// TestCounters holds that one reading proves no rate, two do, and a reset does
// not.
func TestCounters(t *testing.T) {
	cat, m := engineWith(t, map[string]string{"zq-alpha": `indicators:
- {id: now, fact: nic.counter, when: 'name == "zq" && delta > 0', effect: confirms}
- {id: ever, fact: nic.counter, when: 'name == "zq" && value > 0', effect: supports, strength: strong}
`})
	for name, tt := range map[string]struct {
		fields  map[string]any
		verdict ddx.Verdict
		active  ddx.Active
	}{
		"one reading": {map[string]any{"name": "zq", "value": int64(9)}, ddx.Likely, ddx.Unknown},
		"growing":     {map[string]any{"name": "zq", "value": int64(9), "delta": int64(2), "seconds": 1.0}, ddx.Confirmed, ddx.Yes},
		"flat":        {map[string]any{"name": "zq", "value": int64(9), "delta": int64(0), "seconds": 1.0}, ddx.Likely, ddx.No},
		"reset":       {map[string]any{"name": "zq", "value": int64(9), "reset": true}, ddx.Likely, ddx.Unknown},
	} {
		d := runText(t, cat, m, match.Stream{}, "", ddx.Fact{Kind: "nic.counter", Subject: ddx.Subject{Kind: ddx.NIC, Name: "eth0"}, Fields: tt.fields})
		if f := find(d, "zq-alpha"); f == nil || f.Verdict != tt.verdict || f.Active != tt.active {
			t.Errorf("%s: %+v, want %s, active %s", name, f, tt.verdict, tt.active)
		}
	}
}

// TestGroupsAndLatent holds that the signs of one event count once, that two
// moderate ones of different events make a mode likely, and that a latent mode
// is never more than possible.
func TestGroupsAndLatent(t *testing.T) {
	two := func(g1, g2 string) string {
		return "indicators: [{id: a, log: [{text: zq alpha}], effect: supports, strength: moderate, group: " + g1 + "}, {id: b, log: [{text: zq beta}], effect: supports, strength: moderate, group: " + g2 + "}]\n"
	}
	cat, m := engineWith(t, map[string]string{
		"zq-one": two("g", "g"), "zq-two": two("g", "h"),
		"zq-latent": "latent: true\nindicators: [{id: a, log: [{text: zq alpha}], effect: supports, strength: strong}]\n",
	})
	d := runText(t, cat, m, match.Stream{}, "zq alpha\nzq beta\n")
	for mode, want := range map[string]ddx.Verdict{"zq-one": ddx.Possible, "zq-two": ddx.Likely, "zq-latent": ddx.Possible} {
		if f := find(d, mode); f == nil || f.Verdict != want {
			t.Errorf("%s: %+v, want %s", mode, f, want)
		}
	}
}

// TestCountWithin holds that repetition is asked for in a window of time.
func TestCountWithin(t *testing.T) {
	cat, m := engineWith(t, map[string]string{"zq-alpha": "indicators: [{id: a, log: [{text: zq alpha}], effect: confirms, count: 3, within: 1m}]\n"})
	line := func(min string) string { return "2026-03-01T11:" + min + "Z h kernel: zq alpha\n" }
	if f := find(runText(t, cat, m, match.Stream{}, line("00:00")+line("00:20")+line("00:40")), "zq-alpha"); f == nil {
		t.Error("three in a minute were not enough")
	}
	if f := find(runText(t, cat, m, match.Stream{}, line("00:00")+line("02:00")+line("04:00")), "zq-alpha"); f != nil {
		t.Error("three in four minutes were enough")
	}
}

// TestUnexplained holds that warnings that no mode knows are told, folded, and
// counted to the last.
func TestUnexplained(t *testing.T) {
	cat, m := engineWith(t, map[string]string{"zq-alpha": aFails})
	var log strings.Builder
	for i := range 250 {
		log.WriteString("gadget " + strings.Repeat("x", i) + "q failed with code 7\n")
	}
	for range 40 {
		log.WriteString("widget 12 failed at 0xffff\n")
	}
	log.WriteString("all is well\n")
	d := runText(t, cat, m, match.Stream{}, log.String())
	total := int64(0)
	for _, u := range d.Unexplained {
		total += u.Count
	}
	if len(d.Unexplained) > match.MaxTemplates+1 || total != 290 {
		t.Errorf("%d templates, %d lines; want at most %d and 290", len(d.Unexplained), total, match.MaxTemplates+1)
	}
}

// TestRunIsPure holds that the order of facts does not change the answer.
func TestRunIsPure(t *testing.T) {
	cat, m := engineWith(t, map[string]string{"zq-alpha": aFails + "leads_to: [{mode: zq-beta}]\n", "zq-beta": bFails})
	facts, err := m.Match(match.Stream{Origin: "log"}, strings.NewReader("zq alpha failed on eth0\nzq beta failed on eth1\nzq beta failed on eth0\n"))
	if err != nil {
		t.Fatal(err)
	}
	ids := func(facts []ddx.Fact) (out []string) {
		d, err := Run(cat, facts, testNow, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range d.Findings {
			out = append(out, d.Findings[i].ID+" "+string(d.Findings[i].Verdict))
		}
		return out
	}
	want := ids(facts)
	slices.Reverse(facts)
	if got := ids(facts); !slices.Equal(got, want) {
		t.Errorf("reversed facts give %v, want %v", got, want)
	}
}

// TestNextTest holds that a test is preferred that separates what is open, and
// not asked for when its facts are there.
func TestNextTest(t *testing.T) {
	body := func(id, sign string) string {
		return "indicators: [{id: a, log: [{text: " + sign + "}], effect: supports, strength: moderate}]\ntests:\n- {id: zq-apart, title: which, run: which, cost: read-only, yields: [psi], outcomes: [{if: a, supports: [zq-one], refutes: [zq-two]}, {if: b, supports: [zq-two], refutes: [zq-one]}]}\n- {id: zq-costly, title: costly, run: costly, cost: intrusive, outcomes: [{if: a, supports: [zq-one], refutes: [zq-two]}, {if: b, supports: [zq-two], refutes: [zq-one]}]}\n"
	}
	cat, m := engineWith(t, map[string]string{"zq-one": body("zq-one", "zq alpha"), "zq-two": body("zq-two", "zq alpha")})
	d := runText(t, cat, m, match.Stream{}, "zq alpha\n")
	if len(d.NextTests) < 2 || d.NextTests[0].ID != "zq-apart" || !slices.Equal(d.NextTests[0].Separates, []string{"zq-one", "zq-two"}) {
		t.Errorf("next tests %+v", d.NextTests)
	}
	d = runText(t, cat, m, match.Stream{}, "zq alpha\n", ddx.Fact{Kind: "psi", Subject: ddx.Subject{Kind: ddx.Host}, Time: time.Time{}, Fields: map[string]any{"resource": "io", "kind": "full", "avg10": 0.0}})
	if len(d.NextTests) == 0 || d.NextTests[0].ID != "zq-costly" {
		t.Errorf("with its facts there: %+v", d.NextTests)
	}
}
