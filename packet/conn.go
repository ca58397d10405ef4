package packet

import (
	"fmt"

	"ddx/capture"
)

// flowKey names a connection regardless of direction.
type flowKey struct {
	kind capture.Kind
	a, b capture.Endpoint
}

func keyOf(kind capture.Kind, a, b capture.Endpoint) flowKey {
	if c := a.Addr.Compare(b.Addr); c > 0 || c == 0 && (a.Name > b.Name || a.Name == b.Name && a.Port > b.Port) {
		a, b = b, a
	}
	return flowKey{kind, a, b}
}

// conn is a TCP connection, a pair of UDP endpoints, or a series of echo
// requests. half[0] is what the client sent, half[1] what the server sent.
type conn struct {
	kind           capture.Kind
	client, server capture.Endpoint
	first, last    int64
	half           [2]half

	syn, synAck, established bool
	closed                   bool // a reset, or both have said goodbye
	resetBy                  int  // 0 nobody, 1 client, 2 server
	resetAt                  int64
	inferred                 bool // the client acknowledges answers the capture lacks
	icmp                     []*icmpRecord
	notes                    []string // what made no sense
	nonsense                 int

	calls, callsAnswered, callsNonsense int // of RPC, DNS or echo
	decoded                             bool
	tooBig                              int // smallest MTU a need-to-fragment answer named; 0: none
	tooBigFrom                          capture.Host
	tooBigCount                         int
	tooBigDir                           int // whose packets were too big
	ignoredTooBig                       int // packets above that MTU sent again after it was told
}

// half is one direction.
type half struct {
	packets, bytes, payload int64
	first, last             int64

	started  bool
	isn      uint32 // first sequence number seen
	next     uint32 // one above the highest sequence number sent
	nextAt   int64
	acked    uint32 // highest acknowledgement of the other side
	ackedSet bool
	lastAck  uint32 // that this side sent
	window   uint16
	finSent  bool

	retransmissions, outOfOrder, duplicateAcks, keepAlives, duplicates int
	unansweredKeepAlives                                               int
	zeroWindows                                                        int
	zeroSince, zeroFor                                                 int64
	lastDuplicate                                                      int64 // time of the last duplicate acknowledgement

	out          []segment // sent and not yet acknowledged, in order of sending
	backoff      []int64   // times of the segment sent most often
	largest      int       // IP length
	largestAcked int
	largestSent  int // payload
	lastIPID     uint32
	lastSeq      uint32
	lastTTL      uint8
	holes        int // times the sequence jumped over bytes not captured
	head         []byte
	stream       *stream
}

type segment struct {
	seq, end uint32
	ipLength int
	payload  int
	times    []int64 // of every transmission, the first 32
	sent     int
	passed   bool // selectively acknowledged
}

const (
	maxOutstanding = 256
	maxTimes       = 32
)

func before(a, b uint32) bool { return int32(a-b) < 0 }

func (h *half) touch(p *capture.Packet) {
	if h.packets == 0 {
		h.first = p.Time
	}
	h.packets++
	h.bytes += int64(p.IPLength)
	h.payload += int64(p.PayloadLength)
	h.last = max(h.last, p.Time)
	h.largest = max(h.largest, p.IPLength)
	h.largestSent = max(h.largestSent, p.PayloadLength)
	if len(h.head) < 16 && len(p.Payload) > 0 {
		h.head = append(h.head, p.Payload[:min(len(p.Payload), 16-len(h.head))]...)
	}
}

// copied recognises the same packet seen a second time on its way through
// several interfaces, which is no retransmission: a sender numbers each packet
// it sends anew, and does not repeat itself within a few milliseconds.
func (h *half) copied(p *capture.Packet) bool {
	same := h.packets > 0 && p.Time-h.last < 5e6 && p.Seq == h.lastSeq &&
		(p.IPID != 0 && p.IPID == h.lastIPID || p.TTL != h.lastTTL && p.IPID == h.lastIPID && p.TTL != 0)
	h.lastSeq, h.lastIPID, h.lastTTL = p.Seq, p.IPID, p.TTL
	return same && (p.PayloadLength > 0 || p.Flags&(capture.SYN|capture.FIN) != 0)
}

// tcp enters a segment; d says whose it is.
func (c *conn) tcp(p *capture.Packet, d int) {
	h, o := &c.half[d], &c.half[1-d]
	if h.copied(p) {
		h.duplicates++
		return
	}
	h.touch(p)
	c.last = max(c.last, p.Time)
	sound := c.handshake(p, d)
	o.unansweredKeepAlives = 0
	if p.Flags&capture.RST != 0 {
		if c.resetBy == 0 {
			c.resetBy, c.resetAt = d+1, p.Time
		}
		c.closed = true
		if sound && p.Flags&capture.ACK != 0 {
			c.acknowledge(p, o, d)
		}
		return
	}
	c.window(p, h)
	if !sound {
		return
	}
	h.sequence(p, c, d)
	if p.Flags&capture.ACK != 0 {
		h.duplicateAck(p, o)
		c.acknowledge(p, o, d)
	}
	if h.finSent && o.finSent {
		c.closed = true
	}
}

// handshake follows the opening; false means that the segment belongs to no
// part of this connection.
func (c *conn) handshake(p *capture.Packet, d int) bool {
	o := &c.half[1-d]
	opening := d == 1 && c.syn && !c.synAck && o.next == o.isn+1
	switch {
	case opening && p.Flags&capture.RST != 0:
		if p.Flags&capture.ACK != 0 && p.Ack != o.next {
			c.odd(fmt.Sprintf("a reset acknowledges %d, the SYN expects %d", p.Ack, o.next))
			return false
		}
	case p.Flags&capture.RST != 0:
	case p.Flags&(capture.SYN|capture.ACK) == capture.SYN && d == 0:
		c.syn = true
	case p.Flags&(capture.SYN|capture.ACK) == capture.SYN|capture.ACK && d == 1:
		if opening && p.Ack != o.next {
			c.odd(fmt.Sprintf("a SYN-ACK acknowledges %d, the SYN expects %d", p.Ack, o.next))
			return false
		}
		c.synAck = true
	case opening && p.Flags&capture.ACK != 0 && p.Ack != o.next:
		c.odd(fmt.Sprintf("the SYN was answered by a segment that acknowledges %d, not %d: the server still holds an older connection of these ports", p.Ack, o.next))
		return false
	case d == 0 && p.Flags&capture.ACK != 0 && (c.synAck || c.syn):
		if !c.synAck {
			c.inferred = true
		}
		c.established = true
	}
	return true
}

// odd notes a reply that made no sense.
func (c *conn) odd(what string) {
	c.nonsense++
	if len(c.notes) < 8 {
		c.notes = append(c.notes, what)
	}
}

func (c *conn) window(p *capture.Packet, h *half) {
	if p.Flags&capture.SYN != 0 {
		h.window = p.Window
		return
	}
	if p.Window == 0 && h.zeroSince == 0 && p.Flags&capture.ACK != 0 {
		h.zeroWindows++
		h.zeroSince = p.Time
	}
	if p.Window != 0 && h.zeroSince != 0 {
		h.zeroFor += p.Time - h.zeroSince
		h.zeroSince = 0
	}
	h.window = p.Window
}

// sequence classifies a segment by its place among those already sent.
func (h *half) sequence(p *capture.Packet, c *conn, d int) {
	span := uint32(p.PayloadLength)
	if p.Flags&capture.SYN != 0 {
		span++
	}
	if p.Flags&capture.FIN != 0 {
		span++
		h.finSent = true
	}
	end := p.Seq + span
	if p.NoSeq {
		return
	}
	if !h.started {
		h.started, h.isn, h.next, h.nextAt = true, p.Seq, p.Seq, p.Time
		if h.ackedSet { // acknowledged before it was seen
			h.ackedSet = !before(h.acked, p.Seq)
		}
	}
	if p.PayloadLength <= 1 && p.Flags&(capture.SYN|capture.FIN) == 0 && p.Seq == h.next-1 && h.next != h.isn {
		h.keepAlives++
		h.unansweredKeepAlives++
		return
	}
	if span == 0 {
		return
	}
	switch {
	case before(p.Seq, h.next):
		t := p.Time - h.nextAt
		if h.holes > 0 && t < 3e6 && end != h.next && h.find(p.Seq) == nil {
			h.outOfOrder++
		} else {
			h.retransmissions++
			if c.tooBig > 0 && c.tooBigDir == d && p.IPLength > c.tooBig {
				c.ignoredTooBig++
			}
		}
		h.again(p, end)
	default:
		if p.Seq != h.next {
			h.holes++
		}
		if len(h.out) < maxOutstanding {
			h.out = append(h.out, segment{seq: p.Seq, end: end, ipLength: p.IPLength, payload: p.PayloadLength, sent: 1, times: []int64{p.Time}})
		}
	}
	if before(h.next, end) {
		h.next, h.nextAt = end, p.Time
	}
}

func (h *half) find(seq uint32) *segment {
	for i := range h.out {
		if h.out[i].seq == seq {
			return &h.out[i]
		}
	}
	return nil
}

// again notes another transmission of a segment.
func (h *half) again(p *capture.Packet, end uint32) {
	s := h.find(p.Seq)
	if s == nil {
		if len(h.out) < maxOutstanding && (!h.ackedSet || before(h.acked, end)) {
			h.out = append(h.out, segment{seq: p.Seq, end: end, ipLength: p.IPLength, payload: p.PayloadLength, sent: 1, times: []int64{p.Time}})
		}
		return
	}
	s.sent++
	if len(s.times) < maxTimes {
		s.times = append(s.times, p.Time)
	}
	// With segmentation offload the first transmission may be a train of
	// segments; what is repeated is the length that the path refused or lost.
	if end != s.end && p.PayloadLength > 0 && p.PayloadLength < s.payload {
		s.ipLength, s.payload = p.IPLength, p.PayloadLength
	}
	if len(s.times) > len(h.backoff) && len(s.times) > 1 {
		h.backoff = append(h.backoff[:0], s.times...)
	}
}

func (h *half) duplicateAck(p *capture.Packet, o *half) {
	if p.PayloadLength == 0 && p.Flags&(capture.SYN|capture.FIN) == 0 && h.packets > 1 && p.Ack == h.lastAck && (p.NoSeq || p.Seq == h.next) && len(o.out) > 0 {
		h.duplicateAcks++
		h.lastDuplicate = p.Time
	}
	h.lastAck = p.Ack
}

// acknowledge applies the acknowledgement in p, sent by side d, to the other
// side's segments.
func (c *conn) acknowledge(p *capture.Packet, o *half, d int) {
	if !o.started {
		// Nothing of the other side was captured, yet it is acknowledged.
		if o.ackedSet && p.Ack != o.acked || c.syn && d == 0 {
			c.inferred = true
		}
		o.acked, o.ackedSet = p.Ack, true
		return
	}
	if before(o.next, p.Ack) {
		if p.Ack-o.next < 1<<30 {
			c.inferred = true
			o.holes++
			o.next = p.Ack
		} else {
			return // an acknowledgement of another connection
		}
	}
	if !o.ackedSet || before(o.acked, p.Ack) {
		o.acked, o.ackedSet = p.Ack, true
	}
	kept := o.out[:0]
	for _, s := range o.out {
		if !before(p.Ack, s.end) {
			o.largestAcked = max(o.largestAcked, s.ipLength)
			continue
		}
		for _, b := range p.Sack[:p.SackBlocks] {
			if !before(s.seq, b[0]) && !before(b[1], s.end) && !s.passed {
				s.passed = true
				o.largestAcked = max(o.largestAcked, s.ipLength)
			}
		}
		kept = append(kept, s)
	}
	o.out = kept
}

// unacknowledged returns the oldest segment that was never acknowledged, by
// number or selectively.
func (h *half) unacknowledged() *segment {
	for i := range h.out {
		if !h.out[i].passed {
			return &h.out[i]
		}
	}
	return nil
}
