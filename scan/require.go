package scan

import (
	"bytes"
	"regexp/syntax"
	"slices"
)

// A Requirement is a list of texts: every match of an expression contains at
// least one of them. Nil is no requirement.
type Requirement [][]byte

// Require returns the requirement of an expression that is likely to be the
// hardest to meet, nil when none is known: to look for its texts costs a
// fraction of what the expression costs.
func Require(expr string) Requirement {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil // whoever compiles it is told
	}
	var best anyOf
	for _, o := range requirements(re) {
		if !o.folds() && (best == nil || better(o, best)) {
			best = o
		}
	}
	var r Requirement
	for _, l := range best {
		if text := []byte(l.text); !slices.ContainsFunc(best, func(o literal) bool {
			return o.text != l.text && bytes.Contains(text, []byte(o.text)) // which is looked for anyway
		}) {
			r = append(r, text)
		}
	}
	return r
}

// Met reports whether a text meets the requirement; if not, nothing in it
// matches the expression.
func (r Requirement) Met(text []byte) bool {
	return r == nil || slices.ContainsFunc(r, func(t []byte) bool { return bytes.Contains(text, t) })
}
