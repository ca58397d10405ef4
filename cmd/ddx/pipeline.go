package main

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"ddx"
	"ddx/catalog"
	"ddx/diagnose"
	"ddx/match"
	"ddx/remedy"
	"ddx/source"
)

// engine is a loaded catalogue with its patterns compiled.
type engine struct {
	cat     *catalog.Catalogue
	matcher *match.Matcher
}

func newEngine(dirs []string) (*engine, error) {
	cat, err := catalog.Load(dirs...)
	if err != nil {
		return nil, err
	}
	return engineOf(cat)
}

func engineOf(cat *catalog.Catalogue) (*engine, error) {
	m, err := match.New(cat)
	if err != nil {
		return nil, err
	}
	return &engine{cat, m}, nil
}

// facts turns what was gathered about one host into facts: structured material
// by its readers, logs by the patterns. A log that cannot be read to its end
// becomes an absence; the rest still counts.
func (e *engine) facts(t source.Take) ([]ddx.Fact, error) {
	facts, logs, err := source.Facts(t)
	if err != nil {
		return nil, err
	}
	proofs, err := e.proofs(t, facts, logs)
	if err != nil {
		return nil, err
	}
	facts = append(slices.DeleteFunc(facts, func(f ddx.Fact) bool { return f.Kind == "unrecognised" && proofs.used[f.String("origin")] }), proofs.facts...)
	for i := range logs {
		more, err := e.match(&logs[i])
		facts = append(facts, more...)
		if err != nil {
			facts = append(facts, unreadable(&logs[i], err))
		}
	}
	return facts, nil
}

// proofs are facts made of material that sources leave alone: captures, DNS
// answers over time, flow logs beside counters.
type proofs struct {
	facts []ddx.Fact
	used  map[string]bool // origins of the items that were read
}

func (e *engine) proofs(t source.Take, facts []ddx.Fact, logs []source.Log) (proofs, error) {
	p := proofs{used: map[string]bool{}}
	p.facts = append(captureFacts(t, p.used), lookupFacts(t)...)
	windows, err := flowFacts(context.Background(), t, facts, logs, p.used)
	p.facts = append(p.facts, windows...)
	return p, err
}

func (e *engine) match(l *source.Log) ([]ddx.Fact, error) {
	r, err := l.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	s := match.Stream{Origin: l.Origin, Offset: l.Line, Channel: l.Channel, Hint: l.Hint, Host: l.Host, Boot: l.Boot, Dropped: l.Loss, Incidental: l.Incidental}
	return e.matcher.Match(s, r)
}

func unreadable(l *source.Log, err error) ddx.Fact {
	return ddx.Fact{Kind: "unavailable", Subject: ddx.Subject{Kind: ddx.Host}, Time: l.Time,
		Fields: map[string]any{"what": l.Origin, "reader": "log", "reason": string(ddx.NotReadable), "detail": err.Error(), "kinds": []string{"log.coverage"}, "named": l.Named}}
}

// diagnose takes one host from evidence to findings with their remedies.
func (e *engine) diagnose(t source.Take, w window, o diagnose.Options) (*ddx.Diagnosis, []ddx.Fact, error) {
	facts, err := e.facts(t)
	if err != nil {
		return nil, nil, err
	}
	facts = w.filter(facts)
	d, err := diagnose.Run(e.cat, facts, t.Header.Now, o)
	if err != nil {
		return nil, nil, err
	}
	d.DDX = version()
	if t.Header.Host != "" { // of hosts/NAME the name that a person gave it
		d.Host.Name = t.Header.Host
	}
	d.Host.Boot = t.Header.Boot
	return d, facts, remedy.Fill(e.cat, d, facts)
}

// diagnoseAll takes hosts from evidence to findings, as many at a time as there
// are processors, and hands each to done in the order of takes. What a host was
// read from is let go of then: of hundreds of hosts, a few are held at a time.
func (e *engine) diagnoseAll(takes []source.Take, w window, o diagnose.Options, done func(*source.Take, *ddx.Diagnosis, []ddx.Fact) error) error {
	type answer struct {
		d     *ddx.Diagnosis
		facts []ddx.Fact
		err   error
	}
	answers := make(chan chan answer, runtime.GOMAXPROCS(0)-1)
	stop := make(chan struct{})
	defer func() {
		close(stop)
		for next := range answers { // what has begun reads from takes
			<-next
		}
	}()
	go func() {
		defer close(answers)
		for i := range takes {
			next := make(chan answer, 1)
			select {
			case answers <- next:
			case <-stop:
				return
			}
			go func() {
				d, facts, err := e.diagnose(takes[i], w, o)
				next <- answer{d, facts, err}
			}()
		}
	}()
	i := 0
	for next := range answers {
		a := <-next
		if a.err != nil {
			return a.err
		}
		if err := done(&takes[i], a.d, a.facts); err != nil {
			return err
		}
		takes[i].Items, takes[i].Facts = nil, nil
		i++
	}
	return nil
}

// textFacts turns one piece of pasted text into facts.
func (e *engine) textFacts(text []byte, now time.Time) ([]ddx.Fact, error) {
	takes, err := source.OpenFiles(context.Background(), []string{"-"}, source.Options{
		Stdin: bytes.NewReader(text), Now: func() time.Time { return now }, Version: version()})
	if err != nil {
		return nil, err
	}
	var facts []ddx.Fact
	for _, t := range takes {
		defer t.Close()
		f, err := e.facts(t)
		if err != nil {
			return nil, fmt.Errorf("read text: %w", err)
		}
		facts = append(facts, f...)
	}
	return facts, nil
}
