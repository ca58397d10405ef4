package packet

import (
	"encoding/binary"
	"testing"
	"time"
)

// rpcCall makes the record of a call; rpcReply that of a reply with a status.
func rpcCall(xid, proc uint32, ops ...uint32) string {
	b := []byte{0, 0, 0, 0}
	for _, w := range []uint32{xid, 0, 2, 100003, 4, proc, 0, 0, 0, 0} {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	if proc == 1 {
		for _, w := range append([]uint32{0, 1, uint32(len(ops))}, ops...) {
			b = binary.BigEndian.AppendUint32(b, w)
		}
	}
	binary.BigEndian.PutUint32(b, 1<<31|uint32(len(b)-4))
	return string(b)
}

func rpcReply(xid, status uint32) string {
	b := []byte{0x80, 0, 0, 28}
	for _, w := range []uint32{xid, 1, 0, 0, 0, 0, status} {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return string(b)
}

func TestRPC(t *testing.T) {
	s := newScript(t, "10.0.0.2:2049")
	s.open()
	seq, rseq := uint32(1), uint32(1)
	ask := func(b string) { s.out(ack, seq, rseq, b); seq += uint32(len(b)) }
	reply := func(b string) { s.back(ack, rseq, seq, b); rseq += uint32(len(b)) }
	ask(rpcCall(1, 0))
	reply(rpcReply(1, 0))
	for xid := uint32(2); xid < 5; xid++ { // the server is busy
		ask(rpcCall(xid, 1, 42))
		reply(rpcReply(xid, 10008))
	}
	two := rpcCall(5, 1, 24, 9) + rpcCall(6, 1, 43) // two calls in one segment, cut inside the second
	ask(two[:len(two)-30])
	ask(two[len(two)-30:])
	s.out(ack, seq-30, rseq, two[len(two)-30:]) // sent again: no further call
	reply(rpcReply(6, 0))
	s.out(ack, seq, rseq, "")
	r := s.result(time.Minute)
	rpc := r.RPC
	if rpc.Calls != 6 || rpc.Replies != 5 || rpc.Waiting != 1 || rpc.Unanswered[0].XID != "0x00000005" || rpc.Unanswered[0].Procedure != "PUTROOTFH+GETATTR" {
		t.Errorf("%+v", rpc)
	}
	if rpc.Statuses["EXCHANGE_ID: DELAY"] != 3 || len(rpc.Problems) != 0 {
		t.Errorf("%+v", rpc)
	}
	if r.Verdict != Unanswered || !r.Proof.Sufficient {
		t.Errorf("%s %v", r.Verdict, r.Proof)
	}
}

func TestRPCNonsense(t *testing.T) {
	for name, answer := range map[string]string{
		"another xid": rpcReply(99, 0), "denied": "\x80\x00\x00\x14\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x05",
		"another protocol": "SSH-2.0-OpenSSH_9.2p1 Debian\r\n",
	} {
		s := newScript(t, "10.0.0.2:2049")
		s.open()
		call := rpcCall(1, 0)
		s.out(ack, 1, 1, call)
		s.back(ack, 1, 1+uint32(len(call)), answer)
		s.out(ack, 1+uint32(len(call)), 1+uint32(len(answer)), "")
		if r := s.result(time.Second); r.Verdict != Nonsense || len(r.RPC.Problems) != 1 {
			t.Errorf("%s: %s %+v", name, r.Verdict, r.RPC)
		}
	}
}
