package flowpattern_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"ddx/flowlog"
	"ddx/flowpattern"
)

const (
	eniA = "eni-0123456789abcdef0"
	eniB = "eni-0fedcba9876543210"
	t0   = 1_700_000_040
)

// rec is a record with all that patterns look at.
func rec(eni, src, dst string, sport, dport, proto, packets, bytes, flags int, action, direction string) string {
	return fmt.Sprintf("%s %s %s %d %d %d %d %d %d %d %s OK %d %s\n", eni, src, dst, sport, dport, proto, packets, bytes, t0, t0+30, action, flags, direction)
}

const patternHeader = "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags flow-direction\n"

func patternsOf(t *testing.T, text string, expected ...flowpattern.Expected) []flowpattern.Pattern {
	t.Helper()
	res, err := flowlog.Read(context.Background(), []string{"-"}, flowlog.Options{Stdin: strings.NewReader(text), Flows: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := res.Lost(); n > 0 {
		t.Fatalf("%+v", res.Files)
	}
	var all []flowpattern.Conversation
	for c := range res.Conversations.All(res.Sums.Interfaces()) {
		all = append(all, c)
	}
	return flowpattern.Patterns(all, expected)
}

// Every row of the discriminating table.
func TestPatterns(t *testing.T) {
	const h, c = "10.0.0.9", "10.0.0.1"
	for _, x := range []struct {
		kind flowpattern.Kind
		mode string
		text string
	}{
		{flowpattern.RejectedIn, "sg-blocks-traffic", rec(eniA, c, h, 40000, 443, 6, 3, 180, 2, "REJECT", "ingress")},
		{flowpattern.RejectedIn, "nfs-port-blocked", rec(eniA, c, h, 40000, 2049, 6, 3, 180, 2, "REJECT", "ingress")},
		{flowpattern.ReplyRejectedOut, "nacl-blocks-return-traffic", rec(eniA, c, h, 40000, 443, 6, 3, 180, 2, "ACCEPT", "ingress") + rec(eniA, h, c, 443, 40000, 6, 3, 180, 18, "REJECT", "egress")},
		{flowpattern.Unanswered, "nic-blackhole", rec(eniA, c, h, 40000, 443, 6, 30, 9000, 0, "ACCEPT", "ingress")},
		{flowpattern.SYNUnanswered, "nic-blackhole", rec(eniA, c, h, 40000, 443, 6, 3, 180, 2, "ACCEPT", "ingress") + rec(eniA, c, h, 40001, 443, 6, 3, 180, 2, "ACCEPT", "ingress")},
		{flowpattern.Refused, "", rec(eniA, c, h, 40000, 443, 6, 1, 60, 2, "ACCEPT", "ingress") + rec(eniA, h, c, 443, 40000, 6, 1, 40, 4, "ACCEPT", "egress")},
		{flowpattern.ReplyRejectedIn, "nacl-blocks-return-traffic", rec(eniA, h, c, 40000, 443, 6, 3, 180, 2, "ACCEPT", "egress") + rec(eniA, c, h, 443, 40000, 6, 3, 180, 18, "REJECT", "ingress")},
		{flowpattern.OutOnly, "sg-blocks-traffic", rec(eniA, h, c, 40000, 443, 6, 3, 180, 2, "ACCEPT", "egress")},
		{flowpattern.RejectedOut, "sg-blocks-traffic", rec(eniA, h, c, 40000, 443, 6, 3, 180, 2, "REJECT", "egress")},
		{flowpattern.SmallOnly, "mtu-blackhole", strings.Repeat(rec(eniA, c, h, 40000, 443, 6, 10, 600, 0, "ACCEPT", "ingress")+rec(eniA, h, c, 443, 40000, 6, 10, 520, 0, "ACCEPT", "egress"), 3)},
		{flowpattern.Answered, "", rec(eniA, c, h, 40000, 443, 6, 30, 9000, 3, "ACCEPT", "ingress") + rec(eniA, h, c, 443, 40000, 6, 30, 9000, 19, "ACCEPT", "egress")},
	} {
		got := patternsOf(t, patternHeader+x.text)
		if len(got) != 1 || got[0].Kind != x.kind || x.mode != "" && (len(got[0].Modes) == 0 || got[0].Modes[0] != x.mode) || got[0].Wrong != (x.kind != flowpattern.Answered) {
			t.Errorf("want %s (%s), got %+v", x.kind, x.mode, got)
		}
		for _, f := range flowpattern.Facts(got) {
			if err := f.Check(); err != nil {
				t.Error(err)
			}
		}
	}
	got := patternsOf(t, patternHeader+rec(eniA, c, h, 40000, 443, 6, 30, 9000, 2, "ACCEPT", "ingress")+rec(eniB, "10.0.1.9", c, 443, 40000, 6, 30, 9000, 18, "ACCEPT", "egress"))
	if len(got) != 2 || got[0].Kind != flowpattern.WrongInterface || got[0].Other != eniB || got[1].Kind != flowpattern.WrongInterface {
		t.Errorf("wrong interface: %+v", got)
	}
	got = patternsOf(t, patternHeader, flowpattern.Expected{Interface: eniA, Peer: netip.MustParseAddr(c), LocalPort: 443})
	if len(got) != 1 || got[0].Kind != flowpattern.NoRecord || got[0].Bound == "" {
		t.Errorf("no record: %+v", got)
	}
}

// More conversations than are kept: the rest is counted.
func TestConversationLimit(t *testing.T) {
	var b strings.Builder
	b.WriteString(patternHeader)
	for i := range 50 {
		b.WriteString(rec(eniA, fmt.Sprintf("10.0.1.%d", i), "10.0.0.9", 40000, 443, 6, 1, 60, 2, "ACCEPT", "ingress"))
	}
	res, err := flowlog.Read(context.Background(), []string{"-"}, flowlog.Options{Stdin: strings.NewReader(b.String()), Flows: 20})
	if err != nil {
		t.Fatal(err)
	}
	if n := res.Conversations.Untracked; n != 30 {
		t.Errorf("%d records untracked, want 30", n)
	}
}
