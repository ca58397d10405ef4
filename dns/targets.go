package dns

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// connect opens a TCP connection to each address the name gave, on each port of
// Options.Connect, to tell a name that resolves to dead machines.
func (r *run) connect(ctx context.Context) {
	if len(r.opts.Connect) == 0 {
		return
	}
	addrs := map[string]bool{}
	for _, rep := range r.out.Replies {
		for _, rr := range rep.Answer {
			if rep.Server.Role != Parent && family(rr.Data) == rr.Type && rr.Type != "" {
				addrs[rr.Data] = true
			}
		}
	}
	var wg sync.WaitGroup
	for _, a := range sorted(addrs) {
		for _, p := range r.opts.Connect {
			wg.Go(func() {
				t := Target{Addr: net.JoinHostPort(a, strconv.Itoa(int(p))), Outcome: Answered}
				d := net.Dialer{Timeout: r.client.timeout}
				conn, err := d.DialContext(ctx, "tcp", t.Addr)
				if err == nil {
					conn.Close()
				} else {
					t.Outcome, t.Error = outcomeOf(err, "tcp")
					var oe *net.OpError
					if errors.As(err, &oe) && oe.Timeout() {
						t.Outcome = TimedOut
					}
				}
				r.mu.Lock()
				r.out.Targets = append(r.out.Targets, t)
				r.mu.Unlock()
			})
		}
	}
	wg.Wait()
	slices.SortFunc(r.out.Targets, func(a, b Target) int { return strings.Compare(a.Addr, b.Addr) })
}

// sort brings the replies, which come in the order of the network, into one
// that depends on the questions only.
func (r *run) sort() {
	rank := map[Role]int{Parent: 0, Authority: 1, Resolver: 2}
	slices.SortStableFunc(r.out.Replies, func(a, b Reply) int {
		if d := rank[a.Server.Role] - rank[b.Server.Role]; d != 0 {
			return d
		}
		if d := strings.Compare(a.Server.Addr, b.Server.Addr); d != 0 {
			return d
		}
		return a.Time.Compare(b.Time)
	})
}
