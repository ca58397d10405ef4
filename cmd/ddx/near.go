package main

import (
	"cmp"
	"slices"
	"strings"

	"ddx/catalog"
)

// didYouMean adds the ids of modes that are near to what was asked for to an
// error in usage that says that there is no such mode.
func (a *app) didYouMean(err error, id string) error {
	cat, loadErr := catalog.Load(a.catalogDirs...)
	if loadErr != nil {
		return loadErr // what is asked for may be in what cannot be loaded
	}
	return notThere(err, id, modeIDs(cat))
}

func modeIDs(cat *catalog.Catalogue) []string {
	ids := make([]string, len(cat.Modes))
	for i, m := range cat.Modes {
		ids[i] = m.ID
	}
	return ids
}

// notThere makes of an error that says that there is no such name one in usage,
// with the names that are near to what was asked for.
func notThere(err error, asked string, names []string) error {
	if close := near(asked, names); len(close) > 0 {
		return usagef("%w; did you mean %s?", err, strings.Join(close, ", "))
	}
	return usageError{err}
}

// near returns up to five names that a typing error, another case or a part of
// the words leads to, the nearest first.
func near(asked string, names []string) []string {
	asked = strings.ToLower(asked)
	type candidate struct {
		name     string
		distance int
	}
	var found []candidate
	for _, name := range names {
		d := distance(asked, name)
		switch {
		case d <= max(1, len(asked)/4):
		case len(asked) >= 2 && strings.Contains(name, asked):
			d += 1000 // after every typing error
		default:
			continue
		}
		found = append(found, candidate{name, d})
	}
	slices.SortStableFunc(found, func(x, y candidate) int { return cmp.Compare(x.distance, y.distance) })
	var out []string
	for _, c := range found[:min(5, len(found))] {
		out = append(out, c.name)
	}
	return out
}

// distance is the number of letters to insert, delete or replace between two
// words (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
