package catalog

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// captureType is the CEL type of a capture of each placeholder type; string
// where it is not listed.
var captureType = map[string]string{"int": "int", "num": "double"}

// CompiledPattern is a format string made into a regular expression.
type CompiledPattern struct {
	Text     string
	Regexp   func() *regexp.Regexp
	Expr     string            // RE2 without the anchors: what ripgrep and the scanner look for in a whole line
	Names    []string          // of the captures, in the order of the expression
	Captures map[string]string // name -> CEL type
	Anchored bool              // must stand at the start of the message
	// First is not nil for an expression that can match over several lines: it
	// fits every message that such a match begins in, and Expr is its text.
	First *regexp.Regexp

	format *format // nil when only the expression can tell
}

// CompilePattern makes a regular expression of a format string. Outside of
// braces every character stands for itself. A leading ^ ties the pattern to the
// start of the message, a trailing $ to its end. In braces:
//
//	{int}            a placeholder of a type
//	{msecs:int}      a named one: a capture that conditions can read
//	{old|new}        one of several literals
//	{nic:eth|ens}    likewise, named
//	{?text}          a literal that may be missing
//	{{ and }}        braces themselves
func CompilePattern(text string) (*CompiledPattern, error) {
	if !utf8.ValidString(text) {
		return nil, fmt.Errorf("pattern %q: not UTF-8", text)
	}
	p := &CompiledPattern{Text: text, Captures: map[string]string{}}
	rest := text
	if after, ok := strings.CutPrefix(rest, "^"); ok {
		p.Anchored, rest = true, after
	}
	rest, atTheEnd := strings.CutSuffix(rest, "$")
	f := &format{}
	for rest != "" {
		i := strings.IndexAny(rest, "{}")
		if i < 0 {
			f.addText(rest)
			break
		}
		f.addText(rest[:i])
		if i+1 < len(rest) && rest[i+1] == rest[i] {
			f.addText(rest[i : i+1])
			rest = rest[i+2:]
			continue
		}
		if rest[i] == '}' {
			return nil, fmt.Errorf("pattern %q: a } without {; write }} for the brace itself", text)
		}
		j := strings.IndexByte(rest[i:], '}')
		if j < 0 {
			return nil, fmt.Errorf("pattern %q: a { without }; write {{ for the brace itself", text)
		}
		steps, err := p.placeholder(rest[i+1 : i+j])
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w", text, err)
		}
		f.steps = append(f.steps, steps...)
		rest = rest[i+j+1:]
	}
	p.Expr = f.expr()
	if atTheEnd {
		f.steps = append(f.steps, step{kind: atEnd})
	}
	f.finish()
	if 2*len(p.Names) <= maxMarks {
		p.format = f
	}
	full := f.expr()
	if p.Anchored {
		full = "^" + full
	}
	p.Regexp = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(full) })
	return p, nil
}

// CompileRegexp makes a pattern of a regular expression in the syntax of RE2. It
// is matched against the message, without framing; ^ and $ are its ends. One
// that can match over several lines is matched against the messages of up to
// MaxLines of them, joined by line ends.
func CompileRegexp(expr string) (*CompiledPattern, error) {
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", expr, err)
	}
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", expr, err)
	}
	p := &CompiledPattern{Text: expr, Regexp: func() *regexp.Regexp { return re }, Captures: map[string]string{}}
	p.Anchored = strings.HasPrefix(expr, "^")
	for _, name := range re.SubexpNames() {
		if name != "" {
			p.Names = append(p.Names, name)
			p.Captures[name] = "string"
		}
	}
	if spansLines(tree) {
		tree = firstLine(tree)
		if p.First, err = regexp.Compile(tree.String()); err != nil {
			return nil, fmt.Errorf("pattern %q: its first line: %w", expr, err)
		}
	}
	p.Expr = withoutAnchors(tree).String()
	return p, nil
}

// withoutAnchors takes out what ties an expression to the ends of the message:
// in a whole line the framing stands before it.
func withoutAnchors(re *syntax.Regexp) *syntax.Regexp {
	switch re.Op {
	case syntax.OpBeginLine, syntax.OpBeginText, syntax.OpEndLine, syntax.OpEndText:
		return &syntax.Regexp{Op: syntax.OpEmptyMatch, Flags: re.Flags}
	}
	out := *re
	out.Sub = make([]*syntax.Regexp, len(re.Sub))
	for i, s := range re.Sub {
		out.Sub[i] = withoutAnchors(s)
	}
	return &out
}

var captureName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// placeholder returns the steps of what stands between braces.
func (p *CompiledPattern) placeholder(body string) ([]step, error) {
	if lit, ok := strings.CutPrefix(body, "?"); ok {
		return []step{{kind: oneOf, texts: append(strings.Split(lit, "|"), "")}}, nil
	}
	name, typ, named := strings.Cut(body, ":")
	if named && (!captureName.MatchString(name) || strings.HasPrefix(typ, " ")) {
		named, typ = false, body // a literal alternative that holds a colon
	}
	if !named {
		typ = body
	}
	steps, known := placeholders()[typ]
	switch {
	case known:
	case strings.Contains(typ, "|"):
		steps = []step{{kind: oneOf, texts: strings.Split(typ, "|")}}
	default:
		return nil, fmt.Errorf("placeholder {%s}: no such type; one of any, dev, hex, int, ip, name, num, path, rest, sp, word, or alternatives with |", body)
	}
	if !named {
		return steps, nil
	}
	if _, twice := p.Captures[name]; twice {
		return nil, fmt.Errorf("placeholder {%s}: the name is used twice", body)
	}
	p.Captures[name] = "string"
	if t, ok := captureType[typ]; ok {
		p.Captures[name] = t
	}
	slot := 2 * len(p.Names)
	p.Names = append(p.Names, name)
	return slices.Concat([]step{{kind: mark, slot: slot, name: name}}, steps, []step{{kind: mark, slot: slot + 1}}), nil
}

// Find matches a message and appends the captures to those given, in the order
// of Names: parts of the message, nil where a group of an expression took no
// part. It reports whether the message matches.
func (p *CompiledPattern) Find(message []byte, captures [][]byte) ([][]byte, bool) {
	if p.format != nil {
		var s search
		if found, sure := p.format.find(&s, message, p.Anchored); sure {
			for i := 0; found && i < len(p.Names); i++ {
				captures = append(captures, message[s.marks[2*i]:s.marks[2*i+1]])
			}
			return captures, found
		}
	}
	re := p.Regexp()
	if len(p.Names) == 0 {
		return captures, re.Match(message)
	}
	loc := re.FindSubmatchIndex(message)
	if loc == nil {
		return captures, false
	}
	for i, name := range re.SubexpNames() {
		switch {
		case name == "":
		case loc[2*i] < 0:
			captures = append(captures, nil)
		default:
			captures = append(captures, message[loc[2*i]:loc[2*i+1]])
		}
	}
	return captures, true
}
