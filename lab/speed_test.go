package lab

import (
	"context"
	"os"
	"runtime/pprof"
	"syscall"
	"testing"
)

func cpu() float64 {
	var r syscall.Rusage
	syscall.Getrusage(0, &r)
	return float64(r.Utime.Sec) + float64(r.Utime.Usec)/1e6 + float64(r.Stime.Sec) + float64(r.Stime.Usec)/1e6
}
func TestSpeed(t *testing.T) {
	if os.Getenv("PROF") != "" {
		f, _ := os.Create(os.Getenv("PROF"))
		pprof.StartCPUProfile(f)
		defer pprof.StopCPUProfile()
	}
	for _, c := range []struct {
		n, k, p   int
		sym, lock bool
	}{{3, 1, 5, false, false}, {3, 2, 6, false, false}, {3, 2, 7, false, false}, {3, 2, 7, true, false}, {3, 1, 4, false, true}, {3, 1, 4, true, true}} {
		cfg := DNSConfig{Enactors: c.n, Retain: c.k, Plans: c.p, Endpoints: 1}
		cfg.Enactor.Clean = true
		if c.lock {
			cfg.Enactor.Lock = true
			cfg.Enactor.Fence = true
			cfg.LockExpires = true
		}
		t0 := cpu()
		x, err := Explore(context.Background(), newDNSSpace(cfg), ExploreOptions{NoSymmetry: !c.sym, NoTraps: true, Expect: 7000000})
		if err != nil {
			t.Fatal(err)
		}
		d := cpu() - t0
		t.Logf("%+v states %d trans %d  %.2fs  %.2f Mst/s %.2f Mtr/s", c, x.States, x.Transitions, d, float64(x.States)/d/1e6, float64(x.Transitions)/d/1e6)
	}
}
