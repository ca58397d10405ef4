// Package logline takes one log line out of its framing: a kmsg record, dmesg
// in any time form, the journal's short, short-iso, export and JSON forms,
// syslog by RFC 3164 and RFC 5424, the EC2 serial console. It says when, which
// host, which program, whether the kernel itself said it, and the message.
//
// It is pure and may import the root package and the standard library only.
package logline
