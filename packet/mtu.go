package packet

import (
	"fmt"

	"ddx/capture"
)

// minFullSize is the smallest IP packet that the smallest IPv4 path must carry
// (RFC 791, 576 bytes): a loss that depends on size below it has another cause.
const minFullSize = 577

// pathMTU looks, in both directions of a connection, for large packets that are
// repeated in vain while smaller ones arrive, and for need-to-fragment answers
// that the sender does not heed.
func (c *conn) pathMTU() []MTUResult {
	var found []MTUResult
	for d := range c.half {
		if r, ok := c.pathMTUOf(d); ok {
			found = append(found, r)
		}
	}
	return found
}

func (c *conn) pathMTUOf(d int) (MTUResult, bool) {
	h, o := &c.half[d], &c.half[1-d]
	r := MTUResult{Client: c.client.String(), Server: c.server.String(), Sender: c.client.String(), LargestAcked: h.largestAcked}
	if d == 1 {
		r.Sender = c.server.String()
	}
	told := c.tooBigCount > 0 && c.tooBigDir == d
	if told {
		r.MTU, r.Answers, r.AnswersFrom = c.tooBig, c.tooBigCount, c.tooBigFrom.String()
	}
	if c.kind != capture.TCP {
		if told {
			r.State, r.Certainty, r.Why = "answers only", "likely", "need-to-fragment answers to a protocol other than TCP"
		}
		return r, told
	}
	var lost *segment
	smallPassed, smallLost := false, false
	for i := range h.out {
		s := &h.out[i]
		switch {
		case s.passed:
			smallPassed = true
		case s.sent > 1 && s.payload > 0 && s.ipLength < minFullSize:
			smallLost = true
		case s.sent > 2 && s.ipLength >= minFullSize && (lost == nil || s.ipLength < lost.ipLength):
			lost = s
		}
	}
	if lost == nil || lost.ipLength <= h.largestAcked {
		if told {
			r.State, r.Certainty, r.Why = "discovery works", "certain", "the sender was told and its packets arrive"
			if c.ignoredTooBig > 1 {
				r.State, r.Ignored = "black hole", true
				r.Why = "the sender repeats packets larger than it was told"
			}
			r.Transmitted = c.ignoredTooBig
		}
		return r, told
	}
	r.State, r.SmallestLost, r.Transmitted = "black hole", lost.ipLength, lost.sent
	r.Seconds = seconds(lost.times[len(lost.times)-1] - lost.times[0])
	r.Ignored = told && c.ignoredTooBig > 0
	// A duplicate acknowledgement after the large packet was sent first answers
	// a smaller one behind it: so the loss depends on the size. Other packets of
	// the peer prove nothing of this direction.
	smallPassed = smallPassed || o.lastDuplicate > lost.times[0]
	switch {
	case r.Ignored:
		r.Certainty = "certain"
		r.Why = fmt.Sprintf("%d need-to-fragment answers (MTU %d), and packets of %d bytes were repeated %d times", r.Answers, r.MTU, lost.ipLength, lost.sent-1)
	case smallLost:
		return r, false
	case smallPassed:
		r.Certainty = "likely"
		r.Why = fmt.Sprintf("packets of %d bytes were sent %d times in vain, the largest that arrived has %d", lost.ipLength, lost.sent, h.largestAcked)
	case c.established && h.largestAcked > 0:
		r.Certainty = "possible"
		r.Why = fmt.Sprintf("packets of %d bytes were sent %d times in vain and the other side is silent since; smaller ones (%d) had arrived", lost.ipLength, lost.sent, h.largestAcked)
	default:
		return r, false
	}
	return r, true
}
