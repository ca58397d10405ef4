package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"ddx"
	"ddx/diagnose"
	"ddx/source"
)

// start reads the evidence that the walk begins with. Standard input holds the
// answers.
func (w *treeWalk) start(ctx context.Context, from []string) error {
	var paths []string
	for _, p := range from {
		if p == "-" {
			return usagef("tree: --from -: standard input holds the answers; give a file")
		}
		isRecords, err := w.records(p)
		if err != nil {
			return err
		}
		if !isRecords {
			paths = append(paths, p)
		}
	}
	if len(paths) == 0 {
		return nil
	}
	takes, err := source.OpenFiles(ctx, paths, source.Options{Version: version()})
	if err != nil {
		return err
	}
	for _, t := range takes {
		defer t.Close()
		facts, err := w.e.facts(t)
		if err != nil {
			return err
		}
		w.facts = append(w.facts, facts...)
		w.now = t.Header.Now
	}
	if len(takes) > 1 {
		return fmt.Errorf("tree: %s: %d hosts; give the evidence of one", strings.Join(paths, " "), len(takes))
	}
	return nil
}

// recordStart is how a stream of records begins, as RecordWriter writes it.
const recordStart = `{"header":`

// records reads the facts of a stream of records ("ddx diagnose -o jsonl"), and
// reports whether the file is one.
func (w *treeWalk) records(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("tree: %w", err)
	}
	defer f.Close()
	r := bufio.NewReader(f)
	if head, _ := r.Peek(len(recordStart)); string(head) != recordStart {
		return false, nil
	}
	var facts []ddx.Fact
	h, err := ddx.ReadRecords(r, func(rec ddx.Record) error {
		if rec.Fact != nil {
			facts = append(facts, *rec.Fact)
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("tree: %s: %w", path, err)
	}
	if len(facts) == 0 {
		return false, nil // the index of a bundle: evidence, no facts
	}
	w.facts = append(w.facts, facts...)
	w.now = h.Now
	return true, nil
}

// derivedTree is what "ddx tree -o json" prints.
type derivedTree struct {
	Schema    string           `json:"schema"`
	DDX       string           `json:"ddx"`
	Catalogue string           `json:"catalogue"`
	Depth     int              `json:"depth"`
	Symptoms  []derivedSymptom `json:"symptoms"`
}

type derivedSymptom struct {
	diagnose.Symptom
	Root *diagnose.Node `json:"tree"`
}

func (w *treeWalk) json(symptoms []diagnose.Symptom, depth int, evidenceOnly bool) error {
	out := derivedTree{diagnose.TreeSchema, version(), w.e.cat.Digest, depth, []derivedSymptom{}}
	if evidenceOnly {
		symptoms = []diagnose.Symptom{{Modes: []string{}}}
	}
	for _, s := range symptoms {
		d := diagnose.NewDifferential(w.e.cat, w.now, s.Modes...)
		if err := d.Widen(w.facts); err != nil {
			return err
		}
		root, err := d.Tree(w.facts, depth)
		if err != nil {
			return err
		}
		out.Symptoms = append(out.Symptoms, derivedSymptom{s, root})
	}
	return w.a.encode(out)
}
