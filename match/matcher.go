package match

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

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
	quoted  *scan.Set    // those with a character that a framing may escape
	origin  []int        // by index of the expressions of quoted: the index in set
	lines   []logPattern // by index of the set's expressions
	starts  int          // from here on: first lines of kernel reports
	loss    int          // from here on: lines that tell of lost lines
	boot    int          // the line that begins a boot
	escaped int          // from here on: signs of a message with escapes
	encoded int          // from here on: signs of a message in another form

	indicators int // how many of them have patterns
}

// logPattern is one pattern of one indicator.
type logPattern struct {
	index   int // in lines
	number  int // of the indicator among those with patterns
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

// escaped are signs that a JSON or logfmt record has escaped quotes or ends of
// lines in its message, so that the raw line does not show the text of patterns
// that hold such a character. They are plain text, because a record with quotes
// in its message is common.
var escaped = []string{` \"`, `\" `, `=\"`, `\":`, `(\"`, `\")`, `\",`, `:\"`, `\n` + ` `, `\n\t`, `\"` + `"`}

// encoded are signs that the raw line may show nothing of the message: an array
// of bytes, characters by number, the escape sequences of a console.
var encoded = []string{
	`"MESSAGE":[`, `"MESSAGE" : [`, `\u00`,
	"\x1b[K", "\x1b[J", "\x1b[H", "\x1b[m", "\x1b[?", "\x1b[0", "\x1b[1", "\x1b[2", "\x1b[3", "\x1b[4", "\x1b[5", "\x1b[6", "\x1b[7", "\x1b[8", "\x1b[9",
}

// escapes are the characters of which escaped are the signs.
const escapes = "\"\\\n\t"

const bootLine = `Linux version \d+\.\d+`

// New compiles the log patterns of a catalogue.
func New(cat *catalog.Catalogue) (*Matcher, error) {
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
				m.lines = append(m.lines, logPattern{len(m.lines), m.indicators, mode, ind, mode.ID + "/" + ind.ID, cp, scope})
				exprs = append(exprs, cp.Expr)
			}
			m.indicators++
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
	var quoted []string
	for i, expr := range exprs {
		if hasLiteral(expr, escapes) {
			m.origin = append(m.origin, i)
			quoted = append(quoted, expr)
		}
	}
	m.escaped = len(exprs)
	for _, sign := range escaped {
		exprs = append(exprs, regexp.QuoteMeta(sign))
	}
	m.encoded = len(exprs)
	for _, sign := range encoded {
		exprs = append(exprs, regexp.QuoteMeta(sign))
	}
	var err error
	if m.set, err = scan.Compile(exprs, scan.Words(words), scan.Candidates); err == nil {
		m.quoted, err = scan.Compile(quoted, scan.Candidates)
	}
	if err != nil {
		return nil, fmt.Errorf("compile log patterns: %w", err)
	}
	return m, nil
}

// hasLiteral reports whether a literal part of the expression, or a small class,
// holds one of the characters.
func hasLiteral(expr, chars string) bool {
	if !strings.ContainsAny(expr, "[]\"\n\t") && !escapeOf.MatchString(expr) {
		return false // most need not be parsed
	}
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return true // Compile tells of it
	}
	var in func(re *syntax.Regexp) bool
	in = func(re *syntax.Regexp) bool {
		switch re.Op {
		case syntax.OpLiteral:
			return strings.ContainsAny(string(re.Rune), chars)
		case syntax.OpCharClass:
			var class []rune
			for i := 0; i < len(re.Rune); i += 2 {
				for r := re.Rune[i]; r <= re.Rune[i+1] && len(class) <= smallClass; r++ {
					class = append(class, r)
				}
			}
			return len(class) <= smallClass && strings.ContainsAny(string(class), chars)
		}
		return slices.ContainsFunc(re.Sub, in)
	}
	return in(re)
}

// escapeOf fits the escapes in an expression that can stand for one of escapes.
var escapeOf = regexp.MustCompile(`\\[\\sntxpPQ0-7]`)

// smallClass is more characters than a class can have of which the scanner
// makes literals.
const smallClass = 16
