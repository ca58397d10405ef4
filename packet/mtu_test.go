package packet

import (
	"strings"
	"testing"
	"time"

	"ddx/capture"
)

// Whether a loss depends on the size of the packets.
func TestPathMTU(t *testing.T) {
	big := strings.Repeat("x", 1460)
	repeat := func(s *script) {
		for range 4 {
			s.wait(time.Second)
			s.out(ack, 4, 1, big)
		}
	}
	start := func(s *script) {
		s.open()
		s.out(ack, 1, 1, "abc")
		s.back(ack, 1, 4, "")
	}
	for _, test := range []struct {
		name      string
		play      func(*script)
		certainty string // "" for no path MTU trouble
	}{
		{"the tail arrives", func(s *script) {
			start(s)
			s.out(ack, 4, 1, big)
			s.out(ack, 1464, 1, "tail")
			s.back(ack, 1, 4, "") // a duplicate: something behind the hole came
			repeat(s)
		}, "likely"},
		{"the tail is lost too", func(s *script) {
			start(s)
			s.out(ack, 4, 1, big)
			s.out(ack, 1464, 1, "tail")
			repeat(s)
			s.out(ack, 1464, 1, "tail")
		}, ""},
		{"nothing is heard any more", func(s *script) {
			start(s)
			s.out(ack, 4, 1, big)
			repeat(s)
		}, "possible"},
		{"the server talks on, and hears nothing", func(s *script) {
			start(s)
			s.out(ack, 4, 1, big)
			s.back(ack, 1, 4, "more")
			repeat(s)
			s.back(ack, 1, 4, "more")
		}, "possible"},
		{"as large a packet arrived before", func(s *script) {
			start(s)
			s.out(ack, 4, 1, big)
			s.back(ack, 1, 1464, "")
			for range 4 {
				s.wait(time.Second)
				s.out(ack, 1464, 1, big)
			}
		}, ""},
		{"the router says so and is not heard", func(s *script) {
			start(s)
			s.out(ack, 4, 1, big)
			for range 3 {
				s.a.Add(&capture.Packet{Time: s.at, Kind: capture.ICMP, Src: capture.Endpoint{Host: capture.ParseHost("10.0.0.254")}, Dst: s.cli,
					ICMP: capture.ICMPMessage{Type: 3, Code: 4, MTU: 1400, Quoted: capture.TCP, QuotedSrc: s.cli, QuotedDst: s.srv}})
				s.wait(time.Second)
				s.out(ack, 4, 1, big)
			}
		}, "certain"},
	} {
		s := newScript(t, "")
		test.play(s)
		r := s.result(0)
		got := ""
		if len(r.MTU) > 0 && r.MTU[0].State == "black hole" {
			got = r.MTU[0].Certainty
		}
		if got != test.certainty {
			t.Errorf("%s: %q, want %q: %+v", test.name, got, test.certainty, r.MTU)
		}
	}
}
