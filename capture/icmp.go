package capture

import "fmt"

func (m *ICMPMessage) EchoRequest() bool {
	return m.V6 && m.Type == 128 || !m.V6 && m.Type == 8
}

func (m *ICMPMessage) EchoReply() bool {
	return m.V6 && m.Type == 129 || !m.V6 && m.Type == 0
}

func (m *ICMPMessage) TooBig() bool {
	return m.V6 && m.Type == 2 || !m.V6 && m.Type == 3 && m.Code == 4
}

func (m *ICMPMessage) IsError() bool {
	if m.V6 {
		return m.Type >= 1 && m.Type <= 4
	}
	return m.Type == 3 || m.Type == 4 || m.Type == 5 || m.Type == 11 || m.Type == 12
}

// portUnreachable is a host's own way to say that nobody listens.
func (m *ICMPMessage) PortUnreachable() bool {
	return m.V6 && m.Type == 1 && m.Code == 4 || !m.V6 && m.Type == 3 && m.Code == 3
}

type icmpKey struct {
	v6         bool
	kind, code uint8
}

var icmpNames = map[icmpKey]string{
	{false, 3, 0}: "network unreachable", {false, 3, 1}: "host unreachable",
	{false, 3, 2}: "protocol unreachable", {false, 3, 3}: "port unreachable",
	{false, 3, 4}: "need to fragment", {false, 3, 5}: "source route failed",
	{false, 3, 9}: "network admin prohibited", {false, 3, 10}: "host admin prohibited",
	{false, 3, 13}: "admin prohibited",
	{true, 1, 0}:   "no route", {true, 1, 1}: "admin prohibited",
	{true, 1, 2}: "beyond scope", {true, 1, 3}: "address unreachable",
	{true, 1, 4}: "port unreachable", {true, 1, 5}: "source address policy",
	{true, 1, 6}: "reject route",
}

// Meaning names the message in the words of RFC 792, 1812 and 4443.
func (m *ICMPMessage) Meaning() string {
	if s, ok := icmpNames[icmpKey{m.V6, m.Type, m.Code}]; ok {
		return s
	}
	switch {
	case m.TooBig():
		return "packet too big"
	case m.EchoRequest():
		return "echo request"
	case m.EchoReply():
		return "echo reply"
	case !m.V6 && m.Type == 11, m.V6 && m.Type == 3:
		return "time exceeded"
	case !m.V6 && m.Type == 5:
		return "redirect"
	}
	if m.V6 {
		return fmt.Sprintf("icmpv6 type %d code %d", m.Type, m.Code)
	}
	return fmt.Sprintf("icmp type %d code %d", m.Type, m.Code)
}
