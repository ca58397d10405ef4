package packet

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"time"

	"ddx/capture"
)

// How long an unanswered packet must have waited to count as proven when it was
// not repeated: the first retransmission of a TCP stack comes within about a
// second, a resolver's after five, and an NFS client repeats a NULL ping after
// sixty.
const (
	waitTCP  = 3 * time.Second
	waitUDP  = 5 * time.Second
	waitCall = 10 * time.Second
)

// conclude makes the public form of a connection at the end of the capture.
func (c *conn) conclude(end int64, w waits) Connection {
	r := Connection{
		Client: c.client.String(), Server: c.server.String(),
		First: time.Unix(0, c.first).UTC(), Last: time.Unix(0, c.last).UTC(),
		Forward: c.half[0].result(), Backward: c.half[1].result(), Notes: c.notes,
	}
	switch c.kind {
	case capture.TCP:
		r.Protocol, r.Handshake, r.End = "tcp", c.handshakeState(), c.endState()
	case capture.UDP:
		r.Protocol = "udp"
	case capture.ICMP:
		r.Protocol, r.Client = "icmp", c.client.Host.String()
	}
	r.Forward.Verdict, r.Backward.Verdict = Answered, NothingToSee
	if c.half[1].payload > 0 {
		r.Backward.Verdict = Answered
	}
	since, unanswered := int64(0), func(at int64, proven bool, limit time.Duration, format string, args ...any) {
		r.Verdict, r.Forward.Verdict = Unanswered, Unanswered
		r.Waited = seconds(end - at)
		r.Proven = proven || end-at >= int64(limit) || c.turnedAway()
		r.Why = fmt.Sprintf(format, args...) + c.icmpWords()
	}
	r.Verdict, r.Why = Answered, "both directions carry packets"
	client, server := &c.half[0], &c.half[1]
	switch {
	case c.kind == capture.TCP:
		c.concludeTCP(&r, end, w, unanswered)
	case client.packets == 0:
		r.Forward.Verdict, r.Why = NothingToSee, "only the answers were captured"
	case c.kind == capture.ICMP && c.callsAnswered < c.calls:
		if c.callsAnswered > 0 {
			r.Why = fmt.Sprintf("%d of %d echo requests were answered", c.callsAnswered, c.calls)
			break
		}
		unanswered(client.first, c.calls > 1, waitTCP, "%d echo requests, no reply", c.calls)
	case c.refused():
		r.Why = "refused: port unreachable" + c.icmpWords()
	case w.calls > 0:
		unanswered(w.since, w.sent > 1, waitUDP, "%d of %d requests have no answer, the first is %s, sent %s", w.calls, c.calls, w.what, times(w.sent))
	case server.packets == 0:
		since = client.first
		unanswered(since, client.packets > 1, waitUDP, "%d packets left, none came back", client.packets)
	}
	useless := r.Verdict == Answered && (c.callsAnswered == 0 || c.callsNonsense == c.callsAnswered)
	mistaken := r.Verdict == Unanswered && w.calls > 0 && w.calls <= c.nonsense // something came back for each
	if c.nonsense > 0 && (useless || mistaken) {
		r.Verdict, r.Forward.Verdict, r.Why = Nonsense, Nonsense, c.notes[0]
	}
	return r
}

func (c *conn) concludeTCP(r *Connection, end int64, w waits, unanswered func(int64, bool, time.Duration, string, ...any)) {
	client, server := &c.half[0], &c.half[1]
	seg, back := client.unacknowledged(), server.unacknowledged()
	switch {
	case client.packets == 0:
		r.Forward.Verdict, r.Why = NothingToSee, "only the server's packets were captured"
		if back != nil && back.sent > 1 {
			r.Verdict, r.Backward.Verdict, r.Proven = Unanswered, Unanswered, true
			r.Why = fmt.Sprintf("the server sent %s %s without acknowledgement", back.describe(server), times(back.sent))
		}
	case c.syn && !c.synAck && c.resetBy == 2 && c.nonsense == 0:
		r.Why = "refused: the SYN was answered by a reset"
	case c.nonsense > 0 && !c.synAck && !c.established:
		r.Verdict, r.Forward.Verdict, r.Why = Nonsense, Nonsense, c.notes[0]
	case c.syn && server.packets == 0 && !c.inferred:
		sent := 1
		if len(client.backoff) > 0 {
			sent = len(client.backoff)
		}
		unanswered(client.first, sent > 1, waitTCP, "SYN sent %s, no answer", times(sent))
	case c.syn && c.synAck && !c.established && c.resetBy == 0 && server.retransmissions > 0:
		r.Verdict, r.Backward.Verdict, r.Proven = Unanswered, Unanswered, true
		r.Waited = seconds(end - server.first)
		r.Why = fmt.Sprintf("the SYN-ACK was sent %s, the client never confirmed it", times(server.retransmissions+1))
	case c.inferred && server.packets == 0 && (seg == nil || seg.sent < 3):
		// The other direction was not captured, so nothing can be seen to be
		// acknowledged; what the client acknowledges must have come.
		r.Why = "the client acknowledges answers that the capture does not hold"
		r.Backward.Verdict = Answered
	case seg != nil && seg.sent > 1 && c.resetBy != 2:
		unanswered(seg.times[0], true, waitTCP, "%s sent %s and never acknowledged", seg.describe(client), times(seg.sent))
	case seg != nil && c.resetBy == 0 && end-seg.times[0] >= int64(waitTCP):
		unanswered(seg.times[0], true, waitTCP, "%s never acknowledged", seg.describe(client))
	case client.unansweredKeepAlives >= 2:
		unanswered(client.last, true, waitTCP, "the last %d keep-alives have no answer", client.unansweredKeepAlives)
	case w.calls > 0:
		unanswered(w.since, w.sent > 1, waitCall, "%d of %d calls have no reply, the first is %s, sent %s; TCP acknowledged", w.calls, c.calls, w.what, times(w.sent))
	case back != nil && back.sent > 2 && c.resetBy == 0:
		r.Verdict, r.Backward.Verdict, r.Proven = Unanswered, Unanswered, true
		r.Waited = seconds(end - back.times[0])
		r.Why = fmt.Sprintf("the server sent %s %s, the client never acknowledged it", back.describe(server), times(back.sent))
	case server.packets == 0 && !c.inferred && client.payload == 0 && !c.syn:
		unanswered(client.first, client.packets > 1, waitTCP, "%d packets left, none came back", client.packets)
	case server.packets == 0 && !c.inferred:
		unanswered(client.first, client.retransmissions > 0, waitTCP, "%d packets left, none came back", client.packets)
	case expectsReply(client.head) && server.payload == 0 && !c.inferred && c.resetBy != 2:
		unanswered(client.nextAt, false, waitCall, "the request (%s) was acknowledged, and nothing was answered", protocolOf(client.head))
	case c.resetBy == 2:
		r.Why = "reset by the server"
	}
	if p, q := protocolOf(client.head), protocolOf(server.head); r.Verdict == Answered && p != "" && q != "" && p != q {
		r.Verdict, r.Forward.Verdict = Nonsense, Nonsense
		r.Why = fmt.Sprintf("the request is %s, the answer is %s", p, q)
	}
}

// protocolOf names a protocol by its first bytes; empty if it is not one of
// those whose client speaks first and waits for an answer.
func protocolOf(head []byte) string {
	switch {
	case len(head) >= 3 && (head[0] == 0x16 || head[0] == 0x15) && head[1] == 3 && head[2] <= 4:
		return "tls"
	case bytes.HasPrefix(head, []byte("HTTP/1.")):
		return "http"
	}
	for _, m := range []string{"GET ", "POST ", "HEAD ", "PUT ", "OPTIONS ", "CONNECT ", "DELETE "} {
		if bytes.HasPrefix(head, []byte(m)) {
			return "http"
		}
	}
	return ""
}

func expectsReply(head []byte) bool { return protocolOf(head) != "" }

func (s *segment) describe(h *half) string {
	if s.payload == 0 {
		if s.seq == h.isn {
			return "a SYN"
		}
		return "a FIN"
	}
	return fmt.Sprintf("%d bytes (sequence %d)", s.payload, s.seq-h.isn)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// refused reports that the server itself said that nobody listens.
func (c *conn) refused() bool {
	return slices.ContainsFunc(c.icmp, func(r *icmpRecord) bool { return r.port && r.from == c.server.Host })
}

// turnedAway reports that somebody said that the packets go no further.
func (c *conn) turnedAway() bool {
	return slices.ContainsFunc(c.icmp, func(r *icmpRecord) bool { return r.final })
}

func (c *conn) icmpWords() string {
	s := ""
	for _, r := range c.icmp {
		s += fmt.Sprintf("; %s said %s (%s)", r.from, r.meaning, times(r.count))
	}
	return s
}

func (c *conn) handshakeState() string {
	switch {
	case c.established:
		return "complete"
	case c.synAck && c.syn:
		return "half open"
	case c.syn && c.resetBy == 2:
		return "refused"
	case c.syn:
		return "syn sent"
	case c.synAck:
		return "half captured"
	}
	return handshakeNone
}

func (c *conn) endState() string {
	switch {
	case c.resetBy == 1:
		return "reset by client"
	case c.resetBy == 2:
		return "reset by server"
	case c.half[0].finSent && c.half[1].finSent:
		return "closed"
	}
	return "open"
}

func (h *half) result() Half {
	r := Half{
		Packets: h.packets, Bytes: h.bytes, Payload: h.payload, Retransmissions: h.retransmissions,
		OutOfOrder: h.outOfOrder, DuplicateAcks: h.duplicateAcks, KeepAlives: h.keepAlives, Duplicates: h.duplicates,
		ZeroWindows: h.zeroWindows, ZeroFor: seconds(h.zeroFor), Missing: h.holes,
	}
	if h.zeroSince != 0 {
		r.ZeroFor += seconds(h.last - h.zeroSince)
	}
	for i := 1; i < len(h.backoff); i++ {
		r.Backoff = append(r.Backoff, seconds(h.backoff[i]-h.backoff[i-1]))
	}
	if h.started && h.payload > 0 {
		from := h.isn
		if h.ackedSet {
			from = h.acked
		}
		if before(from, h.next) {
			r.Unacknowledged = int64(h.next - from)
			if h.finSent { // it takes a number and is no data
				r.Unacknowledged--
			}
		}
	}
	return r
}

// attention orders connections: unanswered and proven first, then nonsense,
// then unproven, then answered ones by their retransmissions.
func attention(x, y Connection) int {
	rank := func(c *Connection) int {
		switch {
		case c.Verdict == Unanswered && c.Proven:
			return 0
		case c.Verdict == Nonsense:
			return 1
		case c.Verdict == Unanswered:
			return 2
		}
		return 3
	}
	again := func(c *Connection) int { return c.Forward.Retransmissions + c.Backward.Retransmissions }
	return cmp.Or(cmp.Compare(rank(&x), rank(&y)), -cmp.Compare(again(&x), again(&y)), x.First.Compare(y.First))
}
