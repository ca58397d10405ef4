package main

import (
	"bytes"
	"time"

	"ddx"
	"ddx/catalog"
	"ddx/diagnose"
	"ddx/logline"
	"ddx/source"
)

// engine is a loaded catalogue with its patterns compiled.
type engine struct {
	cat     *catalog.Catalogue
	matcher *diagnose.Matcher
}

func newEngine(dirs []string) (*engine, error) {
	cat, err := catalog.Load(dirs...)
	if err != nil {
		return nil, err
	}
	m, err := diagnose.NewMatcher(cat)
	if err != nil {
		return nil, err
	}
	return &engine{cat, m}, nil
}

// textFacts turns one piece of pasted text into facts.
func (e *engine) textFacts(text []byte, now time.Time) ([]ddx.Fact, error) {
	var facts []ddx.Fact
	it := &source.Item{Origin: "text", Data: text, Time: now}
	rd, err := source.ReadItem(it, func(f ddx.Fact) { facts = append(facts, f) })
	if err != nil {
		return nil, err
	}
	if rd != nil && !rd.Log {
		return facts, nil
	}
	logs, err := e.matcher.Match(diagnose.Stream{Origin: "text", Hint: logline.Hint{Now: now}}, bytes.NewReader(text))
	return append(facts, logs...), err
}
