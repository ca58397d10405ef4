package packet_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// lab is a client, a router and a server in network namespaces of their own:
// client 10.77.1.2 on c0, server 10.77.2.2 on s0, the router between them.
type lab struct {
	t                      *testing.T
	client, router, server string
}

const (
	clientIP = "10.77.1.2"
	serverIP = "10.77.2.2"
	nobodyIP = "10.77.1.99" // on the client's link, owned by nobody
)

func needs(t *testing.T, tools ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: network namespaces and packet sockets")
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s (Debian package of that name, nft: nftables, ip: iproute2)", tool)
		}
	}
}

var labNumber struct {
	sync.Mutex
	n int
}

func newLab(t *testing.T) *lab {
	t.Helper()
	needs(t, "ip", "nft")
	t.Parallel() // the tests wait for the kernel's timers most of the time
	labNumber.Lock()
	labNumber.n++
	id := fmt.Sprintf("%x%x", os.Getpid()&0xffff, labNumber.n)
	labNumber.Unlock()
	l := &lab{t: t, client: "pc" + id, router: "pr" + id, server: "ps" + id}
	for _, ns := range []string{l.client, l.router, l.server} {
		l.run("ip", "netns", "add", ns)
		t.Cleanup(func() { exec.Command("ip", "netns", "del", ns).Run() })
		l.run("ip", "-n", ns, "link", "set", "lo", "up")
	}
	l.run("ip", "link", "add", "c0", "netns", l.client, "type", "veth", "peer", "name", "r0", "netns", l.router)
	l.run("ip", "link", "add", "s0", "netns", l.server, "type", "veth", "peer", "name", "r1", "netns", l.router)
	for _, a := range [][3]string{
		{l.client, clientIP, "c0"}, {l.router, "10.77.1.1", "r0"}, {l.router, "10.77.2.1", "r1"}, {l.server, serverIP, "s0"},
	} {
		l.run("ip", "-n", a[0], "addr", "add", a[1]+"/24", "dev", a[2])
		l.run("ip", "-n", a[0], "link", "set", a[2], "up")
	}
	l.run("ip", "-n", l.client, "route", "add", "default", "via", "10.77.1.1")
	l.run("ip", "-n", l.server, "route", "add", "default", "via", "10.77.2.1")
	l.run("ip", "netns", "exec", l.router, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
	return l
}

func (l *lab) run(name string, args ...string) string {
	l.t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		l.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// rule adds an nftables rule to a chain of the namespace.
func (l *lab) rule(ns, hook, rule string) {
	l.t.Helper()
	l.run("ip", "netns", "exec", ns, "nft", fmt.Sprintf(
		"add table ip t; add chain ip t %s { type filter hook %s priority 0; }; add rule ip t %s %s", hook, hook, hook, rule))
}

// in runs f on a thread that has moved into the namespace; sockets made there
// belong to it. The thread ends with f.
func (l *lab) in(ns string, f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		fd, err := unix.Open("/run/netns/"+ns, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			defer unix.Close(fd)
			if err = unix.Setns(fd, unix.CLONE_NEWNET); err == nil {
				err = f()
			}
		}
		done <- err
	}()
	return <-done
}

// listen serves TCP in the namespace until the test ends.
func (l *lab) listen(ns, addr string, serve func(net.Conn)) {
	l.t.Helper()
	var ln net.Listener
	err := l.in(ns, func() (err error) {
		ln, err = net.Listen("tcp", addr)
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			l.t.Cleanup(func() { c.Close() })
			go serve(c)
		}
	}()
}

// listenUDP answers datagrams; nil means no answer.
func (l *lab) listenUDP(ns, addr string, answer func([]byte) []byte) {
	l.t.Helper()
	var pc net.PacketConn
	err := l.in(ns, func() (err error) {
		pc, err = net.ListenPacket("udp", addr)
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { pc.Close() })
	go func() {
		b := make([]byte, 4096)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			if out := answer(b[:n]); out != nil {
				pc.WriteTo(out, from)
			}
		}
	}()
}

func (l *lab) dial(ns, network, addr string, timeout time.Duration) (c net.Conn, err error) {
	inner := l.in(ns, func() error {
		// The dialer may resume on other threads, so the socket is made by hand.
		c, err = dialHere(network, addr, timeout)
		return nil
	})
	if inner != nil {
		return nil, inner
	}
	return c, err
}

// dialHere connects with a socket made on the calling thread.
func dialHere(network, addr string, timeout time.Duration) (net.Conn, error) {
	kind := unix.SOCK_STREAM
	if network == "udp" {
		kind = unix.SOCK_DGRAM
	}
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	family, sa := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()})
	if to.Addr().Is4() {
		family, sa = unix.AF_INET, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "socket")
	defer f.Close()
	if err := connect(fd, sa, time.Now().Add(timeout)); err != nil {
		return nil, os.NewSyscallError("connect", err)
	}
	return net.FileConn(f)
}

// connect waits until the connection stands, is refused, or the deadline. The
// runtime's signals interrupt a wait with a time limit; it goes on then.
func connect(fd int, sa unix.Sockaddr, deadline time.Time) error {
	if err := unix.Connect(fd, sa); err != unix.EINPROGRESS {
		return err
	}
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return unix.ETIMEDOUT
		}
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		switch n, err := unix.Poll(p, int(left.Milliseconds())+1); {
		case err == unix.EINTR, err == nil && n == 0:
		case err != nil:
			return err
		default:
			code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
			if err == nil && code != 0 {
				err = syscall.Errno(code)
			}
			return err
		}
	}
}

// tcpdump captures in a namespace until stop is called, which returns the file.
func (l *lab) tcpdump(ns, iface string, args ...string) (stop func() string) {
	l.t.Helper()
	needs(l.t, "tcpdump")
	file := filepath.Join(l.t.TempDir(), "c.pcap")
	all := append([]string{"netns", "exec", ns, "tcpdump", "-Z", "root", "--immediate-mode", "-i", iface, "-U", "-w", file}, args...)
	end := l.start("listening on", "ip", all...)
	return func() string {
		l.mark(ns, file)
		end()
		return file
	}
}

// mark sends a datagram that no filter of the lab stops and waits until the
// file holds it: all packets before it are then in the file too.
func (l *lab) mark(ns, file string) {
	l.t.Helper()
	const word = "end of the test"
	router := map[string]string{l.client: "10.77.1.1:9", l.server: "10.77.2.1:9"}[ns]
	c, err := l.dial(ns, "udp", router, time.Second)
	if err != nil {
		l.t.Fatal(err)
	}
	defer c.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		c.Write([]byte(word))
		<-tick.C
		if b, err := os.ReadFile(file); err == nil && strings.Contains(string(b), word) {
			return
		}
	}
	l.t.Fatalf("%s does not receive what is sent", file)
}

// start runs a program until stop; it is ready when it prints the word.
func (l *lab) start(ready, name string, args ...string) (stop func()) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, name, args...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	began, rest := make(chan bool, 1), make(chan string, 1)
	go func() {
		s := bufio.NewScanner(stderr)
		said := ""
		for s.Scan() {
			said += s.Text() + "\n"
			if strings.Contains(s.Text(), ready) {
				began <- true
			}
		}
		close(began)
		rest <- said
	}()
	if !<-began {
		l.t.Fatalf("%s did not begin: %s", name, <-rest)
	}
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cmd.Process.Signal(syscall.SIGINT)
			<-rest
			cmd.Wait()
			cancel()
		})
	}
	l.t.Cleanup(stop)
	return stop
}
