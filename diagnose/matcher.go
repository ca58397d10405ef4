package diagnose

import (
	"fmt"
	"regexp"

	"ddx"
	"ddx/catalog"
	"ddx/kernlog"
	"ddx/scan"
)

// words are what tells a warning from an innocent line where the line has no
// priority of its own.
var words = []string{
	"error", "fail", "timed out", "timeout", "warn", "panic", "corrupt", "denied", "refused", "unable",
	"cannot", "critical", "fatal", "segfault", "bug:", "unreachable", "exhaust", "exceed", "not respond", "no space", "out of memory", "stuck", "hung",
}

// Matcher holds a catalogue's log patterns, ready to meet text.
type Matcher struct {
	cat     *catalog.Catalogue
	set     *scan.Set
	lines   []logPattern // by index of the set's expressions
	starts  int          // from here on: first lines of kernel reports
	loss    int          // from here on: lines that tell of lost lines
	boot    int          // the line that begins a boot
	encoded int          // from here on: signs of a message with escapes
}

// logPattern is one pattern of one indicator.
type logPattern struct {
	mode    *ddx.Mode
	ind     *ddx.Indicator
	key     string // MODE/INDICATOR
	pattern *catalog.CompiledPattern
	scope   catalog.Scope
}

// lossLines are what programs say when they lose lines. A group that captures
// is the number; where there is none, at least one was lost.
var lossLines = []*regexp.Regexp{
	regexp.MustCompile(`(\d+) callbacks suppressed`),
	regexp.MustCompile(`Suppressed (\d+) messages from`),
	regexp.MustCompile(`Missed (\d+) kernel messages`),
	regexp.MustCompile(`(\d+) messages lost due to rate-limiting`),
	regexp.MustCompile(`printk: (\d+) messages (?:suppressed|dropped)`),
	regexp.MustCompile(`\*\* (\d+) printk messages dropped \*\*`),
	regexp.MustCompile(`kmsg buffer overrun, some messages lost`),
}

// encoded are signs that a console's escape sequences stand in a line, or that a
// JSON or logfmt record has escapes in its message, or an array of bytes for it:
// the raw line may not show the text that patterns are written for. They are
// plain text, because a record with quotes in its message is common: what is
// behind them is looked at by taking the record apart.
var encoded = []string{
	"\x1b[K", "\x1b[J", "\x1b[H", "\x1b[m", "\x1b[?", "\x1b[0", "\x1b[1", "\x1b[2", "\x1b[3", "\x1b[4", "\x1b[5", "\x1b[6", "\x1b[7", "\x1b[8", "\x1b[9",
	`"MESSAGE":[`, `"MESSAGE" : [`, `\u00`, ` \"`, `\" `, `=\"`, `\":`, `(\"`, `\")`, `\",`, `:\"`, `\n` + ` `, `\n\t`, `\"` + `"`,
}

const bootLine = `Linux version \d+\.\d+`

// NewMatcher compiles the log patterns of a catalogue.
func NewMatcher(cat *catalog.Catalogue) (*Matcher, error) {
	m := &Matcher{cat: cat}
	var exprs []string
	for _, mode := range cat.Modes {
		for i := range mode.Indicators {
			ind := &mode.Indicators[i]
			if len(ind.Log) == 0 {
				continue
			}
			scope, err := cat.CaptureScope(ind)
			if err != nil {
				return nil, fmt.Errorf("mode %s: indicator %s: %w", mode.ID, ind.ID, err)
			}
			for _, p := range ind.Log {
				cp, err := cat.Pattern(p)
				if err != nil {
					return nil, fmt.Errorf("mode %s: indicator %s: %w", mode.ID, ind.ID, err)
				}
				m.lines = append(m.lines, logPattern{mode, ind, mode.ID + "/" + ind.ID, cp, scope})
				exprs = append(exprs, cp.Expr)
			}
		}
	}
	m.starts = len(exprs)
	exprs = append(exprs, kernlog.Starts()...)
	m.loss = len(exprs)
	for _, re := range lossLines {
		exprs = append(exprs, re.String())
	}
	m.boot = len(exprs)
	exprs = append(exprs, bootLine)
	m.encoded = len(exprs)
	for _, sign := range encoded {
		exprs = append(exprs, regexp.QuoteMeta(sign))
	}
	set, err := scan.Compile(exprs, scan.Words(words), scan.Candidates)
	if err != nil {
		return nil, fmt.Errorf("compile log patterns: %w", err)
	}
	m.set = set
	return m, nil
}
