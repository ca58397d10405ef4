package capture

import (
	"bytes"
	"strings"
	"testing"
)

// Single lines in the forms of different versions and options of tcpdump.
func TestTextLines(t *testing.T) {
	tcp := func(p *Packet) bool {
		return p.Kind == TCP && p.Src.String() == "10.0.0.1:40000" && p.Dst.String() == "10.0.0.2:2049" && p.Flags == SYN
	}
	icmp := func(meaning string) func(*Packet) bool {
		return func(p *Packet) bool { return p.Kind == ICMP && p.ICMP.Meaning() == meaning }
	}
	for line, want := range map[string]func(*Packet) bool{
		"12:00:00.000001 IP 10.0.0.1.40000 > 10.0.0.2.2049: Flags [S], seq 9, win 1, length 0":                                                                                                                 tcp,
		"IP 10.0.0.1.40000 > 10.0.0.2.2049: Flags [S], seq 9, win 1, length 0":                                                                                                                                 tcp,
		"1700000000.000001 IP 10.0.0.1.40000 > 10.0.0.2.nfs: Flags [S], seq 9, win 1, length 0":                                                                                                                tcp,
		"2024-01-02 12:00:00.000001 IP 10.0.0.1.40000 > 10.0.0.2.2049: Flags [S], seq 9, win 1, length 0":                                                                                                      tcp,
		" 00:00:00.000001 IP 10.0.0.1.40000 > 10.0.0.2.2049: Flags [S], seq 9, win 1, length 0":                                                                                                                tcp,
		"12:00:00.000001 ens5  Out IP 10.0.0.1.40000 > 10.0.0.2.2049: Flags [S], seq 9, win 1, length 0":                                                                                                       tcp,
		"12:00:00.000001 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 802.1Q (0x8100), length 78: vlan 7, p 0, ethertype IPv4 (0x0800), 10.0.0.1.40000 > 10.0.0.2.2049: Flags [S], seq 9, win 1, length 0": tcp,
		"12:00:00.000001 ens5  Out ifindex 2 02:00:00:00:00:01 ethertype IPv4 (0x0800), length 80: 10.0.0.1.40000 > 10.0.0.2.2049: Flags [S], seq 9, win 1, length 0":                                          tcp,
		"12:00:00.000001 Out 02:00:00:00:00:01 ethertype IPv4 (0x0800), length 76: 10.0.0.1.40000 > 10.0.0.2.2049: Flags [S], seq 9, win 1, length 0":                                                          tcp,
		"12:00:00.1 IP 10.0.0.9 > 10.0.0.1: ICMP 10.0.0.2 tcp port 2049 unreachable, length 68":                                                                                                                icmp("port unreachable"),
		"12:00:00.1 IP 10.0.0.9 > 10.0.0.1: ICMP host 10.0.0.2 unreachable, length 68":                                                                                                                         icmp("host unreachable"),
		"12:00:00.1 IP 10.0.0.9 > 10.0.0.1: ICMP net 10.0.0.2 unreachable, length 68":                                                                                                                          icmp("network unreachable"),
		"12:00:00.1 IP 10.0.0.9 > 10.0.0.1: ICMP host 10.0.0.2 unreachable - admin prohibited, length 68":                                                                                                      icmp("host admin prohibited"),
		"12:00:00.1 IP 10.0.0.9 > 10.0.0.1: ICMP time exceeded in-transit, length 68":                                                                                                                          icmp("time exceeded"),
		"12:00:00.1 IP 10.0.0.9 > 10.0.0.1: ICMP echo request, id 5, seq 6, length 64":                                                                                                                         func(p *Packet) bool { return p.ICMP.EchoRequest() && p.ICMP.ID == 5 && p.ICMP.Seq == 6 },
		"12:00:00.1 IP6 fd00::9 > fd00::1: ICMP6, packet too big, mtu 1280, length 1240":                                                                                                                       func(p *Packet) bool { return p.ICMP.TooBig() && p.ICMP.MTU == 1280 },
		"12:00:00.1 IP6 fd00::9 > fd00::1: ICMP6, destination unreachable, unreachable port, fd00::9 udp port 53, length 90": func(p *Packet) bool {
			return p.ICMP.PortUnreachable() && p.ICMP.QuotedDst.String() == "[fd00::9]:53"
		},
		"12:00:00.1 ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28":                     func(p *Packet) bool { return p.Kind == Neighbour && p.Neighbour.Wanted.String() == "10.0.0.2" },
		"12:00:00.1 ARP, Request who-has 10.0.0.2 (ff:ff:ff:ff:ff:ff) tell 10.0.0.1, length 46": func(p *Packet) bool { return p.Kind == Neighbour && p.Neighbour.Asker.String() == "10.0.0.1" },
		"12:00:00.1 IP 10.0.0.2.2049 > 10.0.0.1.40000: Flags [.], ack 9, win 0, options [nop,nop,sack 2 {10:20}{30:40}], length 0": func(p *Packet) bool {
			return p.SackBlocks == 2 && p.Sack[1] == [2]uint32{30, 40} && p.Window == 0
		},
		"12:00:00.1 IP 10.0.0.1.3456789 > 10.0.0.2.2049: 40 null":          func(p *Packet) bool { return p.RPC != nil && p.RPC.XID == 3456789 && p.RPC.Name == "NULL" },
		"12:00:00.1 IP 10.0.0.2.2049 > 10.0.0.1.3456789: reply ok 24 null": func(p *Packet) bool { return p.RPC != nil && p.RPC.Reply && p.RPC.XID == 3456789 },
		"12:00:00.1 IP 10.0.0.2.53 > 10.0.0.1.999: 77| 0/0/0 (30)":         func(p *Packet) bool { return p.DNS != nil && p.DNS.Truncated && p.DNS.Answers == 0 },
		"12:00:00.1 IP 10.0.0.2.53 > 10.0.0.1.999: 77 Refused- 0/0/0 (30)": func(p *Packet) bool { return p.DNS != nil && p.DNS.Rcode == 5 },
		"12:00:00.1 IP 10.0.0.2.53 > 10.0.0.1.999: 77*- 1/2/3 A 10.9.9.9 (45)": func(p *Packet) bool {
			return p.DNS != nil && p.DNS.Answers == 1 && len(p.DNS.Addrs) == 1
		},
	} {
		packets, c := readAll(t, []byte(line+"\n"))
		if len(packets) != 1 || c.Unparsed != 0 || !want(&packets[0]) {
			t.Errorf("%s:\n%+v", line, packets)
		}
	}
}

// Two processors may stamp packets in another order than that in which they are
// captured: tcpdump -ttt then prints a time before the packet before.
func TestTextDifferences(t *testing.T) {
	const rest = " IP 10.0.0.1.40000 > 10.0.0.2.2049: Flags [S], seq 9, win 1, length 0\n"
	packets, c := readAll(t, []byte(" 00:00:00.000000"+rest+" 00:00:01.000500"+rest+"-00:00:00.000012"+rest))
	if len(packets) != 3 || c.Unparsed != 0 || packets[1].Time-packets[0].Time != 1000500000 || packets[2].Time-packets[1].Time != -12000 {
		t.Errorf("%d lines not understood of %+v", c.Unparsed, packets)
	}
}

// Lines between the packets are counted; a line without end is cut and stated.
func TestTextNoise(t *testing.T) {
	syn := "12:00:00.000001 IP 10.0.0.1.40000 > 10.0.0.2.2049: Flags [S], seq 9, win 1, length 0\n"
	long := strings.Repeat("x", 1<<20) + "\n"
	packets, c := readAll(t, []byte(syn+"some words\n"+long+syn+"\n2 packets captured\n5 packets received by filter\n3 packets dropped by kernel\n"))
	if len(packets) != 2 || c.Unparsed != 2 || c.Damaged != 1 || c.Damage[0].Line != 3 || c.Damage[0].LostBytes != int64(len(long)-maxLine) || *c.Dropped != 3 {
		t.Errorf("%d packets, %+v", len(packets), c)
	}
	_, c = readAll(t, []byte("# tcpdump -nni ens5 -c 100 -s0 'host 10.0.0.2 and port 2049'\n"+syn))
	if c.Filter != "host 10.0.0.2 and port 2049" {
		t.Errorf("filter %q", c.Filter)
	}
	if _, err := NewReader(bytes.NewReader([]byte(long)), "x"); err == nil {
		t.Error("a line of x is no capture")
	}
}
