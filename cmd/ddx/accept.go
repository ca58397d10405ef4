package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"ddx"
	"ddx/catalog"
	"ddx/output"
)

// acceptedFinding is an entry of the file that --accept names.
type acceptedFinding struct {
	at      string // FILE:LINE
	id      string // of the finding, or of the mode for any subject
	reason  string
	expires time.Time // the entry counts to the end of that day
}

type acceptList []acceptedFinding

// acceptForm is what the file has to look like, for messages.
const acceptForm = `want a list of entries such as "- {id: disk-full, reason: disk is ordered, expires: 2026-12-31}"`

// loadAccepted reads a list of known findings. Each needs a reason and an
// expiry: what is accepted for ever is forgotten.
func loadAccepted(path string) (acceptList, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("accept: %w", err)
	}
	list, err := parseAccepted(path, data)
	if err != nil {
		return nil, fmt.Errorf("accept %w", err)
	}
	return list, nil
}

func parseAccepted(path string, data []byte) (acceptList, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%s: this is no YAML: %s; %s", path, strings.TrimPrefix(err.Error(), "yaml: "), acceptForm)
	}
	if len(doc.Content) == 0 { // an empty list accepts nothing
		return nil, nil
	}
	entries := doc.Content[0]
	if entries.Kind == yaml.ScalarNode && entries.Tag == "!!null" {
		return nil, nil
	}
	if entries.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("%s:%d: this is no list; %s", path, entries.Line, acceptForm)
	}
	var list acceptList
	for _, n := range entries.Content {
		a, err := parseAcceptedEntry(n)
		a.at = fmt.Sprintf("%s:%d", path, n.Line)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.at, err)
		}
		list = append(list, a)
	}
	return list, nil
}

func parseAcceptedEntry(n *yaml.Node) (a acceptedFinding, err error) {
	if n.Kind != yaml.MappingNode {
		return a, errors.New(acceptForm)
	}
	expires := ""
	fields := map[string]*string{"id": &a.id, "reason": &a.reason, "expires": &expires}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i].Value, n.Content[i+1]
		field := fields[key]
		if field == nil {
			return a, fmt.Errorf("%q is none of id, reason and expires", key)
		}
		if value.Kind != yaml.ScalarNode {
			return a, fmt.Errorf("%s is to be one text", key)
		}
		*field = value.Value
	}
	for _, name := range []string{"id", "reason", "expires"} {
		if *fields[name] == "" {
			return a, fmt.Errorf("it has no %s; an entry needs id, reason and expires", name)
		}
	}
	if _, subject, ok := strings.Cut(a.id, "@"); ok {
		if _, err := ddx.ParseSubject(subject); err != nil {
			return a, fmt.Errorf("id %q: want MODE or MODE@KIND:NAME, as findings print it", a.id)
		}
	}
	if a.expires, err = time.Parse(time.DateOnly, expires); err != nil {
		return a, fmt.Errorf("%s: expires %q: want a day as YYYY-MM-DD", a.id, expires)
	}
	return a, nil
}

// expired reports whether the entry no longer counts at a moment.
func (a acceptedFinding) expired(now time.Time) bool { return !now.Before(a.expires.AddDate(0, 0, 1)) }

// mark notes on findings that they are known, as of the diagnosis' own moment.
func (l acceptList) mark(d *ddx.Diagnosis) {
	for i := range d.Findings {
		f := &d.Findings[i]
		for _, a := range l {
			if (a.id == f.ID || a.id == f.Mode) && !a.expired(d.Now) {
				f.Accepted = fmt.Sprintf("%s (until %s)", a.reason, a.expires.Format(time.DateOnly))
			}
		}
	}
}

// remarks are what somebody should know who relies on the list: entries that
// name no mode of the catalogue, and those that have expired, above all where
// what they accepted is there again.
func (l acceptList) remarks(cat *catalog.Catalogue, all []*ddx.Diagnosis) []string {
	var out []string
	for _, a := range l {
		mode, _, _ := strings.Cut(a.id, "@")
		if cat.Mode(mode) == nil {
			err := notThere(fmt.Errorf("accept %s: %s: no such mode in the catalogue, so it accepts nothing", a.at, mode), mode, modeIDs(cat))
			out = append(out, err.Error())
			continue
		}
		expired, counts := false, false
		for _, d := range all {
			if !a.expired(d.Now) {
				continue
			}
			expired = true
			for i := range d.Findings {
				f := &d.Findings[i]
				counts = counts || (a.id == f.ID || a.id == f.Mode) && f.Wrong()
			}
		}
		if expired {
			what := "it accepts nothing any more"
			if counts {
				what = "the finding counts again"
			}
			out = append(out, fmt.Sprintf("accept %s: %s expired on %s: %s (%s)", a.at, a.id, a.expires.Format(time.DateOnly), what, a.reason))
		}
	}
	return out
}

// warn prints remarks on standard error; they change no answer and no status.
func (a *app) warn(remarks []string) {
	for _, r := range remarks {
		fmt.Fprintf(a.stderr, "ddx: %s\n", output.Visible(r))
	}
}
