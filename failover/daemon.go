package failover

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"sync"
	"time"
)

// Daemon keeps an endpoint in step with the health of its targets. Any number
// of daemons may run for one endpoint; they agree through the record.
type Daemon struct {
	Policy     Policy
	Enactor    *Enactor
	Vantage    *Vantage
	Peers      []string // URLs of the other vantage points
	VoteKey    []byte
	Quorum     int           // vantage points that must agree; at least 1
	MaxAge     time.Duration // of a vote
	FreezeFile string        // while this file exists, this daemon changes nothing
	Apply      bool          // false: say what would be done, change nothing
	Now        func() time.Time
	Log        func(format string, args ...any)

	mu        sync.Mutex
	downSince time.Time
	last      Result
	lastErr   error
	lastWhy   string
}

// Health gathers the votes of all vantage points and counts them.
func (d *Daemon) Health(ctx context.Context) map[netip.Addr]Tally {
	votes := make([]Vote, len(d.Peers)+1)
	votes[0] = d.Vantage.Vote()
	var wg sync.WaitGroup
	for i, url := range d.Peers {
		wg.Go(func() {
			v, err := FetchVote(ctx, url, d.VoteKey)
			if err != nil {
				d.say("vantage", "%v", err)
				return
			}
			votes[i+1] = v
		})
	}
	wg.Wait()
	return Count(votes, d.Vantage.Targets, max(1, d.Quorum), d.MaxAge, d.Now())
}

// Round looks, decides and, when Apply is set and nothing is frozen, enacts.
func (d *Daemon) Round(ctx context.Context, order Order) (Result, error) {
	d.Vantage.Look(ctx)
	health := d.Health(ctx)
	apply := d.Apply
	if why := d.frozen(); why != "" {
		d.say("frozen", "%s", why)
		apply = false
	}
	d.mu.Lock()
	since := d.downSince
	d.mu.Unlock()
	decide := func(cur Current) Decision {
		dec := Decide(d.Policy, cur, health, order, since, d.Now())
		d.mu.Lock()
		d.downSince = dec.DownSince
		d.mu.Unlock()
		return dec
	}
	var res Result
	var err error
	if apply {
		res, err = d.Enactor.Enact(ctx, decide)
	} else if res.Current, err = d.Enactor.Provider.Read(ctx, d.Policy.Name); err == nil {
		res.Decision = decide(res.Current)
	}
	d.mu.Lock()
	d.last, d.lastErr = res, err
	d.mu.Unlock()
	return res, err
}

// Run makes a round at every tick until ctx ends. An error of one round is
// said and does not end the daemon: the next round reads the zone anew.
func (d *Daemon) Run(ctx context.Context, tick <-chan time.Time) {
	for {
		res, err := d.Round(ctx, Order{})
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			d.say("error", "%v", err)
		case res.Applied:
			d.say("applied", "%s: %s", res.Decision.Verdict, res.Decision.Why)
		case res.Decision.Verdict == VerdictChange && !d.Apply:
			d.say("would", "would change: %s", res.Decision.Why)
		default:
			d.say("verdict", "%s: %s", res.Decision.Verdict, res.Decision.Why)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
	}
}

// Last returns the result of the last round.
func (d *Daemon) Last() (Result, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last, d.lastErr
}

// frozen says why this daemon must not write. A freeze file that cannot be
// looked at counts as one that is there.
func (d *Daemon) frozen() string {
	if d.FreezeFile == "" {
		return ""
	}
	_, err := os.Stat(d.FreezeFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ""
	case err != nil:
		return fmt.Sprintf("frozen: %v", err)
	}
	return "frozen by " + d.FreezeFile
}

// say logs a line when it differs from the last one.
func (d *Daemon) say(kind, format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	d.mu.Lock()
	repeated := kind+line == d.lastWhy
	d.lastWhy = kind + line
	d.mu.Unlock()
	if d.Log != nil && !repeated {
		d.Log("%s", line)
	}
}
