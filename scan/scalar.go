package scan

import "encoding/binary"

// The probes in plain Go take two steps: groups with a gram in a byte of the
// set that is not zero, then the grams themselves.

func scalarCoarse(list *groups, b []byte, lo, hi int, g *grams) int {
	n := 0
	if g.fold == 0 {
		n = groupsCoarse(list, b, lo, hi, g)
	} else {
		n = groupsFolded(list, b, lo, hi, g)
	}
	kept := 0
	for _, start := range list.start[:n] {
		t, mask := (*[group]byte)(b[start:]), uint32(0)
		for k := range coarseGrams {
			h := hash(binary.LittleEndian.Uint32(t[k*coarseStride:]) | g.fold)
			mask |= uint32(g.set[h>>3]>>(h&7)&1) << k
		}
		list.start[kept], list.mask[kept] = start, mask
		if mask != 0 {
			kept++
		}
	}
	return kept
}

func scalarFine(list *groups, b []byte, lo, hi int, g *grams) int {
	n := groupsFine(list, b, lo, hi, g)
	kept := 0
	for _, start := range list.start[:n] {
		t, mask := (*[group + fineStride]byte)(b[start:]), uint32(0)
		for k := range coarseGrams {
			h := hash(binary.LittleEndian.Uint32(t[k*coarseStride:]) | g.fold)
			mask |= uint32(g.set[h>>3]>>(h&7)&1) << k
			h = hash(binary.LittleEndian.Uint32(t[k*coarseStride+fineStride:]) | g.fold)
			mask |= uint32(g.set[h>>3]>>(h&7)&1) << (k + coarseGrams)
		}
		list.start[kept], list.mask[kept] = start, mask
		if mask != 0 {
			kept++
		}
	}
	return kept
}

// groupsCoarse lists the groups of b[lo:hi] with a gram in a byte of the set
// that is not zero.
func groupsCoarse(list *groups, b []byte, lo, hi int, g *grams) int {
	n := 0
	for i := lo; i < hi; i += group {
		t := (*[group]byte)(b[i:])
		a := g.set[hash(binary.LittleEndian.Uint32(t[0:]))>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[4:]))>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[8:]))>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[12:]))>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[16:]))>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[20:]))>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[24:]))>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[28:]))>>3]
		list.start[n] = int32(i)
		if a != 0 {
			n++
		}
	}
	return n
}

// groupsFolded is groupsCoarse for text that is folded first.
func groupsFolded(list *groups, b []byte, lo, hi int, g *grams) int {
	n := 0
	for i := lo; i < hi; i += group {
		t := (*[group]byte)(b[i:])
		a := g.set[hash(binary.LittleEndian.Uint32(t[0:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[4:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[8:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[12:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[16:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[20:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[24:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[28:])|fold32)>>3]
		list.start[n] = int32(i)
		if a != 0 {
			n++
		}
	}
	return n
}

// groupsFine is groupsCoarse for fine samples, which are always folded.
func groupsFine(list *groups, b []byte, lo, hi int, g *grams) int {
	n := 0
	for i := lo; i < hi; i += group {
		t := (*[group + fineStride]byte)(b[i:])
		a := g.set[hash(binary.LittleEndian.Uint32(t[0:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[2:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[4:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[6:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[8:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[10:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[12:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[14:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[16:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[18:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[20:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[22:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[24:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[26:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[28:])|fold32)>>3]
		a |= g.set[hash(binary.LittleEndian.Uint32(t[30:])|fold32)>>3]
		list.start[n] = int32(i)
		if a != 0 {
			n++
		}
	}
	return n
}
