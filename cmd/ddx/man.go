package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man [DIR]",
		Short: "Write the manual pages of all commands",
		Long: `Write the manual pages of all commands, section 1, to DIR/NAME.1; without DIR
all of them to standard output. The manual page of a failure mode is printed by
'ddx explain MODE'.`,
		Example: "  ddx man /usr/local/share/man/man1\n  ddx man | man -l -",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			dir := ""
			if len(args) > 0 {
				dir = args[0]
				if err := os.MkdirAll(dir, 0o755); err != nil {
					return fmt.Errorf("man: %w", err)
				}
			}
			return a.man(c.Root(), dir)
		},
	}
}

// man writes the page of a command and those of the commands below it.
func (a *app) man(c *cobra.Command, dir string) error {
	name := strings.ReplaceAll(c.CommandPath(), " ", "-")
	var b bytes.Buffer
	date := commitTime()
	c.DisableAutoGenTag = true
	if err := doc.GenMan(c, &doc.GenManHeader{Title: strings.ToUpper(name), Section: "1", Source: "ddx " + version(), Manual: "ddx manual", Date: &date}, &b); err != nil {
		return fmt.Errorf("man: %s: %w", name, err)
	}
	if dir == "" {
		if _, err := b.WriteTo(a.stdout); err != nil {
			return err
		}
	} else if err := os.WriteFile(filepath.Join(dir, name+".1"), b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("man: %w", err)
	}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			if err := a.man(sub, dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// commitTime is when the commit was made that the program was built from, so
// that the same program always writes the same pages.
func commitTime() time.Time {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if t, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil {
				return t
			}
		}
	}
	return time.Unix(0, 0).UTC()
}
