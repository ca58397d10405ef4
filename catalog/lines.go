package catalog

import (
	"regexp/syntax"
	"slices"
)

// MaxLines is the most lines that an expression can match over: as many as
// node-problem-detector keeps of a log (bufferSize) where a rule file does not
// say otherwise.
const MaxLines = 10

// spansLines reports whether an expression names a line end, or has room for
// anything, line ends included: [\s\S], or a dot under (?s). \s and what is
// negated hold a line end by the way and do not count.
func spansLines(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpCharClass:
		return inClass(re, '\n') && (!inClass(re, ' ') || len(re.Rune) == 2) // a class of one range that holds both is that of all
	case syntax.OpLiteral, syntax.OpAnyChar:
		return mayNewline(re)
	}
	return slices.ContainsFunc(re.Sub, spansLines)
}

func inClass(re *syntax.Regexp, c rune) bool {
	for i := 0; i < len(re.Rune); i += 2 {
		if re.Rune[i] <= c && c <= re.Rune[i+1] {
			return true
		}
	}
	return false
}

// mayNewline reports whether a match of an expression can hold a line end.
func mayNewline(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpAnyChar:
		return true
	case syntax.OpLiteral:
		return slices.Contains(re.Rune, '\n')
	case syntax.OpCharClass:
		return inClass(re, '\n')
	}
	return slices.ContainsFunc(re.Sub, mayNewline)
}

// firstLine is what an expression over several lines demands of the first of
// them: all that stands before the first part that can hold a line end.
func firstLine(re *syntax.Regexp) *syntax.Regexp {
	empty := &syntax.Regexp{Op: syntax.OpEmptyMatch, Flags: re.Flags}
	switch {
	case !mayNewline(re):
		return re
	case re.Op == syntax.OpLiteral:
		return &syntax.Regexp{Op: syntax.OpLiteral, Flags: re.Flags, Rune: re.Rune[:slices.Index(re.Rune, '\n')]}
	case re.Op == syntax.OpCapture:
		return firstLine(re.Sub[0])
	case re.Op == syntax.OpConcat:
		out := &syntax.Regexp{Op: syntax.OpConcat, Flags: re.Flags}
		for _, s := range re.Sub {
			if mayNewline(s) {
				out.Sub = append(out.Sub, firstLine(s))
				return out
			}
			out.Sub = append(out.Sub, s)
		}
	}
	return empty
}
