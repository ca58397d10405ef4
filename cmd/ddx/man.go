package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"ddx/catalog"
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
	c.DisableAutoGenTag = true
	info, _ := debug.ReadBuildInfo()
	page, err := manPage(c, info)
	if err != nil {
		return fmt.Errorf("man: %s: %w", name, err)
	}
	if dir == "" {
		if _, err := a.stdout.Write(page); err != nil {
			return err
		}
	} else if err := os.WriteFile(filepath.Join(dir, name+".1"), page, 0o644); err != nil {
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

// manPage renders a page. Its date and version are those of the commit that the
// program was built from, so that the same program always writes the same pages;
// a build that knows neither leaves them out.
func manPage(c *cobra.Command, info *debug.BuildInfo) ([]byte, error) {
	h := &doc.GenManHeader{Title: strings.ToUpper(strings.ReplaceAll(c.CommandPath(), " ", "-")), Section: "1", Source: "ddx", Manual: "ddx manual", Date: &time.Time{}}
	if v := versionOf(info); v != unversioned {
		h.Source = "ddx " + v
	}
	if t := commitTime(info); !t.IsZero() {
		h.Date = &t
	}
	var b bytes.Buffer
	if err := doc.GenMan(c, h, &b); err != nil {
		return nil, err
	}
	noDate := fmt.Appendf(nil, "%q", time.Time{}.Format("Jan 2006")) // as the generator writes it
	return bytes.Replace(b.Bytes(), noDate, []byte(`""`), 1), nil
}

// versionCommand prints what a report of a mistake in ddx should name.
func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of ddx and of its catalogue",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cat, err := catalog.Load(a.catalogDirs...)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.stdout, "ddx %s, catalogue %s with %d modes, %s %s/%s\n", version(), cat.Digest, len(cat.Modes), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// commitTime is when the commit was made that the program was built from; zero
// when the build does not tell.
func commitTime(info *debug.BuildInfo) time.Time {
	t, _ := time.Parse(time.RFC3339, setting(info, "vcs.time"))
	return t
}
