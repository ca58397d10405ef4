package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"ddx"
)

// npdConfig is a rule file of node-problem-detector. Fields that say how it
// reads its log (logPath, lookback, bufferSize) do not change what a rule means.
type npdConfig struct {
	Plugin       string            `json:"plugin"`
	PluginConfig map[string]any    `json:"pluginConfig"`
	Source       string            `json:"source"`
	Conditions   []json.RawMessage `json:"conditions"`
	Rules        []npdRule         `json:"rules"`
}

type npdRule struct {
	Type      string   `json:"type"` // temporary: an event; permanent: a condition of the node
	Condition string   `json:"condition"`
	Reason    string   `json:"reason"`
	Pattern   string   `json:"pattern"`
	Path      string   `json:"path"` // of the program of a custom plugin
	Args      []string `json:"args"`

	count  int    // at least so many times
	within string // in a window of this length
	kernel bool   // in the kernel's log
}

// counted takes the pattern out of the arguments of log-counter, the program
// with which node-problem-detector counts lines. It reports whether the rule
// runs it and needs nothing else: lines that take back earlier ones
// (--revert-pattern) are beyond a line-wise engine.
func (r *npdRule) counted() bool {
	if r.Pattern != "" || path.Base(r.Path) != "log-counter" {
		return false
	}
	for _, arg := range r.Args {
		name, value, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		switch name {
		case "pattern":
			r.Pattern = value
		case "count":
			r.count, _ = strconv.Atoi(value)
		case "lookback":
			r.within = value
		case "journald-source":
			r.kernel = value == "kernel"
		case "revert-pattern":
			r.Pattern = ""
			return false
		}
	}
	if _, err := time.ParseDuration(r.within); err != nil || r.count < 1 {
		r.Pattern = ""
	}
	return r.Pattern != ""
}

// RefusedRule is a rule of another program that cannot be run here.
type RefusedRule struct {
	File, Reason, Pattern string
	Why                   string
}

func (r RefusedRule) String() string {
	return fmt.Sprintf("%s: rule %s cannot be run: %s", r.File, r.Reason, r.Why)
}

// ReadNPD makes modes of a rule file of node-problem-detector, one for each
// reason, and returns the rules that cannot be run. As there, an
// expression must match up to the end of the message, or of the last of up to
// MaxLines messages; a rule whose first line has no text of its own is refused.
// runnable says whether an expression can be looked for; nil accepts all.
//
// A permanent rule sets a condition of the node there and supports its mode
// strongly here; a temporary one is an event there, and a moderate sign here.
func ReadNPD(file string, data []byte, runnable func(expr string) error) (modes []*ddx.Mode, refused []RefusedRule, err error) {
	var c npdConfig
	if err := json.Unmarshal(data, &c); err != nil {
		var at *json.SyntaxError
		if errors.As(err, &at) {
			return nil, nil, fmt.Errorf("import %s: byte %d: no JSON (%w); want a system-log-monitor file of node-problem-detector", file, at.Offset, err)
		}
		return nil, nil, fmt.Errorf("import %s: %w", file, err)
	}
	if len(c.Rules) == 0 {
		return nil, nil, fmt.Errorf("import %s: no rules in it; want a system-log-monitor file of node-problem-detector", file)
	}
	for i := range c.Rules {
		r := &c.Rules[i]
		if why := r.refuse(c.Plugin, runnable); why != "" {
			refused = append(refused, RefusedRule{file, r.Reason, r.Pattern, why})
			continue
		}
		modes = mergeMode(modes, r.mode(&c, file))
	}
	return modes, refused, nil
}

func (r *npdRule) refuse(plugin string, runnable func(string) error) string {
	switch {
	case (plugin == "custom" || r.Path != "") && !r.counted():
		return fmt.Sprintf("it runs the program %s; only rules with a pattern over a log can be imported, log-counter without --revert-pattern among them", r.Path)
	case npdName(r.Reason) == "":
		return "it has no reason"
	case r.Pattern == "":
		return "it has no pattern"
	case r.Type != "temporary" && r.Type != "permanent":
		return fmt.Sprintf("type %q is neither temporary nor permanent", r.Type)
	}
	cp, err := CompileRegexp(r.expression())
	if err == nil && runnable != nil {
		err = runnable(cp.Expr)
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// expression ties the pattern to the end of the message, as
// node-problem-detector does: it, too, appends to the text of the pattern.
func (r *npdRule) expression() string { return r.Pattern + `\s*\z` }

func (r *npdRule) mode(c *npdConfig, file string) *ddx.Mode {
	base := path.Base(file)
	m := &ddx.Mode{
		ID: "npd-" + npdName(r.Reason), Title: "node-problem-detector: " + r.Reason, Family: "platform", Subject: ddx.Host,
		Summary:   fmt.Sprintf("A log line matches the rule %s of %s (%s). The rule says what is reported, not why.", r.Reason, base, c.Source),
		Symptoms:  []string{"node-problem-detector would report the event " + r.Reason},
		Frequency: "uncommon", Review: "inferred",
		Whys:       []string{fmt.Sprintf("The rule %s is reported because a line of the log matches it.", r.Reason), "What wrote the line is not part of the rule: another finding on the same line explains it, if there is one."},
		References: []string{"rule file " + base},
		Remedies:   []ddx.RemedyRef{}, Examples: []ddx.Example{}, LookAlikes: []ddx.Example{},
	}
	ind := ddx.Indicator{ID: "event", Title: fmt.Sprintf("Does the log show a line of the rule %s?", r.Reason), Channel: npdChannel(c),
		Log: []ddx.Pattern{{Regexp: r.expression()}}, Effect: ddx.Supports, Strength: ddx.Moderate}
	if ind.Channel == "kernel" {
		m.Family = "kernel"
	}
	if r.Type == "permanent" {
		m.Title = fmt.Sprintf("node-problem-detector: condition %s, %s", r.Condition, r.Reason)
		m.Symptoms = []string{"node-problem-detector would set the node's condition " + r.Condition}
		m.TTL, ind.ID, ind.Strength = npdConditionTTL, "condition", ddx.Strong
	}
	if r.count > 0 {
		ind.ID, ind.Count, ind.Within, ind.Channel = ind.ID+"-counted", r.count, r.within, "any"
		if r.kernel {
			ind.Channel, m.Family = "kernel", "kernel"
		}
	}
	m.Indicators = []ddx.Indicator{ind}
	return m
}

// npdConditionTTL: a condition stays until the node is restarted, and lines of
// an earlier boot are told by the boot itself.
const npdConditionTTL = "8760h"

// npdChannel is kernel where the rules read the kernel's log only.
func npdChannel(c *npdConfig) string {
	source, _ := c.PluginConfig["source"].(string)
	if c.Plugin == "kmsg" || source == "kernel" || c.Source == "kernel-monitor" {
		return "kernel"
	}
	return "any"
}

// mergeMode adds a mode; one of the same id takes its indicators instead.
func mergeMode(modes []*ddx.Mode, m *ddx.Mode) []*ddx.Mode {
	i := slices.IndexFunc(modes, func(o *ddx.Mode) bool { return o.ID == m.ID })
	if i < 0 {
		return append(modes, m)
	}
	into := modes[i]
	for _, from := range m.Indicators {
		mergeIndicator(into, from)
	}
	into.TTL = max(into.TTL, m.TTL) // either none or that of a condition
	for _, ref := range m.References {
		if !slices.Contains(into.References, ref) {
			into.References = append(into.References, ref)
		}
	}
	return modes
}

func mergeIndicator(into *ddx.Mode, from ddx.Indicator) {
	i := slices.IndexFunc(into.Indicators, func(o ddx.Indicator) bool { return o.ID == from.ID })
	if i < 0 {
		into.Indicators = append(into.Indicators, from)
		return
	}
	ind := &into.Indicators[i]
	if ind.Channel != from.Channel {
		ind.Channel = "any"
	}
	for _, p := range from.Log {
		if !slices.Contains(ind.Log, p) {
			ind.Log = append(ind.Log, p)
		}
	}
}

// MergeModes joins the modes of several rule files.
func MergeModes(into, more []*ddx.Mode) []*ddx.Mode {
	for _, m := range more {
		into = mergeMode(into, m)
	}
	return into
}

// npdName writes a reason such as OOMKilling as oom-killing.
func npdName(reason string) string {
	var b strings.Builder
	r := []rune(reason)
	for i, c := range r {
		switch {
		case c > unicode.MaxASCII || !unicode.IsLetter(c) && !unicode.IsDigit(c):
			c = '-'
		case unicode.IsUpper(c) && i > 0:
			after := i+1 < len(r) && unicode.IsLower(r[i+1])
			if unicode.IsLower(r[i-1]) || unicode.IsDigit(r[i-1]) || unicode.IsUpper(r[i-1]) && after {
				b.WriteByte('-')
			}
		}
		b.WriteRune(unicode.ToLower(c))
	}
	parts := strings.FieldsFunc(b.String(), func(c rune) bool { return c == '-' })
	return strings.Join(parts, "-")
}
