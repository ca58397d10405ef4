package main

import (
	"fmt"
	"os"
	"time"

	"ddx"
	"ddx/output"
)

// progress tells a person at a terminal what takes long, on standard error and
// not before a second has passed; nil when nobody looks. clearProgress takes
// the line away before anything else is written.
func (a *app) progress() func(ddx.Progress) {
	f, ok := a.stderr.(*os.File)
	if !ok || !isTerminal(f) {
		return nil
	}
	started := time.Now()
	var last time.Time
	return func(p ddx.Progress) {
		now := time.Now()
		if now.Sub(started) < time.Second || now.Sub(last) < 100*time.Millisecond {
			return
		}
		last, a.progressShown = now, true
		count := ""
		if p.Done > 0 && p.Total > 0 {
			count = fmt.Sprintf(" %d/%d", p.Done, p.Total)
		}
		fmt.Fprintf(f, "\r\x1b[K%s%s", output.Visible(p.Message), count)
		if p.Total > 0 && p.Done >= p.Total {
			a.clearProgress()
		}
	}
}

func (a *app) clearProgress() {
	if a.progressShown {
		a.progressShown = false
		fmt.Fprint(a.stderr, "\r\x1b[K")
	}
}
