package output

import (
	"strings"
	"unicode/utf8"
)

// Fold breaks the lines of a text that are wider than width columns (0: 80) at
// blanks. What is carried over stands below the words it belongs to: behind the
// line's indentation and its mark (-, +, ?), or below the second of two columns.
// Rows of three and more columns are tables and stay whole, as does a word that
// is too long by itself.
func Fold(text string, width int) string {
	if width <= 0 {
		width = 80
	}
	width = max(width, 40)
	var b strings.Builder
	for line := range strings.Lines(text) {
		body, end := strings.CutSuffix(line, "\n")
		for i, part := range foldLine(body, width) {
			if i > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(part)
		}
		if end {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func foldLine(line string, width int) []string {
	hang, columns := hanging(line)
	if utf8.RuneCountInString(line) <= width || columns > 2 {
		return []string{line}
	}
	hang = min(hang, width/2)
	var out []string
	for utf8.RuneCountInString(line) > width {
		at := -1
		n := 0
		for i, r := range line {
			if n > width && at >= 0 {
				break
			}
			if r == ' ' && n > hang {
				at = i
			}
			n++
		}
		if at < 0 {
			break
		}
		out = append(out, line[:at])
		line = strings.Repeat(" ", hang) + strings.TrimLeft(line[at:], " ")
	}
	return append(out, line)
}

// hanging is where what is carried over begins, and how many columns the line
// has: parts with two or more blanks between them.
func hanging(line string) (hang, columns int) {
	rest := strings.TrimLeft(line, " ")
	hang = len(line) - len(rest)
	for _, mark := range []string{"- ", "+ ", "? "} {
		if strings.HasPrefix(rest, mark) {
			rest, hang = rest[2:], hang+2
			break
		}
	}
	if columns = 1; rest == "" {
		return hang, columns
	}
	at := hang
	if hang == 0 {
		hang = 2
	}
	for {
		i := strings.Index(rest, "  ")
		if i < 0 {
			return hang, columns
		}
		tail := strings.TrimLeft(rest[i:], " ")
		if tail == "" {
			return hang, columns
		}
		at += utf8.RuneCountInString(rest[:i]) + len(rest) - i - len(tail)
		rest = tail
		if columns++; columns == 2 {
			hang = at
		}
	}
}
