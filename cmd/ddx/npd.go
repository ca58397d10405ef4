package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"ddx"
	"ddx/catalog"
	"ddx/scan"
)

func (a *app) importNPDCommand() *cobra.Command {
	dir := ""
	c := &cobra.Command{
		Use:   "import-npd FILE...",
		Short: "Print the rules of node-problem-detector as modes",
		Long: `Read system-log-monitor files of node-problem-detector, unchanged, and print
their rules as modes in YAML, one document each. A rule whose pattern spans
lines is looked for in up to ten messages in a row. Rules that cannot be run,
such as those that start a program of their own, are named on standard error
with the reason. --dir writes a folder that --catalog takes. To run the
files as they are, without a copy: ddx diagnose --npd FILE.

A printed mode says what its rule says. What a mode of the catalogue has beside
that, examples and remedies first of all, is for its author to add: 'ddx catalog
lint' lists what is missing.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.importNPD(args, dir) },
	}
	c.Flags().StringVar(&dir, "dir", "", "write `DIR`/modes/ID.yaml instead of printing")
	return c
}

func (a *app) importNPD(files []string, dir string) error {
	modes, _, err := a.readNPD(files)
	if err != nil {
		return err
	}
	patterns := 0
	for _, m := range modes {
		for _, ind := range m.Indicators {
			patterns += len(ind.Log)
		}
	}
	fmt.Fprintf(a.stderr, "%d files, %d modes, %d different patterns\n", len(files), len(modes), patterns)
	if dir != "" {
		if err := os.MkdirAll(filepath.Join(dir, "modes"), 0o755); err != nil {
			return fmt.Errorf("import-npd: %w", err)
		}
	}
	for _, m := range modes {
		var b bytes.Buffer
		enc := yaml.NewEncoder(&b)
		enc.SetIndent(2)
		if err := enc.Encode(m); err != nil {
			return fmt.Errorf("import-npd: mode %s: %w", m.ID, err)
		}
		if dir == "" {
			fmt.Fprintf(a.stdout, "---\n%s", b.Bytes())
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, "modes", m.ID+".yaml"), b.Bytes(), 0o644); err != nil {
			return fmt.Errorf("import-npd: %w", err)
		}
	}
	return nil
}

// readNPD reads rule files, says on standard error which rules cannot be run,
// and returns the modes and the bytes that they came from.
func (a *app) readNPD(files []string) (modes []*ddx.Mode, data []byte, err error) {
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, fmt.Errorf("import: %w", err)
		}
		more, refused, err := catalog.ReadNPD(file, text, func(expr string) error {
			_, err := scan.Compile([]string{expr})
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		for _, r := range refused {
			fmt.Fprintf(a.stderr, "ddx: %s\n", r)
		}
		modes = catalog.MergeModes(modes, more)
		data = append(data, text...)
	}
	return modes, data, nil
}

// engineWith is the engine with rule files of node-problem-detector beside the
// catalogue.
func (a *app) engineWith(npd []string) (*engine, error) {
	cat, err := catalog.Load(a.catalogDirs...)
	if err != nil {
		return nil, err
	}
	if len(npd) > 0 {
		modes, data, err := a.readNPD(npd)
		if err != nil {
			return nil, err
		}
		if err := cat.Add(modes, data); err != nil {
			return nil, err
		}
	}
	return engineOf(cat)
}
