package dns

import (
	"net"
	"strings"
	"syscall"
	"time"
)

// dialer asks the kernel to report every ICMP unreachable on UDP sockets, not
// only a closed port: without it a host that the network says is unreachable
// looks like one that is silent.
func dialer(timeout time.Duration) *net.Dialer {
	return &net.Dialer{Timeout: timeout, Control: func(network, _ string, c syscall.RawConn) error {
		if !strings.HasPrefix(network, "udp") {
			return nil
		}
		return c.Control(func(fd uintptr) {
			if network == "udp6" {
				syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, syscall.IPV6_RECVERR, 1)
				return
			}
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_RECVERR, 1)
		})
	}}
}
