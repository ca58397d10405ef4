package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ddx/lab"
	"ddx/simulate"
)

// labFlags are the flags of ddx lab.
type labFlags struct {
	safeguards, set   []string
	recommended       bool
	noSymmetry        bool
	output, invariant string
}

func (a *app) labCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "lab",
		Short: "Check and simulate control planes: every interleaving, every cure",
		Long: `Explores models of a control plane in every interleaving, or simulates one on a
virtual clock. The models are those of the outage of 19 and 20 October 2025; the
failover daemon runs the same step functions.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.labCheckCommand(), a.labSimulateCommand(), a.labListCommand())
	return c
}

func (a *app) labCheckCommand() *cobra.Command {
	var l labFlags
	c := &cobra.Command{
		Use:   "check MODEL",
		Short: "Explore every interleaving of a model; the shortest trace for what breaks",
		Long: `Explores every interleaving of MODEL and says which invariants hold, with the
shortest trace for each that does not, and counts the states from which the
system can never recover. -o svg draws one trace as a space-time diagram.

Exit status 3: an invariant is broken or there are trap states; 4: the state
limit was reached before everything was seen.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.labCheck(cmd.Context(), &l, args[0]) },
	}
	f := c.Flags()
	f.StringSliceVar(&l.safeguards, "safeguard", nil, "switch a safeguard on (repeatable); 'ddx lab list' names them")
	f.BoolVar(&l.recommended, "recommended", false, "switch the model's recommended safeguards on")
	f.StringArrayVar(&l.set, "set", nil, "change a bound: `PARAMETER=NUMBER` (repeatable)")
	f.BoolVar(&l.noSymmetry, "no-symmetry", false, "keep states apart that differ in the identity of actors only")
	f.StringVar(&l.invariant, "invariant", "", "with -o svg: draw the trace that breaks this `INVARIANT` (default: the longest)")
	outputFlag(f, &l.output, "", "text", "json", "svg")
	return c
}

func (a *app) labSimulateCommand() *cobra.Command {
	var l labFlags
	c := &cobra.Command{
		Use:   "simulate NAME",
		Short: "Simulate a control plane on a virtual clock: curves, phase diagrams, cures",
		Long: `Runs a simulation from a seed: lease (congestive collapse and its cures), flap
(health checks that flap while network state propagates) or outage2025 (19 and 20
October 2025 through every component). Equal settings give equal results.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.labSimulate(cmd.Context(), &l, args[0]) },
	}
	f := c.Flags()
	f.StringArrayVar(&l.set, "set", nil, "change a setting: `NAME=VALUE` (repeatable); 'ddx lab list' names them")
	outputFlag(f, &l.output, "", "text", "json", "svg", "html")
	return c
}

func (a *app) labListCommand() *cobra.Command {
	var l labFlags
	c := &cobra.Command{
		Use:   "list",
		Short: "List models with safeguards and invariants, and simulations with settings",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if l.output == "json" {
				return writeJSON(a.stdout, map[string]any{"models": lab.Models(), "simulations": simulate.Simulations()})
			}
			if err := a.fold(lab.WriteList); err != nil {
				return err
			}
			return a.fold(simulate.WriteList)
		},
	}
	outputFlag(c.Flags(), &l.output, "", "text", "json")
	return c
}

func (a *app) labCheck(ctx context.Context, l *labFlags, model string) error {
	m, err := lab.FindModel(model)
	if err != nil {
		return usageError{err}
	}
	if l.recommended {
		l.safeguards = append(l.safeguards, m.Recommended...)
	}
	opt := lab.CheckOptions{Set: make(map[string]int), NoSymmetry: l.noSymmetry}
	for _, s := range l.set {
		name, value, _ := strings.Cut(s, "=")
		n, err := strconv.Atoi(value)
		if err != nil {
			return usagef("lab check: --set %s: want PARAMETER=NUMBER", s)
		}
		opt.Set[name] = n
	}
	if err := m.Accepts(opt.Set, l.safeguards); err != nil {
		return usageError{err}
	}
	r, err := lab.Check(ctx, model, l.safeguards, opt)
	if err != nil {
		return err
	}
	switch l.output {
	case "text":
		err = a.fold(r.WriteText)
	case "json":
		err = writeJSON(a.stdout, r)
	case "svg":
		err = a.labDiagram(r, l.invariant)
	}
	switch {
	case err != nil:
		return err
	case r.Violated() || r.TrapStates > 0:
		return status(exitWrong)
	case !r.Complete:
		return status(exitIncomplete)
	}
	return nil
}

// labDiagram draws the trace of one broken invariant.
func (a *app) labDiagram(r *lab.CheckResult, invariant string) error {
	if invariant == "" {
		invariant = r.Worst()
	}
	if invariant == "" {
		return usagef("lab check: every invariant holds, there is no trace to draw")
	}
	svg, err := r.SVG(invariant)
	if err != nil {
		return usageError{err}
	}
	_, err = io.WriteString(a.stdout, svg)
	return err
}

func (a *app) labSimulate(ctx context.Context, l *labFlags, name string) error {
	write := map[string]func(*simulate.Result) error{
		"text": func(r *simulate.Result) error { return a.fold(r.WriteText) },
		"json": func(r *simulate.Result) error { return writeJSON(a.stdout, r) },
		"svg":  func(r *simulate.Result) error { _, err := io.WriteString(a.stdout, r.SVG()); return err },
		"html": func(r *simulate.Result) error { _, err := io.WriteString(a.stdout, r.HTML()); return err },
	}[l.output]
	set := make(map[string]string)
	for _, s := range l.set {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			return usagef("lab simulate: --set %s: want NAME=VALUE", s)
		}
		set[key] = value
	}
	sim, err := simulate.Find(name)
	if err == nil {
		err = sim.Accepts(set)
	}
	if err != nil {
		return usageError{err}
	}
	r, err := simulate.Run(ctx, name, simulate.Options{Set: set, Progress: a.labProgress()})
	if err != nil {
		return err
	}
	return write(r)
}

// labProgress shows how far a sweep is: on a terminal only, after a second.
func (a *app) labProgress() func(done, total int) {
	f, ok := a.stderr.(*os.File)
	if !ok || !isTerminal(f) {
		return nil
	}
	start := time.Now()
	return func(done, total int) {
		if time.Since(start) < time.Second {
			return
		}
		fmt.Fprintf(f, "\r%d of %d runs", done, total)
		if done == total {
			fmt.Fprint(f, "\r\x1b[K")
		}
	}
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(v)
}
