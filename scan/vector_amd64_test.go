package scan

import (
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/sys/cpu"
)

// Both probes give the same groups and masks for any text and set.
func TestVectorIsScalar(t *testing.T) {
	if !cpu.X86.HasAVX2 {
		t.Skip("this processor has no AVX2")
	}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 9))
		g := &grams{}
		for range r.IntN(20000) {
			g.set[r.IntN(len(g.set))] |= 1 << r.IntN(8)
		}
		lo := r.IntN(100)
		hi := lo + r.IntN(tile+1)
		b := make([]byte, hi+slackSize)
		for i := range b {
			b[i] = byte(r.IntN(256) >> r.IntN(4))
		}
		for _, fold := range []uint32{0, fold32} {
			g.fold = fold
			sameGroups(t, vectorCoarse, scalarCoarse, b, lo, hi, g)
		}
		sameGroups(t, vectorFine, scalarFine, b, lo, hi, g)
	}
}

func sameGroups(t *testing.T, p, q probe, b []byte, lo, hi int, g *grams) {
	t.Helper()
	var x, y groups
	n, m := p(&x, b, lo, hi, g), q(&y, b, lo, hi, g)
	if !slices.Equal(x.start[:n], y.start[:m]) || !slices.Equal(x.mask[:n], y.mask[:m]) {
		t.Fatalf("%d to %d, fold %x: %d groups, want %d", lo, hi, g.fold, n, m)
	}
}

func BenchmarkProbe(b *testing.B) {
	text := slices.Repeat([]byte(typicalLog), 8)[:tile+slackSize]
	s, err := Compile(benchPatterns(500))
	if err != nil {
		b.Fatal(err)
	}
	g := &s.typical().coarse
	var list groups
	for name, p := range map[string]probe{"vector": vectorCoarse, "scalar": scalarCoarse} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(tile)
			for b.Loop() {
				p(&list, text, 0, tile, g)
			}
		})
	}
}
