//go:build linux

package netlab

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Addresses of the two hosts.
const (
	ClientAddr = "10.77.0.1"
	GuestAddr  = "10.77.0.2"
	clientMAC  = "02:00:00:77:00:01"
	guestMAC   = "02:00:00:77:00:02"
)

// Lab is a client and a guest, each with an interface eth0, joined by a bridge
// in the fabric. As in a VPC, neighbour addresses are answered without the
// guest: they are fixed on both sides.
type Lab struct {
	Client, Guest, Fabric string // names of the network namespaces

	t testing.TB
}

// ToClient and ToGuest are the fabric's ends of the two links.
const (
	ToClient = "toclient"
	ToGuest  = "toguest"
)

var number atomic.Int32

// Tool finds a program, or skips the test by the name of its Debian package.
func Tool(t testing.TB, pkg, name string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("needs Debian package %s: no program %s", pkg, name)
	}
	return p
}

// New makes a lab, or skips the test.
func New(t testing.TB) *Lab {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: network namespaces")
	}
	Tool(t, "iproute2", "ip")
	id := fmt.Sprintf("ddx%d-%d", os.Getpid(), number.Add(1))
	l := &Lab{Client: id + "-client", Guest: id + "-guest", Fabric: id + "-fabric", t: t}
	for _, ns := range []string{l.Client, l.Guest, l.Fabric} {
		if out, err := exec.Command("ip", "netns", "add", ns).CombinedOutput(); err != nil {
			t.Skipf("needs network namespaces: ip netns add: %v: %s", err, out)
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
		l.IP(ns, "link set lo up")
	}
	l.IP(l.Fabric, "link add br0 type bridge forward_delay 0")
	l.IP(l.Fabric, "link set br0 up")
	for _, h := range []struct{ ns, mac, addr, port string }{
		{l.Client, clientMAC, ClientAddr, ToClient}, {l.Guest, guestMAC, GuestAddr, ToGuest},
	} {
		l.IP(h.ns, "link add eth0 address "+h.mac+" type veth peer name "+h.port+" netns "+l.Fabric)
		l.IP(h.ns, "addr add "+h.addr+"/24 dev eth0")
		l.IP(h.ns, "link set eth0 up")
		l.IP(l.Fabric, "link set "+h.port+" master br0 up")
	}
	l.Neighbours()
	return l
}

// Neighbours fixes the neighbour entries. They are lost when an interface goes
// down, so this is called again after it came up.
func (l *Lab) Neighbours() {
	l.IP(l.Client, "neigh replace "+GuestAddr+" lladdr "+guestMAC+" dev eth0 nud permanent")
	l.IP(l.Guest, "neigh replace "+ClientAddr+" lladdr "+clientMAC+" dev eth0 nud permanent")
}

// IP runs ip(8) in a namespace; a failure ends the test.
func (l *Lab) IP(ns, args string) []byte {
	l.t.Helper()
	return l.Run("ip", append([]string{"-n", ns}, strings.Fields(args)...)...)
}

// Run runs a program to its end; a failure ends the test.
func (l *Lab) Run(name string, args ...string) []byte {
	l.t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		l.t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// Drop begins to lose every packet on its way from the fabric to the guest,
// behind the recorder and before the guest's counters, and returns how to end
// it. The guest counts nothing.
func (l *Lab) Drop() (end func()) {
	l.t.Helper()
	Tool(l.t, "nftables", "nft")
	l.nft(l.Fabric, "add table netdev lost")
	l.nft(l.Fabric, "add chain netdev lost out { type filter hook egress device "+ToGuest+" priority 0; }")
	l.nft(l.Fabric, "add rule netdev lost out drop")
	return func() { l.nft(l.Fabric, "delete table netdev lost") }
}

// Firewall makes the guest itself drop what it receives, behind its counters.
func (l *Lab) Firewall() (end func()) {
	l.t.Helper()
	Tool(l.t, "nftables", "nft")
	l.nft(l.Guest, "add table inet wall")
	l.nft(l.Guest, "add chain inet wall in { type filter hook input priority 0; }")
	l.nft(l.Guest, "add rule inet wall in drop")
	return func() { l.nft(l.Guest, "delete table inet wall") }
}

func (l *Lab) nft(ns, rule string) {
	l.t.Helper()
	l.Run("ip", "netns", "exec", ns, "nft", rule)
}

// Start runs a program in a namespace until stop is called or the test ends.
func (l *Lab) Start(ns, name string, args ...string) (stop func()) {
	l.t.Helper()
	var out bytes.Buffer
	cmd := exec.Command("ip", append([]string{"netns", "exec", ns, name}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	var stopped atomic.Bool
	stop = func() {
		if stopped.Swap(true) {
			return
		}
		// ip netns exec replaces itself: the process is the program's own.
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
		if l.t.Failed() {
			l.t.Logf("%s: %s", name, out.String())
		}
	}
	l.t.Cleanup(stop)
	return stop
}

// In calls f in a network namespace. Sockets made in f stay there.
func In(ns string, f func() error) error {
	errs := make(chan error, 1)
	go func() {
		// The thread is not given back: it ends with this goroutine, and its
		// namespace with it.
		runtime.LockOSThread()
		fd, err := unix.Open(filepath.Join("/run/netns", ns), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			errs <- fmt.Errorf("enter network namespace %s: %w", ns, err)
			return
		}
		defer unix.Close(fd)
		if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
			errs <- fmt.Errorf("enter network namespace %s: %w", ns, err)
			return
		}
		errs <- f()
	}()
	return <-errs
}
