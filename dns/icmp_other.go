//go:build !linux

package dns

import (
	"net"
	"time"
)

// dialer leaves the reporting of ICMP errors to the system's defaults.
func dialer(timeout time.Duration) *net.Dialer { return &net.Dialer{Timeout: timeout} }
