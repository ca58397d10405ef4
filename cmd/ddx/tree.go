package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ddx"
	"ddx/diagnose"
	"ddx/output"
	"ddx/remedy"
	"ddx/source"
)

type treeFlags struct {
	format string
	from   []string
	depth  int
}

func (a *app) treeCommand() *cobra.Command {
	f := &treeFlags{}
	c := &cobra.Command{
		Use:   "tree [SYMPTOM...]",
		Short: "Walk the diagnostic tree: symptom, question, answer, root cause",
		Long: `Walk the diagnostic tree from a symptom to a root cause. The tree is derived
from the catalogue: the next question is the one that is expected to tell most
at least cost. Words pick the symptoms that hold them all; --from starts at
evidence instead.

Each question is answered by number, by y, n or u (cannot tell), or by pasting
the output that it asks for: text up to a line with a single dot, or to the end
of input. "b" takes the last answer back, "q" ends.`,
		Example: `  ddx tree
  ddx tree connections time out
  ddx tree --from dmesg.txt
  ddx tree -o json --depth 3 interface missing`,
		RunE: func(c *cobra.Command, args []string) error { return a.tree(c.Context(), args, f) },
	}
	outputFlag(c.Flags(), &f.format, "(text is a dialogue, json the derived tree)", "text", "json")
	c.Flags().StringArrayVar(&f.from, "from", nil, "start from the evidence in `PATH`: files, an archive, a bundle, records of facts")
	c.Flags().IntVar(&f.depth, "depth", 3, "json: how many questions deep")
	return c
}

func (a *app) tree(ctx context.Context, words []string, f *treeFlags) error {
	if f.depth < 0 || f.depth > maxTreeDepth {
		return usagef("--depth %d: want 0 to %d", f.depth, maxTreeDepth)
	}
	e, err := newEngine(a.catalogDirs)
	if err != nil {
		return err
	}
	w := &treeWalk{a: a, e: e, in: bufio.NewReader(a.stdin), now: time.Now().UTC()}
	w.width, w.rows, _ = a.terminal()
	if err := w.start(ctx, f.from); err != nil {
		return err
	}
	symptoms := diagnose.FindSymptoms(e.cat, words...)
	if len(words) > 0 && len(symptoms) == 0 {
		return usagef("tree: no symptom holds %q; 'ddx tree' lists them by family", strings.Join(words, " "))
	}
	if f.format == "json" {
		return w.json(symptoms, f.depth, len(f.from) > 0 && len(words) == 0)
	}
	switch {
	case len(words) > 0:
	case len(f.from) > 0:
		symptoms = nil
	default:
		if symptoms, err = w.choose(symptoms); err != nil {
			return w.ended(err)
		}
	}
	return w.ended(w.walk(symptoms))
}

// maxTreeDepth bounds the derived tree: it doubles with each question.
const maxTreeDepth = 8

// treeWalk is one dialogue.
type treeWalk struct {
	a     *app
	e     *engine
	in    *bufio.Reader
	now   time.Time
	facts []ddx.Fact

	width, rows int // of the terminal, 0 when there is none
}

// errQuit ends a dialogue early: by "q", or by the end of input.
var errQuit = errors.New("the dialogue was ended")

func (w *treeWalk) ended(err error) error {
	if errors.Is(err, errQuit) {
		return nil
	}
	return err
}

// walk asks until a mode is confirmed or nothing is left to ask.
func (w *treeWalk) walk(symptoms []diagnose.Symptom) error {
	var modes []string
	for _, s := range symptoms {
		w.item("Symptom: ", s.Text)
		modes = append(modes, s.Modes...)
	}
	d := diagnose.NewDifferential(w.e.cat, w.now, modes...)
	var history []int // how many facts there were before each answer
	for n := 1; ; n++ {
		if err := d.Widen(w.facts); err != nil {
			return err
		}
		q, standings, err := d.Ask(w.facts)
		if err != nil {
			return err
		}
		w.standings(standings)
		if q == nil {
			return w.leaf(standings)
		}
		before := len(w.facts)
		switch err := w.ask(n, q); {
		case errors.Is(err, errBack) && len(history) > 0:
			before = history[len(history)-1]
			w.facts, history = w.facts[:before:before], history[:len(history)-1]
		case errors.Is(err, errBack):
			w.say("There is no answer to take back.")
		case errors.Is(err, errQuit):
			w.say("")
			w.say("No more answers; what is known so far:")
			return w.leaf(standings)
		case err != nil:
			return err
		default:
			history = append(history, before)
		}
	}
}

var errBack = errors.New("take the last answer back")

// ask puts one question and adds what the answer says to the facts.
func (w *treeWalk) ask(n int, q *diagnose.Question) error {
	w.say("")
	w.item(fmt.Sprintf("Question %d: ", n), q.Title)
	if q.Command != "" {
		w.say("  $ %s  (%s)", output.Visible(remedy.Unfilled(q.Command)), q.Cost)
	}
	for i, ans := range q.Answers {
		text := ans.Text
		if i == len(q.Answers)-1 {
			text = "cannot tell"
		}
		w.item(fmt.Sprintf("  %d  ", i+1), text)
	}
	if n == 1 {
		w.item("  (", "a number, y, n or u (cannot tell); b takes the last answer back, q ends; or paste output, and after it a line with a single dot)")
	}
	for {
		line, err := w.prompt()
		if err != nil {
			return err
		}
		if line == "" {
			continue
		}
		if ans := pick(q, line); ans != nil {
			w.facts = append(w.facts, ans.Facts...)
			return nil
		}
		switch line {
		case "b":
			return errBack
		case "q":
			return errQuit
		}
		if n, err := strconv.Atoi(line); err == nil {
			w.say("There is no answer %d.", n)
			continue
		}
		if len(line) == 1 || strings.EqualFold(line, "yes") || strings.EqualFold(line, "no") {
			w.item(output.Visible(line)+" ", "is no answer to this: give a number, u (cannot tell), b (back), q (end), or paste output.")
			continue
		}
		return w.paste(line)
	}
}

// pick returns the answer that a short reply names, nil when it names none.
func pick(q *diagnose.Question, reply string) *diagnose.Answer {
	last := len(q.Answers) - 1
	if n, err := strconv.Atoi(reply); err == nil && n >= 1 && n <= last+1 {
		return &q.Answers[n-1]
	}
	switch strings.ToLower(reply) {
	case "u", "unknown", "?":
		return &q.Answers[last]
	case "y", "yes":
		if q.Answers[0].Text == "yes" {
			return &q.Answers[0]
		}
	case "n", "no":
		if q.Answers[0].Text == "yes" {
			return &q.Answers[1]
		}
	}
	return nil
}

// paste reads pasted text to a line with a single dot or to the end of input,
// and lets the engine read it.
func (w *treeWalk) paste(first string) error {
	var b strings.Builder
	b.WriteString(first + "\n")
	for {
		line, err := w.in.ReadString('\n')
		if strings.TrimRight(line, "\r\n") == "." {
			break
		}
		b.WriteString(line)
		if b.Len() > source.MaxItem {
			return fmt.Errorf("tree: pasted text is longer than %d bytes; give it as a file with --from", source.MaxItem)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("tree: read pasted text: %w", err)
		}
	}
	facts, err := w.e.textFacts([]byte(b.String()), w.now)
	if err != nil {
		return err
	}
	told := 0
	for _, f := range facts {
		if f.Kind != "log.coverage" && f.Kind != "log.unexplained" && f.Kind != "unavailable" {
			told++
		}
	}
	if told == 0 {
		w.item("", "The text tells nothing that a mode of the catalogue reads; answer by number.")
	} else {
		w.say("Read %d facts from the text.", told)
	}
	w.facts = append(w.facts, facts...)
	return nil
}

// maxStandings is how many open modes are shown after each answer.
const maxStandings = 8

func (w *treeWalk) standings(all []diagnose.Standing) {
	open := slices.DeleteFunc(slices.Clone(all), func(s diagnose.Standing) bool { return s.Verdict == ddx.RuledOut })
	w.say("")
	w.say("Under discussion: %d modes, %d ruled out", len(open), len(all)-len(open))
	for i, s := range open {
		if i == maxStandings {
			w.say("  ... and %d more", len(open)-i)
			break
		}
		w.item(fmt.Sprintf("  %-9s  ", s.Verdict), s.Mode+"  "+s.Title)
	}
}

// leaf shows what the walk has come to: the raw indicator, then the finding as
// "ddx diagnose" shows it.
func (w *treeWalk) leaf(standings []diagnose.Standing) error {
	d, err := diagnose.Run(w.e.cat, w.facts, w.now, diagnose.Options{})
	if err != nil {
		return err
	}
	d.DDX = version()
	if err := remedy.Fill(w.e.cat, d, w.facts); err != nil {
		return err
	}
	w.say("")
	if len(d.Findings) == 0 {
		w.say("Nothing that was answered speaks for a mode.")
		for i, s := range standings {
			if i < 3 && s.Verdict != ddx.RuledOut {
				w.item("Still open: ", fmt.Sprintf("%s; its page: ddx explain %s", s.Title, s.Mode))
			}
		}
		return nil
	}
	w.indicators(w.e.cat.Mode(d.Findings[0].Mode))
	if err := output.Text(w.a.stdout, d, w.a.style()); err != nil {
		return err
	}
	if exit := d.Exit(); exit == exitWrong {
		return status(exit)
	}
	return nil
}

// indicators shows what a mode looks like raw.
func (w *treeWalk) indicators(m *ddx.Mode) {
	w.say("Raw indicators of %s:", m.ID)
	for i := range m.Indicators {
		ind := &m.Indicators[i]
		if ind.Effect != ddx.Confirms && ind.Effect != ddx.Supports {
			continue
		}
		for _, p := range ind.Log {
			w.say("  %s", p)
		}
		if ind.Fact != "" {
			w.say("  %s: %s", ind.Fact, ind.When)
		}
	}
}
