package catalog

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"ddx"
)

const npdFile = `{
  "plugin": "kmsg", "logPath": "/dev/kmsg", "lookback": "5m", "bufferSize": 10, "source": "kernel-monitor", "metricsReporting": true,
  "conditions": [{"type": "DiskTrouble", "reason": "DiskIsFine", "message": "disk is fine"}],
  "rules": [
    {"type": "temporary", "reason": "WidgetStuck", "pattern": "widget \\w+ stuck for \\d+ ticks"},
    {"type": "temporary", "reason": "WidgetStuck", "pattern": "^widget gave up$"},
    {"type": "permanent", "condition": "DiskTrouble", "reason": "WidgetStuck", "pattern": "widget lost.*"},
    {"type": "temporary", "reason": "TwoLines", "pattern": "first line\\n.*second line"},
    {"type": "temporary", "reason": "MayBeTwoLines", "pattern": "alpha[\\s\\S]*omega"},
    {"type": "temporary", "reason": "Broken", "pattern": "a(b"},
    {"type": "sometimes", "reason": "OddType", "pattern": "text that is long"},
    {"type": "permanent", "reason": "Script", "path": "./check.sh"},
    {"type": "permanent", "condition": "C", "reason": "OftenStuck", "path": "/opt/bin/log-counter", "args": ["--journald-source=kernel", "--lookback=20m", "--count=3", "--pattern=widget is stuck again"]},
    {"type": "permanent", "condition": "C", "reason": "Reverted", "path": "/opt/bin/log-counter", "args": ["--lookback=20m", "--count=3", "--pattern=widget starts", "--revert-pattern=widget stops"]},
    {"type": "permanent", "condition": "C", "reason": "NoWindow", "path": "/opt/bin/log-counter", "args": ["--count=3", "--pattern=widget starts"]},
    {"type": "temporary", "reason": "NoText", "pattern": "\\d+"}
  ]
}`

func readNPD(t *testing.T) ([]*ddx.Mode, []RefusedRule) {
	t.Helper()
	modes, refused, err := ReadNPD("rules.json", []byte(npdFile), func(expr string) error {
		if !literalText.MatchString(expr) {
			return errors.New("no text to look for")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return modes, refused
}

var literalText = regexp.MustCompile(`[a-z]{3}`)

func TestReadNPD(t *testing.T) {
	modes, refused := readNPD(t)
	var ids, not []string
	for _, m := range modes {
		ids = append(ids, m.ID)
	}
	for _, r := range refused {
		not = append(not, r.Reason)
	}
	if got, want := strings.Join(ids, " "), "npd-widget-stuck npd-two-lines npd-may-be-two-lines npd-often-stuck"; got != want {
		t.Errorf("modes %s, want %s", got, want)
	}
	if got, want := strings.Join(not, " "), "Broken OddType Script Reverted NoWindow NoText"; got != want {
		t.Errorf("refused %s, want %s", got, want)
	}
	m := modes[0]
	event, condition := m.Indicators[0], m.Indicators[1]
	if len(event.Log) != 2 || event.Strength != ddx.Moderate || event.Channel != "kernel" {
		t.Errorf("event: %+v", event)
	}
	if len(condition.Log) != 1 || condition.Strength != ddx.Strong || m.TTL != npdConditionTTL {
		t.Errorf("condition: %+v, ttl %q", condition, m.TTL)
	}
	if often := modes[3].Indicators[0]; often.Count != 3 || often.Within != "20m" || often.Channel != "kernel" || often.ID != "condition-counted" {
		t.Errorf("counted: %+v", often)
	}
	for _, r := range refused {
		if !strings.HasPrefix(r.String(), "rules.json: rule "+r.Reason+" cannot be run: ") {
			t.Errorf("%s", r)
		}
	}
}

func TestNPDMatches(t *testing.T) {
	modes, _ := readNPD(t)
	c := &Catalogue{patterns: map[ddx.Pattern]*CompiledPattern{}}
	for _, tt := range []struct {
		indicator int
		pattern   int
		message   string
		want      bool
	}{
		{0, 0, "widget w1 stuck for 7 ticks", true},
		{0, 0, "a widget w1 stuck for 7 ticks ", true},
		{0, 0, "widget w1 stuck for 7 ticks, and more", false}, // must end the message
		{0, 1, "widget gave up", true},
		{0, 1, "the widget gave up", false},
		{1, 0, "widget lost for ever", true},
	} {
		p, err := c.Pattern(modes[0].Indicators[tt.indicator].Log[tt.pattern])
		if err != nil {
			t.Fatal(err)
		}
		if _, got := p.Find([]byte(tt.message), nil); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.message, got, tt.want)
		}
		if strings.ContainsAny(p.Expr, "^$") || strings.Contains(p.Expr, `\z`) {
			t.Errorf("%q: what is looked for in a framed line is tied to its ends", p.Expr)
		}
	}
}

func TestReadNPDErrors(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"cut", `{"rules": [`, "byte 11"},
		{"no rules", `{"plugin": "kmsg"}`, "no rules"},
		{"a list", `[]`, "import x.json"},
	} {
		_, _, err := ReadNPD("x.json", []byte(tt.text), nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.want)
		}
	}
}

func TestAddModes(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	before := c.Digest
	modes, _ := readNPD(t)
	if err := c.Add(modes, []byte(npdFile)); err != nil {
		t.Fatal(err)
	}
	if c.Digest == before || c.Mode("npd-widget-stuck") == nil {
		t.Errorf("digest %s -> %s, mode %v", before, c.Digest, c.Mode("npd-widget-stuck"))
	}
	if err := c.Add(modes, nil); err == nil {
		t.Error("the same modes were added twice")
	}
}

func TestPatternForms(t *testing.T) {
	c := &Catalogue{patterns: map[ddx.Pattern]*CompiledPattern{}}
	if _, err := c.Pattern(ddx.Pattern{Text: "some text", Regexp: "some text"}); err == nil {
		t.Error("a pattern with both forms is accepted")
	}
	literal, err := c.Pattern(ddx.Pattern{Text: "a.b.c"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := c.Pattern(ddx.Pattern{Regexp: "a.b.c"})
	if err != nil {
		t.Fatal(err)
	}
	_, asText := literal.Find([]byte("axbxc"), nil)
	if _, asExpr := raw.Find([]byte("axbxc"), nil); asText || !asExpr {
		t.Error("the two forms are taken for each other")
	}
}

func FuzzReadNPD(f *testing.F) {
	f.Add([]byte(npdFile))
	f.Add([]byte(`{"rules":[{"type":"temporary","reason":"A B","pattern":"(?m)^x$|\\n"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		modes, refused, err := ReadNPD("f", data, nil)
		if err != nil {
			return
		}
		for _, m := range modes {
			if !idForm.MatchString(m.ID) {
				t.Errorf("id %q", m.ID)
			}
			for _, ind := range m.Indicators {
				for _, p := range ind.Log {
					if _, err := CompileRegexp(p.Regexp); err != nil {
						t.Errorf("accepted: %v", err)
					}
				}
			}
		}
		for _, r := range refused {
			if r.Why == "" {
				t.Errorf("rule %s refused without a reason", r.Reason)
			}
		}
	})
}
