package scan

import (
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A literal is a string that a line must contain. With fold, ASCII letters are
// equal whatever their case, and text is in lower case.
type literal struct {
	text string
	fold bool
}

// An anyOf is a requirement: each match contains at least one of its literals.
type anyOf []literal

const (
	maxExact = 16 // most strings to which a part of an expression is expanded
	maxAnyOf = 64 // most literals in one requirement
	maxClass = 8  // most characters of a class that are told apart
)

// requirements returns the requirements that every match of re fulfils, each
// of them on its own. It returns none if nothing is known.
func requirements(re *syntax.Regexp) []anyOf {
	exact, required := analyse(re)
	return appendUsable(required, exact)
}

// analyse returns the strings that re matches if they are few, else nil
// (exact), and the requirements of every match that exact does not tell.
// An empty-width assertion counts as the empty string: what stands on its two
// sides is side by side in the match.
func analyse(re *syntax.Regexp) (exact anyOf, required []anyOf) {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText,
		syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return anyOf{{}}, nil
	case syntax.OpLiteral:
		return analyseLiteral(re)
	case syntax.OpCharClass:
		return runesOf(re.Rune), nil
	case syntax.OpCapture:
		return analyse(re.Sub[0])
	case syntax.OpConcat:
		var c concat
		for _, sub := range re.Sub {
			c.add(analyse(sub))
		}
		return c.end()
	case syntax.OpAlternate:
		return analyseAlternate(re.Sub)
	case syntax.OpQuest:
		exact, _ = analyse(re.Sub[0])
		if exact != nil && len(exact) < maxExact {
			return append(anyOf{{}}, exact...), nil
		}
	case syntax.OpPlus:
		return nil, requirements(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min == 0 {
			return nil, nil
		}
		exact, required = analyse(re.Sub[0])
		if exact == nil || re.Min != re.Max || re.Min > maxExact {
			return nil, appendUsable(required, exact)
		}
		var c concat
		for range re.Min {
			c.add(exact, required)
		}
		return c.end()
	}
	return nil, nil // OpStar, OpAnyChar, OpAnyCharNotNL, OpNoMatch: nothing is known
}

// A concat joins the parts of a concatenation.
type concat struct {
	open     anyOf // the strings of the parts since the last break
	broken   bool
	required []anyOf
}

func (c *concat) add(exact anyOf, required []anyOf) {
	c.required = append(c.required, required...)
	if c.open == nil {
		c.open = anyOf{{}}
	}
	switch {
	case exact == nil:
		c.required = appendUsable(c.required, c.open)
		c.open, c.broken = anyOf{{}}, true
	case len(c.open)*len(exact) > maxExact:
		c.required = appendUsable(c.required, c.open)
		c.open, c.broken = exact, true
	default:
		c.open = cross(c.open, exact)
	}
}

func (c *concat) end() (exact anyOf, required []anyOf) {
	if c.open == nil {
		c.open = anyOf{{}}
	}
	if c.broken {
		return nil, appendUsable(c.required, c.open)
	}
	return c.open, c.required
}

// cross returns each string of a followed by each of b. A string of which a
// part folds folds as a whole, which demands less of the line, never more.
func cross(a, b anyOf) anyOf {
	out := make(anyOf, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			l := literal{x.text + y.text, x.fold || y.fold}
			if l.fold {
				l.text = lower(l.text)
			}
			out = append(out, l)
		}
	}
	return out
}

// analyseLiteral handles upper and lower case. With (?i) a letter stands for
// its whole Unicode orbit: "k" also matches the Kelvin sign and "s" the long s,
// so that ASCII folding alone would miss matches. The runs between such letters
// are requirements of their own because they need fewer variants.
func analyseLiteral(re *syntax.Regexp) (exact anyOf, required []anyOf) {
	text := string(re.Rune)
	if re.Flags&syntax.FoldCase == 0 && !strings.ContainsRune(text, utf8.RuneError) {
		return anyOf{{text: text}}, nil
	}
	var whole, runs concat
	for _, r := range re.Rune {
		set := orbit(r)
		switch {
		case re.Flags&syntax.FoldCase == 0:
			set = runesOf([]rune{r, r})
		case len(re.Rune) == 1:
			// One letter, as in [Ff]ailed, is better told apart than folded.
			set = runesOf(orbitPairs(r))
		}
		whole.add(set, nil)
		if len(set) > 1 {
			set = nil
		}
		runs.add(set, nil)
	}
	exact, required = whole.end()
	if runs.broken {
		_, more := runs.end()
		required = append(required, more...)
	}
	return exact, required
}

// orbitPairs returns the characters that r matches when case is ignored, each
// twice, as a class has them.
func orbitPairs(r rune) []rune {
	pairs := []rune{r, r}
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		pairs = append(pairs, f, f)
	}
	return pairs
}

// orbit returns the same as strings, with one folded string for the two cases
// of an ASCII letter; nil if that cannot be told.
func orbit(r rune) anyOf {
	all := runesOf(orbitPairs(r))
	var out anyOf
	for _, l := range all {
		switch c := l.text[0]; {
		case 'A' <= c && c <= 'Z': // its lower case is in the orbit too
		case 'a' <= c && c <= 'z':
			out = append(out, literal{l.text, true})
		default:
			out = append(out, l)
		}
	}
	return out
}

// runesOf returns the characters of a class given as pairs of bounds, nil if
// they are too many. U+FFFD stands for every invalid byte, so it has no one
// encoding and counts as unknown, and so does what UTF-8 cannot encode.
func runesOf(pairs []rune) anyOf {
	var out anyOf
	for i := 0; i+1 < len(pairs); i += 2 {
		lo, hi := pairs[i], pairs[i+1]
		if int(hi-lo) >= maxClass-len(out) {
			return nil
		}
		for r := lo; r <= hi; r++ {
			if r == utf8.RuneError || !utf8.ValidRune(r) {
				return nil
			}
			out = append(out, literal{text: string(r)})
		}
	}
	return out
}

// analyseAlternate joins the alternatives: exact if all are, else one
// requirement that takes the best one of each alternative.
func analyseAlternate(subs []*syntax.Regexp) (exact anyOf, required []anyOf) {
	exact = anyOf{}
	var union anyOf
	known := true
	for _, sub := range subs {
		ex, req := analyse(sub)
		if exact != nil && ex != nil && len(exact)+len(ex) <= maxExact {
			exact = append(exact, ex...)
		} else {
			exact = nil
		}
		req = appendUsable(req, ex)
		if len(req) == 0 {
			known = false
			continue
		}
		best := req[0]
		for _, r := range req[1:] {
			if better(r, best) {
				best = r
			}
		}
		union = append(union, best...)
	}
	if exact == nil && known && len(union) <= maxAnyOf {
		return nil, []anyOf{union}
	}
	return exact, nil
}

// better reports whether a promises fewer candidates than b: longer shortest
// literal (up to the length where more no longer helps), no folding, fewer
// literals.
func better(a, b anyOf) bool {
	la, lb := min(a.shortest(), longEnough), min(b.shortest(), longEnough)
	if la != lb {
		return la > lb
	}
	if fa, fb := a.folds(), b.folds(); fa != fb {
		return fb
	}
	return len(a) < len(b)
}

func (a anyOf) shortest() int {
	n := len(a[0].text)
	for _, l := range a[1:] {
		n = min(n, len(l.text))
	}
	return n
}

func (a anyOf) folds() bool {
	for _, l := range a {
		if l.fold {
			return true
		}
	}
	return false
}

// appendUsable appends the requirement a to list if every literal of it can be
// searched for.
func appendUsable(list []anyOf, a anyOf) []anyOf {
	if len(a) == 0 || len(a) > maxAnyOf {
		return list
	}
	out := make(anyOf, 0, len(a))
	seen := make(map[literal]bool, len(a))
	for _, l := range a {
		if l.fold && !hasLetter(l.text) {
			l.fold = false
		}
		if len(l.text) < minLiteral || l.fold && len(l.text) < minFolded {
			return list
		}
		if !seen[l] {
			seen[l] = true
			out = append(out, l)
		}
	}
	return append(list, out)
}

// lower maps the ASCII letters of s, and nothing else, to lower case.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

func hasLetter(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
	})
}
