package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ddx/aws"
	"ddx/dns"
	"ddx/failover"
	"ddx/output"
)

// failoverFlags are the flags of "ddx failover".
type failoverFlags struct {
	config  string
	to      string
	adopt   bool
	apply   bool
	confirm string
	downFor time.Duration
	off     bool
	format  string
}

func (a *app) failoverCommand() *cobra.Command {
	f := &failoverFlags{}
	c := &cobra.Command{
		Use:   "failover",
		Short: "Plan B: move an endpoint's addresses in DNS, fenced by its generation",
		Long: `Move an endpoint's addresses in DNS without the race that emptied an endpoint in
October 2025: generation record and addresses travel in one message (an RFC 2136
update, or a Route 53 batch), which the server applies only if both are exactly
what the decision was made on. Only names
that carry a generation record are ever changed. Nothing is changed without
--apply, except by freeze, which changes no address.`,
	}
	c.PersistentFlags().StringVar(&f.config, "config", "/etc/ddx/failover.yaml", "configuration `FILE` of the endpoint")
	plan := &cobra.Command{Use: "plan", Short: "Say what would be changed, and whether moving is worth it", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.failoverPlan(c.Context(), f) }}
	enact := &cobra.Command{Use: "enact", Short: "Change the endpoint once, after a typed confirmation", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.failoverEnact(c.Context(), f) }}
	runs := &cobra.Command{Use: "run", Short: "Keep the endpoint in step with the health of its targets", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.failoverRun(c.Context(), f) }}
	freeze := &cobra.Command{Use: "freeze", Short: "Stop every enactor of the endpoint at once, or let them go on", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.failoverFreeze(c.Context(), f) }}
	stat := &cobra.Command{Use: "status", Short: "Print what the endpoint holds", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.failoverStatus(c.Context(), f) }}
	rehearse := &cobra.Command{Use: "rehearse", Short: "Prove that a move would work: health, capacity, DNS, credentials", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.failoverRehearse(c.Context(), f) }}
	for _, sub := range []*cobra.Command{plan, enact, rehearse} {
		sub.Flags().StringVar(&f.to, "to", "", "side to move to")
	}
	for _, sub := range []*cobra.Command{plan, enact} {
		sub.Flags().BoolVar(&f.adopt, "adopt", false, "take over a name without a generation record, or one that others changed")
	}
	plan.Flags().DurationVar(&f.downFor, "down-for", 0, "how long the outage has lasted, for the cut-over criterion")
	for _, sub := range []*cobra.Command{enact, runs} {
		sub.Flags().BoolVar(&f.apply, "apply", false, "really change the endpoint")
	}
	enact.Flags().StringVar(&f.confirm, "confirm", "", "the endpoint's `NAME`, instead of typing it")
	freeze.Flags().BoolVar(&f.off, "off", false, "allow changes again")
	outputFlag(stat.Flags(), &f.format, "", "text", "json")
	c.AddCommand(plan, enact, runs, freeze, stat, rehearse)
	return c
}

// daemon builds what runs for the endpoint from the configuration file.
func (f *failoverFlags) daemon(ctx context.Context) (failover.Config, *failover.Daemon, error) {
	file, err := os.Open(f.config)
	if err != nil {
		return failover.Config{}, nil, fmt.Errorf("open failover configuration: %w; name yours with --config, docs/failover.md shows one", err)
	}
	defer file.Close()
	c, err := failover.ReadConfig(file, filepath.Dir(f.config))
	if err != nil {
		return c, nil, usageError{fmt.Errorf("%s: %w", f.config, err)}
	}
	prov, err := provider(ctx, c)
	if err != nil {
		return c, nil, err
	}
	d, err := c.Daemon(prov, time.Now)
	return c, d, err
}

// provider builds the provider that the configuration names.
func provider(ctx context.Context, c failover.Config) (failover.Provider, error) {
	k := c.Provider.Route53
	if k == nil {
		return c.Dynamic()
	}
	zone, err := aws.NewRoute53(ctx, aws.Route53Options{ZoneID: k.ZoneID, Region: k.Region, Profile: k.Profile, Endpoint: k.Endpoint})
	return failover.Batch{Zone: zone}, err
}

// look checks the targets as often as it takes to know them up or down; the
// round after it makes the last check.
func (f *failoverFlags) look(ctx context.Context, c failover.Config, d *failover.Daemon) error {
	tick := time.NewTicker(min(c.Check.Interval, time.Second))
	defer tick.Stop()
	for range max(c.Gate.DownAfter, c.Gate.UpAfter) - 1 {
		d.Vantage.Look(ctx)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// decide makes one round without changing anything and prints it.
func (a *app) decide(ctx context.Context, f *failoverFlags, c failover.Config, d *failover.Daemon) (failover.Result, error) {
	if err := f.look(ctx, c, d); err != nil {
		return failover.Result{}, err
	}
	d.Apply = false
	res, err := d.Round(ctx, failover.Order{Adopt: f.adopt, Site: f.to})
	if err != nil {
		return res, err
	}
	health := d.Health(ctx)
	for _, t := range c.Targets {
		h := health[t.Address]
		a.printf("target %s site=%s %s (%d up, %d down)\n", t.Address, cmp.Or(t.Site, "-"), h.Health, h.Up, h.Down)
	}
	a.printf("%s: %s\n", res.Decision.Verdict, res.Decision.Why)
	if len(res.Decision.Added)+len(res.Decision.Removed) > 0 {
		a.printf("  add %s\n  remove %s\n", cmp.Or(res.Decision.Added.String(), "nothing"), cmp.Or(res.Decision.Removed.String(), "nothing"))
	}
	return res, nil
}

// printf writes a line or more that fit the terminal.
func (a *app) printf(format string, args ...any) {
	fmt.Fprint(a.stdout, output.Fold(output.VisibleLines(fmt.Sprintf(format, args...)), a.style().Width))
}

func (a *app) failoverPlan(ctx context.Context, f *failoverFlags) error {
	c, d, err := f.daemon(ctx)
	if err != nil {
		return err
	}
	res, err := a.decide(ctx, f, c, d)
	if err != nil {
		return err
	}
	if f.to != "" || f.downFor > 0 || !res.Decision.DownSince.IsZero() {
		a.criterion(f, c, res.Current.TTL)
	}
	if res.Decision.Verdict == failover.VerdictHeld {
		return status(exitWrong)
	}
	return nil
}

// criterion states whether moving is worth it, with every input.
func (a *app) criterion(f *failoverFlags, c failover.Config, published uint32) {
	ttl := time.Duration(cmp.Or(published, c.TTL)) * time.Second
	k := failover.Weigh(c.Costs, f.downFor, ttl)
	answer := "wait"
	switch {
	case c.Costs.Outage == 0:
		answer = "cannot be judged: costs.outage_per_minute is not configured"
	case k.Move:
		answer = "move"
	}
	a.printf("criterion: %s (waiting %.4g, moving %.4g)\n", answer, k.Waiting, k.Moving)
	switch {
	case k.BreakEven < 0:
		a.printf("  moving never pays: the other side costs as much as the outage\n")
	default:
		a.printf("  moving pays if the outage lasts on for more than %s\n", k.BreakEven)
	}
	for _, line := range k.Inputs {
		a.printf("  %s\n", line)
	}
}

func (a *app) failoverEnact(ctx context.Context, f *failoverFlags) error {
	c, d, err := f.daemon(ctx)
	if err != nil {
		return err
	}
	res, err := a.decide(ctx, f, c, d)
	switch {
	case err != nil:
		return err
	case res.Decision.Verdict == failover.VerdictHeld:
		return status(exitWrong)
	case res.Decision.Verdict == failover.VerdictUnchanged:
		return nil
	case !f.apply:
		a.printf("nothing is changed without --apply\n")
		return nil
	}
	if err := a.confirmed(c.Name, f.confirm); err != nil {
		return err
	}
	d.Apply = true
	if res, err = d.Round(ctx, failover.Order{Adopt: f.adopt, Site: f.to}); err != nil {
		return err
	}
	if !res.Applied {
		a.printf("not changed: %s: %s\n", res.Decision.Verdict, res.Decision.Why)
		return status(exitWrong)
	}
	a.printf("applied: generation %d, addresses %s\n", res.Current.Record.Generation, res.Current.Addresses)
	return a.published(ctx, d.Enactor.Provider)
}

// published waits until the change is on all name servers, where the provider
// can tell; it is in force whether or not that is seen.
func (a *app) published(ctx context.Context, prov failover.Provider) error {
	p, ok := prov.(failover.Propagator)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		done, err := p.InSync(ctx)
		switch {
		case done:
			a.printf("published: all name servers have it\n")
			return nil
		case ctx.Err() != nil:
			a.printf("not seen on all name servers after two minutes; look with 'ddx dns check'\n")
			return status(exitIncomplete)
		case err != nil:
			return fmt.Errorf("applied, but whether it is published is not known: %w", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// confirmed makes sure that a person means this endpoint.
func (a *app) confirmed(name, given string) error {
	if given == "" {
		fmt.Fprintf(a.stderr, "type the endpoint's name to change it: ")
		line, _ := bufio.NewReader(a.stdin).ReadString('\n')
		given = line
	}
	if strings.TrimSpace(given) == "" || dns.Canonical(given) != name {
		return usagef("not confirmed: the endpoint is %s; nothing was changed", name)
	}
	return nil
}

func (a *app) failoverRun(ctx context.Context, f *failoverFlags) error {
	c, d, err := f.daemon(ctx)
	if err != nil {
		return err
	}
	d.Apply = f.apply
	d.Log = func(format string, args ...any) {
		fmt.Fprint(a.stdout, output.VisibleLines(fmt.Sprintf("%s %s\n", time.Now().UTC().Format(time.RFC3339), fmt.Sprintf(format, args...))))
	}
	if c.Vantage.Listen != "" {
		l, err := net.Listen("tcp", c.Vantage.Listen)
		if err != nil {
			return fmt.Errorf("serve votes: %w", err)
		}
		srv := &http.Server{Handler: failover.VoteHandler(d.VoteKey, d.Vantage.Vote), ReadHeaderTimeout: 5 * time.Second}
		go srv.Serve(l)
		defer srv.Close()
	}
	tick := time.NewTicker(c.Check.Interval)
	defer tick.Stop()
	d.Run(ctx, tick.C)
	return nil
}

func (a *app) failoverFreeze(ctx context.Context, f *failoverFlags) error {
	_, d, err := f.daemon(ctx)
	if err != nil {
		return err
	}
	on := !f.off
	res, err := d.Enactor.Enact(ctx, func(cur failover.Current) failover.Decision {
		return failover.Decide(d.Policy, cur, nil, failover.Order{Freeze: &on}, time.Time{}, time.Now())
	})
	if err != nil {
		return err
	}
	a.printf("%s: %s\n", res.Decision.Verdict, res.Decision.Why)
	if res.Decision.Verdict == failover.VerdictHeld {
		return status(exitWrong)
	}
	return nil
}

func (a *app) failoverStatus(ctx context.Context, f *failoverFlags) error {
	c, d, err := f.daemon(ctx)
	if err != nil {
		return err
	}
	cur, err := d.Enactor.Provider.Read(ctx, c.Name)
	if err != nil {
		return err
	}
	switch f.format {
	case "json":
		enc := json.NewEncoder(a.stdout)
		enc.SetIndent("", " ")
		err = enc.Encode(map[string]any{"schema": "ddx.failover/v1", "name": c.Name, "owned": cur.Owned, "drifted": cur.Drifted(),
			"generation": cur.Record.Generation, "owner": cur.Record.Owner, "site": cur.Record.Site, "frozen": cur.Record.Frozen,
			"addresses": cur.Addresses, "ttl": cur.TTL})
	case "text":
		state := "as its record says"
		switch {
		case !cur.Owned:
			state = "not ours: no generation record"
		case cur.Drifted():
			state = "changed by others since its record was written"
		case cur.Record.Frozen:
			state = "frozen"
		}
		a.printf("%s: %s\n  generation %d by %s, side %q\n  addresses %s, TTL %d\n", c.Name, state, cur.Record.Generation,
			cmp.Or(cur.Record.Owner, "nobody"), cur.Record.Site, cmp.Or(cur.Addresses.String(), "none"), cur.TTL)
	}
	if err == nil && (cur.Drifted() || len(cur.Addresses) == 0) {
		return status(exitWrong)
	}
	return err
}

func (a *app) failoverRehearse(ctx context.Context, f *failoverFlags) error {
	c, d, err := f.daemon(ctx)
	if err != nil {
		return err
	}
	if err := f.look(ctx, c, d); err != nil {
		return err
	}
	d.Vantage.Look(ctx)
	var answers *dns.Answers
	opt := dns.Options{Generation: true}
	if k := c.Provider.RFC2136; k != nil {
		opt.Authorities = []string{k.Server}
	}
	if look, err := dns.Check(ctx, c.Name, opt); err == nil {
		answers = &look
	}
	st := status(exitOK)
	for _, r := range failover.Rehearse(ctx, d.Policy, d.Enactor.Provider, d.Health(ctx), f.to, answers) {
		sign := "+"
		switch r.Ready {
		case failover.Down:
			sign, st = "-", exitWrong
		case failover.Unknown:
			if sign = "?"; st == exitOK {
				st = exitIncomplete
			}
		}
		a.printf("%s %s: %s\n", sign, r.Name, r.Detail)
	}
	if st == exitOK {
		return nil
	}
	return st
}
