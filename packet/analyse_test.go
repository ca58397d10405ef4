package packet

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ddx"
	"ddx/capture"
)

var update = flag.Bool("update", false, "rewrite the golden files")

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

// rpc makes a record of a call or of a reply with a status.
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

func TestSilenceBound(t *testing.T) {
	for release, want := range map[string]time.Duration{
		"3.10.0-514.el7.x86_64": OldSilence, "4.4.0-1128-aws": OldSilence, "4.9.0": DefaultSilence, "4.14.67-66.56.amzn1.x86_64": DefaultSilence,
		"6.1.0-56-cloud-amd64": DefaultSilence, "": OldSilence, "odd": OldSilence,
	} {
		if got := SilenceBound(release); got != want {
			t.Errorf("%q: %v, want %v", release, got, want)
		}
	}
}

func TestEvaluate(t *testing.T) {
	to := probe{proto: "tcp", dst: netip.MustParseAddr("10.0.0.2"), port: 2049}
	arp := probe{proto: "arp", dst: to.dst}
	for _, test := range []struct {
		expr string
		p    probe
		want truth
	}{
		{"", to, yes}, {"tcp port 2049", to, yes}, {"port nfs", to, yes}, {"port 80", to, no}, {"udp", to, no}, {"host 10.0.0.2 and port 2049", to, yes},
		{"host 10.0.0.9", to, unknown}, {"dst host 10.0.0.9", to, no}, {"not port 2049", to, no}, {"not port 22", to, yes}, {"! port 22 && tcp", to, yes},
		{"port 80 or port 2049", to, yes}, {"port 80 or 2049", to, yes}, {"(port 80 or port 443) and host 10.0.0.2", to, no}, {"portrange 2000-3000", to, yes},
		{"net 10.0.0.0/24", to, yes}, {"tcp[tcpflags] & tcp-syn != 0", to, unknown}, {"arp", to, no}, {"arp", arp, yes}, {"host 10.0.0.2", arp, yes},
		{"port 2049", arp, no}, {"arp or port 2049", arp, yes}, {"ip", arp, no}, {"((((", to, unknown}, {"greater 100", to, unknown},
	} {
		if got := evaluate(test.expr, test.p); got != test.want {
			t.Errorf("%q for %s: %v, want %v", test.expr, test.p.proto, got, test.want)
		}
	}
}

func FuzzEvaluate(f *testing.F) {
	f.Add("not (host 10.0.0.2 and port 53) or arp")
	f.Fuzz(func(t *testing.T, expr string) {
		evaluate(expr, probe{proto: "tcp", dst: netip.MustParseAddr("10.0.0.2"), port: 53})
	})
}

func TestParseTarget(t *testing.T) {
	for in, want := range map[string]string{
		"10.0.0.1:2049": "10.0.0.1:2049", "10.0.0.1": "10.0.0.1", "[fd00::1]:53": "[fd00::1]:53", "fd00::1": "fd00::1", "[::1]": "::1",
		"Fs-1.EFS.example.:2049": "fs-1.efs.example:2049", "host": "host",
	} {
		got, err := ParseTarget(in)
		if err != nil || got.String() != want {
			t.Errorf("%q: %v %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", ":80", "h:0", "h:70000", "h:nfs", "[::1", "a/b:80"} {
		if got, err := ParseTarget(in); err == nil {
			t.Errorf("%q: %v", in, got)
		}
	}
}

// The texts in testdata are captures as operators paste them; beside each lies
// what is read out of it.
func TestText(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r, err := capture.NewReader(bytes.NewReader(b), filepath.Base(file))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		result := Analyse(r, Options{})
		var got bytes.Buffer
		if err := result.WriteText(&got); err != nil {
			t.Fatal(err)
		}
		for _, f := range Facts(result) {
			line, err := json.Marshal(struct {
				Subject string
				Fields  map[string]any
			}{f.Subject.String(), f.Fields})
			if err != nil {
				t.Fatal(err)
			}
			got.Write(append(line, '\n'))
			declared(t, f)
		}
		golden := strings.TrimSuffix(file, ".txt") + ".golden"
		if *update {
			if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: got\n%s\nwant\n%s", file, &got, want)
		}
	}
}

// declared holds a fact against the vocabulary.
func declared(t *testing.T, f ddx.Fact) {
	t.Helper()
	if err := f.Check(); err != nil {
		t.Error(err)
	}
}

// FuzzAnalyse: any input that can be read gives a result that marshals.
func FuzzAnalyse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil {
			f.Add(b, "10.0.0.2:2049")
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, target string) {
		r, err := capture.NewReader(bytes.NewReader(b), "fuzz")
		if err != nil {
			return
		}
		o := Options{}
		o.Target, _ = ParseTarget(target)
		result := Analyse(r, o)
		if _, err := json.Marshal(result); err != nil {
			t.Fatal(err)
		}
		Facts(result)
	})
}

func FuzzStream(f *testing.F) {
	f.Add(true, []byte(rpcCall(1, 0)+rpcCall(2, 1, 42)), uint8(7))
	f.Add(false, []byte("\x00\x0c123456789012"), uint8(1))
	f.Fuzz(func(t *testing.T, rpc bool, b []byte, step uint8) {
		s := &stream{rpc: rpc, synced: true, final: true}
		heads := 0
		for i, n := 0, int(step)+1; i < len(b); i += n {
			part := b[i:min(len(b), i+n)]
			s.feed(uint32(i), part, len(part), func(head []byte) {
				heads++
				if len(head) > headSize {
					t.Fatalf("a head of %d bytes", len(head))
				}
			})
		}
		if heads > len(b) {
			t.Fatalf("%d messages in %d bytes", heads, len(b))
		}
	})
}
