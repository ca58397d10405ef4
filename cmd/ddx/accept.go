package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"time"

	"go.yaml.in/yaml/v3"

	"ddx"
)

// acceptedFinding is an entry of the file that --accept names.
type acceptedFinding struct {
	ID      string `yaml:"id"` // of the finding, or of the mode for any subject
	Reason  string `yaml:"reason"`
	Expires string `yaml:"expires"` // date; the entry counts to the end of that day
}

type acceptList []acceptedFinding

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
	var list acceptList
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&list); err != nil && err != io.EOF { // an empty list accepts nothing
		return nil, fmt.Errorf("accept %s: %w; want a YAML list of {id, reason, expires}", path, err)
	}
	for i, a := range list {
		if a.ID == "" || a.Reason == "" {
			return nil, fmt.Errorf("accept %s: entry %d: id and reason are needed", path, i+1)
		}
		if _, err := time.Parse(time.DateOnly, a.Expires); err != nil {
			return nil, fmt.Errorf("accept %s: entry %d (%s): expires %q: want YYYY-MM-DD", path, i+1, a.ID, a.Expires)
		}
	}
	return list, nil
}

// mark notes on findings that they are known, as of the diagnosis' own moment.
func (l acceptList) mark(d *ddx.Diagnosis) {
	for i := range d.Findings {
		f := &d.Findings[i]
		for _, a := range l {
			if a.ID != f.ID && a.ID != f.Mode {
				continue
			}
			if day, _ := time.Parse(time.DateOnly, a.Expires); d.Now.Before(day.AddDate(0, 0, 1)) {
				f.Accepted = fmt.Sprintf("%s (until %s)", a.Reason, a.Expires)
			}
		}
	}
}
