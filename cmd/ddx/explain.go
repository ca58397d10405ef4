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
		Long: `Print the manual page of a failure mode: what breaks, how it shows, how it is
told from what looks alike, and the remedies. The id of a finding will do, too.`,
		Args: cobra.ExactArgs(1),
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
	width, _, is := a.terminal()
	s := output.Style{Width: width, Color: is && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
	switch a.color {
	case "always":
		s.Color = true
	case "never":
		s.Color = false
	}
	return s
}

// terminal returns the columns and rows of standard output where it is a
// terminal; some do not know theirs and have 0. Without one the columns are
// those that COLUMNS asks for.
func (a *app) terminal() (columns, rows int, is bool) {
	if f, ok := a.stdout.(*os.File); ok {
		if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil {
			return int(size.Col), int(size.Row), true
		}
	}
	n, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil || n < 0 {
		return 0, 0, false
	}
	return n, 0, false
}

// fold writes what write writes, harmless for a terminal, in lines that fit it, 80
// columns where there is none.
func (a *app) fold(write func(io.Writer) error) error {
	var b strings.Builder
	if err := write(&b); err != nil {
		return err
	}
	_, err := io.WriteString(a.stdout, output.Fold(output.VisibleLines(b.String()), a.style().Width))
	return err
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	return err == nil
}
