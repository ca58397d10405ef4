package packet

import (
	"encoding/binary"

	"ddx/capture"
)

// stream cuts the bytes of one direction of a TCP connection into messages that
// carry their length in front: RPC record marks (RFC 5531, four bytes, last
// fragment bit) or DNS lengths (RFC 1035, two bytes). It keeps the head of one
// message only, and finds its feet again after a hole at a segment that begins
// with a credible message.
type stream struct {
	rpc      bool // otherwise DNS
	dead     bool // the bytes are of another protocol
	synced   bool
	next     uint32 // sequence number of the byte it waits for
	mark     [4]byte
	marks    int // bytes of the mark gathered
	left     int // bytes of the current fragment to come
	final    bool
	whole    bool // the head has been handed out
	head     []byte
	messages int
}

// headSize is enough for RPC headers with AUTH_SYS credentials and the first
// operations of a compound, and for a DNS message of common size.
const headSize = 768

// feed takes a segment's captured bytes; wire is its length before the capture
// cut it. It calls each with the head of every message.
func (s *stream) feed(seq uint32, data []byte, wire int, each func(head []byte)) {
	if s.dead || wire == 0 {
		return
	}
	if s.synced {
		switch ahead := int32(seq - s.next); {
		case ahead > 0:
			s.synced = false
		case ahead < 0:
			old := -int(ahead)
			if old >= wire {
				return
			}
			seq, data, wire = s.next, data[min(old, len(data)):], wire-old
		}
	}
	if !s.synced {
		if !s.credible(data) {
			return
		}
		s.synced, s.marks, s.left, s.final = true, 0, 0, true
		s.head, s.whole = s.head[:0], false
	} else if s.messages == 0 && s.marks == 0 && s.left == 0 && len(data) >= 16 && !s.credible(data) {
		s.dead = true
		return
	}
	s.next = seq + uint32(wire)
	s.consume(data, wire, each)
}

func (s *stream) consume(data []byte, wire int, each func(head []byte)) {
	size := 2
	if s.rpc {
		size = 4
	}
	for wire > 0 {
		if s.left == 0 { // a mark comes
			if len(data) == 0 {
				s.synced = false
				return
			}
			s.mark[s.marks] = data[0]
			s.marks++
			data, wire = data[1:], wire-1
			if s.marks < size {
				continue
			}
			s.marks = 0
			if s.rpc {
				m := binary.BigEndian.Uint32(s.mark[:])
				s.final, s.left = m>>31 == 1, int(m&(1<<31-1))
			} else {
				s.final, s.left = true, int(binary.BigEndian.Uint16(s.mark[:]))
			}
			if s.left > 1<<26 || s.left == 0 {
				s.synced, s.left = false, 0
				return
			}
			continue
		}
		n := min(s.left, wire)
		if got := min(n, len(data)); len(s.head) < headSize {
			s.head = append(s.head, data[:min(got, headSize-len(s.head))]...)
		}
		data, wire, s.left = data[min(n, len(data)):], wire-n, s.left-n
		done := s.left == 0 && s.final
		if !s.whole && (done || len(s.head) >= headSize) {
			s.whole = true
			s.messages++
			each(s.head)
		}
		if done {
			s.head, s.whole = s.head[:0], false
		}
	}
}

// credible reports whether a message could begin here.
func (s *stream) credible(b []byte) bool {
	if s.rpc {
		if len(b) < 16 {
			return false
		}
		m := binary.BigEndian.Uint32(b)
		n := m & (1<<31 - 1)
		return n >= 20 && n <= 1<<26 && capture.CredibleRPC(b[4:])
	}
	return len(b) >= 14 && binary.BigEndian.Uint16(b) >= 12 && binary.BigEndian.Uint16(b[6:]) == 1
}
