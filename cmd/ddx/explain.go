package main

import (
	"io"
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
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			m, remedies, err := catalog.LoadMode(args[0], a.catalogDirs...)
			if err != nil {
				return a.didYouMean(err, args[0])
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

// fold writes what write writes in lines that fit the terminal, 80 columns where
// there is none.
func (a *app) fold(write func(io.Writer) error) error {
	var b strings.Builder
	if err := write(&b); err != nil {
		return err
	}
	_, err := io.WriteString(a.stdout, output.Fold(b.String(), a.style().Width))
	return err
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	return err == nil
}
