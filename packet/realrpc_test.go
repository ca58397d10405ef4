package packet_test

import (
	"encoding/binary"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"ddx/packet"
)

// nfsNull is the record of an NFSv4 NULL call; the reply of the test's server
// is accepted and empty.
func nfsNull(xid uint32) []byte {
	b := []byte{0x80, 0, 0, 40}
	for _, w := range []uint32{xid, 0, 2, 100003, 4, 0, 0, 0, 0, 0} {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return b
}

// A server that answers the first two NULL pings and no more: the calls without
// reply are the ones that tshark finds no reply for.
func TestRealRPC(t *testing.T) {
	l := newLab(t)
	l.listen(l.server, ":2049", func(c net.Conn) {
		call := make([]byte, 44)
		for n := 0; ; n++ {
			if _, err := io.ReadFull(c, call); err != nil {
				return
			}
			if n >= 2 {
				continue
			}
			reply := append([]byte{0x80, 0, 0, 24}, call[4:8]...)
			c.Write(append(reply, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
		}
	})
	stop := l.tcpdump(l.client, "c0")
	c, err := l.dial(l.client, "tcp", serverIP+":2049", 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for xid := uint32(0xa0); xid < 0xa4; xid++ {
		c.Write(nfsNull(xid))
		if xid < 0xa2 {
			if _, err := io.ReadFull(c, make([]byte, 28)); err != nil {
				t.Fatal(err)
			}
		}
	}
	file := stop()
	late := func(o *packet.Options) { o.Start = time.Unix(0, 0); o.End = time.Now().Add(time.Minute) }
	r := analyse(t, file, serverIP+":2049", late)
	verdict(t, r, packet.Unanswered, true)
	if r.RPC.Calls != 4 || r.RPC.Replies != 2 || r.RPC.Waiting != 2 || r.RPC.Unanswered[0].XID != "0x000000a2" || r.RPC.Unanswered[0].Procedure != "NULL" {
		t.Errorf("%+v", r.RPC)
	}
	needs(t, "tshark")
	out, err := exec.Command("tshark", "-n", "-r", file, "-Y", "rpc", "-T", "fields", "-e", "rpc.xid", "-e", "rpc.msgtyp").Output()
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		xids, kinds, _ := strings.Cut(line, "\t")
		for i, xid := range strings.Split(xids, ",") {
			if strings.Split(kinds, ",")[i] == "0" {
				open[xid] = true
			} else {
				delete(open, xid)
			}
		}
	}
	for _, c := range r.RPC.Unanswered {
		if !open[c.XID] {
			t.Errorf("%s has a reply, says tshark: %v", c.XID, open)
		}
	}
	if len(open) != r.RPC.Waiting {
		t.Errorf("tshark has %d calls without reply, %d were found", len(open), r.RPC.Waiting)
	}
}

// UDP to a closed port: the host itself answers, by ICMP.
func TestRealUDPRefused(t *testing.T) {
	l := newLab(t)
	stop := l.tcpdump(l.client, "any")
	l.ask(t, 7, "good")
	r := analyse(t, stop(), serverIP+":53", nil)
	verdict(t, r, packet.Answered, true)
	if r.ConnCount.Refused != 1 || len(r.ICMP) != 1 || r.ICMP[0].Meaning != "port unreachable" {
		t.Errorf("%+v %+v", r.ConnCount, r.ICMP)
	}
}

// The capture is taken at the server, whose answers get lost on the way back.
func TestRealAnswerLost(t *testing.T) {
	l := newLab(t)
	l.listen(l.server, ":2049", echo)
	l.rule(l.router, "forward", "ip saddr "+serverIP+" drop")
	stop := l.tcpdump(l.server, "s0")
	if c, err := l.dial(l.client, "tcp", serverIP+":2049", 4*time.Second); err == nil {
		c.Close()
		t.Fatal("the answer came through")
	}
	file := stop()
	r := analyse(t, file, serverIP+":2049", nil)
	verdict(t, r, packet.Unanswered, true)
	if c := r.Conns[0]; c.Handshake != "half open" || c.Backward.Verdict != packet.Unanswered || c.Forward.Verdict != packet.Answered {
		t.Errorf("%+v", c)
	}
	agree(t, file)
}
