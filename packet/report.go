package packet

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"ddx/capture"
)

// WriteText writes the result for a reader: the answer first, then why, how far
// it is proven, and what the capture shows. Everything read from packets is
// escaped.
func (r *Result) WriteText(w io.Writer) error {
	b := &strings.Builder{}
	target := r.Target.Host
	if target == "" {
		target = "any host"
	}
	if r.Target.Port != 0 {
		target += fmt.Sprintf(" port %d", r.Target.Port)
	}
	fmt.Fprintf(b, "%s: %s\n", target, strings.ToUpper(string(r.Verdict)))
	for _, why := range r.Why {
		fmt.Fprintf(b, "  %s\n", why)
	}
	r.proofText(b)
	for _, d := range []struct {
		name string
		Direction
	}{{"to the target", r.To}, {"from the target", r.From}} {
		if d.Connections > 0 {
			fmt.Fprintf(b, "%s: %s; %d connections (%d unanswered), %d packets, %d back\n", d.name, d.Verdict, d.Connections, d.Unanswered, d.Packets, d.Replies)
		}
	}
	for i := range r.Conns {
		if i == 20 {
			fmt.Fprintf(b, "  and %d more connections\n", r.ConnCount.Total-20)
			break
		}
		r.Conns[i].text(b)
	}
	r.networkText(b)
	r.applicationText(b)
	captureText(b, &r.Capture)
	_, err := io.WriteString(w, printable(b.String()))
	return err
}

func (r *Result) proofText(b *strings.Builder) {
	word := "not sufficient"
	if r.Proof.Sufficient {
		word = "sufficient"
	}
	fmt.Fprintf(b, "proof: %s; the capture covers %.1f s (by %s)", word, r.Proof.Covered, r.Proof.CoveredBy)
	if r.Verdict == NeverLeft {
		fmt.Fprintf(b, ", %.0f s are needed", r.Proof.Needed)
	}
	b.WriteByte('\n')
	for _, weak := range r.Proof.WeakenedBy {
		fmt.Fprintf(b, "  %s\n", weak)
	}
}

func (c *Connection) text(b *strings.Builder) {
	fmt.Fprintf(b, "  %s %s > %s: %s: %s\n", c.Protocol, c.Client, c.Server, c.Verdict, c.Why)
	if c.Handshake != "" {
		fmt.Fprintf(b, "    handshake %s, %s\n", c.Handshake, c.End)
	}
	c.Forward.text(b, "forward ")
	c.Backward.text(b, "backward")
	for _, n := range c.Notes {
		fmt.Fprintf(b, "    %s\n", n)
	}
}

func (h *Half) text(b *strings.Builder, name string) {
	fmt.Fprintf(b, "    %s %d packets, %d bytes of payload", name, h.Packets, h.Payload)
	for _, n := range []struct {
		n    int
		what string
	}{
		{h.Retransmissions, "retransmissions"}, {h.OutOfOrder, "out of order"}, {h.DuplicateAcks, "duplicate acks"},
		{h.KeepAlives, "keep-alives"}, {h.Duplicates, "captured twice"},
	} {
		if n.n > 0 {
			fmt.Fprintf(b, ", %d %s", n.n, n.what)
		}
	}
	if len(h.Backoff) > 0 {
		b.WriteString(" (after")
		for _, gap := range h.Backoff {
			fmt.Fprintf(b, " %.2f", gap)
		}
		b.WriteString(" s)")
	}
	if h.ZeroWindows > 0 {
		fmt.Fprintf(b, ", window closed %s for %.1f s", times(h.ZeroWindows), h.ZeroFor)
	}
	if h.Unacknowledged > 0 {
		fmt.Fprintf(b, ", %d bytes unacknowledged at the end", h.Unacknowledged)
	}
	b.WriteByte('\n')
}

func (r *Result) networkText(b *strings.Builder) {
	for _, m := range r.MTU {
		fmt.Fprintf(b, "path mtu: %s > %s, sender %s: %s (%s): %s\n", m.Client, m.Server, m.Sender, m.State, m.Certainty, m.Why)
	}
	for _, m := range r.ICMP {
		fmt.Fprintf(b, "icmp: %s said %s about %s, %s", m.From, m.Meaning, m.About, times(m.Count))
		if m.MTU > 0 {
			fmt.Fprintf(b, ", mtu %d", m.MTU)
		}
		b.WriteByte('\n')
	}
	for _, n := range r.Neighbour {
		fmt.Fprintf(b, "neighbour: %s asked %s for %s, no answer\n", n.Asker, times(n.Requests), n.Wanted)
	}
	for _, c := range r.Contested {
		fmt.Fprintf(b, "contested: %s is claimed in turn by %s\n", c.Address, strings.Join(c.MACs, " and "))
	}
}

func (r *Result) applicationText(b *strings.Builder) {
	if rpc := r.RPC; rpc != nil {
		fmt.Fprintf(b, "rpc: %d calls, %d replies, %d calls without reply\n", rpc.Calls, rpc.Replies, rpc.Waiting)
		for _, c := range rpc.Unanswered[:min(20, len(rpc.Unanswered))] {
			fmt.Fprintf(b, "  xid %s %s %s, sent %s, waited %.1f s\n", c.XID, c.Program, c.Procedure, times(c.Sent), c.Waited)
		}
		for _, name := range sortedKeys(rpc.Statuses) {
			fmt.Fprintf(b, "  %s, %s\n", name, times(rpc.Statuses[name]))
		}
		for _, p := range rpc.Problems[:min(20, len(rpc.Problems))] {
			fmt.Fprintf(b, "  %s\n", p)
		}
	}
	dns := r.DNS
	if dns == nil {
		return
	}
	fmt.Fprintf(b, "dns: %d questions, %d answers, %d truncated\n", dns.Questions, dns.Answers, dns.Truncated)
	for _, q := range dns.Unanswered[:min(20, len(dns.Unanswered))] {
		fmt.Fprintf(b, "  no answer: %s %s asked of %s, sent %s, waited %.1f s\n", q.Type, q.Name, q.Server, times(q.Sent), q.Waited)
	}
	for _, q := range dns.NoData[:min(20, len(dns.NoData))] {
		fmt.Fprintf(b, "  no data: %s %s answered by %s with NOERROR and no record\n", q.Type, q.Name, q.Server)
	}
	for _, q := range dns.Failed[:min(20, len(dns.Failed))] {
		fmt.Fprintf(b, "  %s: %s %s answered by %s\n", q.Rcode, q.Type, q.Name, q.Server)
	}
	for _, p := range dns.Problems[:min(20, len(dns.Problems))] {
		fmt.Fprintf(b, "  %s\n", p)
	}
}

func captureText(b *strings.Builder, c *capture.Capture) {
	fmt.Fprintf(b, "capture: %s (%s), %d packets, %d bytes", c.File, c.Format, c.Packets, c.Bytes)
	if !c.From.IsZero() {
		fmt.Fprintf(b, ", %s to %s", c.From.Format("2006-01-02T15:04:05.000Z"), c.To.Format("2006-01-02T15:04:05.000Z"))
	}
	if c.Dropped != nil {
		fmt.Fprintf(b, ", %d dropped", *c.Dropped)
	}
	b.WriteByte('\n')
	for _, d := range c.Damage[:min(20, len(c.Damage))] {
		fmt.Fprintf(b, "  %s\n", d)
	}
	if n := c.Damaged - int64(min(20, len(c.Damage))); n > 0 {
		fmt.Fprintf(b, "  and %d more damaged places\n", n)
	}
}

// printable escapes what a terminal would act upon.
func printable(s string) string {
	clean := func(c rune) bool { return c == '\n' || unicode.IsPrint(c) }
	if strings.IndexFunc(s, func(c rune) bool { return !clean(c) }) < 0 {
		return s
	}
	b := &strings.Builder{}
	for _, c := range s {
		if clean(c) {
			b.WriteRune(c)
		} else {
			fmt.Fprintf(b, `\x%02x`, c)
		}
	}
	return b.String()
}
