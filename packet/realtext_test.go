package packet_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"ddx/capture"
	"ddx/packet"
)

// dnsAnswer answers by the first label of the name: good, empty, missing,
// broken, other (another id), strange (another name); silent gets none.
func dnsAnswer(q []byte) []byte {
	if len(q) < 17 {
		return nil
	}
	label := string(q[13 : 13+int(q[12])])
	a := bytes.Clone(q)
	a[2], a[3] = 0x81, 0x80
	switch label {
	case "good":
		a[7] = 1
		a = append(a, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 77, 2, 2)
	case "empty":
	case "missing":
		a[3] |= 3
	case "broken":
		a[3] |= 2
	case "other":
		a[0] ^= 0xff
	case "strange":
		copy(a[13:], "wrongly")
	default:
		return nil
	}
	return a
}

// dnsQuestion asks for an address record of LABEL.example.
func dnsQuestion(id uint16, label string) []byte {
	q := binary.BigEndian.AppendUint16(nil, id)
	q = append(q, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, byte(len(label)))
	q = append(append(q, label...), 7)
	return append(append(q, "example"...), 0, 0, 1, 0, 1)
}

func (l *lab) ask(t *testing.T, id uint16, label string) {
	t.Helper()
	c, err := l.dial(l.client, "udp", serverIP+":53", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write(dnsQuestion(id, label))
	c.SetReadDeadline(time.Now().Add(time.Second / 2))
	c.Read(make([]byte, 512))
}

func TestRealDNS(t *testing.T) {
	l := newLab(t)
	l.listenUDP(l.server, ":53", dnsAnswer)
	stop := l.tcpdump(l.client, "c0", "-s", "200")
	for i, label := range []string{"good", "empty", "missing", "broken", "silent", "other", "strange"} {
		l.ask(t, uint16(1000+i), label)
	}
	file := stop()
	late := func(o *packet.Options) { o.Start = time.Unix(0, 0); o.End = time.Now().Add(10 * time.Second) }
	r := analyse(t, file, serverIP+":53", late)
	verdict(t, r, packet.Unanswered, true)
	names := func(qs []packet.DNSQuestion) (s []string) {
		for _, q := range qs {
			s = append(s, q.Name)
		}
		return s
	}
	d := r.DNS
	if d.Questions != 7 || !slices.Equal(names(d.NoData), []string{"empty.example"}) || !slices.Equal(names(d.Failed), []string{"missing.example", "broken.example"}) ||
		!slices.Contains(names(d.Unanswered), "silent.example") || d.Rcodes["NXDOMAIN"] != 1 || d.Rcodes["SERVFAIL"] != 1 || len(d.Problems) != 2 {
		t.Errorf("%+v", d)
	}
	if n := frames(t, file, "dns.flags.rcode == 3"); n != d.Rcodes["NXDOMAIN"] {
		t.Errorf("tshark has %d NXDOMAIN", n)
	}
	// The name is looked for by what the capture's own answers say of it.
	r = analyse(t, file, "good.example:2049", nil)
	if !slices.Equal(r.Target.Addresses, []string{serverIP}) || r.Verdict != packet.NeverLeft {
		t.Errorf("%s %v", r.Verdict, r.Target)
	}
	r = analyse(t, file, "empty.example:2049", nil)
	if r.Verdict != packet.NeverLeft || !strings.Contains(strings.Join(r.Why, "\n"), "NOERROR and no address") {
		t.Errorf("%s %v", r.Verdict, r.Why)
	}
}

// What tcpdump prints of a capture, in any of its forms, must give the same
// answers as the capture itself.
func TestRealText(t *testing.T) {
	l := mtuLab(t)
	l.listen(l.server, ":80", echo)
	l.listenUDP(l.server, ":53", dnsAnswer)
	l.rule(l.server, "input", "tcp dport 2049 drop")
	l.rule(l.client, "input", "icmp type destination-unreachable icmp code frag-needed drop")
	stop := l.tcpdump(l.client, "c0")
	for i, label := range []string{"good", "empty", "missing", "broken", "silent"} {
		l.ask(t, uint16(1000+i), label)
	}
	c, err := l.dial(l.client, "tcp", serverIP+":80", 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	b := []byte("hello")
	c.Write(b)
	io.ReadFull(c, b)
	c.Close()
	l.dial(l.client, "tcp", serverIP+":81", time.Second)     // refused
	l.dial(l.client, "tcp", serverIP+":2049", time.Second*3) // filtered
	l.dial(l.client, "tcp", nobodyIP+":2049", time.Second*4) // nobody there
	if l.push(t, 3*time.Second) {
		t.Fatal("the path carries more than it should")
	}
	file := stop()
	summary := func(r *packet.Result) string {
		s := ""
		slices.SortFunc(r.Conns, func(a, b packet.Connection) int { return strings.Compare(a.Server+a.Client, b.Server+b.Client) })
		for _, c := range r.Conns {
			s += fmt.Sprintf("%s %s %s %s %s %d %d %d\n", c.Protocol, c.Server, c.Verdict, c.Handshake, c.End, c.Forward.Packets, c.Backward.Packets, c.Forward.Retransmissions)
		}
		for _, m := range r.MTU {
			s += fmt.Sprintf("mtu %s %s %d %v\n", m.State, m.Certainty, m.MTU, m.Ignored)
		}
		for _, n := range r.Neighbour {
			s += fmt.Sprintf("neighbour %s %d\n", n.Wanted, n.Requests)
		}
		d := r.DNS
		return s + fmt.Sprintf("dns %d %d %d %v %d %d", d.Questions, d.Answers, len(d.Unanswered), d.Rcodes, len(d.NoData), len(d.Failed))
	}
	want := summary(analyse(t, file, "", nil))
	t.Log(want)
	for _, flags := range []string{"-n", "-nv", "-ne", "-ntttt", "-ntt", "-nvvve", "-nnS", "-nttt", "-n -tttt -vv -e", "-n -q"} {
		out, err := exec.Command("tcpdump", append(strings.Fields(flags), "-r", file)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		r, err := capture.NewReader(bytes.NewReader(out), "text "+flags)
		if err != nil {
			t.Errorf("%s: %v\n%.2000s", flags, err, out)
			continue
		}
		result := packet.Analyse(r, packet.Options{})
		if flags == "-n -q" { // tcpdump says no more than addresses and lengths
			continue
		}
		if got := summary(result); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s\n%.3000s", flags, got, want, out)
		}
		if result.Capture.Unparsed != 0 {
			t.Errorf("%s: %d lines were not understood", flags, result.Capture.Unparsed)
		}
	}
}
