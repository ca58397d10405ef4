package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ddx/source"
)

func (a *app) collectCommand() *cobra.Command {
	var redact, list bool
	var since, boot string
	c := &cobra.Command{
		Use:   "collect [FILE|-]",
		Short: "Write what a diagnosis needs into a bundle",
		Long: `Write a bundle: what was read on this host and how, as a tar.gz that tar and an
editor can open. "ddx diagnose BUNDLE" gives the same findings as a diagnosis at
the moment it was taken. "-" writes to standard output; without a name the file
is ddx-HOST-TIME.tar.gz. Nothing leaves the machine.`,
		Example: "  sudo ddx collect\n  ssh HOST sudo ddx collect - | ddx diagnose -\n  sudo ddx collect --redact for-support.tar.gz",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if list {
				return a.listReaders()
			}
			if err := checkBoot(boot); err != nil {
				return err
			}
			if f, ok := a.stdout.(*os.File); ok && slices.Equal(args, []string{"-"}) && isTerminal(f) {
				return usagef("collect -: a bundle is no text for a terminal; name a file, or send it on: ddx collect - | ddx diagnose -")
			}
			now := time.Now().UTC()
			from, err := parseTime(since, now)
			if err != nil {
				return usagef("--since: %w", err)
			}
			t, err := source.Live(c.Context(), source.Options{Version: version(), Since: from, Boot: boot, Progress: a.progress()})
			a.clearProgress()
			if err = firstError(err, c.Context().Err()); err != nil {
				return err
			}
			defer t.Close()
			if redact {
				key := make([]byte, 32)
				if _, err := rand.Read(key); err != nil {
					return fmt.Errorf("collect: make a redaction key: %w", err)
				}
				if t, err = source.Redact(t, key); err != nil {
					return err
				}
			}
			return a.writeBundle(t, args)
		},
	}
	f := c.Flags()
	f.BoolVar(&redact, "redact", false, "replace addresses, names, identities and secrets, each by the same stand-in everywhere")
	f.BoolVar(&list, "list", false, "list every kind of material that ddx reads, and do nothing")
	f.StringVar(&since, "since", "", "take the journal from `TIME` on (default: the last 24 hours)")
	f.StringVar(&boot, "boot", "", "take the journal of boot `N` or all")
	return c
}

// writeBundle writes to the file named, to standard output, or to a file named
// after the host. A file is readable by its owner only, and complete or absent.
func (a *app) writeBundle(t source.Take, args []string) error {
	name := fmt.Sprintf("ddx-%s-%s.tar.gz", fileName(t.Header.Host), t.Header.Now.Format("20060102T150405Z"))
	if len(args) == 1 {
		name = args[0]
	}
	if name == "-" {
		return source.WriteBundle(a.stdout, t)
	}
	tmp, err := os.CreateTemp(dirOf(name), ".ddx-collect-*")
	if err != nil {
		return fmt.Errorf("collect: write %s: %w; name a file in a folder that you may write to", name, errors.Unwrap(err))
	}
	defer os.Remove(tmp.Name())
	if err := source.WriteBundle(io.Writer(tmp), t); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return fmt.Errorf("collect: %w", err)
	}
	if err := os.Rename(tmp.Name(), name); err != nil {
		return fmt.Errorf("collect: %w", err)
	}
	_, err = fmt.Fprintln(a.stdout, name)
	return err
}

func dirOf(name string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i+1]
	}
	return "."
}

// fileName keeps what is harmless in a file name.
func fileName(host string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '_'
	}, host)
}

func (a *app) listReaders() error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for i := range source.Readers {
		r := &source.Readers[i]
		fmt.Fprintf(w, "%s\t%s\n", r.Name, r.Doc)
	}
	return w.Flush()
}
