package flowlog

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// rec is a record with all that patterns look at.
func rec(eni, src, dst string, sport, dport, proto, packets, bytes, flags int, action, direction string) string {
	return fmt.Sprintf("%s %s %s %d %d %d %d %d %d %d %s OK %d %s\n", eni, src, dst, sport, dport, proto, packets, bytes, t0, t0+30, action, flags, direction)
}

const patternHeader = "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags flow-direction\n"

func patternsOf(t *testing.T, text string, expected ...Expected) []Pattern {
	t.Helper()
	res, err := Read(context.Background(), []string{"-"}, Options{Stdin: strings.NewReader(text), Flows: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := res.Lost(); n > 0 {
		t.Fatalf("%+v", res.Files)
	}
	var all []Conversation
	for c := range res.Conversations.All(res.Sums.Interfaces()) {
		all = append(all, c)
	}
	return Patterns(all, expected)
}

// Every row of the discriminating table.
func TestPatterns(t *testing.T) {
	const h, c = "10.0.0.9", "10.0.0.1"
	for _, x := range []struct {
		kind Kind
		mode string
		text string
	}{
		{RejectedIn, "sg-blocks-traffic", rec(eniA, c, h, 40000, 443, 6, 3, 180, 2, "REJECT", "ingress")},
		{RejectedIn, "nfs-port-blocked", rec(eniA, c, h, 40000, 2049, 6, 3, 180, 2, "REJECT", "ingress")},
		{ReplyRejectedOut, "nacl-blocks-return-traffic", rec(eniA, c, h, 40000, 443, 6, 3, 180, 2, "ACCEPT", "ingress") + rec(eniA, h, c, 443, 40000, 6, 3, 180, 18, "REJECT", "egress")},
		{Unanswered, "nic-blackhole", rec(eniA, c, h, 40000, 443, 6, 30, 9000, 0, "ACCEPT", "ingress")},
		{SYNUnanswered, "nic-blackhole", rec(eniA, c, h, 40000, 443, 6, 3, 180, 2, "ACCEPT", "ingress") + rec(eniA, c, h, 40001, 443, 6, 3, 180, 2, "ACCEPT", "ingress")},
		{Refused, "", rec(eniA, c, h, 40000, 443, 6, 1, 60, 2, "ACCEPT", "ingress") + rec(eniA, h, c, 443, 40000, 6, 1, 40, 4, "ACCEPT", "egress")},
		{ReplyRejectedIn, "nacl-blocks-return-traffic", rec(eniA, h, c, 40000, 443, 6, 3, 180, 2, "ACCEPT", "egress") + rec(eniA, c, h, 443, 40000, 6, 3, 180, 18, "REJECT", "ingress")},
		{OutOnly, "sg-blocks-traffic", rec(eniA, h, c, 40000, 443, 6, 3, 180, 2, "ACCEPT", "egress")},
		{RejectedOut, "sg-blocks-traffic", rec(eniA, h, c, 40000, 443, 6, 3, 180, 2, "REJECT", "egress")},
		{SmallOnly, "mtu-blackhole", strings.Repeat(rec(eniA, c, h, 40000, 443, 6, 10, 600, 0, "ACCEPT", "ingress")+rec(eniA, h, c, 443, 40000, 6, 10, 520, 0, "ACCEPT", "egress"), 3)},
		{Answered, "", rec(eniA, c, h, 40000, 443, 6, 30, 9000, 3, "ACCEPT", "ingress") + rec(eniA, h, c, 443, 40000, 6, 30, 9000, 19, "ACCEPT", "egress")},
	} {
		got := patternsOf(t, patternHeader+x.text)
		if len(got) != 1 || got[0].Kind != x.kind || x.mode != "" && (len(got[0].Modes) == 0 || got[0].Modes[0] != x.mode) || got[0].Wrong != (x.kind != Answered) {
			t.Errorf("want %s (%s), got %+v", x.kind, x.mode, got)
		}
		for _, f := range PatternFacts(got) {
			if err := f.Check(); err != nil {
				t.Error(err)
			}
		}
	}
	got := patternsOf(t, patternHeader+rec(eniA, c, h, 40000, 443, 6, 30, 9000, 2, "ACCEPT", "ingress")+rec(eniB, "10.0.1.9", c, 443, 40000, 6, 30, 9000, 18, "ACCEPT", "egress"))
	if len(got) != 2 || got[0].Kind != WrongInterface || got[0].Other != eniB || got[1].Kind != WrongInterface {
		t.Errorf("wrong interface: %+v", got)
	}
	got = patternsOf(t, patternHeader, Expected{Interface: eniA, Peer: netip.MustParseAddr(c), LocalPort: 443})
	if len(got) != 1 || got[0].Kind != NoRecord || got[0].Bound == "" {
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
	res, err := Read(context.Background(), []string{"-"}, Options{Stdin: strings.NewReader(b.String()), Flows: 20})
	if err != nil {
		t.Fatal(err)
	}
	if n := res.Conversations.Untracked; n != 30 {
		t.Errorf("%d records untracked, want 30", n)
	}
}
