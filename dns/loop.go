package dns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Watcher looks at endpoints at each tick. It is the thin loop around Observe.
type Watcher struct {
	Endpoints []Endpoint
	Config    WatchConfig
	Look      func(context.Context, Endpoint) (Answers, error) // usually Check
	Sink      func(Event) error                                // hears every change, one at a time; an error ends Run
	StateFile string                                           // baselines and alarms outlive a restart; empty: they do not

	mu     sync.Mutex
	states map[string]WatchState
	errs   map[string]error
}

// Run looks once at once and then at every tick, until ctx ends. It fails when
// the state file cannot be read or written: a watcher that forgets its
// baseline would call an empty endpoint normal.
func (w *Watcher) Run(ctx context.Context, tick <-chan time.Time) error {
	if err := w.Load(); err != nil {
		return err
	}
	for {
		if err := w.Once(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick:
		}
	}
}

// Once looks at every endpoint, all at the same time.
func (w *Watcher) Once(ctx context.Context) error {
	type look struct {
		answers Answers
		err     error
	}
	looks := make([]look, len(w.Endpoints))
	var wg sync.WaitGroup
	for i, e := range w.Endpoints {
		wg.Go(func() { looks[i].answers, looks[i].err = w.Look(ctx, e) })
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil // answers cut off by the end of the run are no evidence
	}
	var events []Event
	w.mu.Lock()
	if w.states == nil {
		w.states, w.errs = map[string]WatchState{}, map[string]error{}
	}
	for i, e := range w.Endpoints {
		name := Canonical(e.Name)
		w.errs[name] = looks[i].err
		if looks[i].err != nil {
			continue
		}
		var evs []Event
		w.states[name], evs = Observe(w.Config, e, w.states[name], looks[i].answers)
		events = append(events, evs...)
	}
	err := w.save()
	w.mu.Unlock()
	for _, ev := range events {
		if w.Sink != nil {
			err = errors.Join(err, w.Sink(ev))
		}
	}
	return err
}

// State returns the state of an endpoint, and the error of its last look.
func (w *Watcher) State(name string) (WatchState, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.states[Canonical(name)], w.errs[Canonical(name)]
}

// Load reads the state file, when there is one. Run does so by itself.
func (w *Watcher) Load() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.states, w.errs = map[string]WatchState{}, map[string]error{}
	if w.StateFile == "" {
		return nil
	}
	b, err := os.ReadFile(w.StateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(b, &w.states)
	}
	if err != nil {
		return fmt.Errorf("read baselines %s: %w; move the file away to start anew", w.StateFile, err)
	}
	return nil
}

// save replaces the state file as a whole, so that a crash leaves the old one.
func (w *Watcher) save() error {
	if w.StateFile == "" {
		return nil
	}
	b, err := json.MarshalIndent(w.states, "", " ")
	if err != nil {
		return fmt.Errorf("write baselines: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(w.StateFile), ".ddx-dns-*")
	if err != nil {
		return fmt.Errorf("write baselines: %w", err)
	}
	_, err = tmp.Write(b)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), w.StateFile)
	}
	if err != nil {
		os.Remove(tmp.Name())
		return fmt.Errorf("write baselines %s: %w", w.StateFile, err)
	}
	return nil
}
