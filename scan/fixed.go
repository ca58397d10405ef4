package scan

import (
	"bytes"
	"cmp"
	"slices"
	"sync"
)

// A fixed is a literal that is looked for in a single line, by its rarest byte:
// most lines do not have that byte at all.
type fixed struct {
	text string
	rare int // position of the byte
}

// typicalBytes counts the bytes of typicalLog.
var typicalBytes = sync.OnceValue(func() (n [256]int) {
	for i := range len(typicalLog) {
		n[typicalLog[i]]++
	}
	return n
})

// A check is a requirement whose literals are looked for one by one.
type check struct {
	option int // index of the requirement
	fixed  []fixed
}

// fixedOnly keeps the requirements that can be checked by plain search, those
// with the fewest literals first: with one requirement the search for
// candidates has done it already.
func fixedOnly(options []anyOf) (out []check) {
	if len(options) < 2 {
		return nil
	}
	n := typicalBytes()
	for i, o := range options {
		if o.folds() || len(o) > maxExact {
			continue
		}
		var list []fixed
		for _, l := range o {
			f := fixed{text: l.text}
			for k := range len(l.text) {
				if n[l.text[k]] < n[l.text[f.rare]] {
					f.rare = k
				}
			}
			list = append(list, f)
		}
		out = append(out, check{i, list})
	}
	slices.SortStableFunc(out, func(a, b check) int { return cmp.Compare(len(a.fixed), len(b.fixed)) })
	return out
}

// in reports whether the literal stands in the text.
func (f fixed) in(text []byte) bool {
	c := f.text[f.rare]
	for at := f.rare; at < len(text); at++ {
		i := bytes.IndexByte(text[at:], c)
		if i < 0 {
			return false
		}
		at += i
		start := at - f.rare
		if len(text)-start < len(f.text) {
			return false
		}
		if string(text[start:start+len(f.text)]) == f.text {
			return true
		}
	}
	return false
}

// anyIn reports whether one of the literals stands in the text.
func anyIn(list []fixed, text []byte) bool {
	for _, f := range list {
		if f.in(text) {
			return true
		}
	}
	return false
}
