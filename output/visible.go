package output

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// VisibleLines is Visible for a text of several lines, which stay apart.
func VisibleLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = Visible(l)
	}
	return strings.Join(lines, "\n")
}

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

// quote writes a line of evidence: the message of a log line stands at its end,
// so it is broken on a terminal, over three lines at most, and only what is
// longer is cut. Blanks that align a column are left out.
func (p *printer) quote(first, other, text string) {
	text = strings.TrimSpace(Visible(oneLine(text)))
	if text == "" {
		text = "(nothing)"
	}
	if p.s.Width == 0 || columns(first)+utf8.RuneCountInString(text) <= p.width {
		p.printf("%s%s\n", first, p.cutBy(columns(first)-2*p.width, text))
		return
	}
	lines := p.lines(first, other, text)
	for i, l := range lines {
		if i == 2 && len(lines) > 3 && !p.s.All {
			p.printf("%s%s…\n", l[0], p.cutBy(columns(l[0])+1, l[1]))
			return
		}
		p.printf("%s%s\n", l[0], p.cutBy(columns(l[0]), l[1]))
	}
}

func (p *printer) wrap(indent, text string) { p.wrapAt(indent, indent, text) }

// wrapAt writes text in lines of the width: the first behind one prefix, the
// others behind another.
func (p *printer) wrapAt(first, other, text string) {
	for _, l := range p.lines(first, other, Visible(text)) {
		p.printf("%s%s\n", l[0], l[1])
	}
}

// headline writes what is one line by nature, such as a title, in a colour. It
// is broken only where a terminal is known to be too narrow, so that what is
// written to a file or a pipe can be searched.
func (p *printer) headline(first, other, color, text string) {
	text = Visible(text)
	if p.s.Width == 0 || columns(first)+utf8.RuneCountInString(text) <= p.width {
		p.printf("%s%s\n", first, p.paint(color, text))
		return
	}
	for _, l := range p.lines(first, other, text) {
		p.printf("%s%s\n", l[0], p.paint(color, l[1]))
	}
}

// Paragraph breaks a text into lines of the width: the first behind one prefix,
// the others behind another. A width of 0 leaves it in one line.
func Paragraph(first, other, text string, width int) (out []string) {
	if width == 0 {
		return []string{first + text}
	}
	for _, l := range paragraph(first, other, text, width) {
		out = append(out, l[0]+l[1])
	}
	return out
}

// lines breaks a text, each line with its prefix.
func (p *printer) lines(first, other, text string) [][2]string {
	return paragraph(first, other, text, p.width)
}

func paragraph(first, other, text string, width int) (out [][2]string) {
	prefix, line := first, ""
	for _, w := range strings.Fields(text) {
		if line != "" && columns(prefix)+utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) > width {
			out = append(out, [2]string{prefix, line})
			prefix, line = other, ""
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	if line != "" {
		out = append(out, [2]string{prefix, line})
	}
	return out
}

// columns is the width of a prefix of our own, colours left out.
func columns(s string) int {
	n := 0
	for in := false; s != ""; {
		r, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		switch {
		case r == '\x1b':
			in = true
		case in:
			in = r != 'm'
		default:
			n++
		}
	}
	return n
}
