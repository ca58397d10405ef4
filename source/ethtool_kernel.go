package source

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// childEthtool is the hidden first argument that makes this program answer as
// ethtool would.
const childEthtool = "__ethtool"

// insteadOf returns the program and arguments that stand for a tool which is
// not installed: this program for what EthtoolText knows, else none.
func insteadOf(argv []string) (path string, args []string, ok bool) {
	if !childReady || len(argv) != 3 || argv[0] != "ethtool" || ethtoolAsks[argv[1]] == nil {
		return "", nil, false
	}
	return "/proc/self/exe", append([]string{childEthtool}, argv[1:]...), true
}

// serveEthtool answers in place of ethtool and returns the exit status.
func serveEthtool(args []string, stdout, stderr io.Writer) int {
	out, supported, err := EthtoolText(append([]string{"ethtool"}, args...))
	if !supported {
		err = fmt.Errorf("ethtool %s: not known here", strings.Join(args, " "))
	}
	if err == nil {
		_, err = stdout.Write(out)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

var ethtoolAsks = map[string]func(*ethtoolSocket, *bytes.Buffer) error{
	"-i": (*ethtoolSocket).driver, "-S": (*ethtoolSocket).statistics, "-g": (*ethtoolSocket).rings,
	"-c": (*ethtoolSocket).coalescing, "-l": (*ethtoolSocket).channels,
}

// EthtoolText asks the kernel what the tool ethtool would, for machines that
// lack it, and prints the answer in the tool's form, so that the same readers
// read it. It knows -i, -S, -g, -c and -l with one interface; supported is false
// for anything else. The kernel answers under the lock of all interface
// configuration, which a driver that resets may hold for ever: it is to be
// called in a child that can be abandoned.
func EthtoolText(argv []string) (out []byte, supported bool, err error) {
	if len(argv) != 3 || argv[0] != "ethtool" || len(argv[2]) >= unix.IFNAMSIZ {
		return nil, false, nil
	}
	ask := ethtoolAsks[argv[1]]
	if ask == nil {
		return nil, false, nil
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, true, fmt.Errorf("ask the kernel of %s: open a socket: %w", argv[2], err)
	}
	defer unix.Close(fd)
	var b bytes.Buffer
	if err := ask(&ethtoolSocket{fd, argv[2]}, &b); err != nil {
		return nil, true, fmt.Errorf("ask the kernel what ethtool %s %s would: %w", argv[1], argv[2], err)
	}
	return b.Bytes(), true, nil
}

// The commands of SIOCETHTOOL that are used, and the string set of statistics.
const (
	ethtoolGetCoalesce = 0x0e
	ethtoolGetRings    = 0x10
	ethtoolGetStrings  = 0x1b
	ethtoolGetStats    = 0x1d
	ethtoolGetChannels = 0x3c
	ethtoolStatsSet    = 1
	ethtoolNameSize    = 32
	ethtoolMostStats   = 1 << 16
)

type ethtoolSocket struct {
	fd  int
	nic string
}

// call passes a command's block of words to the kernel, which answers in it.
func (s *ethtoolSocket) call(block []byte) error {
	request := struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [24 - unsafe.Sizeof(uintptr(0))]byte
	}{data: unsafe.Pointer(&block[0])}
	copy(request.name[:unix.IFNAMSIZ-1], s.nic)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(s.fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request)))
	runtime.KeepAlive(block)
	if errno != 0 {
		return errno
	}
	return nil
}

// words runs a command whose answer is n words behind its own.
func (s *ethtoolSocket) words(command uint32, n int) ([]uint32, error) {
	block := make([]byte, 4+4*n)
	binary.NativeEndian.PutUint32(block, command)
	if err := s.call(block); err != nil {
		return nil, err
	}
	out := make([]uint32, n)
	for i := range out {
		out[i] = binary.NativeEndian.Uint32(block[4+4*i:])
	}
	return out, nil
}

func (s *ethtoolSocket) driver(b *bytes.Buffer) error {
	info, err := unix.IoctlGetEthtoolDrvinfo(s.fd, s.nic)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "driver: %s\nversion: %s\nfirmware-version: %s\nbus-info: %s\n", unix.ByteSliceToString(info.Driver[:]),
		unix.ByteSliceToString(info.Version[:]), unix.ByteSliceToString(info.Fw_version[:]), unix.ByteSliceToString(info.Bus_info[:]))
	return nil
}

func (s *ethtoolSocket) rings(b *bytes.Buffer) error {
	w, err := s.words(ethtoolGetRings, 8)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "Ring parameters for %s:\nPre-set maximums:\nRX: %d\nTX: %d\nCurrent hardware settings:\nRX: %d\nTX: %d\n", s.nic, w[0], w[3], w[4], w[7])
	return nil
}

func (s *ethtoolSocket) coalescing(b *bytes.Buffer) error {
	w, err := s.words(ethtoolGetCoalesce, 22)
	if err != nil {
		return err
	}
	onOff := map[bool]string{true: "on", false: "off"}
	fmt.Fprintf(b, "Coalesce parameters for %s:\nAdaptive RX: %s  TX: %s\nrx-usecs: %d\ntx-usecs: %d\n",
		s.nic, onOff[w[9] != 0], onOff[w[10] != 0], w[0], w[4])
	return nil
}

func (s *ethtoolSocket) channels(b *bytes.Buffer) error {
	w, err := s.words(ethtoolGetChannels, 8)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "Channel parameters for %s:\nPre-set maximums:\nCombined: %d\nCurrent hardware settings:\nCombined: %d\n", s.nic, w[3], w[7])
	return nil
}

// statistics asks for the names and then the numbers. The kernel writes as many
// as the driver has at that moment: there is room for twice what it said.
func (s *ethtoolSocket) statistics(b *bytes.Buffer) error {
	info, err := unix.IoctlGetEthtoolDrvinfo(s.fd, s.nic)
	if err != nil {
		return err
	}
	n := int(info.N_stats)
	if n == 0 {
		return fmt.Errorf("the driver has no statistics: %w", unix.EOPNOTSUPP)
	}
	if n > ethtoolMostStats {
		return fmt.Errorf("%d statistics are more than a driver has", n)
	}
	names := make([]byte, 12+2*n*ethtoolNameSize)
	binary.NativeEndian.PutUint32(names, ethtoolGetStrings)
	binary.NativeEndian.PutUint32(names[4:], ethtoolStatsSet)
	binary.NativeEndian.PutUint32(names[8:], uint32(n))
	if err := s.call(names); err != nil {
		return err
	}
	values := make([]byte, 8+2*n*8)
	binary.NativeEndian.PutUint32(values, ethtoolGetStats)
	binary.NativeEndian.PutUint32(values[4:], uint32(n))
	if err := s.call(values); err != nil {
		return err
	}
	count := min(n, int(binary.NativeEndian.Uint32(names[8:])), int(binary.NativeEndian.Uint32(values[4:])))
	b.WriteString("NIC statistics:\n")
	for i := range count {
		name := names[12+i*ethtoolNameSize:][:ethtoolNameSize]
		fmt.Fprintf(b, "     %s: %d\n", unix.ByteSliceToString(name), binary.NativeEndian.Uint64(values[8+8*i:]))
	}
	return nil
}
