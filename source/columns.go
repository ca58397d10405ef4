package source

import "strings"

// columns is the header of a table whose cells hold no blanks except in the
// last column: the index of each title.
type columns struct {
	titles []string
	index  map[string]int
}

// newColumns takes the titles in order. The first of two equal titles counts.
func newColumns(titles []string) *columns {
	c := &columns{titles: titles, index: make(map[string]int, len(titles))}
	for i, t := range titles {
		if _, twice := c.index[t]; !twice {
			c.index[t] = i
		}
	}
	return c
}

// has reports whether every title is in the header.
func (c *columns) has(titles ...string) bool {
	for _, t := range titles {
		if _, ok := c.index[t]; !ok {
			return false
		}
	}
	return true
}

// row splits a line into as many cells as there are titles, the last cell
// holding the rest of the line. It returns nil for a line with fewer cells.
func (c *columns) row(line string) []string {
	cells := make([]string, 0, len(c.titles))
	rest := strings.TrimSpace(line)
	for len(cells) < len(c.titles)-1 {
		i := strings.IndexAny(rest, " \t")
		if i < 0 {
			break
		}
		cells = append(cells, rest[:i])
		rest = strings.TrimLeft(rest[i:], " \t")
	}
	if rest != "" {
		cells = append(cells, rest)
	}
	if len(cells) < len(c.titles) {
		return nil
	}
	return cells
}

// cell returns the cell under the first of the titles that the header has.
func (c *columns) cell(cells []string, titles ...string) string {
	for _, t := range titles {
		if i, ok := c.index[t]; ok && i < len(cells) {
			return cells[i]
		}
	}
	return ""
}
