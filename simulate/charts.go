package simulate

import (
	"fmt"
	"html"
	"math"
	"strings"
	"time"

	"ddx/svg"
)

const (
	chartWidth  = 960.0
	chartHeight = 210.0 // of one chart with its title
	plotLeft    = 70.0
	plotRight   = 30.0
	plotTop     = 46.0
	plotBottom  = 34.0
)

// SVG draws the charts below each other, then the phase diagrams.
func (r *Result) SVG() string {
	c := &svg.Canvas{Width: chartWidth}
	c.Text(20, 30, "start", "t", svg.Ink, r.Title)
	c.Text(20, 50, "start", "s", svg.Faint, r.Note)
	y := 64.0
	lo, hi := r.span()
	for _, ch := range r.Charts {
		r.drawChart(c, ch, y, lo, hi)
		y += chartHeight + markRows(ch)*markRow
	}
	for _, g := range r.Grids {
		y = drawGrid(c, g, y)
	}
	c.Height = y + 10
	return c.String(r.Title)
}

// HTML returns one page that needs nothing else.
func (r *Result) HTML() string {
	var b strings.Builder
	fmt.Fprintf(&b, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>%s</title>\n", html.EscapeString(r.Title))
	b.WriteString("<style>body{font:15px/1.5 system-ui,sans-serif;color:#1f2328;max-width:60rem;margin:2rem auto;padding:0 1rem}svg{max-width:100%;height:auto}table{border-collapse:collapse;margin:1rem 0}td,th{border-bottom:1px solid #d0d7de;padding:.2rem .8rem .2rem 0;text-align:left}caption{text-align:left;font-weight:600}</style></head><body>\n")
	fmt.Fprintf(&b, "<h1>%s</h1>\n<p>%s</p>\n<ul>\n", html.EscapeString(r.Title), html.EscapeString(r.Note))
	for _, s := range r.Summary {
		fmt.Fprintf(&b, "<li>%s</li>\n", html.EscapeString(s))
	}
	b.WriteString("</ul>\n")
	b.WriteString(r.SVG())
	for _, t := range r.Tables {
		fmt.Fprintf(&b, "<table><caption>%s</caption>\n<tr>", html.EscapeString(t.Title))
		for _, h := range t.Header {
			fmt.Fprintf(&b, "<th>%s</th>", html.EscapeString(h))
		}
		b.WriteString("</tr>\n")
		for _, row := range t.Rows {
			b.WriteString("<tr>")
			for _, cell := range row {
				fmt.Fprintf(&b, "<td>%s</td>", html.EscapeString(cell))
			}
			b.WriteString("</tr>\n")
		}
		b.WriteString("</table>\n")
	}
	b.WriteString("</body></html>\n")
	return b.String()
}

// span returns the time that all charts share.
func (r *Result) span() (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, ch := range r.Charts {
		for _, k := range ch.Curves {
			if len(k.X) > 0 {
				lo, hi = min(lo, k.X[0]), max(hi, k.X[len(k.X)-1])
			}
		}
	}
	return lo, hi
}

const markRow = 15.0

// markRows returns how many rows of mark labels a chart needs.
func markRows(ch Chart) float64 { return float64(min(len(ch.Marks), 4)) }

func (r *Result) drawChart(c *svg.Canvas, ch Chart, top, lo, hi float64) {
	rows := markRows(ch)
	left, right := plotLeft, chartWidth-plotRight
	upper, lower := top+plotTop+rows*markRow, top+chartHeight+rows*markRow-plotBottom
	limit := ch.Max
	for _, k := range ch.Curves {
		if len(k.Y) > 0 && ch.Max == 0 {
			_, m := bounds(k.Y)
			limit = max(limit, m)
		}
	}
	ticks := niceTicks(limit)
	limit = max(limit, ticks[len(ticks)-1])
	px := func(x float64) float64 { return left + (x-lo)/(hi-lo)*(right-left) }
	py := func(y float64) float64 { return lower - min(y, limit)/limit*(lower-upper) }
	c.Text(20, top+18, "start", "b", svg.Ink, ch.Title)
	x := left
	for i, k := range ch.Curves {
		c.Line(x, top+33, x+22, top+33, svg.Lines[i%len(svg.Lines)], 3, "")
		c.Text(x+28, top+37, "start", "s", svg.Ink, k.Name)
		x += 28 + 24 + 6.6*float64(len([]rune(k.Name)))
	}
	for _, v := range ticks {
		c.Line(left, py(v), right, py(v), svg.Grid, 1, "")
		c.Text(left-8, py(v)+4, "end", "s", svg.Faint, short(v))
	}
	c.Add(`<text transform="translate(18 %.1f) rotate(-90)" text-anchor="middle" class="s" fill="%s">%s</text>`, (upper+lower)/2, svg.Faint, html.EscapeString(ch.YLabel))
	for _, t := range r.timeTicks(lo, hi) {
		c.Line(px(t), lower, px(t), lower+4, svg.Faint, 1, "")
		c.Text(px(t), lower+17, "middle", "s", svg.Faint, r.clockText(t))
	}
	markY := func(i int) float64 { return upper - 6 - markRow*float64(i%4) }
	for i, m := range ch.Marks {
		c.Line(px(m.X), markY(i)+3, px(m.X), lower, svg.Warn, 1, ` stroke-dasharray="4 3"`)
	}
	for i, m := range ch.Marks {
		y := markY(i)
		anchor, dx := "start", 4.0
		if px(m.X) > right-200 {
			anchor, dx = "end", -4
		}
		c.Text(px(m.X)+dx, y, anchor, "s h", svg.Ink, m.Text)
	}
	for i, k := range ch.Curves {
		c.Add(`<polyline fill="none" stroke="%s" stroke-width="2" stroke-linejoin="round" points="%s"/>`, svg.Lines[i%len(svg.Lines)], polyline(k, px, py))
	}
	c.Line(left, lower, right, lower, svg.Faint, 1, "")
}

// polyline writes the points of a curve, leaving out those that do not bend it
// by a visible amount.
func polyline(k Curve, px, py func(float64) float64) string {
	var b strings.Builder
	lastX, lastY, heldX, heldY, held := math.Inf(-1), math.Inf(-1), 0.0, 0.0, false
	put := func(x, y float64) {
		fmt.Fprintf(&b, "%.1f,%.1f ", x, y)
		lastX, lastY = x, y
	}
	for i := range k.X {
		x, y := px(k.X[i]), py(k.Y[i])
		if math.Abs(y-lastY) < 0.3 || (math.Abs(y-lastY) < 1 && x-lastX < 0.5) {
			heldX, heldY, held = x, y, true
			continue
		}
		if held {
			put(heldX, heldY)
			held = false
		}
		put(x, y)
	}
	if held {
		put(heldX, heldY)
	}
	return strings.TrimSpace(b.String())
}

// niceTicks returns axis values from 0 that a person would choose.
func niceTicks(limit float64) []float64 {
	if limit <= 0 {
		return []float64{0, 1}
	}
	step := math.Pow(10, math.Floor(math.Log10(limit/2)))
	for _, f := range []float64{1, 2, 5, 10} {
		if limit/(step*f) <= 5 {
			step *= f
			break
		}
	}
	var t []float64
	for v := 0.0; v <= limit*1.001; v += step {
		t = append(t, v)
	}
	if t[len(t)-1] < limit*0.999 {
		t = append(t, t[len(t)-1]+step)
	}
	return t
}

// timeTicks returns times at a round distance, aligned to the clock.
func (r *Result) timeTicks(lo, hi float64) []float64 {
	step := 3600.0
	for _, s := range []float64{300, 600, 900, 1800, 3600, 7200, 14400} {
		if (hi-lo)/s <= 16 {
			step = s
			break
		}
	}
	offset := r.clockOffset()
	var t []float64
	for v := math.Ceil((lo+offset)/step)*step - offset; v <= hi; v += step {
		t = append(t, v)
	}
	return t
}

// clockOffset returns the seconds since midnight at x = 0.
func (r *Result) clockOffset() float64 {
	if t, err := time.Parse("15:04", r.Clock); err == nil {
		return float64(t.Hour()*3600 + t.Minute()*60)
	}
	return 0
}

// clockText writes a time of day, or minutes if x is not one.
func (r *Result) clockText(x float64) string {
	if r.Clock == "" {
		return fmt.Sprintf("%.0f min", x/60)
	}
	s := int(math.Round(x+r.clockOffset())) % 86400
	return fmt.Sprintf("%02d:%02d", s/3600, s/60%60)
}

// drawGrid draws a phase diagram and returns where the next picture begins.
func drawGrid(c *svg.Canvas, g Grid, top float64) float64 {
	const cellHeight = 30.0
	left := 110.0
	width := min(92, (chartWidth-left-plotRight)/float64(len(g.X)))
	colors := make(map[string]string)
	c.Text(20, top+24, "start", "b", svg.Ink, g.Title)
	y := top + 44
	c.Text(left, y, "start", "s", svg.Faint, g.XLabel+" →")
	for j, x := range g.X {
		c.Text(left+width*(float64(j)+.5), y+18, "middle", "s", svg.Ink, x)
	}
	for _, k := range g.Legend {
		colors[k.Name] = k.color
	}
	y += 26
	c.Text(20, y-6, "start", "s", svg.Faint, g.YLabel+" ↓")
	for i, name := range g.Y {
		c.Text(left-8, y+cellHeight/2+4, "end", "s", svg.Ink, name)
		for j, cell := range g.Cells[i] {
			c.Add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s" stroke="#fff" stroke-width="2"/>`, left+width*float64(j), y, width, cellHeight, colors[cell.Kind])
			c.Text(left+width*(float64(j)+.5), y+cellHeight/2+4, "middle", "s", svg.Ink, cell.Text)
		}
		y += cellHeight
	}
	y += 20
	for _, k := range g.Legend {
		c.Add(`<rect x="%.1f" y="%.1f" width="14" height="14" fill="%s"/>`, left, y-11, k.color)
		c.Text(left+20, y, "start", "s", svg.Ink, k.Name+": "+k.Doc)
		y += 18
	}
	return y + 6
}
