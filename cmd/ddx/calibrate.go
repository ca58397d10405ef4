package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"ddx"
	"ddx/diagnose"
	"ddx/output"
)

// labelledCase is a case with the root cause that was established for it.
type labelledCase struct {
	ID       string `json:"id"`
	Label    string `json:"label"`
	Evidence []struct {
		Kind string `json:"kind"`
		Text string `json:"text"`
	} `json:"evidence"`
}

func (a *app) calibrateCommand() *cobra.Command {
	format := ""
	c := &cobra.Command{
		Use:   "calibrate DIR",
		Short: "Measure the catalogue and the weights on labelled cases",
		Long: `Diagnose the labelled cases of a folder and print how often the right mode came
first, what was taken for what, how often findings of each verdict and range of
probability were right (with 95 % intervals), and the weight of each class of
effect and strength as the cases would have it, beside the one in use.

A case is a JSON file: {"id": ..., "label": MODE or "none", "evidence": [{"kind":
..., "text": ...}]}. The exit status is 0 whatever the result: it is a measure.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.calibrate(args[0], format) },
	}
	outputFlag(c.Flags(), &format, "", "text", "json")
	return c
}

func (a *app) calibrate(dir, format string) error {
	e, err := newEngine(a.catalogDirs)
	if err != nil {
		return err
	}
	cases, problems, err := e.readCases(dir)
	if err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintf(a.stderr, "ddx: %s\n", p)
	}
	c, err := diagnose.Calibrate(e.cat, cases, exampleNow)
	if err != nil {
		return err
	}
	if format == "json" {
		return a.encode(c)
	}
	return a.calibrationText(c)
}

// readCases reads the labelled cases of a folder, and says what of their
// evidence could not be read.
func (e *engine) readCases(dir string) (cases []diagnose.Case, problems []string, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		return nil, nil, fmt.Errorf("calibrate %s: no cases (*.json) in the folder", dir)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, fmt.Errorf("calibrate: %w", err)
		}
		var c labelledCase
		if err := json.Unmarshal(data, &c); err != nil {
			return nil, nil, fmt.Errorf("calibrate: %s: %w", file, err)
		}
		if c.ID == "" || c.Label == "" {
			return nil, nil, fmt.Errorf("calibrate: %s: a case needs id, label and evidence", file)
		}
		var facts []ddx.Fact
		for _, ev := range c.Evidence {
			f, err := e.textFacts([]byte(ev.Text), exampleNow)
			if err != nil {
				problems = append(problems, fmt.Sprintf("%s: %v", c.ID, err))
			}
			facts = append(facts, f...)
		}
		cases = append(cases, diagnose.Case{ID: c.ID, Label: c.Label, Facts: facts})
	}
	return cases, problems, nil
}

func (a *app) calibrationText(c *diagnose.Calibration) error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "catalogue %s: right first in %d of %d cases, among the first three in %d; quiet on %d of %d healthy ones\n", c.Catalogue, c.Top1, c.Positive, c.Top3, c.Quiet, c.Negative)
	for _, label := range c.Unknown {
		fmt.Fprintf(w, "label %s is no mode of the catalogue\n", output.Visible(label))
	}
	fmt.Fprint(w, "\nTAKEN FOR ANOTHER\nlabel\tanswer\tcases\n")
	for _, x := range c.Confusion {
		fmt.Fprintf(w, "%s\t%s\t%d\n", output.Visible(x.Label), x.Answer, x.Cases)
	}
	table := func(title, class string, rows []diagnose.Reliability) {
		fmt.Fprintf(w, "\n%s\n%s\tfindings\tright\tshare\t95 %% interval\tgiven\n", title, class)
		for _, r := range rows {
			if r.Findings == 0 {
				fmt.Fprintf(w, "%s\t0\n", r.Class)
				continue
			}
			fmt.Fprintf(w, "%s\t%d\t%d\t%.3f\t%.3f to %.3f\t%.3f\n", r.Class, r.Findings, r.Right, r.Share, r.Low, r.High, r.Expected)
		}
	}
	table("RELIABILITY BY VERDICT", "verdict", c.Verdicts)
	table("RELIABILITY BY PROBABILITY", "probability", c.Bins)
	fmt.Fprint(w, "\nWEIGHTS (log likelihood ratio)\neffect\tstrength\tin use\tfitted\tfindings\n")
	for _, x := range c.Weights {
		fmt.Fprintf(w, "%s\t%s\t%.2f\t%.2f\t%d\n", x.Effect, x.Strength, x.InUse, x.Fitted, x.Terms)
	}
	fmt.Fprintf(w, "\nlog loss a finding, %d findings, %d-fold cross-validation: %.3f with the weights in use, %.3f with fitted ones\n", c.Loss.Findings, c.Loss.Folds, c.Loss.InUse, c.Loss.Fitted)
	return w.Flush()
}
