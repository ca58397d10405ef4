package lab

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteList writes the models for a terminal. Safeguards and invariants that
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

// writeColumns writes rows with columns of equal width.
func writeColumns(w io.Writer, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	t.Flush()
}
