package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The exit statuses, the same in every format and for every command that
// answers a question.
const (
	exitOK         = 0 // nothing wrong
	exitFailed     = 1 // ddx itself failed
	exitUsage      = 2 // wrong flag or argument
	exitWrong      = 3 // something is wrong with what was looked at
	exitIncomplete = 4 // nothing found, but a look that mattered was impossible
)

// status is an error that carries an exit status and is not printed.
type status int

func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// usageError is a mistake in flags or arguments.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// app is what every subcommand shares.
type app struct {
	stdin          io.Reader
	dialogue       bool // standard input is a terminal
	stdout, stderr io.Writer
	catalogDirs    []string
	exitZero       bool
	color          string
	progressShown  bool // a line of progress stands on the terminal
}

// run is the whole program, with its streams as arguments.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends ddx at once
	in := &interruptible{ctx: ctx, r: stdin}
	f, ok := stdin.(*os.File)
	a := &app{stdin: in, dialogue: ok && isTerminal(f), stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	a.clearProgress()
	var st status
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "ddx: interrupted; what was looked at is not judged")
		return exitFailed
	case errors.As(err, &st):
		if a.exitZero && (st == exitWrong || st == exitIncomplete) {
			return exitOK
		}
		return int(st)
	case errors.As(err, new(usageError)):
		fmt.Fprintf(stderr, "ddx: %v\n", err)
		return exitUsage
	}
	fmt.Fprintf(stderr, "ddx: %v\n", err)
	return exitFailed
}

// root is the table of commands; help, completion and manual pages come from it.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "ddx",
		Short: "From symptom to root cause, with proof",
		Long: `ddx takes a Linux cloud instance from symptom to root cause, with proof: it
gathers evidence, ranks the failure modes that fit, says what confirms and what
refutes each, asks for the next best test and prints the remedy with its blast
radius. Without a command it diagnoses this host.

Exit status: 0 nothing wrong, 1 ddx failed, 2 wrong usage, 3 something is wrong,
4 nothing found but a look that mattered was impossible.`,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef("%s; see '%s --help'", inPlainWords(err), c.CommandPath())
	})
	f := root.PersistentFlags()
	f.StringArrayVar(&a.catalogDirs, "catalog", nil, "lay the modes and remedies of `DIR` over the built-in catalogue")
	f.BoolVar(&a.exitZero, "exit-zero", false, "exit 0 where the status would be 3 or 4")
	a.color = "auto"
	f.Var(choice{&a.color, []string{"auto", "always", "never"}}, "color", "colour: auto, always or never (NO_COLOR is honoured)")
	df := &diagnoseFlags{}
	df.register(root)
	root.Args = cobra.NoArgs
	root.RunE = func(c *cobra.Command, _ []string) error { return a.diagnose(c.Context(), nil, df) }
	root.AddCommand(
		a.diagnoseCommand(),
		a.collectCommand(),
		a.treeCommand(),
		a.explainCommand(),
		a.dnsCommand(),
		a.failoverCommand(),
		a.catalogCommand(),
		a.packetsCommand(),
		a.labCommand(),
		a.manCommand(),
		a.flowsCommand(),
		a.versionCommand(),
	)
	root.SetOut(a.stdout) // the completion commands take it now
	root.InitDefaultCompletionCmd()
	root.SetHelpCommand(helpCommand())
	a.complete(root)
	strict(root)
	return root
}

// helpCommand prints the help of a command. That there is no such command is a
// mistake in usage.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND...]",
		Short: "Print the help of a command",
		RunE: func(c *cobra.Command, args []string) error {
			of, rest, err := c.Root().Find(args)
			if err != nil {
				return usagef("%w; see 'ddx --help'", err)
			}
			if len(rest) > 0 {
				return usagef("unknown command %q for %q; see '%s --help'", rest[0], of.CommandPath(), of.CommandPath())
			}
			return of.Help()
		},
	}
}

// strict makes wrong arguments of a command, and unknown subcommands of it,
// mistakes in usage. A command that only holds others prints its help.
func strict(c *cobra.Command) {
	if !c.Runnable() {
		c.Args, c.RunE = cobra.NoArgs, func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				if c == c.Root() && len(args) > 0 && isThere(args[0]) {
					return usagef("%w; to look into it: ddx diagnose %s", err, strings.Join(args, " "))
				}
				if len(args) > 0 && c.HasAvailableSubCommands() {
					c.SuggestionsMinimumDistance = 2
					if close := c.SuggestionsFor(args[0]); len(close) > 0 {
						return usagef("%w; did you mean '%s %s'?", err, c.CommandPath(), close[0])
					}
				}
				if text := err.Error(); strings.HasPrefix(text, "accepts ") || strings.HasPrefix(text, "requires ") {
					err = fmt.Errorf("%d arguments: want '%s'", len(args), strings.Replace(c.UseLine(), " [flags]", "", 1))
				}
				return usagef("%w; see '%s --help'", err, c.CommandPath())
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		strict(sub)
	}
}

var parserTalk = regexp.MustCompile(`strconv\.\w+: parsing "[^"]*": |time: `)

// inPlainWords says what is wrong with a flag as ddx says it of arguments,
// without the name of the parser.
func inPlainWords(err error) string {
	text := err.Error()
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		text = fmt.Sprintf("--%s %s: %v", invalid.GetFlag().Name, invalid.GetValue(), invalid.Unwrap())
	}
	return parserTalk.ReplaceAllString(text, "")
}

// isThere reports whether there is such a file.
func isThere(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// unversioned is the version of a build that knows neither tag nor commit.
const unversioned = "devel"

// version is the module's version, or the commit it was built from.
func version() string {
	info, _ := debug.ReadBuildInfo()
	return versionOf(info)
}

func versionOf(info *debug.BuildInfo) string {
	if info == nil {
		return unversioned
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	revision := setting(info, "vcs.revision")
	if revision == "" {
		return unversioned
	}
	v := unversioned + "-" + revision[:min(12, len(revision))]
	if setting(info, "vcs.modified") == "true" {
		v += "+dirty"
	}
	return v
}

// setting returns a setting of the build, "" when it is not known.
func setting(info *debug.BuildInfo, key string) string {
	if info != nil {
		for _, s := range info.Settings {
			if s.Key == key {
				return s.Value
			}
		}
	}
	return ""
}
