package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"ddx"
	"ddx/catalog"
	"ddx/output"
	"ddx/source"
)

func (a *app) docsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "docs DIR",
		Short: "Write the reference pages: modes, facts, sources",
		Long: `Write the pages that are derived from the program itself: DIR/modes/ID.md, the
manual page of each mode, with DIR/modes/README.md as their index; DIR/facts.md,
the vocabulary of facts; DIR/sources.md, the forms of material that are read.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.docs(args[0]) },
	}
}

func (a *app) docs(dir string) error {
	cat, err := catalog.Load(a.catalogDirs...)
	if err != nil {
		return err
	}
	pages := map[string][]byte{"facts.md": factsPage(), "sources.md": sourcesPage(), "modes/README.md": modesIndex(cat)}
	for _, m := range cat.Modes {
		var b bytes.Buffer
		if err := output.ManualMarkdown(&b, m, cat.Remedies); err != nil {
			return fmt.Errorf("docs: mode %s: %w", m.ID, err)
		}
		pages["modes/"+m.ID+".md"] = b.Bytes()
	}
	if err := os.MkdirAll(filepath.Join(dir, "modes"), 0o755); err != nil {
		return fmt.Errorf("docs: %w", err)
	}
	for name, page := range pages {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), page, 0o644); err != nil {
			return fmt.Errorf("docs: %w", err)
		}
	}
	fmt.Fprintf(a.stderr, "%d pages in %s\n", len(pages), dir)
	return nil
}

// cell writes text into a cell of a Markdown table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func modesIndex(cat *catalog.Catalogue) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Failure modes\n\nThe %d modes of the catalogue by family. Written by `ddx catalog docs`; the text of\na mode is `catalog/modes/ID.yaml`.\n", len(cat.Modes))
	for _, family := range catalog.Families {
		fmt.Fprintf(&b, "\n## %s\n\n| mode | what is broken | about a | frequency |\n|---|---|---|---|\n", family)
		for _, m := range cat.Modes {
			if m.Family == family {
				fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s | %s |\n", m.ID, m.ID, cell(m.Title), m.Subject, m.Frequency)
			}
		}
	}
	return b.Bytes()
}

// factsPage documents the vocabulary of facts.
func factsPage() []byte {
	var b bytes.Buffer
	b.WriteString(`# Facts

Every kind of fact that sources emit and modes read, with its fields. Written by
` + "`ddx catalog docs docs`" + ` from the table of the root package (facts.go); a source
or a mode that uses anything else fails a test.

A number is a **state** (a setting or size: true until somebody changes it), an
**instant** value, or a **counter** that grows from 0 since the event that is
named: above 0 it says "has happened", and only two samples, as ` + "`delta`" + ` over
` + "`seconds`" + `, say "is happening". Conditions read the name of the subject as
` + "`subject`" + `.
`)
	for i := range ddx.FactKinds {
		k := &ddx.FactKinds[i]
		fmt.Fprintf(&b, "\n## %s\n\n%s.\nAbout a %s", k.Name, strings.TrimSuffix(k.Doc, "."), k.Subject)
		if len(k.Key) > 0 {
			fmt.Fprintf(&b, "; told apart by %s", strings.Join(k.Key, ", "))
		}
		b.WriteString(".\n\n| field | type | unit | number | meaning |\n|---|---|---|---|---|\n")
		for _, f := range k.Fields {
			number := string(f.Number)
			if f.Since != "" {
				number += " since " + f.Since
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", f.Name, f.Type, cell(f.Unit), cell(number), cell(f.Doc))
		}
	}
	return b.Bytes()
}

// sourcesPage documents the forms of material that ddx reads.
func sourcesPage() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# Sources

The %d forms of material that ddx reads, each recognised by its content; where
two could claim the same content, the one that stands first has it. Written by
`+"`ddx catalog docs docs`"+` from the list of readers in package source. The name is what
`+"`ddx diagnose --as NAME=PATH`"+` takes. What a live host is asked for stands under
"live": files, and commands, in which {nic}, {disk} and {mount} stand for each
interface, disk and mount point. Facts are documented in [facts.md](facts.md).

| name | what it is | facts | live | remarks |
|---|---|---|---|---|
`, len(source.Readers))
	for i := range source.Readers {
		r := &source.Readers[i]
		var live, facts, remarks []string
		for _, f := range r.Files {
			live = append(live, "`/"+cell(f)+"`")
		}
		for _, c := range r.Commands {
			live = append(live, "`"+cell(strings.Join(c, " "))+"`")
		}
		for _, k := range r.Kinds {
			facts = append(facts, fmt.Sprintf("[%s](facts.md#%s)", k, strings.ReplaceAll(k, ".", "")))
		}
		for _, x := range []struct {
			is   bool
			word string
		}{{r.Log, "log lines, for the patterns"}, {r.Basic, "basic: without it the exit status is 4"}, {r.Twice, "read twice, for rates"}, {r.Child, "read in a child with a deadline"}} {
			if x.is {
				remarks = append(remarks, x.word)
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", r.Name, cell(r.Doc), strings.Join(facts, " "), strings.Join(live, " "), strings.Join(remarks, "; "))
	}
	return b.Bytes()
}
