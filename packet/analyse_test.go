package packet

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"ddx/capture"
)

// script feeds an analyser packets between one client and one server.
type script struct {
	t    testing.TB
	a    *Analyser
	at   int64
	cli  capture.Endpoint
	srv  capture.Endpoint
	ipid uint32
	kind capture.Kind
}

func newScript(t testing.TB, target string) *script {
	t.Helper()
	o := Options{}
	if target != "" {
		var err error
		if o.Target, err = ParseTarget(target); err != nil {
			t.Fatal(err)
		}
	}
	end := func(host string, port uint16) capture.Endpoint {
		return capture.Endpoint{Host: capture.ParseHost(host), Port: port}
	}
	return &script{t: t, a: NewAnalyser(o), at: 1e18, cli: end("10.0.0.1", 40000), srv: end("10.0.0.2", 2049), kind: capture.TCP}
}

func (s *script) wait(d time.Duration) { s.at += int64(d) }

// out and back send a segment; seq and ack count from 0 at the SYN.
func (s *script) out(f capture.Flags, seq, ack uint32, payload string) *capture.Packet {
	return s.send(s.cli, s.srv, f, seq, ack, payload)
}

func (s *script) back(f capture.Flags, seq, ack uint32, payload string) *capture.Packet {
	return s.send(s.srv, s.cli, f, seq, ack, payload)
}

func (s *script) send(src, dst capture.Endpoint, f capture.Flags, seq, ack uint32, payload string) *capture.Packet {
	s.ipid++
	s.wait(time.Millisecond)
	p := &capture.Packet{
		Time: s.at, Kind: s.kind, Src: src, Dst: dst, Flags: f, Seq: seq, Ack: ack, Window: 1000, TTL: 64, IPID: s.ipid,
		Payload: []byte(payload), PayloadLength: len(payload), IPLength: 40 + len(payload),
	}
	s.a.Add(p)
	return p
}

func (s *script) open() {
	s.out(capture.SYN, 0, 0, "")
	s.back(capture.SYN|capture.ACK, 0, 1, "")
	s.out(capture.ACK, 1, 1, "")
}

func (s *script) result(after time.Duration) *Result {
	s.t.Helper()
	s.a.o.Start, s.a.o.End = time.Unix(0, 1e18), time.Unix(0, s.at).Add(after)
	r := s.a.Result(capture.Capture{File: "script"})
	var b bytes.Buffer
	if err := r.WriteText(&b); err != nil {
		s.t.Fatal(err)
	}
	s.t.Log(b.String())
	return r
}

const (
	syn = capture.SYN
	ack = capture.ACK
	rst = capture.RST
	fin = capture.FIN
)

func TestVerdicts(t *testing.T) {
	big := strings.Repeat("x", 1460)
	for _, test := range []struct {
		name       string
		play       func(*script)
		after      time.Duration
		want       Verdict
		sufficient bool
		why        string
	}{
		{"answered", func(s *script) { s.open(); s.out(ack, 1, 1, "hi"); s.back(ack, 1, 3, "ho"); s.out(ack, 3, 3, "") }, 0, Answered, true, ""},
		{"a SYN at the very end", func(s *script) { s.out(syn, 0, 0, "") }, time.Second, Unanswered, false, "SYN sent once"},
		{"a SYN long ago", func(s *script) { s.out(syn, 0, 0, "") }, 5 * time.Second, Unanswered, true, "SYN sent once"},
		{"the back-off of a SYN", func(s *script) {
			for _, gap := range []int{0, 1, 2, 4} {
				s.wait(time.Duration(gap) * time.Second)
				s.out(syn, 0, 0, "")
			}
		}, 0, Unanswered, true, "SYN sent 4 times"},
		{"the SYN-ACK of something else", func(s *script) { s.out(syn, 0, 0, ""); s.back(syn|ack, 0, 77, "") }, 0, Nonsense, true, "acknowledges 77"},
		{"an older connection answers", func(s *script) { s.out(syn, 1000, 0, ""); s.back(ack, 5, 77, "") }, 0, Nonsense, true, "older connection"},
		{"the client never confirms", func(s *script) {
			s.out(syn, 0, 0, "")
			for range 3 {
				s.back(syn|ack, 0, 1, "")
				s.wait(time.Second)
			}
		}, 0, Unanswered, true, "SYN-ACK was sent 3 times"},
		{"only one direction was captured", func(s *script) { s.out(syn, 0, 0, ""); s.out(ack, 1, 1, "hi"); s.out(ack, 3, 500, "") }, 9 * time.Second, Answered, true, "does not hold"},
		{"keep-alives die", func(s *script) {
			s.open()
			s.out(ack, 1, 1, "hi")
			s.back(ack, 1, 3, "ho")
			s.out(ack, 3, 3, "")
			for range 3 {
				s.wait(time.Minute)
				s.out(ack, 2, 3, "")
			}
		}, 0, Unanswered, true, "keep-alives"},
		{"keep-alives live", func(s *script) {
			s.open()
			s.out(ack, 1, 1, "hi")
			s.back(ack, 1, 3, "ho")
			for range 3 {
				s.wait(time.Minute)
				s.out(ack, 2, 3, "")
				s.back(ack, 3, 3, "")
			}
		}, 0, Answered, true, ""},
		{"data is repeated in vain", func(s *script) {
			s.open()
			for range 4 {
				s.out(ack, 1, 1, "hello")
				s.wait(time.Second)
			}
		}, 0, Unanswered, true, "5 bytes (sequence 1) sent 4 times"},
		{"the server's data is repeated in vain", func(s *script) {
			s.open()
			s.out(ack, 1, 1, "hi")
			for range 4 {
				s.back(ack, 1, 3, big)
				s.wait(time.Second)
			}
		}, 0, Unanswered, true, "the server sent 1460 bytes"},
		{"tls is acknowledged and nothing more", func(s *script) {
			s.srv.Port = 443
			s.open()
			s.out(ack, 1, 1, "\x16\x03\x01\x02\x00\x01")
			s.back(ack, 1, 7, "")
		}, 20 * time.Second, Unanswered, true, "nothing was answered"},
		{"tls is answered in http", func(s *script) {
			s.srv.Port = 443
			s.open()
			s.out(ack, 1, 1, "\x16\x03\x01\x02\x00\x01")
			s.back(ack, 1, 7, "HTTP/1.1 400 Bad Request\r\n")
			s.out(ack, 7, 27, "")
		}, 0, Nonsense, true, "the request is tls, the answer is http"},
		{"a protocol that may be silent", func(s *script) { s.srv.Port = 514; s.open(); s.out(ack, 1, 1, "<13>line"); s.back(ack, 1, 9, "") }, time.Minute, Answered, true, ""},
		{"reset in the middle", func(s *script) { s.open(); s.out(ack, 1, 1, "hi"); s.back(rst|ack, 1, 3, "") }, 0, Answered, true, "reset by the server"},
		{"udp", func(s *script) { s.kind, s.srv.Port = capture.UDP, 514; s.out(0, 0, 0, "hi") }, 6 * time.Second, Unanswered, true, "1 packets left"},
		{"the answer to a retry", func(s *script) {
			s.out(syn, 0, 0, "")
			s.wait(100 * time.Millisecond)
			s.cli.Port++
			s.open()
		}, 0, Answered, true, "1 of 2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScript(t, "10.0.0.2")
			test.play(s)
			r := s.result(test.after)
			text := strings.Join(r.Why, "\n")
			if r.Verdict != test.want || r.Proof.Sufficient != test.sufficient || !strings.Contains(text, test.why) {
				t.Errorf("%s (sufficient %v), want %s (%v) with %q", r.Verdict, r.Proof.Sufficient, test.want, test.sufficient, test.why)
			}
		})
	}
}

func TestBackoff(t *testing.T) {
	s := newScript(t, "")
	for _, gap := range []int{0, 1, 2, 4} {
		s.wait(time.Duration(gap)*time.Second - time.Millisecond)
		s.out(syn, 0, 0, "")
	}
	b := s.result(0).Conns[0].Forward.Backoff
	if len(b) != 3 || b[0] != 1 || b[1] != 2 || b[2] != 4 {
		t.Errorf("back-off %v", b)
	}
}

// A capture on all interfaces holds a forwarded packet twice; a sender repeats
// itself with a new IP identification.
func TestCapturedTwice(t *testing.T) {
	s := newScript(t, "")
	p := s.out(syn, 0, 0, "")
	again := *p
	again.TTL--
	again.Time += 20_000
	s.a.Add(&again)
	s.back(syn|ack, 0, 1, "")
	s.out(ack, 1, 1, "")
	h := s.result(0).Conns[0].Forward
	if h.Retransmissions != 0 || h.Duplicates != 1 {
		t.Errorf("%+v", h)
	}
}

func TestZeroWindow(t *testing.T) {
	s := newScript(t, "")
	s.open()
	s.out(ack, 1, 1, "data")
	closed := capture.Packet{Time: s.at + 1e6, Kind: capture.TCP, Src: s.srv, Dst: s.cli, Flags: ack, Seq: 1, Ack: 5}
	s.a.Add(&closed)
	s.wait(3 * time.Second)
	s.back(ack, 1, 5, "")
	h := s.result(0).Conns[0].Backward
	if h.ZeroWindows != 1 || h.ZeroFor < 2.9 || h.ZeroFor > 3.1 {
		t.Errorf("%+v", h)
	}
}

// The same ports again are another connection.
func TestPortsReused(t *testing.T) {
	s := newScript(t, "")
	s.open()
	s.back(rst, 1, 1, "")
	s.out(syn, 7_000_000, 0, "")
	s.back(syn|ack, 9, 7_000_001, "")
	s.out(ack, 7_000_001, 10, "")
	if n := s.result(0).ConnCount; n.Total != 2 || n.Handshakes != 2 || n.Resets != 1 {
		t.Errorf("%+v", n)
	}
}

func TestTrackLimit(t *testing.T) {
	s := newScript(t, "")
	s.a.o.Track = 10
	for range 25 {
		s.cli.Port++
		s.out(syn, 0, 0, "")
	}
	r := s.result(0)
	if r.ConnCount.Total != 10 || r.ConnCount.NotTracked != 15 || !strings.Contains(strings.Join(r.Proof.WeakenedBy, " "), "15 packets") {
		t.Errorf("%+v %v", r.ConnCount, r.Proof.WeakenedBy)
	}
}
