package blackhole

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"math"
	"time"
)

// Measures of a panel, in pixels.
const (
	panelWidth  = 960
	panelHeight = 250
	plotLeft    = 70
	plotRight   = 20
	plotTop     = 62
	plotBottom  = 36
	headHeight  = 58
)

// The colours have four meanings, each with a word beside it in the legend;
// both sides' lines differ in dash and width too.
const svgStyle = `<style>
text{font:12px "DejaVu Sans",Verdana,sans-serif;fill:#1f2328}
.small{font-size:11px;fill:#57606a}.title{font-size:14px;font-weight:bold}.head{font-size:18px;font-weight:bold}
.axis{stroke:#8c959f;stroke-width:1}.grid{stroke:#d8dee4;stroke-width:1}
.net{fill:none;stroke:#0550ae;stroke-width:2}.guest{fill:none;stroke:#1a7f37;stroke-width:2;stroke-dasharray:5 3}
.bad{fill:#cf222e;fill-opacity:.22}.warn{fill:#bf8700;fill-opacity:.22}.gap{fill:#6e7781;fill-opacity:.25}.info{fill:#0969da;fill-opacity:.14}
.badtext{fill:#a40e26;font-weight:bold}.bg{fill:#fff}
</style>`

// WriteSVG draws both series of each interface with the windows shaded.
func (j *Joined) WriteSVG(w io.Writer) error {
	b := bufio.NewWriter(w)
	height := headHeight + max(1, len(j.Interfaces))*panelHeight
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="Packets delivered by the network and received by the guest">`,
		panelWidth, height, panelWidth, height)
	b.WriteString(svgStyle)
	fmt.Fprintf(b, `<rect class="bg" width="%d" height="%d"/>`, panelWidth, height)
	fmt.Fprintf(b, `<text class="head" x="16" y="28">Delivered by the network, received by the guest</text>`)
	fmt.Fprintf(b, `<text class="small" x="16" y="46">packets per interval towards the interface; clock offset %+.1f s (%s)</text>`, j.ClockOffsetSeconds, html.EscapeString(j.ClockOffsetFrom))
	if len(j.Interfaces) == 0 {
		fmt.Fprintf(b, `<text x="16" y="%d">No interface of the flow logs could be paired with one of the guest.</text>`, headHeight+30)
	}
	for i := range j.Interfaces {
		fmt.Fprintf(b, `<g transform="translate(0 %d)">`, headHeight+i*panelHeight)
		j.Interfaces[i].draw(b)
		b.WriteString(`</g>`)
	}
	b.WriteString("</svg>\n")
	return b.Flush()
}

// plot maps times and packets to pixels.
type plot struct {
	from, to, most float64
}

func (p plot) x(at float64) float64 {
	at = math.Min(math.Max(at, p.from), p.to)
	return plotLeft + (at-p.from)/(p.to-p.from)*(panelWidth-plotLeft-plotRight)
}

func (p plot) y(v float64) float64 {
	return panelHeight - plotBottom - v/p.most*(panelHeight-plotTop-plotBottom)
}

func (i *JoinedInterface) draw(b *bufio.Writer) {
	fmt.Fprintf(b, `<text class="title" x="16" y="18">%s = %s</text><text class="small" x="16" y="34">paired by %s; intervals of %g s</text>`,
		html.EscapeString(i.Interface), html.EscapeString(i.Guest), html.EscapeString(i.PairedBy), i.IntervalSeconds)
	if len(i.network) == 0 {
		fmt.Fprintf(b, `<text x="16" y="%d">The two sides have no time in common.</text>`, plotTop+20)
		return
	}
	step := i.IntervalSeconds
	p := plot{from: float64(i.network[0].Start), to: float64(i.network[len(i.network)-1].Start) + step, most: 1}
	guest := make([]float64, len(i.network))
	known := make([]bool, len(i.network))
	for k, n := range i.network {
		v, part := i.guest.within(float64(n.Start), float64(n.Start)+step)
		guest[k], known[k] = v/math.Max(part, 0.5), part >= 0.5
		p.most = math.Max(p.most, math.Max(float64(n.In), guest[k]))
	}
	p.most = roundUp(p.most)
	i.legend(b)
	i.shade(b, p)
	for k := 0; k <= 4; k++ {
		v := p.most * float64(k) / 4
		fmt.Fprintf(b, `<path class="grid" d="M%d %.1fH%d"/><text class="small" x="%d" y="%.1f" text-anchor="end">%s</text>`,
			plotLeft, p.y(v), panelWidth-plotRight, plotLeft-6, p.y(v)+4, short(v))
	}
	for k := 0; k <= 6; k++ {
		at := p.from + (p.to-p.from)*float64(k)/6
		anchor := [...]string{"start", "middle", "middle", "middle", "middle", "middle", "end"}[k]
		fmt.Fprintf(b, `<path class="axis" d="M%.1f %dv5"/><text class="small" x="%.1f" y="%d" text-anchor="%s">%s</text>`,
			p.x(at), panelHeight-plotBottom, p.x(at), panelHeight-plotBottom+18, anchor, clock(at).Format(timeLayout(p.to-p.from)))
	}
	fmt.Fprintf(b, `<path class="axis" d="M%d %dH%d"/>`, plotLeft, panelHeight-plotBottom, panelWidth-plotRight)
	steps(b, "net", len(i.network), func(k int) (float64, float64, bool) {
		return p.x(float64(i.network[k].Start)), p.y(float64(i.network[k].In)), true
	}, p.x(p.to))
	steps(b, "guest", len(i.network), func(k int) (float64, float64, bool) {
		return p.x(float64(i.network[k].Start)), p.y(guest[k]), known[k]
	}, p.x(p.to))
}

// steps draws a line of steps, broken where nothing is known.
func steps(b *bufio.Writer, class string, n int, at func(int) (x, y float64, known bool), end float64) {
	fmt.Fprintf(b, `<path class="%s" d="`, class)
	open := false
	for k := range n {
		x, y, known := at(k)
		if !known {
			open = false
			continue
		}
		right := end
		if k+1 < n {
			right, _, _ = at(k + 1)
		}
		if open {
			fmt.Fprintf(b, "V%.1fH%.1f", y, right)
		} else {
			fmt.Fprintf(b, "M%.1f %.1fH%.1f", x, y, right)
		}
		open = true
	}
	b.WriteString(`"/>`)
}

func (w Window) class() (class, word string) {
	switch {
	case w.Kind == DeliveredNotReceived && w.BlackHole == "yes":
		return "bad", "black hole"
	case w.Kind == DeliveredNotReceived && w.BlackHole == "possible":
		return "bad", "black hole?"
	case w.Kind == DeliveredNotReceived:
		for _, x := range w.Explanations {
			if x.Verdict == "yes" {
				return "warn", x.What
			}
		}
		return "warn", "not received"
	case w.Kind == NotDeliveredReceived:
		return "info", "not in the flow log"
	case w.Kind == DeliveredReceived && w.Answered == "no":
		return "warn", "received, not answered"
	}
	return "", ""
}

// shade draws the windows behind the lines and names them above.
func (i *JoinedInterface) shade(b *bufio.Writer, p plot) {
	box := func(class, word string, start, end time.Time, tip string) {
		x, width := p.x(unix(start)), math.Max(2, p.x(unix(end))-p.x(unix(start)))
		fmt.Fprintf(b, `<g><title>%s</title><rect class="%s" x="%.1f" y="%d" width="%.1f" height="%d"/>`, html.EscapeString(tip), class, x, plotTop, width, panelHeight-plotTop-plotBottom)
		style := "small"
		if class == "bad" {
			style = "badtext"
		}
		anchor, at := "middle", x+width/2
		if at > panelWidth-plotRight-60 {
			anchor, at = "end", panelWidth-plotRight
		}
		fmt.Fprintf(b, `<text class="%s" x="%.1f" y="%d" text-anchor="%s">%s</text></g>`, style, at, plotTop-5, anchor, html.EscapeString(word))
	}
	for _, g := range i.Gaps {
		box("gap", "guest silent", g.Start, g.End, g.Meaning)
	}
	for _, w := range i.Windows {
		if class, word := w.class(); class != "" {
			box(class, word, w.Start, w.End, w.String())
		}
	}
}

func (i *JoinedInterface) legend(b *bufio.Writer) {
	x := panelWidth - 470
	fmt.Fprintf(b, `<path class="net" d="M%d 14h28"/><text x="%d" y="18">network delivered</text>`, x, x+34)
	fmt.Fprintf(b, `<path class="guest" d="M%d 14h28"/><text x="%d" y="18">guest received</text>`, x+170, x+204)
	fmt.Fprintf(b, `<rect class="gap" x="%d" y="7" width="16" height="14"/><text x="%d" y="18">guest silent</text>`, x+325, x+347)
}

// String is one line for people.
func (w Window) String() string {
	s := fmt.Sprintf("%s %s .. %s (%s): network %d, guest %d packets, certainty %s", w.Kind, w.Start.Format(time.RFC3339), w.End.Format(time.RFC3339),
		w.End.Sub(w.Start).Round(time.Second), w.NetworkPackets, w.GuestPackets, w.Certainty)
	if w.BlackHole != "" {
		s += ", black hole: " + w.BlackHole
	}
	return s
}

// roundUp gives the next of 1, 2, 4 or 8 times a power of ten, so that the
// quarters of the axis are round.
func roundUp(v float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 4, 8} {
		if v <= m*p {
			return m * p
		}
	}
	return 10 * p
}

func short(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%gM", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%gk", v/1e3)
	}
	return fmt.Sprintf("%g", v)
}

func timeLayout(seconds float64) string {
	if seconds > 36*3600 {
		return "01-02 15:04"
	}
	if seconds > 1800 {
		return "15:04"
	}
	return "15:04:05"
}
