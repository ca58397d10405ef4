package output

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible makes untrusted text harmless for a terminal: control characters,
// escapes, bidirectional marks and broken UTF-8 are written as what they are.
// Line ends and tabs become blanks.
func Visible(s string) string {
	clean := true
	for _, r := range s {
		if hidden(r) {
			clean = false
			break
		}
	}
	if clean && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, "\\x%02x", s[i])
		case r == '\n' || r == '\t':
			b.WriteByte(' ')
		case hidden(r) && r < 0x80:
			fmt.Fprintf(&b, "\\x%02x", r)
		case hidden(r):
			fmt.Fprintf(&b, "\\u%04x", r)
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

func hidden(r rune) bool {
	return r < 0x20 || r == 0x7f || r == utf8.RuneError || unicode.Is(unicode.C, r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// oneLine keeps the first line of a text that spans several.
func oneLine(s string) string {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return s[:i] + " ..."
	}
	return s
}

// cut shortens a line to the width that evidence has.
func (p *printer) cut(s string) string { return p.cutBy(4, s) }

func (p *printer) cutBy(indent int, s string) string {
	limit := p.width - indent
	if p.s.All || utf8.RuneCountInString(s) <= limit {
		return s
	}
	r := []rune(s)
	return string(r[:limit-1]) + "…"
}

func (p *printer) wrap(indent, text string) { p.wrapAt(indent, indent, text) }

// wrapAt writes text in lines of the width: the first behind one prefix, the
// others behind another.
func (p *printer) wrapAt(first, other, text string) {
	prefix, line := first, ""
	for _, w := range strings.Fields(Visible(text)) {
		if line != "" && utf8.RuneCountInString(prefix)+utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) > p.width {
			p.printf("%s%s\n", prefix, line)
			prefix, line = other, ""
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	if line != "" {
		p.printf("%s%s\n", prefix, line)
	}
}
