package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ddx/blackhole"
	"ddx/counters"
	"ddx/flowlog"
	"ddx/flowsum"
	"ddx/output"
)

// joinFlags are the flags of "ddx flows join".
type joinFlags struct {
	flowFlags
	flows, counters, maps []string
	guest                 []string
	host                  string
	offset                time.Duration
	offsetGiven           bool
	step                  time.Duration
}

func (a *app) flowsJoinCommand() *cobra.Command {
	f := &joinFlags{}
	c := &cobra.Command{
		Use:   "join --flows PATH --counters PATH",
		Short: "Find windows in which the network delivered and the guest received nothing",
		Long: `Put flow logs beside the guest's own counters and find the windows in which the
network delivered and the guest's counter stood still, with what else would
explain each: interface down, guest paused or rebooted, monitoring silent.

Counters come from collectd (CSV folder), Prometheus (a saved answer, an
exposition file, or http://HOST:9090), sadf -j, Graphite (render JSON, Whisper
files), repeated ip -s -j link or /proc/net/dev behind lines of time, ddx flows
listen, or bundles of ddx collect, one a minute; each is recognised by its content.

What else there is of the guest (--guest: a bundle of ddx collect, a folder, log
files) tells a black hole from a guest that was paused or an interface that was
down: whether it wrote to its logs, link changes, boots, "No route to host" of
its services, neighbours that failed.

The interfaces of the two sides are paired by address or MAC in --addresses, by
--map, or because only one pair is possible.

Exit status: 3 when a window is or may be a black hole, 4 when an interface could
not be paired or records could not be read.`,
		Example: `  ddx flows join --flows AWSLogs/ --counters /var/lib/collectd/csv --guest /var/log -o html > join.html
  ddx flows join --flows flow.log --counters http://prometheus:9090 --map eni-0123456789abcdef0=web1/eth0`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			f.offsetGiven = c.Flags().Changed("clock-offset")
			return a.flowsJoin(c.Context(), f)
		},
	}
	f.register(c, "text", "json", "jsonl", "csv", "svg", "html")
	fl := c.Flags()
	fl.StringArrayVar(&f.flows, "flows", nil, "flow logs: `PATH` of a file or directory, or -")
	fl.StringArrayVar(&f.counters, "counters", nil, "host counters: `PATH` of a file or folder, or the URL of a Prometheus")
	fl.StringArrayVar(&f.guest, "guest", nil, "other evidence of the guest, its logs above all: `PATH` of a bundle, folder or file, or -")
	fl.StringArrayVar(&f.maps, "map", nil, "pair interfaces: `ENI=HOST/IFACE`")
	fl.StringVar(&f.host, "host", "", "`NAME` of the host where the counters or logs do not say it")
	fl.DurationVar(&f.offset, "clock-offset", 0, "what to add to the guest's clock; estimated if not given")
	fl.DurationVar(&f.step, "step", 15*time.Second, "Prometheus: resolution, the scrape interval")
	return c
}

func (a *app) flowsJoin(ctx context.Context, f *joinFlags) error {
	write := map[string]func(*blackhole.Joined) error{
		"text": a.joinText, "json": func(j *blackhole.Joined) error { return a.encode(j) },
		"jsonl": func(j *blackhole.Joined) error { return a.writeFacts(j.Facts()) },
		"csv":   a.joinCSV,
		"svg":   func(j *blackhole.Joined) error { return j.WriteSVG(a.stdout) },
		"html":  func(j *blackhole.Joined) error { return j.WriteHTML(a.stdout) },
	}[f.output]
	if len(f.flows) == 0 || len(f.counters) == 0 {
		return usagef("join needs both sides: --flows PATH and --counters PATH")
	}
	in := blackhole.JoinInput{Map: map[string]blackhole.HostInterface{}}
	for _, m := range f.maps {
		eni, h, err := blackhole.ParseMap(m)
		if err != nil {
			return usageError{err}
		}
		in.Map[eni] = h
	}
	if f.offsetGiven {
		in.Offset = &f.offset
	}
	res, ids, err := a.readFlows(ctx, f.flows, &f.flowFlags, 0)
	if err != nil {
		return err
	}
	in.Identities = ids
	in.Network = blackhole.Network(res.Sums, f.interval)
	if err := res.Sums.Err(); err != nil {
		return err
	}
	exit := a.losses(res)
	for _, path := range f.counters {
		more, err := a.loadCounters(ctx, path, f, res.Sums.Totals(), &in)
		if err != nil {
			return err
		}
		exit = worse(exit, more)
	}
	in.Guest = counters.Merge(in.Guest)
	more, err := a.guestEvidence(ctx, f.guest, f.host, &in)
	if err != nil {
		return err
	}
	exit = worse(exit, more)
	j := blackhole.Join(in)
	if err := write(j); err != nil {
		return err
	}
	if j.BlackHoles() > 0 {
		exit = exitWrong
	} else if len(j.Interfaces) == 0 || len(j.Unpaired) > 0 && len(in.Map) > 0 {
		exit = worse(exit, exitIncomplete)
	}
	return finish(exit)
}

// loadCounters reads one source of counters into the input of the join.
func (a *app) loadCounters(ctx context.Context, path string, f *joinFlags, t flowsum.Totals, in *blackhole.JoinInput) (int, error) {
	if strings.HasPrefix(path, "http://") || strings.HasPrefix(path, "https://") {
		// Some time around the flow logs, so that their ends can be judged.
		const around = 5 * time.Minute
		s, err := counters.Prometheus(ctx, &http.Client{Timeout: time.Minute}, path, t.First.Add(-around), t.Last.Add(around), f.step)
		in.Guest = append(in.Guest, s...)
		return exitOK, err
	}
	l, err := counters.Load(path, f.host)
	if err != nil {
		own, ownErr := a.ownSamples(ctx, path, f.host)
		if ownErr != nil {
			return exitOK, err
		}
		in.Guest = append(in.Guest, own...)
		return exitOK, nil
	}
	in.Guest = append(in.Guest, l.Series...)
	for iface, mac := range l.MACs {
		in.Identities = append(in.Identities, flowlog.Identity{Host: f.host, Interface: iface, MAC: mac})
	}
	exit := exitOK
	for _, err := range l.Errors {
		exit = exitIncomplete
		fmt.Fprintf(a.stderr, "ddx: %s\n", output.Visible(err.Error()))
	}
	return exit, nil
}

func (a *app) joinText(j *blackhole.Joined) error {
	w := bufio.NewWriter(a.stdout)
	fmt.Fprintf(w, "%s\nclock offset %+.1f s (%s)\n", j.Verdict(), j.ClockOffsetSeconds, j.ClockOffsetFrom)
	for _, i := range j.Interfaces {
		fmt.Fprintf(w, "\n%s = %s, paired by %s\n", output.Visible(i.Interface), output.Visible(i.Guest), i.PairedBy)
		if i.ClockOffsetSeconds != j.ClockOffsetSeconds {
			fmt.Fprintf(w, "  its clock: offset %+.1f s (%s)\n", i.ClockOffsetSeconds, i.ClockOffsetFrom)
		}
		for _, x := range i.Windows {
			fmt.Fprintf(w, "  %s\n", x)
			if x.Answered == "no" {
				fmt.Fprintln(w, "    received, and nothing sent: the guest's firewall, or nothing that answers")
			}
			if x.Kind == blackhole.DeliveredNotReceived {
				fmt.Fprintf(w, "    guest ran on: %s, %s\n", x.GuestRan, output.Visible(x.GuestRanBecause))
			}
			for _, e := range x.Explanations {
				fmt.Fprintf(w, "    %s: %s, %s\n", e.What, e.Verdict, output.Visible(e.Because))
			}
			for _, s := range x.Support {
				fmt.Fprintf(w, "    fits: %s\n", output.Visible(s))
			}
		}
		for _, x := range i.Steps {
			meaning := map[string]string{"reset": "rx_packets began again from zero", "wrap": "rx_packets passed its largest value and was carried over it"}[x.Kind]
			fmt.Fprintf(w, "  counter %s before %s: %s\n", x.Kind, x.Time.Format(time.RFC3339), meaning)
		}
		for _, g := range i.Gaps {
			fmt.Fprintf(w, "  guest silent %s .. %s: %s\n", g.Start.Format(time.RFC3339), g.End.Format(time.RFC3339), g.Meaning)
		}
	}
	for _, u := range j.Unpaired {
		fmt.Fprintf(w, "%s is not paired: %s\n", output.Visible(u.Interface), output.Visible(u.Why))
	}
	for _, u := range j.Unasked {
		fmt.Fprintf(w, "%s\n", output.Visible(u))
	}
	return w.Flush()
}

func (a *app) joinCSV(j *blackhole.Joined) error {
	w := csv.NewWriter(a.stdout)
	_ = w.Write([]string{"interface", "guest", "kind", "start", "end", "network_packets", "guest_packets", "certainty", "black_hole", "guest_ran"})
	for _, i := range j.Interfaces {
		for _, x := range i.Windows {
			_ = w.Write([]string{i.Interface, i.Guest, string(x.Kind), x.Start.Format(time.RFC3339), x.End.Format(time.RFC3339),
				strconv.FormatUint(x.NetworkPackets, 10), strconv.FormatUint(x.GuestPackets, 10), x.Certainty, x.BlackHole, x.GuestRan})
		}
	}
	w.Flush()
	return w.Error()
}

// flowsListenCommand gathers counters that hosts send.
func (a *app) flowsListenCommand() *cobra.Command {
	var collectd, carbon, auth string
	var length time.Duration
	c := &cobra.Command{
		Use:   "listen --for LENGTH (--collectd ADDR | --carbon ADDR)",
		Short: "Gather counters that hosts send by collectd or Graphite, for flows join",
		Long: `Gather counters that hosts send by collectd's network protocol (UDP; signed and
encrypted packets with --auth-file) or by Graphite's plaintext protocol (TCP), for
a length of time or until interrupted, and write them as JSON, one series a line:
material for --counters of ddx flows join. With port 0 the kernel's choice is told
on standard error.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if length <= 0 || collectd == "" && carbon == "" {
				return usagef("listen needs --for and --collectd or --carbon")
			}
			return a.flowsListen(c.Context(), collectd, carbon, auth, length)
		},
	}
	c.Flags().StringVar(&collectd, "collectd", "", "listen for collectd on `ADDR`, its port being 25826")
	c.Flags().StringVar(&carbon, "carbon", "", "listen for Graphite on `ADDR`, its port being 2003")
	c.Flags().StringVar(&auth, "auth-file", "", "`FILE` of lines USER: PASSWORD; packets must then be signed or encrypted")
	c.Flags().DurationVar(&length, "for", 0, "`LENGTH` of time to listen")
	return c
}

func (a *app) flowsListen(ctx context.Context, collectd, carbon, auth string, length time.Duration) error {
	users, err := authFile(auth)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	bad := func(from net.Addr, err error) {
		fmt.Fprintf(a.stderr, "ddx: %s: %s\n", from, output.Visible(err.Error()))
	}
	at := func(what string, addr net.Addr, asked string) {
		if _, port, _ := net.SplitHostPort(asked); port == "0" { // the kernel chose
			fmt.Fprintf(a.stderr, "ddx: listening for %s on %s\n", what, addr)
		}
	}
	packets := &counters.CollectdPackets{Users: users, Require: auth != "", Origin: "collectd at " + collectd}
	lines := &counters.Carbon{Origin: "carbon at " + carbon}
	errs := make(chan error, 2)
	running := 0
	if collectd != "" {
		conn, err := net.ListenPacket("udp", collectd)
		if err != nil {
			return fmt.Errorf("listen for collectd: %w", err)
		}
		at("collectd", conn.LocalAddr(), collectd)
		running++
		go func() { errs <- counters.ListenCollectd(ctx, conn, packets, bad) }()
	}
	if carbon != "" {
		l, err := net.Listen("tcp", carbon)
		if err != nil {
			cancel() // what listens already ends
			return fmt.Errorf("listen for carbon: %w", err)
		}
		at("carbon", l.Addr(), carbon)
		running++
		go func() { errs <- counters.ListenCarbon(ctx, l, lines, bad) }()
	}
	for range running {
		if e := <-errs; e != nil {
			cancel()
			err = firstError(err, e)
		}
	}
	enc := json.NewEncoder(a.stdout)
	for _, s := range append(packets.Series(), lines.Series()...) {
		err = firstError(err, enc.Encode(s))
	}
	return err
}

// authFile reads collectd's own form of user names and passwords.
func authFile(path string) (map[string]string, error) {
	users := map[string]string{}
	if path == "" {
		return users, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	for n, line := range strings.Split(string(b), "\n") {
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		user, password, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("read users: %s: line %d is not USER: PASSWORD", path, n+1)
		}
		users[strings.TrimSpace(user)] = strings.TrimSpace(password)
	}
	return users, nil
}
