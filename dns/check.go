package dns

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options says whom to ask and how. The zero value asks the resolvers of
// /etc/resolv.conf and the authorities they name.
type Options struct {
	Resolvers   []string // address or address:port; nil: those of ResolvConf
	ResolvConf  string   // path; empty: /etc/resolv.conf
	Roots       []string // address or address:port to start walking the delegation from; nil: ask the resolvers for the zone and its servers
	Authorities []string // address or address:port asked as authoritative servers, without a walk
	Port        uint16   // port of servers found by delegation and of addresses given without one; 0: 53
	Types       []string // nil: A and AAAA
	Connect     []uint16 // ports to connect to on each address the name gave; nil: none
	Generation  bool     // also read the generation record below the name

	Timeout  time.Duration    // for one attempt; 0: 2 s
	Attempts int              // over UDP; 0: 2
	UDPSize  uint16           // advertised; 0: 1232
	Now      func() time.Time // nil: time.Now
}

// maxChain bounds a CNAME chain, maxServersAsked the servers of one zone, and
// maxSilent the servers of a zone above that are tried when none answers.
const (
	maxChain        = 10
	maxServersAsked = 26
	maxSilent       = 3
)

// run is one Check under way.
type run struct {
	opts   Options
	client *client
	mu     sync.Mutex
	out    Answers
}

// Check asks every authoritative server of name and the resolvers in use and
// returns what they said. It fails only when there is nobody to ask; servers
// that do not answer are part of the value.
func Check(ctx context.Context, name string, opts Options) (Answers, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.Port = cmp.Or(opts.Port, 53)
	if len(opts.Types) == 0 {
		opts.Types = []string{"A", "AAAA"}
	}
	r := &run{opts: opts, client: &client{
		timeout:  cmp.Or(opts.Timeout, 2*time.Second),
		attempts: max(cmp.Or(opts.Attempts, 2), 1),
		udpSize:  cmp.Or(opts.UDPSize, 1232),
		now:      opts.Now,
	}}
	r.out = Answers{Name: Canonical(name), Time: opts.Now()}
	if strings.TrimSpace(name) == "" || !validName(r.out.Name) {
		return r.out, fmt.Errorf("check %q: not a domain name", name)
	}
	resolvers, err := r.resolvers()
	if err != nil {
		return r.out, err
	}
	if len(resolvers)+len(opts.Authorities)+len(opts.Roots) == 0 {
		return r.out, fmt.Errorf("check %s: no name server to ask: %s lists none; name one with --resolver or --server",
			r.out.Name, cmp.Or(opts.ResolvConf, "/etc/resolv.conf"))
	}
	r.authoritative(ctx, resolvers)
	r.recursive(ctx, resolvers)
	if !strings.HasSuffix(name, ".") {
		r.searched(ctx, name, resolvers)
	}
	r.sort()
	r.again(ctx)
	r.connect(ctx)
	return r.out, nil
}

// again asks those resolvers a second time, a little over a second later, that
// differ from the authorities: only a cache counts down.
func (r *run) again(ctx context.Context) {
	v := Classify(r.out, Baseline{})
	if !v.Has(NegativeCached) && !v.Has(Stale) {
		return
	}
	wait := time.NewTimer(1100 * time.Millisecond)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
		return
	}
	type question struct {
		s    Server
		name string
		typ  string
	}
	asked := map[question]bool{}
	for _, rep := range slices.Clone(r.out.Replies) {
		q := question{rep.Server, rep.Name, rep.Type}
		if rep.Server.Role != Resolver || rep.Outcome != Answered || !slices.Contains(addressTypes, rep.Type) || asked[q] {
			continue
		}
		asked[q] = true
		r.put(r.client.ask(ctx, q.s, q.name, q.typ))
	}
}

// resolvers lists the recursive servers, those given or those of resolv.conf.
func (r *run) resolvers() ([]Server, error) {
	path := cmp.Or(r.opts.ResolvConf, "/etc/resolv.conf")
	f, err := os.Open(path)
	if err == nil {
		r.out.Resolv, err = ParseResolv(f)
		f.Close()
	}
	if err != nil {
		r.out.Gaps = append(r.out.Gaps, Gap{"resolver configuration", err.Error()})
		r.out.Resolv.Ndots = 1
	}
	addrs := r.opts.Resolvers
	if addrs == nil && r.opts.Roots == nil && r.opts.Authorities == nil {
		addrs = r.out.Resolv.Servers
	}
	var out []Server
	for _, a := range addrs {
		ap, err := r.addrPort(a)
		if err != nil {
			return nil, fmt.Errorf("resolver %q: %w; give an address, or address:port", a, err)
		}
		out = append(out, Server{Addr: ap, Role: Resolver})
	}
	return out, nil
}

// recursive puts the questions to each resolver, all resolvers at once.
func (r *run) recursive(ctx context.Context, resolvers []Server) {
	each(resolvers, func(s Server) {
		for _, t := range r.questions() {
			if !r.put(r.client.ask(ctx, s, r.out.Name, t)) {
				return
			}
		}
	})
}

// questions are the types asked about the name itself.
func (r *run) questions() []string {
	qs := slices.Clone(r.opts.Types)
	for _, t := range []string{"A", "AAAA", "CNAME"} {
		if !slices.Contains(qs, t) {
			qs = append(qs, t)
		}
	}
	return qs
}

// searched asks the resolvers for the names that the search list makes of a
// relative name, where those are tried before the name itself.
func (r *run) searched(ctx context.Context, name string, resolvers []Server) {
	for _, cand := range r.out.Resolv.Candidates(name) {
		if cand == r.out.Name {
			return
		}
		if !validName(cand) {
			continue
		}
		each(resolvers, func(s Server) { r.put(r.client.ask(ctx, s, cand, "A")) })
	}
}

// put records replies and reports whether the server answered at all; one that
// does not is not asked again, which bounds the time of a Check.
func (r *run) put(rs []Reply) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.out.Replies = append(r.out.Replies, rs...)
	last := rs[len(rs)-1]
	return last.Outcome == Answered || rs[0].Outcome == Answered
}

func (r *run) gap(what, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.out.Gaps = append(r.out.Gaps, Gap{what, why})
}

// addrPort completes an address with the port of Options.
func (r *run) addrPort(s string) (string, error) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.String(), nil
	}
	ip, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(ip.String(), strconv.Itoa(int(r.opts.Port))), nil
}

// each calls f for every server at once and waits; the order of the replies is
// restored by Answers.sort.
func each(servers []Server, f func(Server)) {
	var wg sync.WaitGroup
	for _, s := range servers {
		wg.Go(func() { f(s) })
	}
	wg.Wait()
}

// validName reports whether a canonical name keeps the limits of RFC 1035.
func validName(name string) bool {
	if name == "." {
		return true
	}
	if len(name) > 254 {
		return false
	}
	for l := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		if l == "" || len(l) > 63 || strings.ContainsAny(l, " \t\r\n\\\"();@") {
			return false
		}
	}
	return true
}
