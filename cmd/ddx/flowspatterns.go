package main

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"ddx/flowpattern"
	"ddx/output"
)

// maxConversations bounds what is kept for patterns: about 400 bytes each.
const maxConversations = 200_000

func (a *app) flowsPatternsCommand() *cobra.Command {
	f := &flowFlags{}
	var expect []string
	var all bool
	c := &cobra.Command{
		Use:   "patterns PATH...",
		Short: "Name what flow logs show of each conversation: rejected, unanswered, wrong interface ...",
		Long: `Name the pattern of each conversation (an interface, a peer, a service): rejected,
accepted and its answer rejected, accepted without an answer, SYNs only, reset,
answered by another interface, small packets only, or no record at all of what
--expect names. What silence does not prove is said with it.

Exit status: 3 when something is wrong.`,
		Args: atLeastOne,
		RunE: func(c *cobra.Command, args []string) error {
			return a.flowsPatterns(c.Context(), args, f, expect, all)
		},
	}
	f.register(c, "text", "json", "jsonl")
	c.Flags().StringArrayVar(&expect, "expect", nil, "traffic that should be there: `ENI,PEER[,PORT]`, the port being the interface's own")
	c.Flags().BoolVarP(&all, "all", "a", false, "also conversations that are as they should be")
	return c
}

func (a *app) flowsPatterns(ctx context.Context, paths []string, f *flowFlags, expect []string, all bool) error {
	var expected []flowpattern.Expected
	for _, s := range expect {
		e, err := parseExpected(s)
		if err != nil {
			return usageError{err}
		}
		expected = append(expected, e)
	}
	res, _, err := a.readFlows(ctx, paths, f, maxConversations)
	if err != nil {
		return err
	}
	var conversations []flowpattern.Conversation
	for c := range res.Conversations.All(res.Sums.Interfaces()) {
		conversations = append(conversations, c)
	}
	exit := a.losses(res)
	patterns := flowpattern.Patterns(conversations, expected)
	shown := []flowpattern.Pattern{}
	for _, p := range patterns {
		if p.Wrong {
			exit = exitWrong
		}
		if p.Wrong || all {
			shown = append(shown, p)
		}
	}
	if res.Conversations.Untracked > 0 || res.Conversations.NoDirection > 0 {
		fmt.Fprintf(a.stderr, "ddx: %d records of conversations beyond the first %d and %d records whose own side is not known are not in the patterns\n",
			res.Conversations.Untracked, maxConversations, res.Conversations.NoDirection)
		exit = worse(exit, exitIncomplete)
	}
	if len(conversations) == 0 {
		fmt.Fprintln(a.stderr, "ddx: no record of a conversation was read; is it a flow log, and is its --format right?")
		exit = worse(exit, exitIncomplete)
		if f.output == "text" && len(shown) == 0 {
			return finish(exit)
		}
	}
	if err := a.writePatterns(f.output, shown); err != nil {
		return err
	}
	return finish(exit)
}

func (a *app) writePatterns(format string, shown []flowpattern.Pattern) error {
	switch format {
	case "json":
		return a.encode(struct {
			Schema   string                `json:"schema"`
			Patterns []flowpattern.Pattern `json:"patterns"`
		}{"ddx.flow-patterns/v1", shown})
	case "jsonl":
		return a.writeFacts(flowpattern.Facts(shown))
	}
	for _, p := range shown {
		if _, err := fmt.Fprintln(a.stdout, output.Visible(p.String())); err != nil {
			return err
		}
		if p.Next != "" {
			fmt.Fprintf(a.stdout, "  next: %s\n", p.Next)
		}
		if p.Bound != "" {
			fmt.Fprintf(a.stdout, "  bound: %s\n", p.Bound)
		}
	}
	if len(shown) == 0 {
		_, err := fmt.Fprintln(a.stdout, "nothing wrong in any conversation")
		return err
	}
	return nil
}

func parseExpected(s string) (e flowpattern.Expected, err error) {
	w := strings.Split(s, ",")
	if len(w) < 2 || len(w) > 3 || w[0] == "" {
		return e, fmt.Errorf("--expect %s: want ENI,PEER[,PORT]", s)
	}
	if e.Peer, err = netip.ParseAddr(w[1]); err != nil {
		return e, fmt.Errorf("--expect %s: %w", s, err)
	}
	e.Interface = w[0]
	if len(w) == 3 {
		port, err := strconv.ParseUint(w[2], 10, 16)
		if err != nil {
			return e, fmt.Errorf("--expect %s: port %q is not a number up to 65535", s, w[2])
		}
		e.LocalPort = uint16(port)
	}
	return e, nil
}
