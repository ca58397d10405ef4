package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"

	"ddx"
	"ddx/dig"
	"ddx/dns"
	"ddx/output"
)

// dnsFlags are the flags that say whom to ask.
type dnsFlags struct {
	opts     dns.Options
	base     dns.Baseline
	from     string
	format   string
	lint     bool
	connect  []uint
	watch    dns.WatchConfig
	interval time.Duration
	state    string
	listen   string
	once     bool
	minimum  int
	empty    bool
}

func (f *dnsFlags) register(c *cobra.Command) {
	fl := c.Flags()
	fl.StringArrayVar(&f.opts.Resolvers, "resolver", nil, "ask the resolver at `ADDR[:PORT]`, instead of those of resolv.conf")
	fl.StringArrayVar(&f.opts.Authorities, "server", nil, "ask the authoritative server at `ADDR[:PORT]`, instead of those that delegation leads to")
	fl.StringArrayVar(&f.opts.Roots, "root", nil, "walk the delegation down from the server at `ADDR[:PORT]`")
	fl.Uint16Var(&f.opts.Port, "port", 53, "port of servers that are given or found without one")
	fl.StringVar(&f.opts.ResolvConf, "resolv-conf", "/etc/resolv.conf", "resolver configuration `FILE`")
	fl.DurationVar(&f.opts.Timeout, "timeout", 2*time.Second, "for one question")
	fl.BoolVar(&f.opts.Generation, "generation", true, "also read the generation record below the name")
	fl.IntVar(&f.minimum, "minimum", 0, "fewer than `N` addresses are a fault")
	fl.BoolVar(&f.empty, "meant-empty", false, "the name is to be without addresses")
}

func (a *app) dnsCommand() *cobra.Command {
	c := &cobra.Command{Use: "dns", Short: "Tell what is wrong with a name; watch names that must never be empty"}
	c.AddCommand(a.dnsCheckCommand(), a.dnsWatchCommand())
	return c
}

func (a *app) dnsCheckCommand() *cobra.Command {
	f := &dnsFlags{}
	c := &cobra.Command{
		Use:   "check NAME | check --from FILE",
		Short: "Ask every authoritative server and resolver of a name, and name what is wrong",
		Long: `Ask every authoritative server of a name and the resolvers in use (A, AAAA,
CNAME, SOA, NS; UDP then TCP), and name what is wrong, with the decisive
evidence. An empty answer is a fault only where an address is expected: because
the name had one (--had), because a request for it fails (--failing), or because
another server still gives one. With --from, read pasted output of dig, drill or
kdig instead of asking; several runs over time are classified one after the
other, each against what the earlier ones showed.`,
		Example: `  ddx dns check api.example.com
  ddx dns check api.example.com --failing A
  ddx dns check --from dig.txt -o json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.dnsCheck(c.Context(), args, f) },
	}
	f.register(c)
	fl := c.Flags()
	fl.StringVar(&f.from, "from", "", "read dig, drill or kdig output from `FILE`, - for standard input")
	fl.StringArrayVar(&f.base.Addresses, "had", nil, "`ADDRESS` that the name had before")
	fl.StringArrayVar(&f.base.Failing, "failing", nil, "`TYPE` (A or AAAA) that a request for the name fails on")
	fl.Uint64Var(&f.base.Generation, "seen-generation", 0, "generation `N` was seen before")
	fl.UintSliceVar(&f.connect, "connect", nil, "also connect to these `PORTS` of each address")
	fl.BoolVar(&f.lint, "lint", false, "also say which settings of the zone would make a failover slow or fragile")
	outputFlag(fl, &f.format, "(records of facts)", "text", "json", "jsonl")
	return c
}

func (a *app) dnsCheck(ctx context.Context, args []string, f *dnsFlags) error {
	f.base.Minimum, f.base.MeantEmpty = f.minimum, f.empty
	for _, p := range f.connect {
		if p == 0 || p > 65535 {
			return usagef("--connect %d: not a port", p)
		}
		f.opts.Connect = append(f.opts.Connect, uint16(p))
	}
	if err := f.checkAsked(); err != nil {
		return err
	}
	var looks []dns.Answers
	origin := "ddx dns check"
	switch {
	case f.from != "" && len(args) == 0:
		text, err := a.open(f.from)
		if err != nil {
			return err
		}
		defer text.Close()
		origin = f.from
		if looks, err = dig.Read(text, time.Now().UTC()); err != nil && looks == nil {
			return fmt.Errorf("%s: %w", f.from, err)
		}
	case f.from == "" && len(args) == 1:
		look, err := dns.Check(ctx, args[0], f.opts)
		if err != nil {
			return usageError{err}
		}
		looks, origin = []dns.Answers{look}, origin+" "+args[0]
	default:
		return usagef("give a name, or --from FILE; see 'ddx dns check --help'")
	}
	verdicts := dns.Replay(looks, f.base)
	if err := a.writeVerdicts(f, looks, verdicts, origin); err != nil {
		return err
	}
	return verdictStatus(verdicts)
}

// checkAsked holds that format, types and servers are what can be asked for: one that is
// misspelt would make no request, and look like nothing wrong.
func (f *dnsFlags) checkAsked() error {
	for i, t := range f.base.Failing {
		t = strings.ToUpper(t)
		if t != "A" && t != "AAAA" {
			return usagef("--failing %s: want A or AAAA", t)
		}
		f.base.Failing[i] = t
	}
	for _, list := range [][]string{f.opts.Resolvers, f.opts.Authorities, f.opts.Roots} {
		for _, s := range list {
			_, ipErr := netip.ParseAddr(strings.Trim(s, "[]"))
			if _, err := netip.ParseAddrPort(s); err != nil && ipErr != nil {
				return usagef("server %s: want an address, with or without a port: 192.0.2.53, [2001:db8::53]:53", s)
			}
		}
	}
	return nil
}

// verdictStatus is the exit status of the last look at each name: what was wrong
// before and is right again is history.
func verdictStatus(verdicts []dns.Verdict) error {
	last := map[string]dns.Verdict{}
	for _, v := range verdicts {
		last[v.Name] = v
	}
	st := status(exitOK)
	for _, v := range last {
		switch {
		case v.Level == dns.Wrong:
			return status(exitWrong)
		case v.Class == dns.Unknown:
			st = exitIncomplete
		}
	}
	if st == exitOK {
		return nil
	}
	return st
}

func (a *app) writeVerdicts(f *dnsFlags, looks []dns.Answers, verdicts []dns.Verdict, origin string) error {
	type item struct {
		Verdict dns.Verdict  `json:"verdict"`
		Answers dns.Answers  `json:"answers"`
		Lint    []dns.Advice `json:"lint,omitempty"`
	}
	var items []item
	for i, v := range verdicts {
		it := item{Verdict: v, Answers: looks[i]}
		if f.lint {
			it.Lint = dns.Lint(looks[i])
		}
		items = append(items, it)
	}
	switch f.format {
	case "text":
		for _, it := range items {
			if len(items) > 1 {
				fmt.Fprintf(a.stdout, "%s ", it.Verdict.Time.UTC().Format(time.RFC3339))
			}
			if err := a.fold(func(w io.Writer) error { return dns.WriteText(w, it.Verdict, it.Lint) }); err != nil {
				return err
			}
		}
	case "json":
		enc := json.NewEncoder(a.stdout)
		enc.SetIndent("", " ")
		return enc.Encode(map[string]any{"schema": "ddx.dns/v1", "ddx": version(), "looks": items})
	case "jsonl":
		now := time.Now().UTC()
		if len(looks) > 0 {
			now = looks[len(looks)-1].Time
		}
		rw, err := ddx.NewRecordWriter(a.stdout, ddx.Header{DDX: version(), Now: now})
		if err != nil {
			return err
		}
		for i, v := range verdicts {
			for _, fact := range dns.Facts(looks[i], v, origin) {
				if err := rw.Write(ddx.Record{Fact: &fact}); err != nil {
					return err
				}
			}
		}
		return rw.Flush()
	}
	return nil
}

// open opens a file, or standard input for "-".
func (a *app) open(path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(a.stdin), nil
	}
	return os.Open(path)
}

func (a *app) dnsWatchCommand() *cobra.Command {
	f := &dnsFlags{}
	c := &cobra.Command{
		Use:   "watch NAME...",
		Short: "Keep a baseline of names and alarm when one loses its addresses",
		Long: `Look at each name at every interval, keep a baseline of it, and raise and clear
alarms: dns-endpoint-empty and dns-regressed at the first look, what may pass by
itself at the second in a row. Prometheus metrics are served at --listen. The
baseline is kept in --state, so that a restart forgets nothing.`,
		Example: `  ddx dns watch --state /var/lib/ddx/dns.json --listen 127.0.0.1:9853 api.example.com`,
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return a.dnsWatch(c.Context(), args, f) },
	}
	f.register(c)
	fl := c.Flags()
	fl.DurationVar(&f.interval, "interval", 30*time.Second, "time between two looks")
	fl.StringVar(&f.state, "state", "", "`FILE` that keeps baselines and alarms over a restart")
	fl.StringVar(&f.listen, "listen", "", "serve Prometheus metrics at `ADDR:PORT`/metrics")
	fl.BoolVar(&f.once, "once", false, "look once and end; status 3 when an alarm is raised")
	outputFlag(fl, &f.format, "(records of facts)", "text", "json", "jsonl")
	return c
}

func (a *app) dnsWatch(ctx context.Context, names []string, f *dnsFlags) error {
	if err := f.checkAsked(); err != nil {
		return err
	}
	write, err := a.eventWriter(f.format)
	if err != nil {
		return err
	}
	if f.interval <= 0 {
		return usagef("--interval must be positive")
	}
	w := &dns.Watcher{Config: f.watch, StateFile: f.state, Sink: write,
		Look: func(ctx context.Context, e dns.Endpoint) (dns.Answers, error) {
			opts := f.opts
			opts.Generation = e.Generation
			return dns.Check(ctx, e.Name, opts)
		}}
	for _, n := range names {
		w.Endpoints = append(w.Endpoints, dns.Endpoint{Name: n, Minimum: f.minimum, MeantEmpty: f.empty, Generation: f.opts.Generation})
	}
	if f.listen != "" {
		stop, err := a.serveMetrics(f.listen, w)
		if err != nil {
			return err
		}
		defer stop()
	}
	if f.once {
		if err := w.Load(); err != nil {
			return err
		}
		if err := w.Once(ctx); err != nil {
			return err
		}
		return watchStatus(w, names)
	}
	tick := time.NewTicker(f.interval)
	defer tick.Stop()
	return w.Run(ctx, tick.C)
}

// watchStatus is the exit status of a single look.
func watchStatus(w *dns.Watcher, names []string) error {
	st := status(exitOK)
	for _, n := range names {
		s, err := w.State(n)
		switch {
		case err != nil:
			return usageError{err}
		case len(s.Alarms) > 0:
			return status(exitWrong)
		case s.Verdict.Class == dns.Unknown:
			st = exitIncomplete
		}
	}
	if st == exitOK {
		return nil
	}
	return st
}

// eventWriter writes changes of alarms: as lines of text, as one JSON object a
// line, or as records whose facts the engine reads.
func (a *app) eventWriter(format string) (func(dns.Event) error, error) {
	switch format {
	case "json":
		enc := json.NewEncoder(a.stdout)
		return func(ev dns.Event) error { return enc.Encode(ev) }, nil
	case "jsonl":
		rw, err := ddx.NewRecordWriter(a.stdout, ddx.Header{DDX: version(), Now: time.Now().UTC()})
		if err != nil {
			return nil, err
		}
		return func(ev dns.Event) error {
			fact := dns.VerdictFact(ev.Verdict, "ddx dns watch")
			return errors.Join(rw.Write(ddx.Record{Fact: &fact}), rw.Flush())
		}, nil
	}
	return func(ev dns.Event) error {
		_, err := fmt.Fprint(a.stdout, output.VisibleLines(fmt.Sprintf("%s %s %s %s: %s\n", ev.Time.UTC().Format(time.RFC3339), ev.Kind, ev.Alarm.Name, ev.Endpoint, ev.Alarm.Summary)))
		return err
	}, nil
}

// serveMetrics serves a collector until the returned function is called.
func (a *app) serveMetrics(addr string, c prometheus.Collector) (func(), error) {
	reg := prometheus.NewRegistry()
	if err := reg.Register(c); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("serve metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go srv.Serve(l)
	return func() { srv.Close() }, nil
}
