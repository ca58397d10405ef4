package svg

import (
	"fmt"
	"html"
	"strings"
)

// Colours of every picture: dark on white, told apart also without colour
// vision (Okabe and Ito's set).
const (
	Ink   = "#1f2328"
	Faint = "#656d76"
	Grid  = "#e4e8ec"
	Bad   = "#d55e00"
	Warn  = "#e69f00"
)

// Lines are the colours of curves, in the order in which to use them.
var Lines = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#666666"}

// Canvas collects the elements of one SVG picture.
type Canvas struct {
	Width, Height float64
	body          strings.Builder
}

// Add appends an element as it is.
func (c *Canvas) Add(format string, args ...any) {
	fmt.Fprintf(&c.body, format+"\n", args...)
}

// Line draws a straight line; more holds further attributes.
func (c *Canvas) Line(x1, y1, x2, y2 float64, color string, width float64, more string) {
	c.Add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="%.1f"%s/>`, x1, y1, x2, y2, color, width, more)
}

// Text writes a label; anchor is start, middle or end; class may hold "h" for a
// white outline, "b" for bold, "s" for small.
func (c *Canvas) Text(x, y float64, anchor, class, color, s string) {
	c.Add(`<text x="%.1f" y="%.1f" text-anchor="%s" class="%s" fill="%s">%s</text>`, x, y, anchor, class, color, html.EscapeString(s))
}

// String returns the whole picture. title is read out by screen readers.
func (c *Canvas) String(title string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img">`+"\n", c.Width, c.Height, c.Width, c.Height)
	fmt.Fprintf(&b, "<title>%s</title>\n", html.EscapeString(title))
	b.WriteString("<style>text{font:13px system-ui,'DejaVu Sans',sans-serif}.s{font-size:11px}.b{font-weight:600}.t{font-size:16px;font-weight:600}.h{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}</style>\n")
	fmt.Fprintf(&b, `<rect width="%.0f" height="%.0f" fill="#fff"/>`+"\n", c.Width, c.Height)
	b.WriteString(c.body.String())
	b.WriteString("</svg>\n")
	return b.String()
}
