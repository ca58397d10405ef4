// Package capture turns captures into packets: pcap, pcapng (both also
// gzipped) and the text that tcpdump prints. It decodes headers (Ethernet, VLAN,
// Linux cooked, raw, loopback; IP of both versions, TCP, UDP, ICMP, ARP) and the
// heads of DNS and ONC RPC messages; what they mean together is package packet's
// business.
//
//	r, err := capture.NewReader(file, "nfs.pcap")
//	var p capture.Packet
//	for r.Next(&p) { ... }
//	about := r.Capture()
//
// Damage (a cut packet, a length that lies) ends no reading: Capture lists it
// with file and offset, and everything readable before and after is delivered.
//
// It may import klauspost/compress/gzip and golang.org/x/sys/unix; the tests
// also import gopacket, the peer that decoders and readers are compared with.
package capture
