package lab

import (
	"fmt"
	"io"
	"strings"
)

// Catalogue is everything that Check and Simulate know.
type Catalogue struct {
	Models      []Model      `json:"models"`
	Simulations []Simulation `json:"simulations"`
}

// NewCatalogue returns the models and simulations that ship with ddx.
func NewCatalogue() Catalogue { return Catalogue{Models(), Simulations()} }

// WriteList writes the catalogue for a terminal. Safeguards and invariants that
// models share are written once.
func WriteList(w io.Writer) error {
	var b strings.Builder
	b.WriteString("models (ddx lab check MODEL [--safeguard NAME]... [--set PARAMETER=NUMBER]...)\n")
	var models [][]string
	for _, m := range Models() {
		models = append(models, []string{"  " + m.Name, m.Title})
	}
	writeColumns(&b, models)
	told := make(map[string]bool)
	for _, m := range Models() {
		family, _, _ := strings.Cut(m.Name, "-")
		if told[family] {
			continue
		}
		told[family] = true
		m.list(&b, family)
	}
	for _, s := range Simulations() {
		fmt.Fprintf(&b, "\nsimulation %s: %s\n", s.Name, s.Title)
		var rows [][]string
		for _, d := range s.Settings {
			doc := d.Doc
			if len(d.Choices) > 0 {
				doc += ": " + strings.Join(d.Choices, ", ")
			}
			rows = append(rows, []string{"  " + d.Name + "=" + d.Default, doc})
		}
		writeColumns(&b, rows)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// list writes what the models of a family share.
func (m Model) list(b *strings.Builder, family string) {
	var safeguards, invariants, parameters [][]string
	for _, s := range m.Safeguards {
		safeguards = append(safeguards, []string{"  " + s.Name, s.Doc})
	}
	for _, v := range m.Invariants {
		invariants = append(invariants, []string{"  " + v.Name, v.Doc})
	}
	for _, p := range m.Parameters {
		parameters = append(parameters, []string{fmt.Sprintf("  %s=%d", p.Name, p.Default), fmt.Sprintf("%s, %d to %d", p.Doc, p.Min, p.Max)})
	}
	fmt.Fprintf(b, "\n%s: invariants\n", family)
	writeColumns(b, invariants)
	fmt.Fprintf(b, "\n%s: safeguards (recommended: %s)\n", family, strings.Join(m.Recommended, ", "))
	writeColumns(b, safeguards)
	fmt.Fprintf(b, "\n%s: parameters\n", family)
	writeColumns(b, parameters)
}
