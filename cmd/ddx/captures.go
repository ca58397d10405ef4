package main

import (
	"bytes"
	"fmt"
	"io"

	"ddx"
	"ddx/capture"
	"ddx/packet"
	"ddx/source"
)

// captureFacts analyses the captures among the items of a take: they are
// neither tables nor logs, and source leaves them alone. It notes the origins of
// the items that it read.
func captureFacts(t source.Take, used map[string]bool) []ddx.Fact {
	var facts []ddx.Fact
	for i := range t.Items {
		it := &t.Items[i]
		if it.Absent != "" || it.Reader != "" {
			continue
		}
		r := io.NopCloser(io.Reader(bytes.NewReader(it.Data)))
		if it.Open != nil {
			f, err := it.Open()
			if err != nil {
				continue // said by source already
			}
			r = f
		}
		more, err := readCapture(r, it.Origin)
		r.Close()
		facts = append(facts, more...)
		used[it.Origin] = used[it.Origin] || len(more) > 0
		if err != nil {
			facts = append(facts, ddx.Fact{Kind: "unavailable", Subject: ddx.Subject{Kind: ddx.Host}, Time: it.Time, Fields: map[string]any{
				"what": it.Origin, "reader": "capture", "reason": string(ddx.NotReadable), "detail": err.Error(), "kinds": []string{"packet.target", "packet.event"}, "named": it.Named}})
		}
	}
	return facts
}

// readCapture returns nil when the content is no capture.
func readCapture(r io.Reader, origin string) ([]ddx.Fact, error) {
	head := make([]byte, 4)
	n, err := io.ReadFull(r, head)
	if err != nil || !isCapture(head[:n]) {
		return nil, nil
	}
	c, err := capture.NewReader(io.MultiReader(bytes.NewReader(head), r), origin)
	if err != nil {
		return nil, fmt.Errorf("diagnose capture: %w", err)
	}
	return packet.Facts(packet.Analyse(c, packet.Options{})), nil
}

// isCapture knows pcap, in both byte orders and resolutions, and pcapng.
func isCapture(head []byte) bool {
	switch string(head) {
	case "\xd4\xc3\xb2\xa1", "\xa1\xb2\xc3\xd4", "\x4d\x3c\xb2\xa1", "\xa1\xb2\x3c\x4d", "\x0a\x0d\x0d\x0a":
		return true
	}
	return false
}
