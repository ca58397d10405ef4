package main

import (
	"bytes"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"ddx/catalog"
)

func (a *app) catalogCommand() *cobra.Command {
	c := &cobra.Command{Use: "catalog", Short: "The failure modes: list, show, check, measure, document, import"}
	c.AddCommand(
		&cobra.Command{Use: "list", Short: "List all failure modes", Args: cobra.NoArgs, RunE: a.catalogList},
		&cobra.Command{Use: "show MODE", Short: "Print the YAML of a mode", Args: cobra.ExactArgs(1), RunE: a.catalogShow},
		&cobra.Command{Use: "lint", Short: "Check the catalogue: types, conditions, references, patterns", Args: cobra.NoArgs, RunE: a.catalogLint},
		&cobra.Command{Use: "test [MODE...]", Short: "Run the examples and look-alikes of modes, in every framing", RunE: a.catalogTest},
		&cobra.Command{Use: "patterns", Short: "Print every log pattern as one regular expression a line, as ripgrep accepts it", Args: cobra.NoArgs, RunE: a.catalogPatterns},
		a.importNPDCommand(),
		a.calibrateCommand(),
		a.docsCommand(),
	)
	return c
}

func (a *app) catalogList(*cobra.Command, []string) error {
	cat, err := catalog.Load(a.catalogDirs...)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, family := range catalog.Families {
		for _, m := range cat.Modes {
			if m.Family == family {
				fmt.Fprintf(w, "%s\t%s\t%s\n", m.ID, m.Family, m.Title)
			}
		}
	}
	return w.Flush()
}

func (a *app) catalogShow(_ *cobra.Command, args []string) error {
	text, err := catalog.Source(args[0], a.catalogDirs...)
	if err != nil {
		return a.didYouMean(err, args[0])
	}
	_, err = a.stdout.Write(text)
	return err
}

func (a *app) catalogLint(*cobra.Command, []string) error {
	cat, err := catalog.Load(a.catalogDirs...)
	if err != nil {
		return err
	}
	problems := catalog.Lint(cat)
	for _, p := range problems {
		fmt.Fprintln(a.stdout, p)
	}
	fmt.Fprintf(a.stderr, "%d modes, %d remedies, %d problems\n", len(cat.Modes), len(cat.Remedies), len(problems))
	if len(problems) > 0 {
		return status(exitWrong)
	}
	return nil
}

func (a *app) catalogTest(_ *cobra.Command, args []string) error {
	e, err := newEngine(a.catalogDirs)
	if err != nil {
		return err
	}
	ran, failures, err := e.testExamples(args)
	if err != nil {
		return err
	}
	for _, f := range failures {
		fmt.Fprintln(a.stdout, f)
	}
	fmt.Fprintf(a.stderr, "%d examples, %d failures\n", ran, len(failures))
	if len(failures) > 0 {
		return status(exitWrong)
	}
	return nil
}

// unnamed takes the names out of the groups of an expression: a name may stand
// only once in an expression, and ripgrep makes one of a whole file of them.
func unnamed(expr string) string {
	var b strings.Builder
	for i := 0; i < len(expr); i++ {
		rest := expr[i:]
		if rest[0] == '\\' && len(rest) > 1 {
			b.WriteString(rest[:2])
			i++
			continue
		}
		if end := strings.IndexByte(rest, '>'); end > 0 && strings.HasPrefix(rest, "(?P<") {
			b.WriteString("(?:")
			i += end
			continue
		}
		b.WriteByte(rest[0])
	}
	return b.String()
}

func (a *app) catalogPatterns(*cobra.Command, []string) error {
	cat, err := catalog.Load(a.catalogDirs...)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for _, m := range cat.Modes {
		for i := range m.Indicators {
			for _, p := range m.Indicators[i].Log {
				cp, err := cat.Pattern(p)
				if err != nil {
					return err
				}
				fmt.Fprintln(&b, unnamed(cp.Expr))
			}
		}
	}
	_, err = b.WriteTo(a.stdout)
	return err
}
