package output

import (
	"io"

	"ddx"
)

// SARIF writes the findings of one or more hosts as a SARIF 2.1.0 log: one run
// a host, one rule a mode, the origin of the first evidence as the location.
func SARIF(w io.Writer, all []*ddx.Diagnosis) error {
	log := sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{}}
	for _, d := range all {
		log.Runs = append(log.Runs, run(d))
	}
	return JSON(w, log)
}

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool struct {
		Driver sarifDriver `json:"driver"`
	} `json:"tool"`
	Results []sarifResult `json:"results"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version"`
	Rules   []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string    `json:"id"`
	ShortDescription sarifText `json:"shortDescription"`
	FullDescription  sarifText `json:"fullDescription"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID    string            `json:"ruleId"`
	Level     string            `json:"level"`
	Message   sarifText         `json:"message"`
	Locations []sarifLocation   `json:"locations"`
	Prints    map[string]string `json:"partialFingerprints"`
}

type sarifLocation struct {
	PhysicalLocation struct {
		ArtifactLocation struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
	} `json:"physicalLocation"`
}

// sarifLevels are the levels of verdicts.
var sarifLevels = map[ddx.Verdict]string{ddx.Confirmed: "error", ddx.Likely: "warning", ddx.Possible: "note", ddx.RuledOut: "none"}

func run(d *ddx.Diagnosis) sarifRun {
	r := sarifRun{Results: []sarifResult{}}
	r.Tool.Driver = sarifDriver{Name: "ddx", Version: d.DDX, Rules: []sarifRule{}}
	seen := map[string]bool{}
	for i := range d.Findings {
		f := &d.Findings[i]
		if !seen[f.Mode] {
			seen[f.Mode] = true
			r.Tool.Driver.Rules = append(r.Tool.Driver.Rules, sarifRule{f.Mode, sarifText{f.Title}, sarifText{f.Summary}})
		}
		res := sarifResult{RuleID: f.Mode, Level: sarifLevels[f.Verdict], Locations: []sarifLocation{}, Prints: map[string]string{"finding/v1": f.ID}}
		res.Message.Text = string(f.Verdict) + ": " + f.Title + " (" + f.Subject.String() + ")"
		for _, e := range f.Evidence {
			var l sarifLocation
			l.PhysicalLocation.ArtifactLocation.URI = e.Origin
			res.Locations = append(res.Locations, l)
		}
		r.Results = append(r.Results, res)
	}
	return r
}
