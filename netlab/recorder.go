//go:build linux

package netlab

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// RecorderFormat is the header of the recorder's files.
const RecorderFormat = "version interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags flow-direction"

// Recorder writes flow records of what passes an interface of the fabric, as a
// flow log of the host behind it would have them.
type Recorder struct {
	fd       int
	eni      string
	interval time.Duration
	w        *bufio.Writer

	mu        sync.Mutex
	changed   *sync.Cond
	flows     map[flow]*tally
	intervals int
	packets   map[string]uint64 // by direction
	err       error
	done      chan struct{}
	reading   sync.WaitGroup
	writing   sync.WaitGroup
}

type flow struct {
	src, dst     netip.Addr
	sport, dport uint16
	proto        uint8
	ingress      bool
}

type tally struct {
	packets, bytes uint64
	start, end     time.Time
	flags          uint8
}

// Record begins to record at an interface of the fabric for the host whose
// packets arrive from outside there: what comes in by it is ingress of that
// host, what goes out is egress. Records are written to w at every multiple of
// the interval. It ends with the test, or by Stop.
func (l *Lab) Record(iface, eni string, interval time.Duration, w io.Writer) *Recorder {
	l.t.Helper()
	r := &Recorder{eni: eni, interval: interval, w: bufio.NewWriter(w), flows: map[flow]*tally{}, packets: map[string]uint64{}, done: make(chan struct{})}
	r.changed = sync.NewCond(&r.mu)
	err := In(l.Fabric, func() error {
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, int(htons(unix.ETH_P_ALL)))
		if err != nil {
			return fmt.Errorf("open packet socket: %w", err)
		}
		index, err := ifIndex(fd, iface)
		if err == nil {
			err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: index})
		}
		if err == nil {
			err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000})
		}
		r.fd = fd
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	fmt.Fprintln(r.w, RecorderFormat)
	r.reading.Go(r.read)
	r.writing.Go(r.write)
	l.t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			l.t.Error(err)
		}
	})
	return r
}

func htons(v uint16) uint16 { return v<<8 | v>>8 }

func ifIndex(fd int, name string) (int, error) {
	req, err := unix.NewIfreq(name)
	if err != nil {
		return 0, err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, req); err != nil {
		return 0, fmt.Errorf("find interface %s: %w", name, err)
	}
	return int(req.Uint32()), nil
}

func (r *Recorder) read() {
	buf := make([]byte, 64<<10)
	for {
		select {
		case <-r.done:
			return
		default:
		}
		n, from, err := unix.Recvfrom(r.fd, buf, 0)
		if err != nil {
			if err == unix.EAGAIN || err == unix.EINTR {
				continue
			}
			r.mu.Lock()
			r.err = cmp.Or(r.err, fmt.Errorf("read packets: %w", err))
			r.mu.Unlock()
			return
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); ok {
			r.packet(buf[:n], ll.Pkttype != unix.PACKET_OUTGOING, time.Now())
		}
	}
}

// packet counts one IPv4 packet.
func (r *Recorder) packet(b []byte, ingress bool, at time.Time) {
	if len(b) < 20 || b[0]>>4 != 4 {
		return
	}
	head := int(b[0]&15) * 4
	f := flow{proto: b[9], ingress: ingress}
	f.src, _ = netip.AddrFromSlice(b[12:16])
	f.dst, _ = netip.AddrFromSlice(b[16:20])
	var flags uint8
	if (f.proto == unix.IPPROTO_TCP || f.proto == unix.IPPROTO_UDP) && len(b) >= head+4 {
		f.sport, f.dport = binary.BigEndian.Uint16(b[head:]), binary.BigEndian.Uint16(b[head+2:])
		if f.proto == unix.IPPROTO_TCP && len(b) >= head+14 {
			// As the service does: SYN, FIN and RST, and ACK with SYN only.
			if flags = b[head+13] & 0x17; flags&2 == 0 {
				flags &^= 16
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.flows[f]
	if t == nil {
		t = &tally{start: at}
		r.flows[f] = t
	}
	t.packets++
	t.bytes += uint64(binary.BigEndian.Uint16(b[2:]))
	t.end = at
	t.flags |= flags
	r.packets[direction(ingress)]++
}

func direction(ingress bool) string {
	if ingress {
		return "ingress"
	}
	return "egress"
}

func (r *Recorder) write() {
	for {
		next := time.Now().Truncate(r.interval).Add(r.interval)
		timer := time.NewTimer(time.Until(next))
		select {
		case <-r.done:
			timer.Stop()
			r.reading.Wait() // what was counted last is written too
			r.flush()
			return
		case <-timer.C:
			r.flush()
		}
	}
}

// flush writes the records of an interval.
func (r *Recorder) flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range slices.SortedFunc(maps.Keys(r.flows), func(a, b flow) int {
		return cmp.Or(a.src.Compare(b.src), a.dst.Compare(b.dst), cmp.Compare(a.sport, b.sport), cmp.Compare(a.dport, b.dport), cmp.Compare(a.proto, b.proto))
	}) {
		t := r.flows[f]
		fmt.Fprintf(r.w, "5 %s %s %s %d %d %d %d %d %d %d ACCEPT OK %d %s\n", r.eni, f.src, f.dst, f.sport, f.dport, f.proto,
			t.packets, t.bytes, t.start.Unix(), t.end.Unix(), t.flags, direction(f.ingress))
	}
	clear(r.flows)
	if err := r.w.Flush(); err != nil {
		r.err = cmp.Or(r.err, err)
	}
	r.intervals++
	r.changed.Broadcast()
}

// Wait waits until n more intervals were written.
func (r *Recorder) Wait(t testing.TB, n int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for until := r.intervals + n; r.intervals < until && r.err == nil; {
		r.changed.Wait()
	}
	if r.err != nil {
		t.Fatal(r.err)
	}
}

// Packets gives what passed so far, by direction.
func (r *Recorder) Packets() (ingress, egress uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.packets["ingress"], r.packets["egress"]
}

// Stop writes the last records and ends the recording.
func (r *Recorder) Stop() error {
	select {
	case <-r.done:
	default:
		close(r.done)
		r.writing.Wait()
		_ = unix.Close(r.fd)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}
