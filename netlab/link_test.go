package netlab_test

import (
	"net"
	"testing"
	"time"

	"ddx/dnstest"
	"ddx/netlab"
)

// What passes a Link passes only while it is plugged in, and a listener at the
// near end outlives that.
func TestLink(t *testing.T) {
	if !dnstest.InNamespace(t) {
		return
	}
	l := netlab.NewLink(t)
	server, err := net.Listen("tcp", netlab.HereAddr+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	dial := func() error {
		return netlab.In(l.There, func() error {
			c, err := net.DialTimeout("tcp", server.Addr().String(), time.Second)
			if err == nil {
				c.Close()
			}
			return err
		})
	}
	if err := dial(); err != nil {
		t.Errorf("plugged in: %v", err)
	}
	l.Unplug()
	if err := dial(); err == nil {
		t.Error("unplugged: the other side was reached")
	}
	l.Plug()
	if err := dial(); err != nil {
		t.Errorf("plugged in again: %v", err)
	}
}
