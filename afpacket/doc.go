// Package afpacket captures live: an AF_PACKET socket with a TPACKET_V3 ring, a
// filter in the kernel, in a chosen network namespace, bounded in size and time,
// with the kernel's own count of drops. It can write what it captures as pcap.
//
// It may import package capture, golang.org/x/net/bpf and golang.org/x/sys/unix.
package afpacket
