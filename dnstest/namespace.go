package dnstest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

const inside = "DDX_TEST_NAMESPACE"

// InNamespace runs the calling test, which must be a top-level one, in a network
// namespace of its own with loopback up: it executes the test binary again for
// this one test and takes over its result. It returns true inside the
// namespace; where it returns false the test has run and its caller returns.
// The namespace ends with the process. Without root it uses a user namespace.
func InNamespace(t *testing.T) bool {
	t.Helper()
	ip := need(t, "ip", "iproute2")
	if os.Getenv(inside) == t.Name() {
		run(t, "", ip, "link", "set", "lo", "up")
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v=true", "-test.timeout=300s", fmt.Sprintf("-test.short=%t", testing.Short()))
	cmd.Env = append(os.Environ(), inside+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Skipf("needs root or user namespaces: make a network namespace: %v", err)
	}
	err := cmd.Wait()
	switch {
	case err != nil:
		t.Fatalf("failed in its namespace: %v\n%s", err, &out)
	case strings.Contains(out.String(), "\n--- SKIP"):
		t.Skipf("skipped in its namespace:\n%s", &out)
	case !strings.Contains(out.String(), "\n--- PASS"):
		t.Fatalf("did not run in its namespace:\n%s", &out)
	}
	t.Logf("in its namespace:\n%s", &out)
	return false
}

// Address gives loopback of the test's namespace a further address. BIND
// listens on addresses of interfaces only, and the rest of 127/8 is none.
func Address(t testing.TB, ip string) {
	t.Helper()
	run(t, "", need(t, "ip", "iproute2"), "addr", "add", ip+"/32", "dev", "lo")
}

// Filter replaces the packet filter of the test's namespace by one rule for
// packets that come in; an empty rule lets all pass.
func Filter(t *testing.T, rule string) {
	t.Helper()
	nft := need(t, "nft", "nftables")
	cmd := exec.Command(nft, "-f", "-")
	cmd.Stdin = strings.NewReader(fmt.Sprintf("flush ruleset\ntable inet ddx {\nchain in {\ntype filter hook input priority 0\n%s\n}\n}\n", rule))
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
	case strings.Contains(string(out), "not supported"), strings.Contains(string(out), "Protocol error"), strings.Contains(string(out), "not permitted"):
		t.Skipf("needs a kernel with nf_tables: %s", out)
	default:
		t.Fatalf("nft: %v %s", err, out)
	}
}

// Dig runs dig, kdig or drill once, with further flags if any, and returns what
// it prints, with the command line as a shell prompt shows it.
func Dig(t testing.TB, tool, ip string, port int, name, typ string, flags ...string) string {
	t.Helper()
	argv := append([]string{"@" + ip, "-p", fmt.Sprint(port), name, typ}, flags...)
	switch tool {
	case "dig":
		argv = append(argv, "+tries=1", "+timeout=1")
	case "kdig":
		argv = append(argv, "+retry=0", "+timeout=1")
	}
	cmd := exec.Command(need(t, tool, "bind9-dnsutils knot-dnsutils ldnsutils"), argv...)
	out, _ := cmd.CombinedOutput() // its status is not zero when nothing answers, which is part of the text
	return "$ " + tool + " " + strings.Join(argv, " ") + "\n" + string(out) + "\n"
}
