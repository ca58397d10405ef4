package lab

import (
	"fmt"
	"html"
	"strings"
)

// Colours of every picture: dark on white, told apart also without colour
// vision (Okabe and Ito's set).
const (
	inkColor   = "#1f2328"
	faintColor = "#656d76"
	gridColor  = "#e4e8ec"
	badColor   = "#d55e00"
	goodColor  = "#009e73"
	warnColor  = "#e69f00"
)

var lineColors = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#666666"}

// canvas collects the elements of one SVG picture.
type canvas struct {
	width, height float64
	body          strings.Builder
}

func (c *canvas) add(format string, args ...any) {
	fmt.Fprintf(&c.body, format+"\n", args...)
}

func (c *canvas) line(x1, y1, x2, y2 float64, color string, width float64, more string) {
	c.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="%.1f"%s/>`, x1, y1, x2, y2, color, width, more)
}

// text writes a label; anchor is start, middle or end; class may hold "h" for a
// white outline, "b" for bold, "s" for small.
func (c *canvas) text(x, y float64, anchor, class, color, s string) {
	c.add(`<text x="%.1f" y="%.1f" text-anchor="%s" class="%s" fill="%s">%s</text>`, x, y, anchor, class, color, html.EscapeString(s))
}

// svg returns the whole picture. title is read out by screen readers.
func (c *canvas) svg(title string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img">`+"\n", c.width, c.height, c.width, c.height)
	fmt.Fprintf(&b, "<title>%s</title>\n", html.EscapeString(title))
	b.WriteString("<style>text{font:13px system-ui,'DejaVu Sans',sans-serif}.s{font-size:11px}.b{font-weight:600}.t{font-size:16px;font-weight:600}.h{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}</style>\n")
	fmt.Fprintf(&b, `<rect width="%.0f" height="%.0f" fill="#fff"/>`+"\n", c.width, c.height)
	b.WriteString(c.body.String())
	b.WriteString("</svg>\n")
	return b.String()
}
