package source

import (
	"regexp"
	"sync"

	"ddx/scan"
)

// lazyRegexp is a regular expression compiled on first use: most runs need few
// of the several hundred that readers have, and compiling all of them would
// cost every command 15 ms. TestRegexps compiles each.
type lazyRegexp struct {
	expr string
	once sync.Once
	re   *regexp.Regexp

	requireOnce sync.Once
	require     scan.Requirement
}

func lazy(expr string) *lazyRegexp { return &lazyRegexp{expr: expr} }

func (l *lazyRegexp) get() *regexp.Regexp {
	l.once.Do(func() { l.re = regexp.MustCompile(l.expr) })
	return l.re
}

// Match is for whole texts, of which most do not even hold what the expression
// requires: each kind of material is asked whether a file is of it.
func (l *lazyRegexp) Match(b []byte) bool {
	l.requireOnce.Do(func() { l.require = scan.Require(l.expr) })
	return l.require.Met(b) && l.get().Match(b)
}

func (l *lazyRegexp) MatchString(s string) bool            { return l.get().MatchString(s) }
func (l *lazyRegexp) FindIndex(b []byte) []int             { return l.get().FindIndex(b) }
func (l *lazyRegexp) FindSubmatch(b []byte) [][]byte       { return l.get().FindSubmatch(b) }
func (l *lazyRegexp) FindString(s string) string           { return l.get().FindString(s) }
func (l *lazyRegexp) FindStringIndex(s string) []int       { return l.get().FindStringIndex(s) }
func (l *lazyRegexp) FindStringSubmatch(s string) []string { return l.get().FindStringSubmatch(s) }
func (l *lazyRegexp) FindStringSubmatchIndex(s string) []int {
	return l.get().FindStringSubmatchIndex(s)
}
func (l *lazyRegexp) FindSubmatchIndex(b []byte) []int       { return l.get().FindSubmatchIndex(b) }
func (l *lazyRegexp) FindAllString(s string, n int) []string { return l.get().FindAllString(s, n) }
func (l *lazyRegexp) FindAllIndex(b []byte, n int) [][]int   { return l.get().FindAllIndex(b, n) }
func (l *lazyRegexp) FindAll(b []byte, n int) [][]byte       { return l.get().FindAll(b, n) }
func (l *lazyRegexp) ReplaceAllString(s, repl string) string {
	return l.get().ReplaceAllString(s, repl)
}
func (l *lazyRegexp) ReplaceAll(b, repl []byte) []byte { return l.get().ReplaceAll(b, repl) }
func (l *lazyRegexp) FindAllStringSubmatch(s string, n int) [][]string {
	return l.get().FindAllStringSubmatch(s, n)
}
func (l *lazyRegexp) FindAllSubmatchIndex(b []byte, n int) [][]int {
	return l.get().FindAllSubmatchIndex(b, n)
}
func (l *lazyRegexp) FindAllStringSubmatchIndex(s string, n int) [][]int {
	return l.get().FindAllStringSubmatchIndex(s, n)
}
func (l *lazyRegexp) FindAllStringIndex(s string, n int) [][]int {
	return l.get().FindAllStringIndex(s, n)
}
func (l *lazyRegexp) ReplaceAllStringFunc(s string, f func(string) string) string {
	return l.get().ReplaceAllStringFunc(s, f)
}
func (l *lazyRegexp) ReplaceAllFunc(b []byte, f func([]byte) []byte) []byte {
	return l.get().ReplaceAllFunc(b, f)
}
func (l *lazyRegexp) SubexpIndex(name string) int    { return l.get().SubexpIndex(name) }
func (l *lazyRegexp) Split(s string, n int) []string { return l.get().Split(s, n) }
func (l *lazyRegexp) FindAllSubmatch(b []byte, n int) [][][]byte {
	return l.get().FindAllSubmatch(b, n)
}
