package packet_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ddx/afpacket"
	"ddx/capture"
	"ddx/packet"
)

// live captures in the client's namespace while act runs.
func (l *lab) live(t *testing.T, target string, o afpacket.Options, act func()) *packet.Result {
	t.Helper()
	tgt, err := packet.ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	started := make(chan bool)
	o.Started = func() { close(started) }
	if o.Namespace == "" {
		o.Namespace = "/run/netns/" + l.client
	}
	type outcome struct {
		r   *packet.Result
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		r, err := packet.Live(ctx, o, packet.Options{Target: tgt})
		done <- outcome{r, err}
	}()
	select {
	case <-started:
	case out := <-done:
		t.Fatalf("live: %v", out.err)
	}
	act()
	cancel()
	out := <-done
	if out.err != nil {
		t.Fatal(out.err)
	}
	var text bytes.Buffer
	out.r.WriteText(&text)
	t.Log(text.String())
	return out.r
}

func TestLive(t *testing.T) {
	l := newLab(t)
	l.listen(l.server, ":2049", echo)
	l.listen(l.server, ":80", echo)
	for _, iface := range []string{"", "c0"} {
		var file bytes.Buffer
		r := l.live(t, serverIP+":2049", afpacket.Options{Interface: iface, Output: &file}, func() {
			for _, port := range []string{":2049", ":80"} {
				c, err := l.dial(l.client, "tcp", serverIP+port, 5*time.Second)
				if err != nil {
					t.Fatal(err)
				}
				b := []byte("hello")
				c.Write(b)
				io.ReadFull(c, b)
				c.Close()
			}
		})
		verdict(t, r, packet.Answered, true)
		if r.ConnCount.Handshakes != 1 || r.Capture.Dropped == nil || *r.Capture.Dropped != 0 || r.Proof.CoveredBy != "live" {
			t.Errorf("%+v %+v", r.ConnCount, r.Capture)
		}
		// What was written reads back as what was seen.
		name := filepath.Join(t.TempDir(), "live.pcap")
		if err := os.WriteFile(name, file.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		again := analyse(t, name, serverIP+":2049", nil)
		if again.Matched != r.Matched || again.Matched == 0 || again.Capture.Packets != r.Capture.Packets {
			t.Errorf("the file holds %d packets (%d matched), seen were %d (%d)", again.Capture.Packets, again.Matched, r.Capture.Packets, r.Matched)
		}
		if n := frames(t, name, "tcp.port == 2049"); int64(n) != r.Matched {
			t.Errorf("tshark reads %d packets of the port, %d were seen", n, r.Matched)
		}
		if n := frames(t, name, "tcp.port == 80"); n != 0 {
			t.Errorf("%d packets of another port passed the filter", n)
		}
	}
}

func TestLiveNeighbour(t *testing.T) {
	l := newLab(t)
	r := l.live(t, nobodyIP+":2049", afpacket.Options{}, func() {
		if c, err := l.dial(l.client, "tcp", nobodyIP+":2049", 5*time.Second); err == nil {
			c.Close()
		}
	})
	verdict(t, r, packet.NeverLeft, true)
}

func TestLiveICMP(t *testing.T) {
	l := newLab(t)
	l.rule(l.router, "forward", "tcp dport 2049 reject with icmp type host-unreachable")
	r := l.live(t, serverIP+":2049", afpacket.Options{}, func() {
		if c, err := l.dial(l.client, "tcp", serverIP+":2049", 2*time.Second); err == nil {
			c.Close()
		}
	})
	if r.Verdict != packet.Unanswered || len(r.ICMP) != 1 || r.ICMP[0].Meaning != "host unreachable" {
		t.Errorf("%s %+v", r.Verdict, r.ICMP)
	}
}

// The kernel's filter for IPv6: the port of the host, neighbour discovery and
// ICMP errors pass, other ports do not.
func TestLiveIPv6(t *testing.T) {
	l := newLab(t)
	l.run("ip", "-n", l.client, "addr", "add", "fd77::2/64", "dev", "c0", "nodad")
	l.run("ip", "-n", l.router, "addr", "add", "fd77::1/64", "dev", "r0", "nodad")
	l.listen(l.router, "[::]:2049", echo)
	l.listen(l.router, "[::]:80", echo)
	talk := func(addr string) {
		c, err := l.dial(l.client, "tcp", addr, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		b := []byte("hello")
		c.Write(b)
		io.ReadFull(c, b)
	}
	var file bytes.Buffer
	r := l.live(t, "[fd77::1]:2049", afpacket.Options{Output: &file}, func() { talk("[fd77::1]:2049"); talk("[fd77::1]:80") })
	verdict(t, r, packet.Answered, true)
	if r.ConnCount.Handshakes != 1 {
		t.Errorf("%+v", r.ConnCount)
	}
	name := filepath.Join(t.TempDir(), "six.pcap")
	if err := os.WriteFile(name, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if n := frames(t, name, "tcp.port == 80"); n != 0 {
		t.Errorf("%d packets of another port passed the filter", n)
	}
	if n := frames(t, name, "tcp.port == 2049"); int64(n) != r.Matched {
		t.Errorf("tshark reads %d packets, %d were matched", n, r.Matched)
	}
	r = l.live(t, "[fd77::99]:2049", afpacket.Options{}, func() {
		if c, err := l.dial(l.client, "tcp", "[fd77::99]:2049", 5*time.Second); err == nil {
			c.Close()
		}
	})
	verdict(t, r, packet.NeverLeft, true)
}

// The size limit ends a capture by itself.
func TestLiveSizeLimit(t *testing.T) {
	l := newLab(t)
	l.listen(l.server, ":2049", echo)
	var written bytes.Buffer
	r := l.live(t, serverIP+":2049", afpacket.Options{MaxBytes: 4000, Snaplen: 300, Output: &written}, func() {
		c, err := l.dial(l.client, "tcp", serverIP+":2049", 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		b := make([]byte, 1000)
		for range 50 {
			c.Write(b)
			io.ReadFull(c, b)
		}
	})
	if written.Len() < 4000 || written.Len() > 8000 || r.Capture.Packets > 60 {
		t.Errorf("%d bytes written, %d packets", written.Len(), r.Capture.Packets)
	}
}

// More packets than the ring holds: the kernel's count of drops is exact.
func TestLiveDropCount(t *testing.T) {
	l := newLab(t)
	// No ARP and no neighbour discovery: every packet is one of the test's.
	for ns, dev := range map[string]string{l.client: "c0", l.router: "r0"} {
		l.run("ip", "netns", "exec", ns, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6")
		l.run("ip", "-n", ns, "link", "set", dev, "arp", "off")
	}
	stuck := make(chan bool)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	started, done := make(chan bool), make(chan bool)
	var about capture.Capture
	var err error
	go func() {
		defer close(done)
		o := afpacket.Options{
			Namespace: "/run/netns/" + l.client, Interface: "c0", Snaplen: 1500, Port: 9999,
			Hosts: []netip.Addr{netip.MustParseAddr("10.77.1.1")}, Started: func() { close(started) }, MaxBytes: 1 << 30,
		}
		about, err = afpacket.Capture(ctx, o, func(p *capture.Packet) { <-stuck })
	}()
	select {
	case <-started:
	case <-done:
		t.Fatal(err)
	}
	l.rule(l.router, "input", "udp dport 9999 drop") // so that nobody answers
	c, dialErr := l.dial(l.client, "udp", "10.77.1.1:9999", time.Second)
	if dialErr != nil {
		t.Fatal(dialErr)
	}
	defer c.Close()
	const sent = 30_000
	b := make([]byte, 1200)
	for i := range sent {
		if _, err := c.Write(b); err != nil {
			t.Fatal(fmt.Errorf("datagram %d: %w", i, err))
		}
	}
	close(stuck)
	cancel()
	<-done
	if err != nil {
		t.Fatal(err)
	}
	if about.Dropped == nil || *about.Dropped == 0 || uint64(about.Packets)+*about.Dropped != sent {
		t.Errorf("%d packets and %d dropped, %d were sent", about.Packets, *about.Dropped, sent)
	}
	t.Logf("%d packets, %d dropped, %d sent", about.Packets, *about.Dropped, sent)
}

func TestLiveErrors(t *testing.T) {
	needs(t, "ip")
	for _, o := range []afpacket.Options{{Namespace: "/run/netns/does-not-exist"}, {Interface: "nosuch0"}} {
		if _, err := afpacket.Capture(context.Background(), o, func(*capture.Packet) {}); err == nil {
			t.Errorf("%+v captures", o)
		} else {
			t.Log(err)
		}
	}
}
