package afpacket

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"ddx/capture"
)

// The ring the kernel writes into: 16 MiB. A block is handed over when it is
// full or 50 ms old.
const (
	ringBlock   = 1 << 18
	ringBlocks  = 64
	ringFrame   = 1 << 11
	ringRetire  = 50
	pollTimeout = 100 * time.Millisecond
)

// Capture captures from an AF_PACKET socket (TPACKET_V3) and calls each for every
// packet, which is valid until each returns. From and To of what it returns are when the
// capture began and ended, and Dropped is the kernel's own count. It needs
// CAP_NET_RAW, and CAP_SYS_ADMIN to enter another network namespace.
func Capture(ctx context.Context, o Options, each func(*capture.Packet)) (capture.Capture, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.Snaplen == 0 {
		o.Snaplen = defaultSnaplen
	}
	if len(o.Hosts) > 64 {
		return capture.Capture{}, fmt.Errorf("live capture of %d hosts: 64 fit into the kernel's filter; name fewer", len(o.Hosts))
	}
	if o.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Duration)
		defer cancel()
	}
	l := &live{o: o, each: each}
	l.about = capture.Capture{File: "live", Format: "live", Interfaces: []capture.Interface{{Name: o.Interface, Link: capture.LinkSLL2.String(), Snaplen: uint32(o.Snaplen)}}}
	if err := inNamespace(o.Namespace, l.open); err != nil {
		return capture.Capture{}, fmt.Errorf("live capture: %w", err)
	}
	defer unix.Close(l.fd)
	defer unix.Munmap(l.ring)
	return l.run(ctx)
}

type live struct {
	o     Options
	each  func(*capture.Packet)
	fd    int
	ring  []byte
	out   *pcapWriter
	about capture.Capture
	kept  int64
	frame []byte
	drops uint64
}

// inNamespace runs f on a thread that belongs to the network namespace. The
// thread ends with it, so that no other goroutine finds itself there.
func inNamespace(name string, f func() error) error {
	if name == "" {
		return f()
	}
	path := name
	if _, err := strconv.Atoi(name); err == nil {
		path = filepath.Join("/proc", name, "ns/net")
	}
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		ns, err := os.Open(path)
		if err != nil {
			done <- fmt.Errorf("network namespace: %w; give a pid or a path such as /run/netns/NAME", err)
			return
		}
		defer ns.Close()
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("enter network namespace %s: %w; it needs CAP_SYS_ADMIN", path, err)
			return
		}
		done <- f()
	}()
	return <-done
}

// open makes the socket. The filter stands before the socket is bound, so that
// no packet passes it unfiltered.
func (l *live) open() (err error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("packet socket: %w; it needs CAP_NET_RAW", err)
	}
	defer func() {
		if err != nil {
			unix.Close(fd)
		}
	}()
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("packet socket: TPACKET_V3: %w; it needs Linux 3.2", err)
	}
	raw, err := bpf.Assemble(l.o.Filter())
	if err != nil {
		return fmt.Errorf("assemble filter: %w", err)
	}
	prog := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		prog[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}); err != nil {
		return fmt.Errorf("attach filter of %d instructions: %w", len(prog), err)
	}
	if err := unix.SetsockoptTpacketReq3(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &unix.TpacketReq3{
		Block_size: ringBlock, Block_nr: ringBlocks, Frame_size: ringFrame,
		Frame_nr: ringBlock / ringFrame * ringBlocks, Retire_blk_tov: ringRetire,
	}); err != nil {
		return fmt.Errorf("packet ring of %d MiB: %w", ringBlock*ringBlocks>>20, err)
	}
	ring, err := unix.Mmap(fd, 0, ringBlock*ringBlocks, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map packet ring: %w", err)
	}
	addr := &unix.SockaddrLinklayer{Protocol: binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL})}
	if l.o.Interface != "" {
		i, err := net.InterfaceByName(l.o.Interface)
		if err != nil {
			unix.Munmap(ring)
			return fmt.Errorf("interface %s: %w; see ip link in that namespace", l.o.Interface, err)
		}
		addr.Ifindex = i.Index
	}
	if err := unix.Bind(fd, addr); err != nil {
		unix.Munmap(ring)
		return fmt.Errorf("bind packet socket: %w", err)
	}
	l.fd, l.ring = fd, ring
	return nil
}

func (l *live) run(ctx context.Context) (capture.Capture, error) {
	l.about.From = time.Now().UTC()
	if l.o.Output != nil {
		var err error
		if l.out, err = newPcapWriter(l.o.Output, l.o.Snaplen); err != nil {
			return l.about, fmt.Errorf("live capture: write: %w", err)
		}
	}
	if l.o.Started != nil {
		l.o.Started()
	}
	err := l.loop(ctx)
	l.about.To = time.Now().UTC()
	l.count()
	l.about.Dropped = &l.drops
	l.about.Damage = []capture.Damage{}
	return l.about, err
}

// errFull ends the loop at the size limit.
var errFull = errors.New("size limit")

func (l *live) loop(ctx context.Context) error {
	var end time.Time
	for block := 0; ; {
		b := l.ring[block*ringBlock : (block+1)*ringBlock]
		// struct tpacket_block_desc: version, offset to private, then the
		// header: status, packets, offset to the first packet.
		h := (*unix.TpacketHdrV1)(unsafe.Pointer(&b[8]))
		if loadStatus(&h.Block_status)&unix.TP_STATUS_USER == 0 {
			// After the end one more look: what the kernel saw before is in
			// blocks that it hands over within the retire time.
			ended := ctx.Err() != nil
			wait := pollTimeout
			if ended {
				wait = 2 * ringRetire * time.Millisecond
			}
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLIN | unix.POLLERR}}, int(wait.Milliseconds()))
			if err != nil && err != unix.EINTR {
				return fmt.Errorf("live capture: poll: %w", err)
			}
			if ended && n == 0 {
				return nil
			}
			continue
		}
		err := l.block(b, h)
		storeStatus(&h.Block_status, unix.TP_STATUS_KERNEL)
		if err == errFull {
			return nil
		}
		if err != nil {
			return err
		}
		block = (block + 1) % ringBlocks
		if ctx.Err() != nil && end.IsZero() {
			end = time.Now()
		}
		if !end.IsZero() && time.Since(end) > time.Second {
			return nil // a flood keeps the blocks coming
		}
	}
}

func (l *live) block(b []byte, h *unix.TpacketHdrV1) error {
	off := int(h.Offset_to_first_pkt)
	for range h.Num_pkts {
		p := (*unix.Tpacket3Hdr)(unsafe.Pointer(&b[off]))
		// struct sockaddr_ll follows the aligned header.
		from := b[off+unix.SizeofTpacket3Hdr:]
		data := b[off+int(p.Mac) : off+int(p.Mac)+int(p.Snaplen)]
		if err := l.take(int64(p.Sec)*1e9+int64(p.Nsec), from, data, int(p.Len)); err != nil {
			return err
		}
		off += int(p.Next_offset)
	}
	return nil
}

// take makes a Linux cooked frame (version 2) of a packet and the sockaddr_ll
// that came with it.
func (l *live) take(at int64, from, data []byte, length int) error {
	const loopback, outgoing = 772, 4
	kind, packetType := binary.NativeEndian.Uint16(from[8:]), from[10]
	if kind == loopback && packetType == outgoing {
		return nil // it comes in again
	}
	f := l.frame[:0]
	f = append(f, from[2], from[3], 0, 0) // protocol, in network order
	f = binary.BigEndian.AppendUint32(f, binary.NativeEndian.Uint32(from[4:]))
	f = binary.BigEndian.AppendUint16(f, kind)
	f = append(f, packetType, from[11])
	f = append(f, from[12:20]...)
	f = append(f, data...)
	l.frame = f
	length += sll2Header
	if l.out != nil {
		if err := l.out.write(at, length, f); err != nil {
			return fmt.Errorf("live capture: write: %w", err)
		}
	}
	l.about.Packets++
	l.about.Bytes += int64(length)
	p := capture.Packet{Time: at, Length: length, Interface: int(binary.NativeEndian.Uint32(from[4:]))}
	switch err := capture.Decode(capture.LinkSLL2, f, &p); {
	case err == nil || errors.Is(err, capture.ErrLength) && p.Kind != capture.Other:
		l.each(&p)
	case errors.Is(err, capture.ErrShort) && len(f) < length:
		l.about.Cut++
	default:
		l.about.Undecoded++
	}
	if l.kept += int64(len(f)); l.kept >= l.o.MaxBytes {
		return errFull
	}
	return nil
}

// count adds the kernel's drop count, which reading resets.
func (l *live) count() {
	if s, err := unix.GetsockoptTpacketStatsV3(l.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
		l.drops += uint64(s.Drops)
	}
}
