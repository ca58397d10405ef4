package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ddx/catalog"
	"ddx/lab"
	"ddx/simulate"
	"ddx/source"
)

// complete gives shells the words that arguments and flags can be: modes,
// models, formats, kinds of material. It walks the table of commands once.
func (a *app) complete(root *cobra.Command) {
	for path, fn := range map[string]cobra.CompletionFunc{
		"explain":      once(a.completeModes),
		"catalog show": once(a.completeModes),
		"catalog test": a.completeModes,
		"lab check":    once(completeWords(modelNames)),
		"lab simulate": once(completeWords(simulationNames)),
		"tree":         cobra.NoFileCompletions,
	} {
		c, _, err := root.Find(strings.Fields(path))
		if err != nil {
			panic(err) // the table of commands is ours
		}
		c.ValidArgsFunction = fn
	}
	completeFlags(root)
}

// flagWords are the values of flags that mean the same on every command.
var flagWords = map[string]func() []string{
	"boot": func() []string { return []string{"0", "-1", "all"} },
	"as":   func() []string { return withSuffix(readerNames(), "=") },
}

func completeFlags(c *cobra.Command) {
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		words := flagWords[f.Name]
		directive := cobra.ShellCompDirectiveNoFileComp
		if one, ok := f.Value.(choice); ok {
			words = func() []string { return one.of }
		}
		if f.Name == "as" { // KIND= is to be followed by a path
			directive = cobra.ShellCompDirectiveNoSpace
		}
		if _, has := c.GetFlagCompletionFunc(f.Name); words == nil || has {
			return
		}
		err := c.RegisterFlagCompletionFunc(f.Name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return words(), directive
		})
		if err != nil {
			panic(err) // likewise
		}
	})
	for _, sub := range c.Commands() {
		completeFlags(sub)
	}
}

// completeModes offers the ids of the catalogue with their titles.
func (a *app) completeModes(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	cat, err := catalog.Load(a.catalogDirs...)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var out []string
	for _, m := range cat.Modes {
		if strings.HasPrefix(m.ID, begun) && !slices.Contains(args, m.ID) {
			out = append(out, cobra.CompletionWithDesc(m.ID, m.Title))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// once completes the first argument only.
func once(fn cobra.CompletionFunc) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return fn(c, args, begun)
	}
}

func completeWords(words func() []string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words(), cobra.ShellCompDirectiveNoFileComp
	}
}

func readerNames() (names []string) {
	for i := range source.Readers {
		names = append(names, source.Readers[i].Name)
	}
	return names
}

func modelNames() (names []string) {
	for _, m := range lab.Models() {
		names = append(names, m.Name)
	}
	return names
}

func simulationNames() (names []string) {
	for _, s := range simulate.Simulations() {
		names = append(names, s.Name)
	}
	return names
}

func withSuffix(words []string, suffix string) (out []string) {
	for _, w := range words {
		out = append(out, w+suffix)
	}
	return out
}
