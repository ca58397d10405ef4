package afpacket

import (
	"encoding/binary"
	"io"
	"net/netip"
	"time"

	"golang.org/x/net/bpf"

	"ddx/capture"
)

// What the kernel's filter looks for: ethertypes and IP protocols.
const (
	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherIPv6 = 0x86dd

	ipICMP   = 1
	ipTCP    = 6
	ipUDP    = 17
	ipICMPv6 = 58
)

// Options bound a live capture. It ends with the context, the duration or
// the size, whichever comes first.
type Options struct {
	Namespace string       // a pid, or the path of a network namespace; empty: this process's
	Interface string       // empty: all
	Hosts     []netip.Addr // only packets of these hosts; none: of any
	Port      uint16       // only packets of this port; 0: of any
	DNS       bool         // also packets of port 53, of any host
	Duration  time.Duration
	MaxBytes  int64     // of captured packets; 0 means 64 MiB
	Snaplen   int       // bytes kept of each packet; 0 means 1024
	Output    io.Writer // receives the capture as pcap; may be nil
	Started   func()    // called when the socket captures; may be nil
}

const (
	defaultMaxBytes = 64 << 20
	defaultSnaplen  = 1024
	sll2Header      = 20
)

// Filter is the kernel's part of the selection, for a socket that sees packets
// from the network header on: packets of the hosts and the port; ICMP errors,
// ARP and neighbour discovery of anyone, which tell why there are none.
func (o *Options) Filter() []bpf.Instruction {
	snap := uint32(o.Snaplen)
	if snap == 0 {
		snap = defaultSnaplen
	}
	accept := []bpf.Instruction{bpf.RetConstant{Val: snap}}
	var prog []bpf.Instruction
	add := func(parts ...[]bpf.Instruction) {
		for _, p := range parts {
			prog = append(prog, p...)
		}
	}
	ether := bpf.LoadExtension{Num: bpf.ExtProto}
	add(when(ether, []uint32{etherARP}, accept))
	add(when(ether, []uint32{etherIPv4}, o.filterIPv4(accept)))
	add(when(ether, []uint32{etherIPv6}, o.filterIPv6(accept)))
	return append(prog, bpf.RetConstant{Val: 0})
}

// when runs then if the loaded value is one of the list, and else goes on
// behind it. More than 250 values do not fit into a jump.
func when(load bpf.Instruction, values []uint32, then []bpf.Instruction) []bpf.Instruction {
	out := []bpf.Instruction{load}
	for i, v := range values {
		out = append(out, bpf.JumpIf{Cond: bpf.JumpEqual, Val: v, SkipTrue: uint8(len(values) - i)})
	}
	out = append(out, bpf.Jump{Skip: uint32(len(then))})
	return append(out, then...)
}

func join(parts ...[]bpf.Instruction) []bpf.Instruction {
	var out []bpf.Instruction
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

var reject = []bpf.Instruction{bpf.RetConstant{Val: 0}}

func (o *Options) filterIPv4(accept []bpf.Instruction) []bpf.Instruction {
	var hosts []uint32
	for _, a := range o.Hosts {
		if a = a.Unmap(); a.Is4() {
			b := a.As4()
			hosts = append(hosts, binary.BigEndian.Uint32(b[:]))
		}
	}
	ofHost := func(then []bpf.Instruction) []bpf.Instruction {
		if len(o.Hosts) == 0 {
			return then
		}
		if len(hosts) == 0 {
			return nil
		}
		return join(when(bpf.LoadAbsolute{Off: 12, Size: 4}, hosts, then), when(bpf.LoadAbsolute{Off: 16, Size: 4}, hosts, then))
	}
	// X becomes the length of the IP header; it survives the loads of A.
	port := func(off uint32) bpf.Instruction { return bpf.LoadIndirect{Off: off, Size: 2} }
	icmp := []bpf.Instruction{bpf.LoadMemShift{Off: 0}}
	kind := bpf.LoadIndirect{Off: 0, Size: 1}
	icmp = append(icmp, when(kind, []uint32{3, 4, 5, 11, 12}, accept)...)
	if o.Port == 0 {
		icmp = append(icmp, when(kind, []uint32{0, 8}, ofHost(accept))...)
	}
	ported := join(o.ports(port, ofHost, accept), reject)
	later := append([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 6, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: 0x1fff, SkipTrue: 0, SkipFalse: 1},
		bpf.Jump{Skip: uint32(len(ofHost(accept)) + 1)},
	}, join(ofHost(accept), reject)...)
	return join(
		when(bpf.LoadAbsolute{Off: 9, Size: 1}, []uint32{ipICMP}, join(icmp, reject)),
		when(bpf.LoadAbsolute{Off: 9, Size: 1}, []uint32{ipTCP, ipUDP}, join(later, []bpf.Instruction{bpf.LoadMemShift{Off: 0}}, ported)),
		reject,
	)
}

// ports accepts the port of the hosts, and DNS of anyone if it is wanted.
func (o *Options) ports(port func(uint32) bpf.Instruction, ofHost func([]bpf.Instruction) []bpf.Instruction, accept []bpf.Instruction) []bpf.Instruction {
	of := func(n uint16, then []bpf.Instruction) []bpf.Instruction {
		return join(when(port(0), []uint32{uint32(n)}, then), when(port(2), []uint32{uint32(n)}, then))
	}
	var out []bpf.Instruction
	if o.Port == 0 {
		out = ofHost(accept)
	} else {
		out = of(o.Port, ofHost(accept))
	}
	if o.DNS {
		out = join(out, of(53, accept))
	}
	return out
}

func (o *Options) filterIPv6(accept []bpf.Instruction) []bpf.Instruction {
	ofHost := func(then []bpf.Instruction) []bpf.Instruction {
		if len(o.Hosts) == 0 {
			return then
		}
		var out []bpf.Instruction
		for _, a := range o.Hosts {
			if a = a.Unmap(); !a.Is6() {
				continue
			}
			b := a.As16()
			for _, off := range []uint32{8, 24} {
				match := then
				for word := uint32(12); ; word -= 4 {
					match = when(bpf.LoadAbsolute{Off: off + word, Size: 4}, []uint32{binary.BigEndian.Uint32(b[word:])}, match)
					if word == 0 {
						break
					}
				}
				out = append(out, match...)
			}
		}
		return out
	}
	port := func(off uint32) bpf.Instruction { return bpf.LoadAbsolute{Off: 40 + off, Size: 2} }
	next, kind := bpf.LoadAbsolute{Off: 6, Size: 1}, bpf.LoadAbsolute{Off: 40, Size: 1}
	icmp := when(kind, []uint32{1, 2, 3, 4, 135, 136}, accept)
	if o.Port == 0 {
		icmp = join(icmp, when(kind, []uint32{128, 129}, ofHost(accept)))
	}
	return join(
		when(next, []uint32{ipICMPv6}, join(icmp, reject)),
		when(next, []uint32{ipTCP, ipUDP}, join(o.ports(port, ofHost, accept), reject)),
		// Behind extension headers the kernel's filter cannot look for ports.
		when(next, []uint32{0, 43, 44, 51, 60}, join(ofHost(accept), reject)),
		reject,
	)
}

// pcapWriter writes nanosecond pcap of Linux cooked frames.
type pcapWriter struct {
	w   io.Writer
	buf []byte
}

func newPcapWriter(w io.Writer, snaplen int) (*pcapWriter, error) {
	h := make([]byte, 24)
	le := binary.LittleEndian
	le.PutUint32(h, 0xa1b23c4d)
	le.PutUint16(h[4:], 2)
	le.PutUint16(h[6:], 4)
	le.PutUint32(h[16:], uint32(snaplen+sll2Header))
	le.PutUint32(h[20:], uint32(capture.LinkSLL2))
	_, err := w.Write(h)
	return &pcapWriter{w: w}, err
}

func (p *pcapWriter) write(at int64, length int, frame []byte) error {
	le := binary.LittleEndian
	p.buf = p.buf[:0]
	p.buf = le.AppendUint32(p.buf, uint32(at/1e9))
	p.buf = le.AppendUint32(p.buf, uint32(at%1e9))
	p.buf = le.AppendUint32(p.buf, uint32(len(frame)))
	p.buf = le.AppendUint32(p.buf, uint32(length))
	p.buf = append(p.buf, frame...)
	_, err := p.w.Write(p.buf)
	return err
}
