package lab

import (
	"context"
	"ddx/controlplane"
	"testing"
)

func TestCalib(t *testing.T) {
	type cfg = DNSConfig
	base := func(f func(*cfg)) cfg {
		c := cfg{Enactors: 2, Retain: 1, Plans: 3, Endpoints: 1}
		c.Enactor.Clean = true
		f(&c)
		return c
	}
	_ = controlplane.None
	recommended := func(c *cfg) {
		c.Enactor.CompareGeneration = true
		c.Cleaner.Conditional = true
		c.Cleaner.ProtectRollback = true
		c.Enactor.CheckTarget = true
	}
	vs := []struct {
		n    string
		f    func(*cfg)
		want string
	}{
		{"00", func(c *cfg) {}, "1444 / 3721 / 40067 / 10976 F10 F8 F10 150/6946"},
		{"01", func(c *cfg) { c.Enactor.RollbackApart = true }, "1530 / 3851 / 44225 / 13367 10 8 10 0"},
		{"02", func(c *cfg) { c.Enactor.Lock = true; c.Enactor.Fence = true; c.LockExpires = true }, "4448 / 12927 / 150828 / 36178 12 10 12 396/19742"},
		{"03", func(c *cfg) { c.Enactors = 1 }, "56 / 116 / 56 / 98"},
		{"04", func(c *cfg) { c.Enactor.Clean = false }, "366 / 1277 / 3056 / 1876 - 8 - 0"},
		{"05", func(c *cfg) { c.Enactor.Recheck = true }, "2800 / 8496 / 163806 / 23525 12 10 12 251 / 26473"},
		{"06", func(c *cfg) { c.Enactor.Recheck = true; c.Enactor.Lock = true; c.LockExpires = true }, "5787 / 18373 / 392862 / 56571 15 13 15 699 / 79424"},
		{"07", func(c *cfg) {
			c.Enactor.Recheck = true
			c.Enactor.Lock = true
			c.Enactor.Fence = true
			c.LockExpires = true
		}, "6727 / 21494 / 300346 / 43017 0"},
		{"08", func(c *cfg) { c.Enactor.CompareGeneration = true }, "1941 / 5130 / 63933 / 11327"},
		{"09", func(c *cfg) { c.Enactor.OnlyNewer = true }, "1062 / 2472 / 19743 / 5835"},
		{"10", func(c *cfg) { c.Cleaner.SpareActive = true }, "1444 / 3735 / 40436 / 11561 10 8 10 150/6928"},
		{"11", func(c *cfg) { c.Cleaner.Conditional = true }, "1406 / 3715 / 38777 / 11359 10 8 - 112 / 5398"},
		{"12", func(c *cfg) { c.Cleaner.Conditional = true; c.Enactor.CheckTarget = true }, "1326 / 3545 / 35767 / 9312 - 8 - 0"},
		{"13", func(c *cfg) { c.Cleaner.Conditional = true; c.Enactor.CarryTree = true; c.Enactor.Recheck = true }, "3204 / 10151 / 254868 / 27448 - 10 - 0"},
		{"14", func(c *cfg) { c.Enactor.CheckTarget = true }, "1460 / 3743 / 42329 / 10962 10 8 10 134 / 6091"},
		{"15", func(c *cfg) { c.Cleaner.AgeFromActive = true }, "1566 / 4670 / 56222 / 14529 10 8 10 165 / 9454"},
		{"16", func(c *cfg) { c.Enactor.ExpirePlan = true }, "3571 / 11026 / 165396 / 24639 12 10 12 307/26551"},
		{"17", func(c *cfg) { c.Enactor.ExpireAtomic = true }, "1243 / 3440 / 17732 / 5717 - -/8 - 0"},
		{"18", func(c *cfg) {
			c.Enactor.Lock = true
			c.Enactor.Fence = true
			c.LockExpires = true
			c.Cleaner.Lock = true
			c.Cleaner.SpareActive = true
		}, "4484 / 13475 / 142240 / 33414 - 10 - 0"},
		{"20", recommended, "1920 / 5671 / 61032 / 12940"},
		{"21", func(c *cfg) { recommended(c); c.Enactor.OneBatch = true }, "1689 / 4860 / 47501 / 10726"},
	}
	for _, v := range vs {
		var n []int
		var lens []int
		var traps []int
		for k := 0; k < 4; k++ {
			c := base(v.f)
			switch k {
			case 1:
				c.Retain, c.Plans = 2, 4
			case 2:
				if c.Enactors == 2 {
					c.Enactors = 3
				}
			case 3:
				c.Endpoints = 2
			}
			x, err := Explore(context.Background(), newDNSSpace(c), ExploreOptions{NoSymmetry: true})
			if err != nil {
				t.Fatal(err)
			}
			n = append(n, x.States)
			traps = append(traps, x.Traps)
			if k < 2 {
				for _, w := range x.Violations {
					if w == nil {
						lens = append(lens, 0)
					} else {
						lens = append(lens, w.Length)
					}
				}
			}
		}
		t.Log(v.n, n, lens, traps, "   want", v.want)
	}
}
