package main

import (
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"ddx"
	"ddx/catalog"
	"ddx/output"
	"ddx/remedy"
)

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain MODE",
		Short: "Print the manual page of a failure mode",
		Long: `Print the manual page of a failure mode: what breaks, how it shows, how it is
told from what looks alike, and the remedies. The id of a finding will do, too.`,
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			id, _, _ := strings.Cut(args[0], "@") // the id of a finding begins with its mode
			m, remedies, err := catalog.LoadMode(id, a.catalogDirs...)
			if err != nil {
				return a.didYouMean(err, id)
			}
			for i := range m.Tests {
				m.Tests[i].Run = remedy.Unfilled(m.Tests[i].Run)
			}
			for _, r := range remedies {
				for i, s := range r.Steps {
					r.Steps[i] = ddx.Step{Run: remedy.Unfilled(s.Run), Do: remedy.Unfilled(s.Do)}
				}
			}
			return output.Manual(a.stdout, m, remedies, a.style())
		},
	}
}

// style is how text is written to standard output: colour only on a terminal,
// or when asked for; NO_COLOR is honoured.
func (a *app) style() output.Style {
	f, ok := a.stdout.(*os.File)
	var size *unix.Winsize
	if ok {
		if ws, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil {
			size = ws
		}
	}
	s := output.Style{Color: size != nil && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
	switch a.color {
	case "always":
		s.Color = true
	case "never":
		s.Color = false
	}
	if size != nil {
		s.Width = int(size.Col)
	} else if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil {
		s.Width = n
	}
	return s
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	return err == nil
}
