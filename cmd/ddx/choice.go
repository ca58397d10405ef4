package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// A choice is the value of a flag that takes one of a few words. What is none of
// them is refused before the command begins.
type choice struct {
	value *string
	of    []string
}

func (c choice) String() string {
	if c.value == nil { // pflag asks a zero value for the default
		return ""
	}
	return *c.value
}

// Type implements pflag.Value.
func (c choice) Type() string { return "string" }

// Set implements pflag.Value.
func (c choice) Set(s string) error {
	if !slices.Contains(c.of, s) {
		return fmt.Errorf("want %s", inWords(c.of))
	}
	*c.value = s
	return nil
}

// outputFlag adds --output with the formats of a command, the default first. The
// note stands behind them in its help.
func outputFlag(fl *pflag.FlagSet, value *string, note string, formats ...string) {
	*value = formats[0]
	fl.VarP(choice{value, formats}, "output", "o", strings.TrimSpace("format: "+inWords(formats)+" "+note))
}

// inWords joins words as a sentence does: text, json or csv.
func inWords(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
