package simulate

import (
	"context"
	"fmt"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Simulation is a simulation that Run can run.
type Simulation struct {
	Name     string    `json:"name"`
	Title    string    `json:"title"`
	Settings []Setting `json:"settings"`

	run func(ctx context.Context, in settings, progress func(done, total int)) (*Result, error)
}

// Setting is a value that --set changes. Its kind is that of the default: a
// duration (20m), a number, true or false, or one of Choices.
type Setting struct {
	Name    string   `json:"name"`
	Doc     string   `json:"doc"`
	Default string   `json:"default"`
	Choices []string `json:"choices,omitempty"`
}

// Options shape a simulation.
type Options struct {
	Set      map[string]string     // settings that differ from their defaults
	Progress func(done, total int) // called between the runs of a sweep, from one goroutine at a time
}

// Simulations lists the simulations that ship with ddx.
func Simulations() []Simulation {
	return []Simulation{leaseSimulation(), flapSimulation(), outageSimulation()}
}

// Find returns the simulation of that name.
func Find(name string) (Simulation, error) {
	var names []string
	for _, s := range Simulations() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Simulation{}, fmt.Errorf("no simulation %q: choose one of %s", name, strings.Join(names, ", "))
}

// Accepts returns an error that says what is wrong if a setting is not known or
// its value is not of its kind.
func (s Simulation) Accepts(set map[string]string) error {
	_, err := s.settings(set)
	return err
}

// Run runs a simulation. Equal settings give equal results.
func Run(ctx context.Context, name string, opt Options) (*Result, error) {
	s, err := Find(name)
	if err != nil {
		return nil, err
	}
	in, err := s.settings(opt.Set)
	if err != nil {
		return nil, err
	}
	progress := opt.Progress
	if progress == nil {
		progress = func(int, int) {}
	}
	r, err := s.run(ctx, in, progress)
	if err != nil {
		return nil, fmt.Errorf("simulate: simulate %s: %w", name, err)
	}
	r.Simulation, r.Settings = name, in
	return r, nil
}

// settings are the settings in force, each already checked against its kind.
type settings map[string]string

// settings merges set into the defaults and checks every value.
func (s Simulation) settings(set map[string]string) (settings, error) {
	in := make(settings)
	known := make(map[string]Setting)
	for _, d := range s.Settings {
		in[d.Name], known[d.Name] = d.Default, d
	}
	names := make([]string, 0, len(set))
	for name := range set {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		d, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("simulate %s has no setting %q: see ddx lab list", s.Name, name)
		}
		if err := d.check(set[name]); err != nil {
			return nil, fmt.Errorf("simulate %s: %s=%s: %w", s.Name, name, set[name], err)
		}
		in[name] = set[name]
	}
	return in, nil
}

func (d Setting) check(v string) error {
	if len(d.Choices) > 0 {
		for _, c := range d.Choices {
			if c == v {
				return nil
			}
		}
		return fmt.Errorf("choose one of %s", strings.Join(d.Choices, ", "))
	}
	if d.Default == "true" || d.Default == "false" {
		if _, err := strconv.ParseBool(v); err != nil {
			return fmt.Errorf("want true or false")
		}
		return nil
	}
	if _, err := strconv.ParseFloat(d.Default, 64); err == nil {
		if f, err := strconv.ParseFloat(v, 64); err != nil || f < 0 || f > 1e6 {
			return fmt.Errorf("want a number from 0 to 1000000")
		}
		return nil
	}
	if t, err := time.ParseDuration(v); err != nil || t < 0 || t > 48*time.Hour {
		return fmt.Errorf("want a duration from 0s to 48h, such as 20m")
	}
	return nil
}

func (in settings) number(name string) float64 {
	f, _ := strconv.ParseFloat(in[name], 64)
	return f
}

func (in settings) duration(name string) time.Duration {
	t, _ := time.ParseDuration(in[name])
	return t
}

func (in settings) bool(name string) bool {
	b, _ := strconv.ParseBool(in[name])
	return b
}

// sweep runs job 0 to n-1 on all processors and reports progress.
func sweep(ctx context.Context, n int, progress func(done, total int), job func(i int)) error {
	var (
		mu   sync.Mutex
		next int
		done int
		wg   sync.WaitGroup
	)
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		if next == n || ctx.Err() != nil {
			return 0, false
		}
		next++
		return next - 1, true
	}
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for {
				i, ok := take()
				if !ok {
					return
				}
				job(i)
				mu.Lock()
				done++
				progress(done, n)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}
