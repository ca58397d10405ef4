package dnstest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	mdns "github.com/miekg/dns"
)

// Process is one name server under test.
type Process struct {
	Addr string // address:port it answers on, UDP and TCP
	Dir  string // configuration, zones, state, log

	t    testing.TB
	argv []string
	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
}

// need returns the path of a program or skips the test by name.
func need(t testing.TB, program, debianPackage string) string {
	t.Helper()
	for _, dir := range []string{"/usr/sbin", "/usr/bin", "/sbin", "/bin"} {
		p := filepath.Join(dir, program)
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	if p, err := exec.LookPath(program); err == nil {
		return p
	}
	t.Skipf("needs %s: apt-get install %s", program, debianPackage)
	return ""
}

// FreePort returns a port that is free for UDP and TCP on all loopback
// addresses at the time of the call.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 50 {
		l, err := net.Listen("tcp4", "0.0.0.0:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		u, err := net.ListenPacket("udp4", net.JoinHostPort("0.0.0.0", strconv.Itoa(port)))
		l.Close()
		if err == nil {
			u.Close()
			return port
		}
	}
	t.Fatal("no port free for both UDP and TCP")
	return 0
}

// Write puts a file into the server's directory and returns its path.
func Write(t testing.TB, dir, name, content string) string {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

// launch starts argv and waits until the server answers at addr.
func launch(t testing.TB, dir, addr string, argv ...string) *Process {
	t.Helper()
	p := &Process{Addr: addr, Dir: dir, t: t, argv: argv}
	p.Start()
	t.Cleanup(p.Kill)
	return p
}

// Start runs the server again after Kill and waits until it answers.
func (p *Process) Start() {
	p.t.Helper()
	log, err := os.OpenFile(filepath.Join(p.Dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command(p.argv[0], p.argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.Dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		log.Close()
		p.t.Fatalf("start %s: %v", p.argv[0], err)
	}
	done := make(chan struct{})
	go func() { cmd.Wait(); log.Close(); close(done) }()
	p.mu.Lock()
	p.cmd, p.done = cmd, done
	p.mu.Unlock()
	if err := p.answers(15*time.Second, done); err != nil {
		text, _ := os.ReadFile(filepath.Join(p.Dir, "log"))
		p.Kill()
		p.t.Fatalf("%s does not serve %s: %v\n%s", p.argv[0], p.Addr, err, bytes.TrimSpace(text))
	}
}

// Kill ends the server at once, by its process id.
func (p *Process) Kill() {
	p.mu.Lock()
	cmd, done := p.cmd, p.done
	p.cmd = nil
	p.mu.Unlock()
	if cmd == nil {
		return
	}
	cmd.Process.Kill()
	<-done
}

// answers polls until the server gives any DNS answer over UDP.
func (p *Process) answers(limit time.Duration, done <-chan struct{}) error {
	deadline := time.Now().Add(limit)
	q := new(mdns.Msg)
	q.SetQuestion("ready.invalid.", mdns.TypeSOA)
	q.RecursionDesired = false
	c := &mdns.Client{Timeout: 100 * time.Millisecond}
	for time.Now().Before(deadline) {
		if m, _, err := c.Exchange(q, p.Addr); err == nil && m != nil {
			return nil
		}
		select {
		case <-done:
			return fmt.Errorf("it ended")
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("no answer within %s", limit)
}

// run executes a helper program to its end.
func run(t testing.TB, dir string, argv ...string) {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, out)
	}
}

// Stop makes the server silent: it stays, holds its sockets and answers nothing
// until Continue. It returns when every thread has stopped.
func (p *Process) Stop() {
	p.t.Helper()
	pid := p.signal(syscall.SIGSTOP)
	for deadline := time.Now().Add(10 * time.Second); !stopped(pid); {
		if time.Now().After(deadline) {
			p.t.Fatalf("%s does not stop", p.argv[0])
		}
	}
}

// Continue ends Stop.
func (p *Process) Continue() { p.signal(syscall.SIGCONT) }

func (p *Process) signal(s syscall.Signal) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	p.cmd.Process.Signal(s)
	return p.cmd.Process.Pid
}

// stopped reports whether no thread of a process runs: a signal reaches the
// threads one by one.
func stopped(pid int) bool {
	stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return true
	}
	for _, name := range stats {
		b, err := os.ReadFile(name)
		// The state follows the name, which stands in parentheses.
		if i := bytes.LastIndexByte(b, ')'); err == nil && i >= 0 && i+2 < len(b) && b[i+2] != 'T' {
			return false
		}
	}
	return true
}
