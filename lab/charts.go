package lab

import (
	"fmt"
	"html"
	"math"
	"strings"
	"time"
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
func (r *SimulationResult) SVG() string {
	c := &canvas{width: chartWidth}
	c.text(20, 30, "start", "t", inkColor, r.Title)
	c.text(20, 50, "start", "s", faintColor, r.Note)
	y := 64.0
	lo, hi := r.span()
	for _, ch := range r.Charts {
		r.drawChart(c, ch, y, lo, hi)
		y += chartHeight + markRows(ch)*markRow
	}
	for _, g := range r.Grids {
		y = drawGrid(c, g, y)
	}
	c.height = y + 10
	return c.svg(r.Title)
}

// HTML returns one page that needs nothing else.
func (r *SimulationResult) HTML() string {
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
func (r *SimulationResult) span() (lo, hi float64) {
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

func (r *SimulationResult) drawChart(c *canvas, ch Chart, top, lo, hi float64) {
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
	c.text(20, top+18, "start", "b", inkColor, ch.Title)
	x := left
	for i, k := range ch.Curves {
		c.line(x, top+33, x+22, top+33, lineColors[i%len(lineColors)], 3, "")
		c.text(x+28, top+37, "start", "s", inkColor, k.Name)
		x += 28 + 24 + 6.6*float64(len([]rune(k.Name)))
	}
	for _, v := range ticks {
		c.line(left, py(v), right, py(v), gridColor, 1, "")
		c.text(left-8, py(v)+4, "end", "s", faintColor, short(v))
	}
	c.add(`<text transform="translate(18 %.1f) rotate(-90)" text-anchor="middle" class="s" fill="%s">%s</text>`, (upper+lower)/2, faintColor, html.EscapeString(ch.YLabel))
	for _, t := range r.timeTicks(lo, hi) {
		c.line(px(t), lower, px(t), lower+4, faintColor, 1, "")
		c.text(px(t), lower+17, "middle", "s", faintColor, r.clockText(t))
	}
	for i, m := range ch.Marks {
		y := upper - 6 - markRow*float64(i%4)
		c.line(px(m.X), y+3, px(m.X), lower, warnColor, 1, ` stroke-dasharray="4 3"`)
		anchor, dx := "start", 4.0
		if px(m.X) > right-200 {
			anchor, dx = "end", -4
		}
		c.text(px(m.X)+dx, y, anchor, "s h", inkColor, m.Text)
	}
	for i, k := range ch.Curves {
		c.add(`<polyline fill="none" stroke="%s" stroke-width="2" stroke-linejoin="round" points="%s"/>`, lineColors[i%len(lineColors)], polyline(k, px, py))
	}
	c.line(left, lower, right, lower, faintColor, 1, "")
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
func (r *SimulationResult) timeTicks(lo, hi float64) []float64 {
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
func (r *SimulationResult) clockOffset() float64 {
	if t, err := time.Parse("15:04", r.Clock); err == nil {
		return float64(t.Hour()*3600 + t.Minute()*60)
	}
	return 0
}

// clockText writes a time of day, or minutes if x is not one.
func (r *SimulationResult) clockText(x float64) string {
	if r.Clock == "" {
		return fmt.Sprintf("%.0f min", x/60)
	}
	s := int(math.Round(x+r.clockOffset())) % 86400
	return fmt.Sprintf("%02d:%02d", s/3600, s/60%60)
}

// drawGrid draws a phase diagram and returns where the next picture begins.
func drawGrid(c *canvas, g Grid, top float64) float64 {
	const cellHeight = 30.0
	left := 110.0
	width := min(92, (chartWidth-left-plotRight)/float64(len(g.X)))
	colors := make(map[string]string)
	c.text(20, top+24, "start", "b", inkColor, g.Title)
	y := top + 44
	c.text(left, y, "start", "s", faintColor, g.XLabel+" →")
	for j, x := range g.X {
		c.text(left+width*(float64(j)+.5), y+18, "middle", "s", inkColor, x)
	}
	for _, k := range g.Legend {
		colors[k.Name] = k.color
	}
	y += 26
	c.text(20, y-6, "start", "s", faintColor, g.YLabel+" ↓")
	for i, name := range g.Y {
		c.text(left-8, y+cellHeight/2+4, "end", "s", inkColor, name)
		for j, cell := range g.Cells[i] {
			c.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s" stroke="#fff" stroke-width="2"/>`, left+width*float64(j), y, width, cellHeight, colors[cell.Kind])
			c.text(left+width*(float64(j)+.5), y+cellHeight/2+4, "middle", "s", inkColor, cell.Text)
		}
		y += cellHeight
	}
	y += 20
	for _, k := range g.Legend {
		c.add(`<rect x="%.1f" y="%.1f" width="14" height="14" fill="%s"/>`, left, y-11, k.color)
		c.text(left+20, y, "start", "s", inkColor, k.Name+": "+k.Doc)
		y += 18
	}
	return y + 6
}
