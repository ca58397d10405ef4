package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"ddx/source"
)

// TestDiagnoseReadsCaptures holds that a capture among the evidence becomes
// facts: three SYNs without an answer.
func TestDiagnoseReadsCaptures(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dump.pcap")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(65536, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	eth := &layers.Ethernet{SrcMAC: []byte{2, 0, 0, 0, 0, 1}, DstMAC: []byte{2, 0, 0, 0, 0, 2}, EthernetType: layers.EthernetTypeIPv4}
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: []byte{10, 0, 0, 1}, DstIP: []byte{10, 0, 0, 2}}
	tcp := &layers.TCP{SrcPort: 40000, DstPort: 2049, Seq: 1, SYN: true, Window: 64240}
	if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	at := exampleNow
	for _, gap := range []time.Duration{0, time.Second, 2 * time.Second} {
		at = at.Add(gap)
		b := gopacket.NewSerializeBuffer()
		if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, eth, ip, tcp); err != nil {
			t.Fatal(err)
		}
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(b.Bytes()), Length: len(b.Bytes())}, b.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	takes, err := source.OpenFiles(context.Background(), []string{file}, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer takes[0].Close()
	e, err := newEngine(nil)
	if err != nil {
		t.Fatal(err)
	}
	facts, err := e.facts(takes[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range facts {
		if f.Kind == "packet.target" && f.String("answer") == "no-answer" {
			return
		}
	}
	t.Errorf("no packet.target without answer among %d facts", len(facts))
}
