package catalog

import (
	"bytes"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
	"unicode"
)

// A format is a format string, ready to be matched against messages. Its
// expression is made of the same steps, so that both match the same messages
// with the same captures; the steps do so many times faster. A log of a gigabyte
// has hundreds of thousands of lines that must be looked at.
type format struct {
	steps []step
	must  []byte // text that every match holds, empty when there is none
	start int    // index of the first step that is no mark of a capture
}

type stepKind uint8

const (
	text     stepKind = iota // the bytes themselves
	oneOf                    // one of several texts, in order of preference
	one                      // a byte of a class
	run                      // bytes of a class
	fraction                 // a point and digits, where there are some
	mark                     // the start or the end of a capture
	atEnd                    // the end of the message, behind any space
)

type step struct {
	kind  stepKind
	text  []byte
	texts []string
	class *class
	least int    // bytes of the run: 0 or 1
	lazy  bool   // the run is as short as what follows allows
	slot  int    // of the mark: even at the start of a capture, odd at its end
	name  string // of the capture that the mark starts
}

// expr is the expression of a step.
func (st *step) expr() string {
	switch st.kind {
	case text:
		return regexp.QuoteMeta(string(st.text))
	case oneOf:
		texts, optional := st.texts, ""
		if last := len(texts) - 1; texts[last] == "" {
			texts, optional = texts[:last], "?"
		}
		quoted := make([]string, len(texts))
		for i, t := range texts {
			quoted[i] = regexp.QuoteMeta(t)
		}
		return "(?:" + strings.Join(quoted, "|") + ")" + optional
	case one:
		return st.class.expr
	case run:
		e := st.class.expr + "*"
		if st.least > 0 {
			e = st.class.expr + "+"
		}
		if st.lazy {
			e += "?"
		}
		return e
	case fraction:
		return `(?:\.\d+)?`
	case mark:
		if st.slot%2 == 0 {
			return "(?P<" + st.name + ">"
		}
		return ")"
	}
	return `\s*$` // atEnd
}

// A class is a set of bytes. Bytes of characters beyond ASCII are in the sets
// that hold every such character, so that no character is ever cut in two.
type class struct {
	expr string
	has  [256]bool
}

// classOf is the class of an expression for one character of ASCII, or for one
// that may also be any other.
func classOf(expr string) *class {
	c := &class{expr: expr}
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		panic(err) // they are ours
	}
	ranges := re.Rune
	if re.Op == syntax.OpAnyCharNotNL {
		ranges = []rune{0, '\n' - 1, '\n' + 1, unicode.MaxRune}
	}
	for i := 0; i < len(ranges); i += 2 {
		for b := ranges[i]; b <= min(ranges[i+1], 255); b++ {
			c.has[b] = true
		}
	}
	return c
}

// placeholders are what the types of a pattern's placeholders stand for.
var placeholders = sync.OnceValue(func() map[string][]step {
	digits, hexDigits, notSpace := classOf(`\d`), classOf(`[0-9a-fA-F]`), classOf(`\S`)
	ipEnds := classOf(`[0-9a-fA-FxXyYzZ*]`) // also as people make addresses unreadable: 10.x.x.7
	sign := step{kind: oneOf, texts: []string{"-", ""}}
	return map[string][]step{
		"int":  {sign, {kind: run, class: digits, least: 1}},
		"num":  {sign, {kind: run, class: digits, least: 1}, {kind: fraction}},
		"hex":  {{kind: oneOf, texts: []string{"0x", "0X", ""}}, {kind: run, class: hexDigits, least: 1}},
		"word": {{kind: run, class: notSpace, least: 1}},
		"name": {{kind: run, class: classOf(`[\w.:@/+-]`), least: 1, lazy: true}}, // as short as what follows allows
		"dev":  {{kind: run, class: classOf(`[\w.!:@-]`), least: 1, lazy: true}},
		"ip":   {{kind: one, class: ipEnds}, {kind: run, class: classOf(`[0-9a-fA-FxXyYzZ*.:]`)}, {kind: one, class: ipEnds}},
		"path": {{kind: text, text: []byte("/")}, {kind: run, class: notSpace}},
		"any":  {{kind: run, class: classOf(`.`), lazy: true}},
		"rest": {{kind: run, class: classOf(`.`)}},
		"sp":   {{kind: run, class: classOf(`\s`), least: 1}},
	}
})

func (f *format) addText(s string) {
	if s == "" {
		return
	}
	if n := len(f.steps); n > 0 && f.steps[n-1].kind == text {
		f.steps[n-1].text = append(f.steps[n-1].text, s...)
		return
	}
	f.steps = append(f.steps, step{kind: text, text: []byte(s)})
}

// expr is the expression of the whole, without an anchor at its start.
func (f *format) expr() string {
	var b strings.Builder
	for i := range f.steps {
		b.WriteString(f.steps[i].expr())
	}
	return b.String()
}

// finish completes a format when all its steps are there.
func (f *format) finish() {
	for _, s := range f.steps {
		if s.kind == text && len(s.text) > len(f.must) {
			f.must = s.text
		}
	}
	for f.start < len(f.steps) && f.steps[f.start].kind == mark {
		f.start++
	}
}

// maxMarks is the most marks of captures for which there is room; a format with
// more of them is matched by its expression.
const maxMarks = 16

// A search is one attempt to match a message.
type search struct {
	steps []step
	b     []byte
	left  int // bytes and steps that may still be looked at
	marks [maxMarks]int32
}

// find looks for the leftmost match in b and leaves its marks in s. It gives up,
// and says so, where it would have to go back so often that the time is no longer
// in proportion to the length of the message; an expression has no such texts.
func (f *format) find(s *search, b []byte, anchored bool) (found, sure bool) {
	if !bytes.Contains(b, f.must) {
		return false, true
	}
	s.steps, s.b, s.left = f.steps, b, 16*len(b)+1024
	if anchored {
		found = s.from(0, 0)
		return found, s.left > 0
	}
	for at := 0; at <= len(b) && s.left > 0; at++ {
		if f.start < len(f.steps) {
			switch first := &f.steps[f.start]; {
			case first.kind == text:
				i := s.index(at, first.text)
				if i < 0 {
					return false, s.left > 0
				}
				at += i
			case first.kind == one, first.kind == run && first.least > 0:
				for at < len(b) && !first.class.has[b[at]] {
					at++
					s.left--
				}
			}
		}
		if s.from(0, at) {
			return true, s.left > 0
		}
		s.left--
	}
	return false, s.left > 0
}

// from reports whether the steps from i on match at a place of the message. The
// marks are those of the match then: each way that is tried passes all of them.
func (s *search) from(i, at int) bool {
	for ; i < len(s.steps); i++ {
		st := &s.steps[i]
		switch st.kind {
		case text:
			if !bytes.HasPrefix(s.b[at:], st.text) {
				return false
			}
			at += len(st.text)
		case mark:
			s.marks[st.slot] = int32(at)
		case atEnd:
			for at < len(s.b) && isSpace(s.b[at]) {
				at++
				s.left--
			}
			if at < len(s.b) {
				return false
			}
		case one:
			if at == len(s.b) || !st.class.has[s.b[at]] {
				return false
			}
			at++
		case oneOf:
			return s.oneOf(st, i, at)
		case fraction:
			return s.fraction(i, at)
		case run:
			if st.lazy {
				return s.shortest(st, i, at)
			}
			return s.longest(st, i, at)
		}
	}
	return true
}

func (s *search) oneOf(st *step, i, at int) bool {
	for _, t := range st.texts {
		if s.left--; len(s.b)-at >= len(t) && string(s.b[at:at+len(t)]) == t && s.left > 0 && s.from(i+1, at+len(t)) {
			return true
		}
	}
	return false
}

func (s *search) fraction(i, at int) bool {
	if at < len(s.b) && s.b[at] == '.' {
		stop := at + 1
		for stop < len(s.b) && isDigit(s.b[stop]) {
			stop++
		}
		for ; stop > at+1 && s.left > 0; stop-- {
			if s.left--; s.from(i+1, stop) {
				return true
			}
		}
	}
	return s.from(i+1, at)
}

// next is the text that must follow step i, empty when it is not known.
func (s *search) next(i int) []byte {
	for i++; i < len(s.steps); i++ {
		switch s.steps[i].kind {
		case text:
			return s.steps[i].text
		case mark:
		default:
			return nil
		}
	}
	return nil
}

// index looks for text from a place on. Bytes that are searched for a text cost
// less than those that are looked at one by one.
func (s *search) index(at int, text []byte) int {
	i := bytes.Index(s.b[at:], text)
	if i < 0 {
		s.left -= 1 + (len(s.b)-at)/8
	} else {
		s.left -= 1 + i/8
	}
	return i
}

func (s *search) shortest(st *step, i, at int) bool {
	next := s.next(i)
	stop := at
	for n := 0; ; n++ {
		if n >= st.least {
			if len(next) > 0 { // go on to where it stands
				k := s.index(stop, next)
				if k < 0 {
					return false
				}
				for ; k > 0; k-- {
					if s.left--; !st.class.has[s.b[stop]] {
						return false
					}
					stop++
				}
			}
			if s.left--; s.left <= 0 {
				return false
			}
			if s.from(i+1, stop) {
				return true
			}
		}
		if stop >= len(s.b) || !st.class.has[s.b[stop]] {
			return false
		}
		stop++
	}
}

func (s *search) longest(st *step, i, at int) bool {
	stop := at
	for stop < len(s.b) && st.class.has[s.b[stop]] {
		stop++
	}
	s.left -= stop - at
	next := s.next(i)
	for ; stop >= at+st.least; stop-- {
		if len(next) > 0 && (stop == len(s.b) || s.b[stop] != next[0]) {
			continue
		}
		if s.left--; s.left <= 0 {
			return false
		}
		if s.from(i+1, stop) {
			return true
		}
	}
	return false
}

// isSpace and isDigit are the classes \s and \d.
func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' && c != '\v' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
