package blackhole

import "math"

// estimateOffset finds the seconds to add to the guest's clock to put it on the
// network's, by cross-correlation of received packets. Only times at which both
// sides count are compared, so that a black hole does not count as a likeness
// or an unlikeness. It gives ok only if the signal allows it: enough intervals,
// enough variation, a clear and single peak.
func estimateOffset(n []Bucket, step float64, g *guestSide, most float64) (offset, correlation float64, ok bool) {
	fine := step
	if len(g.deltas) > 0 {
		for _, d := range g.deltas {
			fine = math.Min(fine, math.Max(1, d.to-d.from))
		}
	}
	lags := int(most / fine)
	best, second := math.Inf(-1), math.Inf(-1)
	bestLag := 0
	scores := make([]float64, 2*lags+1)
	for lag := -lags; lag <= lags; lag++ {
		scores[lag+lags] = correlate(n, step, g, float64(lag)*fine)
		if s := scores[lag+lags]; s > best {
			best, bestLag = s, lag
		}
	}
	// Rivals within one interval of the peak are its own slopes.
	apart := max(1, int(step/fine))
	for lag := -lags; lag <= lags; lag++ {
		if lag < bestLag-apart || lag > bestLag+apart {
			second = math.Max(second, scores[lag+lags])
		}
	}
	if math.IsInf(best, -1) || best < 0.8 || best-second < 0.1 {
		return 0, best, false
	}
	// A lag that is hardly better than none is none.
	if zero := scores[lags]; best-zero < 0.02 {
		return 0, zero, true
	}
	return float64(bestLag) * fine, best, true
}

// correlate gives Pearson's r of the two sides' packets when the guest's clock
// is shifted by lag seconds; -Inf when too little can be compared.
func correlate(n []Bucket, step float64, g *guestSide, lag float64) float64 {
	var sx, sy, sxx, syy, sxy, k float64
	for _, b := range n {
		at := float64(b.Start) - lag
		got, known := g.within(at, at+step)
		if b.In == 0 || known < 0.99 || got == 0 || b.Skipped {
			continue
		}
		x, y := float64(b.In), got
		sx, sy, sxx, syy, sxy, k = sx+x, sy+y, sxx+x*x, syy+y*y, sxy+x*y, k+1
	}
	vx, vy := k*sxx-sx*sx, k*syy-sy*sy
	const enough = 8
	// Variation below a twentieth of the mean is noise of the borders.
	if k < enough || vx <= 0 || vy <= 0 || math.Sqrt(vx)/sx < 0.05 {
		return math.Inf(-1)
	}
	return (k*sxy - sx*sy) / math.Sqrt(vx*vy)
}
