package packet_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"ddx/capture"
	"ddx/packet"
)

func analyse(t *testing.T, file, target string, change func(*packet.Options)) *packet.Result {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := capture.NewReader(f, file)
	if err != nil {
		t.Fatal(err)
	}
	var o packet.Options
	if target != "" {
		if o.Target, err = packet.ParseTarget(target); err != nil {
			t.Fatal(err)
		}
	}
	if change != nil {
		change(&o)
	}
	result := packet.Analyse(r, o)
	var text bytes.Buffer
	if err := result.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	t.Log(text.String())
	return result
}

// frames counts the frames that match a tshark display filter.
func frames(t *testing.T, file, filter string) int {
	t.Helper()
	needs(t, "tshark")
	out, err := exec.Command("tshark", "-n", "-r", file, "-Y", filter, "-T", "fields", "-e", "frame.number").Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	return len(strings.Fields(string(out)))
}

// agree holds the analysis of all connections of a capture against tshark's.
func agree(t *testing.T, file string) {
	t.Helper()
	needs(t, "tshark")
	r := analyse(t, file, "", nil)
	again, resets := 0, 0
	for _, c := range r.Conns {
		again += c.Forward.Retransmissions + c.Backward.Retransmissions
	}
	resets = r.ConnCount.Resets
	if want := frames(t, file, "tcp.analysis.retransmission"); again != want {
		t.Errorf("%d retransmissions, tshark has %d", again, want)
	}
	ended := map[string]bool{}
	completed := map[string]bool{}
	out, err := exec.Command("tshark", "-n", "-r", file, "-T", "fields", "-e", "tcp.stream", "-e", "tcp.completeness", "-e", "tcp.flags.reset").Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	for _, line := range strings.Split(string(out), "\n") {
		w := strings.Split(line, "\t")
		if len(w) < 3 || w[0] == "" {
			continue
		}
		if w[2] == "1" || w[2] == "True" {
			ended[w[0]] = true
		}
		switch w[1] { // SYN, SYN-ACK and ACK are the lowest three bits
		case "7", "15", "23", "31", "39", "47", "55", "63":
			completed[w[0]] = true
		}
	}
	if len(ended) != resets {
		t.Errorf("%d connections reset, tshark has %d", resets, len(ended))
	}
	if len(completed) != r.ConnCount.Handshakes {
		t.Errorf("%d handshakes complete, tshark has %d", r.ConnCount.Handshakes, len(completed))
	}
}

func verdict(t *testing.T, r *packet.Result, want packet.Verdict, sufficient bool) {
	t.Helper()
	if r.Verdict != want || r.Proof.Sufficient != sufficient {
		t.Errorf("verdict %q (sufficient %v), want %q (%v)", r.Verdict, r.Proof.Sufficient, want, sufficient)
	}
}

func echo(c net.Conn) { io.Copy(c, c) }

func TestRealAnswered(t *testing.T) {
	l := newLab(t)
	l.listen(l.server, ":2049", echo)
	stop := l.tcpdump(l.client, "c0")
	for range 3 {
		c, err := l.dial(l.client, "tcp", serverIP+":2049", 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		message := bytes.Repeat([]byte("x"), 5000)
		c.Write(message)
		if _, err := io.ReadFull(c, message); err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	file := stop()
	r := analyse(t, file, serverIP+":2049", nil)
	verdict(t, r, packet.Answered, true)
	if r.ConnCount.Handshakes != 3 || r.To.Connections != 3 || r.Conns[0].Backward.Payload != 5000 {
		t.Errorf("connections: %+v", r.ConnCount)
	}
	if want := int64(frames(t, file, "ip.addr == "+serverIP+" && tcp.port == 2049")); r.Matched != want {
		t.Errorf("%d packets matched, tshark has %d", r.Matched, want)
	}
	agree(t, file)
}

func TestRealRefused(t *testing.T) {
	l := newLab(t)
	stop := l.tcpdump(l.client, "c0")
	if _, err := l.dial(l.client, "tcp", serverIP+":2049", 5*time.Second); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("dial: %v", err)
	}
	file := stop()
	r := analyse(t, file, serverIP+":2049", nil)
	verdict(t, r, packet.Answered, true)
	if r.ConnCount.Refused != 1 || r.Conns[0].Handshake != "refused" || r.Conns[0].End != "reset by server" {
		t.Errorf("%+v", r.Conns[0])
	}
	agree(t, file)
}

func TestRealFiltered(t *testing.T) {
	l := newLab(t)
	l.rule(l.server, "input", "tcp dport 2049 drop")
	stop := l.tcpdump(l.client, "c0")
	if c, err := l.dial(l.client, "tcp", serverIP+":2049", 4*time.Second); err == nil {
		c.Close()
		t.Fatal("the filter let the connection through")
	}
	file := stop()
	r := analyse(t, file, serverIP+":2049", nil)
	verdict(t, r, packet.Unanswered, true)
	c := r.Conns[0]
	if c.Handshake != "syn sent" || c.Forward.Retransmissions < 1 || len(c.Forward.Backoff) < 1 || c.Forward.Backoff[0] < 0.9 || c.Forward.Backoff[0] > 1.5 {
		t.Errorf("%+v", c)
	}
	agree(t, file)
}

func TestRealProhibited(t *testing.T) {
	l := newLab(t)
	l.rule(l.router, "forward", "tcp dport 2049 reject with icmp type admin-prohibited")
	stop := l.tcpdump(l.client, "c0")
	if c, err := l.dial(l.client, "tcp", serverIP+":2049", 3*time.Second); err == nil {
		c.Close()
		t.Fatal("the filter let the connection through")
	}
	r := analyse(t, stop(), serverIP+":2049", nil)
	if r.Verdict != packet.Unanswered || len(r.ICMP) != 1 || r.ICMP[0].Meaning != "admin prohibited" || !strings.Contains(r.Conns[0].Why, "admin prohibited") {
		t.Errorf("verdict %s, icmp %+v", r.Verdict, r.ICMP)
	}
}

// The path swallows everything after the handshake and some data.
func TestRealBlackHoledMidway(t *testing.T) {
	l := newLab(t)
	l.listen(l.server, ":2049", echo)
	stop := l.tcpdump(l.client, "c0")
	c, err := l.dial(l.client, "tcp", serverIP+":2049", 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b := []byte("hello")
	c.Write(b)
	if _, err := io.ReadFull(c, b); err != nil {
		t.Fatal(err)
	}
	l.rule(l.router, "forward", "drop")
	c.Write(bytes.Repeat([]byte("y"), 4000))
	c.SetReadDeadline(time.Now().Add(4 * time.Second))
	c.Read(b)
	file := stop()
	r := analyse(t, file, serverIP+":2049", nil)
	verdict(t, r, packet.Unanswered, true)
	conn := r.Conns[0]
	if conn.Handshake != "complete" || conn.Forward.Retransmissions < 2 || conn.Forward.Unacknowledged != 4000 {
		t.Errorf("%+v", conn)
	}
	for i := 1; i < len(conn.Forward.Backoff)-1; i++ {
		if conn.Forward.Backoff[i+1] < conn.Forward.Backoff[i] {
			t.Errorf("back-off %v does not grow", conn.Forward.Backoff)
		}
	}
	agree(t, file)
}

// mtuLab has a path of 1300 bytes behind the client's own link of 1500.
func mtuLab(t *testing.T) *lab {
	l := newLab(t)
	l.run("ip", "-n", l.router, "link", "set", "r1", "mtu", "1300")
	l.listen(l.server, ":8443", echo)
	return l
}

func (l *lab) push(t *testing.T, wait time.Duration) (echoed bool) {
	c, err := l.dial(l.client, "tcp", serverIP+":8443", 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	b := []byte("hello")
	c.Write(b)
	if _, err := io.ReadFull(c, b); err != nil {
		t.Fatal(err)
	}
	big := bytes.Repeat([]byte("z"), 5000)
	c.Write(big)
	c.SetReadDeadline(time.Now().Add(wait))
	_, err = io.ReadFull(c, big)
	return err == nil
}

func TestRealMTUBlackHole(t *testing.T) {
	for _, test := range []struct {
		name, certainty string
		ns              func(*lab) string
		hook, rule      string
		answers, works  bool
	}{
		{"icmp filtered on the path", "likely", func(l *lab) string { return l.router }, "output", "icmp type destination-unreachable drop", false, false},
		{"icmp filtered in the guest", "certain", func(l *lab) string { return l.client }, "input", "icmp type destination-unreachable drop", true, false},
		{"discovery works", "certain", func(l *lab) string { return l.client }, "output", "accept", true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := mtuLab(t)
			l.rule(test.ns(l), test.hook, test.rule)
			stop := l.tcpdump(l.client, "c0")
			if got := l.push(t, 4*time.Second); got != test.works {
				t.Fatalf("the data came back: %v", got)
			}
			file := stop()
			r := analyse(t, file, serverIP+":8443", nil)
			if len(r.MTU) != 1 {
				t.Fatalf("mtu: %+v", r.MTU)
			}
			m := r.MTU[0]
			if test.works {
				verdict(t, r, packet.Answered, true)
				if m.State != "discovery works" || m.MTU != 1300 {
					t.Errorf("%+v", m)
				}
				return
			}
			verdict(t, r, packet.Unanswered, true)
			if m.State != "black hole" || m.Certainty != test.certainty || (m.Answers > 0) != test.answers || m.Ignored != test.answers || m.SmallestLost <= 1300 {
				t.Errorf("%+v", m)
			}
			agree(t, file)
		})
	}
}

func TestRealNeighbourSilent(t *testing.T) {
	l := newLab(t)
	stop := l.tcpdump(l.client, "c0")
	if c, err := l.dial(l.client, "tcp", nobodyIP+":2049", 5*time.Second); err == nil {
		c.Close()
		t.Fatal("nobody answered, and yet the connection stands")
	}
	r := analyse(t, stop(), nobodyIP+":2049", nil)
	verdict(t, r, packet.NeverLeft, true)
	if len(r.Neighbour) != 1 || !r.Neighbour[0].Target || r.Neighbour[0].Requests < 3 {
		t.Errorf("%+v", r.Neighbour)
	}
}

func TestRealNeverLeft(t *testing.T) {
	l := newLab(t)
	l.listen(l.server, ":80", echo)
	stop := l.tcpdump(l.client, "any")
	c, err := l.dial(l.client, "tcp", serverIP+":80", 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	file := stop()
	r := analyse(t, file, serverIP+":2049", nil)
	verdict(t, r, packet.NeverLeft, false)
	if r.Capture.Interfaces[0].Link != "linux-sll2" {
		t.Errorf("%+v", r.Capture.Interfaces)
	}
	began := time.Now()
	long := func(o *packet.Options) { o.Start, o.End = began, began.Add(250*time.Second) }
	verdict(t, analyse(t, file, serverIP+":2049", long), packet.NeverLeft, true)
	old := func(o *packet.Options) { long(o); o.Silence = packet.SilenceBound("3.10.0-514.el7.x86_64") }
	verdict(t, analyse(t, file, serverIP+":2049", old), packet.NeverLeft, false)
	blind := func(o *packet.Options) { long(o); o.Filter = "tcp port 80" }
	verdict(t, analyse(t, file, serverIP+":2049", blind), packet.NeverLeft, false)
}
