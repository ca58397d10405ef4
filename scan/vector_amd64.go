package scan

import (
	"sync"
	"time"

	"golang.org/x/sys/cpu"
)

//go:noescape
func probeCoarseAVX2(list *int32, masks *uint32, b *byte, lo, hi int, set *uint8, fold uint32) int

//go:noescape
func probeFineAVX2(list *int32, masks *uint32, b *byte, lo, hi int, set *uint8, fold uint32) int

func vectorCoarse(l *groups, b []byte, lo, hi int, g *grams) int {
	return probeCoarseAVX2(&l.start[0], &l.mask[0], &b[0], lo, hi, &g.set[0], g.fold)
}

func vectorFine(l *groups, b []byte, lo, hi int, g *grams) int {
	return probeFineAVX2(&l.start[0], &l.mask[0], &b[0], lo, hi, &g.set[0], g.fold)
}

// probes returns the faster of the two ways to probe. Which one it is depends
// on the processor and its microcode: some gather as fast as they load, some
// many times slower. Both give the same answer, so that it is enough to try.
var probes = sync.OnceValues(func() (coarse, fine probe) {
	if !cpu.X86.HasAVX2 {
		return scalarCoarse, scalarFine
	}
	g := &grams{}
	text := []byte(typicalLog)
	for i := 0; i+gramSize <= len(text); i += 61 {
		h := hash(uint32(text[i]) | uint32(text[i+1])<<8 | uint32(text[i+2])<<16 | uint32(text[i+3])<<24)
		g.set[h>>3] |= 1 << (h & 7)
	}
	text = append(text, make([]byte, slackSize)...)
	var list groups
	best := func(p probe) time.Duration {
		least := time.Hour
		for range 20 {
			start := time.Now()
			p(&list, text, 0, min(len(typicalLog), tile), g)
			least = min(least, time.Since(start))
		}
		return least
	}
	if best(vectorCoarse) < best(scalarCoarse) {
		return vectorCoarse, vectorFine
	}
	return scalarCoarse, scalarFine
})
