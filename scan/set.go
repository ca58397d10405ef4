package scan

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"sync"
)

// MaxLine is the number of bytes of a line that are looked at.
const MaxLine = 1 << 20

// A Set is a compiled list of expressions and words. It does not change and
// may be used by several goroutines at once.
type Set struct {
	patterns []pattern
	words    []string
	unproven bool   // expressions are not run
	fold     uint32 // or-ed to the coarse grams of the text
	typical  func() *plan
	fitFrom  int64 // see the constant
}

// A pattern is one expression.
type pattern struct {
	options []anyOf // requirements, each sufficient as a filter
	rest    []check // further ones, that a line must fulfil before the expression is run on it
	whole   bool    // a line that contains the literal matches
	match   func() *regexp.Regexp
}

// An Option adds to what a Set looks for.
type Option func(*Set) error

// Words makes a scan also deliver each line that contains one of the words but
// matches no expression. A word is compared without regard to ASCII case,
// anywhere in the line, also inside longer words. It must be ASCII in lower
// case and at least 4 bytes long.
func Words(words []string) Option {
	return func(s *Set) error {
		for _, w := range words {
			if len(w) < minFolded {
				return fmt.Errorf("word %q: shorter than %d bytes: give a longer one", w, minFolded)
			}
			for _, c := range []byte(w) {
				if c < ' ' || c > '~' || 'A' <= c && c <= 'Z' {
					return fmt.Errorf("word %q: byte %q: give printable ASCII in lower case", w, c)
				}
			}
		}
		s.words = append(s.words, words...)
		return nil
	}
}

// Candidates makes a scan deliver a line for each expression whose literals it
// contains, without running the expression: for callers who run it themselves,
// on a part of the line. The first word of such a line is told as well.
func Candidates(s *Set) error {
	s.unproven = true
	return nil
}

// Compile makes a Set of regular expressions in the syntax of package regexp;
// expression i is reported as i. The expressions are applied to single lines,
// without their end. It fails if an expression is not valid, or if no literal
// of 3 bytes or more (4 where case is ignored) is part of its every match,
// because it would then have to be run on every line.
func Compile(exprs []string, opts ...Option) (*Set, error) {
	s := &Set{patterns: make([]pattern, len(exprs)), fitFrom: fitFrom}
	for i, expr := range exprs {
		p, err := compile(expr)
		if err != nil {
			return nil, fmt.Errorf("compile expression %d %q: %w", i, expr, err)
		}
		s.patterns[i] = p
	}
	for _, opt := range opts {
		if err := opt(s); err != nil {
			return nil, fmt.Errorf("compile set: %w", err)
		}
	}
	for _, p := range s.patterns {
		for _, o := range p.options {
			for _, l := range o {
				if l.fold && len(l.text) >= minCoarse {
					s.fold = fold32
				}
			}
		}
	}
	s.typical = sync.OnceValue(func() *plan {
		f := &frequencies{fold: s.fold}
		f.learn([]byte(typicalLog))
		return s.newPlan(f)
	})
	return s, nil
}

var errNoLiteral = errors.New("no literal text of 3 bytes or more (4 where case is ignored) is part of every match: " +
	"add some of the message's fixed text, also to each alternative")

func compile(expr string) (pattern, error) {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return pattern{}, err
	}
	options := requirements(re)
	if len(options) == 0 {
		return pattern{}, errNoLiteral
	}
	slices.SortStableFunc(options, func(a, b anyOf) int {
		switch {
		case better(a, b):
			return -1
		case better(b, a):
			return 1
		}
		return 0
	})
	// Only requirements as good as the best take part in the choice that
	// depends on the input.
	n := 1
	for n < len(options) && n < maxOptions && class(options[n]) == class(options[0]) {
		n++
	}
	for re.Op == syntax.OpCapture {
		re = re.Sub[0]
	}
	return pattern{
		options: options[:n],
		rest:    fixedOnly(options),
		whole:   re.Op == syntax.OpLiteral && options[0][0] == literal{text: string(re.Rune)},
		// Parse has accepted the expression, so that this cannot fail. Most
		// expressions are never needed and never built.
		match: sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) }),
	}, nil
}

// maxOptions is the number of requirements of one expression among which the
// input decides.
const maxOptions = 4

// class ranks a requirement by the search that its literals need.
func class(a anyOf) int {
	n := min(a.shortest(), fullCoarse)
	if a.folds() {
		n = -n
	}
	return n
}
