package packet

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"ddx/capture"
)

// Target is what the question is about. The zero Target means everything.
type Target struct {
	Host  capture.Host
	Addrs []netip.Addr // the host's addresses; more are learnt from DNS answers in the capture
	Port  uint16       // 0: any
}

// ParseTarget reads HOST, HOST:PORT, [V6]:PORT or a bare IPv6 address. A name is
// not resolved: the caller may add Addrs.
func ParseTarget(s string) (Target, error) {
	host, port := s, ""
	switch i := strings.LastIndexByte(s, ':'); {
	case strings.HasPrefix(s, "["):
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return Target{}, fmt.Errorf("target %q: a bracket is not closed; write [ADDRESS]:PORT", s)
		}
		host, port = s[:end+1], strings.TrimPrefix(s[end+1:], ":")
	case i >= 0 && strings.IndexByte(s, ':') == i:
		host, port = s[:i], s[i+1:]
	}
	t := Target{Host: capture.ParseHost(host)}
	if !t.Host.Known() {
		return Target{}, fmt.Errorf("target %q has no host; write HOST:PORT", s)
	}
	if strings.ContainsAny(t.Host.Name, "[]:/ ") {
		return Target{}, fmt.Errorf("target %q: %q is neither an address nor a name; write HOST:PORT", s, host)
	}
	if t.Host.Addr.IsValid() {
		t.Addrs = []netip.Addr{t.Host.Addr}
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return Target{}, fmt.Errorf("target %q: port %q is not a number from 1 to 65535", s, port)
		}
		t.Port = uint16(n)
	}
	return t, nil
}

func (t Target) String() string { return capture.Endpoint{Host: t.Host, Port: t.Port}.String() }

// any reports whether the target is not restricted to a host.
func (t *Target) any() bool { return !t.Host.Known() }

// host reports whether h is the target's host. A text capture may print a name
// shorter or longer than the one asked for: labels must agree from the left.
func (t *Target) host(h capture.Host) bool {
	if h.Addr.IsValid() {
		return slices.Contains(t.Addrs, h.Addr)
	}
	if t.Host.Name == "" || h.Name == "" {
		return false
	}
	return h.Name == t.Host.Name || strings.HasPrefix(h.Name, t.Host.Name+".") || strings.HasPrefix(t.Host.Name, h.Name+".")
}

// endpoint reports whether e is the target.
func (t *Target) endpoint(e capture.Endpoint) bool {
	return (t.Port == 0 || t.Port == e.Port) && t.host(e.Host)
}
