package failover

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ddx/dnstest"
	"ddx/netlab"

	mdns "github.com/miekg/dns"
)

// raceServers are the real name servers that every claim is proven on.
var raceServers = []struct {
	name  string
	start func(testing.TB, string, int, dnstest.Zones) *dnstest.Process
}{
	{"bind", func(t testing.TB, ip string, port int, z dnstest.Zones) *dnstest.Process {
		return dnstest.Bind(t, ip, port, z, "")
	}},
	{"knot", dnstest.Knot},
	{"pdns", dnstest.PowerDNS},
}

const emptyZone = "$ORIGIN race.example.\n$TTL 1\n@ IN SOA ns host 1 3600 600 86400 1\n@ IN NS ns\nns IN A 127.0.0.1\n"

// contested is a server that enactors race on.
type contested struct {
	control     string // what enactors are given
	dns         string // where the observer asks
	prov        Provider
	kill, start func()
}

// contests starts each kind of server on an address: the real name servers and
// Route 53 in the form of its fake.
var contests = []struct {
	name  string
	start func(t *testing.T, ip string) contested
}{
	{"bind", contestedServer(0)}, {"knot", contestedServer(1)}, {"pdns", contestedServer(2)},
	{"route53", func(t *testing.T, ip string) contested {
		f := StartRoute53(t, ip, dnstest.FreePort(t))
		return contested{f.URL, f.DNS, Batch{OpenRoute53(f.URL)}, f.Kill, f.Start}
	}},
}

func contestedServer(i int) func(*testing.T, string) contested {
	return func(t *testing.T, ip string) contested {
		p := raceServers[i].start(t, ip, dnstest.FreePort(t), dnstest.Zones{raceZone: emptyZone})
		return contested{p.Addr, p.Addr, raceProvider(p), p.Kill, p.Start}
	}
}

// race is one run: enactors, a planner and an observer.
type race struct {
	t        *testing.T
	server   contested
	planFile string
	command  func(name string, args ...string) *exec.Cmd // runs an enactor

	mu       sync.Mutex
	children map[int]*exec.Cmd
	outputs  []*lines

	observed, empty, regressed, unanswered atomic.Int64
	highest                                int    // by the observer, in order
	lastError                              string // of the observer
}

// lines counts what an enactor process says, line by line.
type lines struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	count map[string]int
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Write(p)
	for {
		s, err := l.buf.ReadString('\n')
		if err != nil {
			l.buf.WriteString(s)
			return len(p), nil
		}
		l.count[s[:len(s)-1]]++
	}
}

func newRace(t *testing.T, server contested) *race {
	r := &race{t: t, server: server, planFile: filepath.Join(t.TempDir(), "plan"), command: exec.Command, children: map[int]*exec.Cmd{}}
	r.publish(1)
	t.Cleanup(func() {
		for i := range 3 {
			r.kill(i)
		}
	})
	return r
}

// publish makes a plan the newest, at once as a whole.
func (r *race) publish(gen int) {
	tmp := r.planFile + ".new"
	if err := os.WriteFile(tmp, []byte(strconv.Itoa(gen)), 0o644); err != nil {
		r.t.Error(err)
	}
	if err := os.Rename(tmp, r.planFile); err != nil {
		r.t.Error(err)
	}
}

// start runs enactor i as a process of its own.
func (r *race) start(i int, mode string) {
	cmd := r.command(os.Args[0], r.server.control, r.planFile, fmt.Sprintf("enactor-%d", i))
	cmd.Env = append(os.Environ(), asEnactor+"="+mode)
	out := &lines{count: map[string]int{}}
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	r.children[i] = cmd
	r.outputs = append(r.outputs, out)
	r.mu.Unlock()
}

// kill ends enactor i wherever it is.
func (r *race) kill(i int) {
	r.mu.Lock()
	cmd := r.children[i]
	delete(r.children, i)
	r.mu.Unlock()
	if cmd != nil {
		cmd.Process.Kill()
		cmd.Wait()
	}
}

func (r *race) said(word string) int {
	n := 0
	for _, o := range r.outputs {
		o.mu.Lock()
		n += o.count[word]
		o.mu.Unlock()
	}
	return n
}

// plan publishes a generation every 25 ms until ctx ends and returns the last.
func (r *race) plan(ctx context.Context, gen int) int {
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return gen
		case <-tick.C:
			gen++
			r.publish(gen)
		}
	}
}

// observe asks for the endpoint's addresses without a pause until ctx ends. It
// begins to judge when the endpoint has its first generation.
func (r *race) observe(ctx context.Context) {
	c := &mdns.Client{Timeout: 200 * time.Millisecond}
	q := new(mdns.Msg)
	for ctx.Err() == nil {
		q.SetQuestion(raceName, mdns.TypeA)
		m, _, err := c.Exchange(q, r.server.dns)
		if err != nil || m.Rcode != mdns.RcodeSuccess && m.Rcode != mdns.RcodeNameError {
			r.unanswered.Add(1)
			r.lastError = fmt.Sprint(err)
			continue
		}
		gen, addrs := treeOf(m), 0
		for _, rr := range m.Answer {
			if a, ok := rr.(*mdns.A); ok {
				ip, _ := netip.AddrFromSlice(a.A.To4())
				addrs++
				gen = spelt(ip)
			}
		}
		if r.highest == 0 && addrs == 0 {
			continue
		}
		r.observed.Add(1)
		if addrs == 0 {
			r.empty.Add(1)
		}
		if gen >= 0 && gen < r.highest {
			r.regressed.Add(1)
		}
		r.highest = max(r.highest, gen)
	}
}

// run lets everything race for the time, calls during with the context, and
// returns the last generation that was planned.
func (r *race) run(mode string, d time.Duration, during func(context.Context)) int {
	for i := range 3 {
		r.start(i, mode)
	}
	return r.goOn(1, d, during)
}

// goOn plans from a generation on and observes for the time, with the enactors
// that live.
func (r *race) goOn(gen int, d time.Duration, during func(context.Context)) int {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	var wg sync.WaitGroup
	var last int
	wg.Go(func() { last = r.plan(ctx, gen) })
	wg.Go(func() { r.observe(ctx) })
	if during != nil {
		wg.Go(func() { during(ctx) })
	}
	wg.Wait()
	return last
}

// until goes on racing, for a limited number of times, while too little has
// happened to prove anything: a busy machine needs longer for the same.
func (r *race) until(gen int, enough func() bool, during func(context.Context)) int {
	for range 4 {
		if enough() {
			break
		}
		gen = r.goOn(gen, raceTime(), during)
	}
	return gen
}

func (r *race) log(what string) {
	r.t.Logf("%s: %d observations: %d empty, %d regressed, %d unanswered; enactors: %d applied, %d met a conflict or unknown outcome, %d errors; last thing unanswered: %.300s",
		what, r.observed.Load(), r.empty.Load(), r.regressed.Load(), r.unanswered.Load(), r.said("applied"), r.said("conflict"), r.said("error"), r.lastError)
}

// converges waits until the zone holds the last plan.
func (r *race) converges(last int) {
	r.t.Helper()
	prov := r.server.prov
	deadline := time.Now().Add(30 * time.Second)
	for {
		cur, err := prov.Read(context.Background(), raceName)
		if err == nil && int(cur.Record.Generation) == last {
			if cur.Drifted() || cur.Addresses.String() != planned(last).String() {
				r.t.Errorf("generation %d holds %s", last, cur.Addresses)
			}
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("does not converge to generation %d: %+v %v", last, cur.Record, err)
		}
	}
}

func raceProvider(p *dnstest.Process) *RFC2136 {
	return &RFC2136{Zone: raceZone, Server: p.Addr, KeyName: dnstest.KeyName, KeyAlgo: dnstest.KeyAlgo, Secret: dnstest.KeySecret, Timeout: 2 * time.Second}
}

func raceTime() time.Duration {
	if testing.Short() {
		return 3 * time.Second
	}
	return 10 * time.Second
}

// TestRace is the outage of 2025 for real, on each server: three enactor
// processes with delays. The old design must be seen to break, else the test
// has no eyes; the fenced enactor must never be seen empty or going back.
func TestRace(t *testing.T) {
	for _, s := range contests {
		t.Run(s.name, func(t *testing.T) {
			t.Run("without the fence", func(t *testing.T) {
				r := newRace(t, s.start(t, "127.0.0.1"))
				gen := r.run("trees", raceTime(), nil)
				r.until(gen, func() bool { return r.empty.Load() > 0 && r.regressed.Load() > 0 }, nil)
				r.log(s.name + " without the fence")
				if r.empty.Load() == 0 || r.regressed.Load() == 0 {
					t.Error("no emptiness or no regression was observed where both must occur")
				}
			})
			t.Run("the same enactor, its fence removed", func(t *testing.T) {
				r := newRace(t, s.start(t, "127.0.0.1"))
				gen := r.run("bare", raceTime()/2, nil)
				r.until(gen, func() bool { return r.regressed.Load() > 0 }, nil)
				r.log(s.name + " single message, no prerequisite")
				if r.regressed.Load() == 0 {
					t.Error("no regression was observed where it must occur: the zero with the fence would prove nothing")
				}
			})
			t.Run("with the fence", func(t *testing.T) {
				r := newRace(t, s.start(t, "127.0.0.1"))
				last := r.run("fenced", raceTime(), nil)
				enough := func() bool { return r.observed.Load() >= 1000 && r.said("applied") >= 10 && r.said("conflict") > 0 }
				last = r.until(last, enough, nil)
				r.log(s.name + " with the fence")
				if r.empty.Load() != 0 || r.regressed.Load() != 0 {
					t.Error("observed empty or going back")
				}
				if !enough() {
					t.Error("too little happened for the run to prove anything")
				}
				r.converges(last)
			})
		})
	}
}

// TestRaceUnderFaults adds what the world does: enactors killed at random
// points, the server killed and started again, requests or answers lost on the
// way, and the cable between the namespaces of enactors and server pulled out.
func TestRaceUnderFaults(t *testing.T) {
	if !dnstest.InNamespace(t) {
		return
	}
	for _, s := range contests {
		t.Run(s.name, func(t *testing.T) {
			link := netlab.NewLink(t)
			dnstest.Filter(t, "")
			r := newRace(t, s.start(t, netlab.HereAddr))
			r.command = link.Command
			_, port, err := net.SplitHostPort(r.server.dns)
			if err != nil {
				t.Fatal(err)
			}
			kills, restarts, losses, cuts := 0, 0, 0, 0
			pause := func(ctx context.Context, d time.Duration) bool {
				select {
				case <-ctx.Done():
					return false
				case <-time.After(d):
					return true
				}
			}
			step := 0
			faults := func(ctx context.Context) {
				for ; pause(ctx, time.Duration(100+rand.IntN(300))*time.Millisecond); step++ {
					i := rand.IntN(3)
					r.kill(i)
					r.start(i, "fenced")
					kills++
					switch step % 7 {
					case 0:
						link.Unplug()
						cuts++
					case 1:
						link.Plug()
					case 2:
						dnstest.Filter(t, fmt.Sprintf("tcp dport %s drop", port)) // requests are lost
						losses++
					case 4:
						dnstest.Filter(t, fmt.Sprintf("tcp sport %s tcp flags & (syn|fin) == 0 drop", port)) // answers are lost
						losses++
					case 3, 5:
						dnstest.Filter(t, "")
					case 6:
						r.server.kill()
						r.server.start()
						restarts++
					}
				}
			}
			enough := func() bool {
				return r.observed.Load() >= 500 && r.said("applied") >= 10 && kills >= 5 && restarts >= 1 && losses >= 2 && cuts >= 1
			}
			last := r.until(r.run("fenced", raceTime(), faults), enough, faults)
			link.Plug()
			dnstest.Filter(t, "")
			r.log(fmt.Sprintf("%s, %d enactors killed, %d server restarts, %d losses one way, %d partitions", s.name, kills, restarts, losses, cuts))
			if r.empty.Load() != 0 || r.regressed.Load() != 0 {
				t.Error("observed empty or going back")
			}
			if !enough() {
				t.Error("too little happened for the run to prove anything")
			}
			r.converges(last)
		})
	}
}
