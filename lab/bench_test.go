//go:build unix

package lab

import (
	"context"
	"math"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
)

// cpuSeconds returns the processor time that this process has used.
func cpuSeconds(b *testing.B) float64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(r.Utime) + seconds(r.Stime)
}

// measured explores once and returns the exploration and its processor time.
func measured(b *testing.B, space Space, opt ExploreOptions) (*Exploration, float64) {
	runtime.GC()
	debug.FreeOSMemory()
	before := cpuSeconds(b)
	x, err := Explore(context.Background(), space, opt)
	if err != nil {
		b.Fatal(err)
	}
	return x, cpuSeconds(b) - before
}

// BenchmarkAgainstSpin explores the same spaces with this explorer and with
// Spin, turn by turn in one run. Spin gets its hash table sized beforehand, so
// does the explorer. Spin checks nothing; the explorer checks four invariants.
// Ratios are of the smallest processor times, Spin's over ours: "full" on the
// same space without any reduction, "reduced" with our symmetry against Spin's
// partial-order reduction.
func BenchmarkAgainstSpin(b *testing.B) {
	for _, bb := range []struct {
		name, defines                         string
		safeguards                            []string
		enactors, retain, plans, hash, expect int
	}{
		{"dns-6.7M", "-DN=3 -DK=2 -DP=7", nil, 3, 2, 7, 24, 6_700_000},
		{"lock-fence-recheck-1.7M", "-DN=3 -DK=2 -DP=5 -DLOCK -DFENCE -DRECHECK", []string{"lock-fence", "recheck"}, 3, 2, 5, 22, 1_800_000},
		{"dns-three", "-DN=3", nil, 3, 1, 3, 17, 50_000},
	} {
		b.Run(bb.name, func(b *testing.B) {
			full, reduced := pan(b, bb.defines, "-O3 -DNOREDUCE"), pan(b, bb.defines, "-O3")
			cfg := variant(bb.safeguards, bb.retain, bb.plans, bb.enactors, 1)
			best := [4]float64{math.Inf(1), math.Inf(1), math.Inf(1), math.Inf(1)}
			var states, stored int
			for b.Loop() {
				for range 5 {
					s := runPan(b, full, bb.hash)
					x, cpu := measured(b, newDNSSpace(cfg), ExploreOptions{NoSymmetry: true, NoTraps: true, Expect: bb.expect})
					if s.states != x.States+1 {
						b.Fatalf("Spin has %d states, we have %d: not the same space", s.states, x.States)
					}
					r := runPan(b, reduced, bb.hash)
					y, symmetric := measured(b, newDNSSpace(cfg), ExploreOptions{NoTraps: true})
					states, stored = x.States, y.States
					for i, v := range []float64{s.seconds, cpu, r.seconds, symmetric} {
						best[i] = min(best[i], v)
					}
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(states), "states")
			b.ReportMetric(float64(stored), "stored-with-symmetry")
			b.ReportMetric(float64(states)/best[0]/1e6, "Mstates/s-spin")
			b.ReportMetric(float64(states)/best[1]/1e6, "Mstates/s-ddx")
			b.ReportMetric(best[0]/best[1], "x-full")
			b.ReportMetric(best[2], "s-spin-reduced")
			b.ReportMetric(best[3], "s-ddx-reduced")
			b.ReportMetric(best[2]/best[3], "x-reduced")
		})
	}
}

// BenchmarkShippedModels explores every shipped model with its recommended
// safeguards and without any, traps included.
func BenchmarkShippedModels(b *testing.B) {
	for _, m := range Models() {
		b.Run(m.Name, func(b *testing.B) {
			for b.Loop() {
				for _, safeguards := range [][]string{nil, m.Recommended} {
					if _, err := Check(context.Background(), m.Name, safeguards, CheckOptions{}); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
