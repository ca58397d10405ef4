package lab

import (
	"fmt"
	"math"
	"strings"

	"ddx/svg"
)

// Space-time diagram: one vertical line an actor, time downwards, one row a
// step. A message is slanted: it leaves when its sender last did something and
// arrives when it takes effect, so a long slant is a slow sender.
const (
	diagramRow    = 40.0
	diagramLane   = 150.0
	diagramLeft   = 90.0
	diagramTop    = 96.0
	diagramRight  = 330.0
	diagramBottom = 50.0
)

// SVG draws the shortest trace that breaks the named invariant. It returns an
// error if the invariant is unknown or holds.
func (r *CheckResult) SVG(invariant string) (string, error) {
	v, ok := r.Invariants[invariant]
	switch {
	case !ok:
		return "", fmt.Errorf("lab: model %s has no invariant %q: choose one of %s", r.Model, invariant, strings.Join(r.order, ", "))
	case v.Holds:
		return "", fmt.Errorf("lab: model %s: %s holds, there is no trace to draw", r.Model, invariant)
	}
	title := fmt.Sprintf("%s: %s broken at step %d", r.Model, invariant, v.Length)
	sub := "safeguards: none"
	if len(r.Safeguards) > 0 {
		sub = "safeguards: " + strings.Join(r.Safeguards, ", ")
	}
	return drawTrace(title, sub, r.Actors, v.Trace), nil
}

// Worst returns the broken invariant whose picture says most: the one with the
// longest trace, or "" if all hold.
func (r *CheckResult) Worst() string {
	worst := ""
	for _, name := range r.order {
		if v := r.Invariants[name]; !v.Holds && (worst == "" || v.Length > r.Invariants[worst].Length) {
			worst = name
		}
	}
	return worst
}

func drawTrace(title, sub string, actors []string, trace []TraceStep) string {
	c := &svg.Canvas{
		Width:  diagramLeft + diagramLane*float64(len(actors)-1) + diagramRight,
		Height: diagramTop + diagramRow*float64(len(trace)) + diagramBottom,
	}
	laneX := func(a int) float64 { return diagramLeft + diagramLane*float64(a) }
	rowY := func(step int) float64 { return diagramTop + diagramRow*float64(step) }
	c.Add(`<defs><marker id="m" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 .6 8 4 0 7.4z" fill="%s"/></marker>`+
		`<marker id="v" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 .6 8 4 0 7.4z" fill="%s"/></marker></defs>`, svg.Lines[0], svg.Bad)
	c.Text(20, 30, "start", "t", svg.Ink, title)
	c.Text(20, 50, "start", "s", svg.Faint, sub)
	bottom := rowY(len(trace)) + 22
	for a, name := range actors {
		c.Line(laneX(a), diagramTop-4, laneX(a), bottom, svg.Faint, 1.5, "")
		c.Text(laneX(a), diagramTop-14, "middle", "b", svg.Ink, name)
	}
	for _, s := range trace {
		if len(s.Breaks) > 0 {
			y := rowY(s.Step)
			c.Add(`<rect x="8" y="%.1f" width="%.1f" height="%.1f" fill="%s" fill-opacity=".12"/>`, y-19, c.Width-16, diagramRow-2, svg.Bad)
		}
	}
	last := make([]int, len(actors))
	var labels []func()
	for _, s := range trace {
		labels = append(labels, drawStep(c, s, last, laneX, rowY))
	}
	for _, label := range labels {
		label()
	}
	return c.String(title)
}

// drawStep draws the line and the dot of one step and returns what draws its
// labels, which go on top of all lines. last holds the latest step of each
// actor and is brought up to date.
func drawStep(c *svg.Canvas, s TraceStep, last []int, laneX func(int) float64, rowY func(int) float64) func() {
	l, y := s.line, rowY(s.Step)
	to := l.Actor
	if l.From == l.Actor {
		to = l.Peer
	}
	color, marker := svg.Lines[0], "m"
	if len(s.Breaks) > 0 {
		color, marker = svg.Bad, "v"
	}
	if to != l.From {
		x1, y1, x2 := laneX(l.From), rowY(last[l.From]), laneX(to)
		c.Add(`<circle cx="%.1f" cy="%.1f" r="2.5" fill="%s"/>`, x1, y1, color)
		d := math.Hypot(x2-x1, y-y1)
		c.Line(x1, y1, x2-6*(x2-x1)/d, y-6*(y-y1)/d, color, 2, fmt.Sprintf(` marker-end="url(#%s)"`, marker))
	}
	c.Add(`<circle cx="%.1f" cy="%.1f" r="4.5" fill="%s"/>`, laneX(to), y, color)
	last[l.Actor] = s.Step
	if l.From == l.Actor {
		last[l.From] = s.Step
	}
	zone := to == len(last)-1
	return func() {
		number := svg.Ink
		if len(s.Breaks) > 0 {
			number = svg.Bad
		}
		c.Text(36, y+5, "end", "b", number, fmt.Sprint(s.Step))
		if !zone {
			c.Text(laneX(to)+8, y-7, "start", "h", svg.Ink, l.Short)
			if len(s.Breaks) > 0 {
				c.Text(laneX(len(last)-1)+14, y+4, "start", "b h", svg.Bad, "breaks "+strings.Join(s.Breaks, ", "))
			}
			return
		}
		x := laneX(to) + 14
		c.Text(x, y-1, "start", "b", svg.Ink, l.Short)
		state := l.State
		if len(s.Breaks) > 0 {
			state = "breaks " + strings.Join(s.Breaks, ", ")
			c.Text(x, y+14, "start", "s b", svg.Bad, state)
			return
		}
		c.Text(x, y+14, "start", "s", svg.Faint, state)
	}
}
