package simulate

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Result is what a simulation shows, ready to be written as text,
// JSON, SVG or HTML.
type Result struct {
	Simulation string            `json:"simulation"`
	Settings   map[string]string `json:"settings"`
	Title      string            `json:"title"`
	Note       string            `json:"note"` // which figures are ours
	Summary    []string          `json:"summary"`
	Charts     []Chart           `json:"charts"`
	Grids      []Grid            `json:"grids"`
	Tables     []Table           `json:"tables"`
	Clock      string            `json:"clock,omitempty"` // time of day of x = 0 as 15:04, if x is time of day
}

// Chart is a set of curves over a common axis, in seconds if XLabel says time.
type Chart struct {
	Title  string  `json:"title"`
	YLabel string  `json:"y_label"`
	Max    float64 `json:"max"` // top of the axis, 0 for what the curves need
	Curves []Curve `json:"curves"`
	Marks  []Mark  `json:"marks"`
}

// Curve is one line of a chart; X is seconds.
type Curve struct {
	Name string    `json:"name"`
	X    []float64 `json:"x"`
	Y    []float64 `json:"y"`
}

// Mark is an event on the time axis of a chart.
type Mark struct {
	X    float64 `json:"x"`
	Text string  `json:"text"`
}

// Grid is a phase diagram: one cell for each pair of values.
type Grid struct {
	Title  string     `json:"title"`
	XLabel string     `json:"x_label"`
	YLabel string     `json:"y_label"`
	X      []string   `json:"x"`
	Y      []string   `json:"y"`
	Cells  [][]Cell   `json:"cells"` // by row, that is by Y
	Legend []CellKind `json:"legend"`
}

// Cell is one cell of a grid.
type Cell struct {
	Kind string `json:"kind"` // the name of a CellKind
	Text string `json:"text"`
}

// CellKind is a region of a phase diagram.
type CellKind struct {
	Name  string `json:"name"`
	Doc   string `json:"doc"`
	color string
}

// Table is a plain table.
type Table struct {
	Title  string     `json:"title"`
	Header []string   `json:"header"`
	Rows   [][]string `json:"rows"`
}

// WriteText writes the summary, the tables and the phase diagrams; curves are
// written as their first, lowest, highest and last value.
func (r *Result) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n\n", r.Title, r.Note)
	for _, s := range r.Summary {
		fmt.Fprintf(&b, "- %s\n", s)
	}
	for _, t := range r.Tables {
		fmt.Fprintf(&b, "\n%s\n", t.Title)
		writeColumns(&b, append([][]string{t.Header}, t.Rows...))
	}
	for _, g := range r.Grids {
		fmt.Fprintf(&b, "\n%s (down: %s, across: %s)\n", g.Title, g.YLabel, g.XLabel)
		rows := [][]string{append([]string{""}, g.X...)}
		for i, y := range g.Y {
			row := []string{y}
			for _, c := range g.Cells[i] {
				row = append(row, c.Text)
			}
			rows = append(rows, row)
		}
		writeColumns(&b, rows)
		for _, k := range g.Legend {
			fmt.Fprintf(&b, "  %s: %s\n", k.Name, k.Doc)
		}
	}
	if len(r.Charts) > 0 {
		b.WriteString("\ncurves (first, lowest, highest, last; draw them with -o svg)\n")
	}
	for _, c := range r.Charts {
		var rows [][]string
		for _, k := range c.Curves {
			if len(k.Y) == 0 {
				continue
			}
			lo, hi := bounds(k.Y)
			rows = append(rows, []string{"  " + k.Name, short(k.Y[0]), short(lo), short(hi), short(k.Y[len(k.Y)-1])})
		}
		fmt.Fprintf(&b, "%s\n", c.Title)
		writeColumns(&b, rows)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteList writes the simulations and their settings for a terminal.
func WriteList(w io.Writer) error {
	var b strings.Builder
	for _, s := range Simulations() {
		fmt.Fprintf(&b, "\nsimulation %s: %s\n", s.Name, s.Title)
		var rows [][]string
		for _, d := range s.Settings {
			doc := d.Doc
			if len(d.Choices) > 0 {
				doc += ": " + strings.Join(d.Choices, ", ")
			}
			rows = append(rows, []string{"  " + d.Name + "=" + d.Default, doc})
		}
		writeColumns(&b, rows)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeColumns writes rows with columns of equal width.
func writeColumns(w io.Writer, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	t.Flush()
}

func bounds(v []float64) (lo, hi float64) {
	lo, hi = v[0], v[0]
	for _, x := range v {
		lo, hi = min(lo, x), max(hi, x)
	}
	return lo, hi
}

// short writes a number with about three figures.
func short(v float64) string {
	digits := 2
	switch {
	case v >= 100:
		digits = 0
	case v >= 10:
		digits = 1
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
