//go:build linux

package netlab

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// Addresses of the two ends of a Link.
const (
	HereAddr  = "10.78.0.1"
	ThereAddr = "10.78.0.2"
)

// Link is a cable (a veth pair) between the network namespace of the calling
// process, which should be one of the test's own, and a second one.
type Link struct {
	There string // name of the second namespace

	t testing.TB
}

// NewLink makes the second namespace and plugs the cable in, or skips the test.
func NewLink(t testing.TB) *Link {
	t.Helper()
	Tool(t, "iproute2", "ip")
	l := &Link{There: fmt.Sprintf("ddx%d-%d-there", os.Getpid(), number.Add(1)), t: t}
	if out, err := exec.Command("ip", "netns", "add", l.There).CombinedOutput(); err != nil {
		t.Skipf("needs root: network namespaces: ip netns add: %v: %s", err, out)
	}
	t.Cleanup(func() {
		_ = exec.Command("ip", "link", "del", "here0").Run()
		_ = exec.Command("ip", "netns", "del", l.There).Run()
	})
	lab := Lab{t: t}
	lab.Run("ip", "link", "add", "here0", "type", "veth", "peer", "name", "there0", "netns", l.There)
	lab.Run("ip", "addr", "add", HereAddr+"/24", "dev", "here0")
	lab.Run("ip", "link", "set", "here0", "up")
	lab.IP(l.There, "addr add "+ThereAddr+"/24 dev there0")
	lab.IP(l.There, "link set lo up")
	l.Plug()
	return l
}

// Unplug takes the far end down. The near end keeps its address and stays up
// without a carrier, so that servers there go on listening.
func (l *Link) Unplug() { (&Lab{t: l.t}).IP(l.There, "link set there0 down") }

// Plug takes the far end up again; address and route come back with it.
func (l *Link) Plug() { (&Lab{t: l.t}).IP(l.There, "link set there0 up") }

// Command makes a program run in the second namespace. The process is the
// program's own: killing it needs nobody else's help.
func (l *Link) Command(name string, args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", l.There, name}, args...)...)
}
