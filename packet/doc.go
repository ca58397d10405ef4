// Package packet says what left and what came back: whether the requests to one
// HOST:PORT never left, left without an answer, were answered, or were answered
// by something that made no sense; for each connection and direction, and with
// a statement of whether the capture is long and complete enough to prove it.
//
//	r, err := capture.NewReader(file, "nfs.pcap")
//	result := packet.Analyse(r, packet.Options{Target: target})
//
// Analyse is pure: same bytes and options, same result. It may import the root
// package, capture and afpacket.
package packet
