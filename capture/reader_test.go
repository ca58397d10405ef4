package capture

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// classic writes a pcap of n frames, a millisecond apart.
func classic(t testing.TB, order binary.ByteOrder, nano bool, snaplen, n int) []byte {
	t.Helper()
	magic, unit := uint32(0xa1b2c3d4), int64(time.Microsecond)
	if nano {
		magic, unit = 0xa1b23c4d, 1
	}
	b := make([]byte, 24)
	order.PutUint32(b, magic)
	order.PutUint16(b[4:], 2)
	order.PutUint16(b[6:], 4)
	order.PutUint32(b[16:], uint32(snaplen))
	order.PutUint32(b[20:], 1)
	whole := tcpFrame(t)
	for i := range n {
		at := int64(1_700_000_000)*1e9 + int64(i)*1e6 + 1000
		f := whole[:min(len(whole), snaplen)]
		var h [16]byte
		order.PutUint32(h[:], uint32(at/1e9))
		order.PutUint32(h[4:], uint32(at%1e9/unit))
		order.PutUint32(h[8:], uint32(len(f)))
		order.PutUint32(h[12:], uint32(len(whole)))
		b = append(append(b, h[:]...), f...)
	}
	return b
}

func readAll(t testing.TB, b []byte) (packets []Packet, c Capture) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(b), "x.pcap")
	if err != nil {
		t.Fatal(err)
	}
	var p Packet
	for r.Next(&p) {
		packets = append(packets, p)
	}
	return packets, r.Capture()
}

func TestPcap(t *testing.T) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, nano := range []bool{false, true} {
			b := classic(t, order, nano, 262144, 20)
			packets, c := readAll(t, b)
			if len(packets) != 20 || c.Packets != 20 || c.Damaged != 0 || c.Format != "pcap" || c.Dropped != nil {
				t.Fatalf("%v nano %v: %d packets, %+v", order, nano, len(packets), c)
			}
			if got, want := packets[3].Time, int64(1_700_000_000_003_001_000); got != want {
				t.Errorf("%v nano %v: time %d, want %d", order, nano, got, want)
			}
			if got := c.To.Sub(c.From); got != 19*time.Millisecond {
				t.Errorf("covers %v", got)
			}
			var z bytes.Buffer
			w := gzip.NewWriter(&z)
			w.Write(b)
			w.Close()
			if again, c := readAll(t, z.Bytes()); len(again) != 20 || c.Format != "pcap+gzip" {
				t.Errorf("gzip: %d packets, %+v", len(again), c)
			}
			_, c = readAll(t, z.Bytes()[:z.Len()-40])
			if c.Packets == 0 || c.Damaged != 1 || !strings.Contains(c.Damage[0].Problem, "cut short") {
				t.Errorf("cut gzip: %+v", c)
			}
		}
	}
	packets, c := readAll(t, classic(t, binary.LittleEndian, false, 60, 5))
	if len(packets) != 5 || packets[0].PayloadLength != 5 || len(packets[0].Payload) != 2 {
		t.Errorf("snapshot length 60: %+v %+v", packets, c)
	}
	if _, c := readAll(t, classic(t, binary.LittleEndian, false, 40, 5)); c.Cut != 5 || c.Packets != 5 {
		t.Errorf("snapshot length 40: %+v", c)
	}
}

// Every way to cut a capture loses the packet that is cut and no other.
func TestPcapCut(t *testing.T) {
	whole := classic(t, binary.LittleEndian, false, 262144, 5)
	size := (len(whole) - 24) / 5
	for n := 24; n < len(whole); n++ {
		packets, c := readAll(t, whole[:n])
		inside := (n - 24) % size
		if len(packets) != (n-24)/size || (inside > 0) != (c.Damaged == 1) {
			t.Fatalf("%d bytes: %d packets, %+v", n, len(packets), c)
		}
		if inside > 0 && (c.Damage[0].File != "x.pcap" || c.Damage[0].Offset != int64(n-inside) || c.Damage[0].LostBytes != int64(inside)) {
			t.Fatalf("%d bytes: %v", n, c.Damage)
		}
	}
}

// A length that lies loses at most its own packet and the one that it swallows.
func TestPcapLies(t *testing.T) {
	const n = 2000
	for _, test := range []struct {
		name string
		lie  uint32
		lost int64
	}{
		{"far too large", 0xfffffff0, 1}, {"larger than the file", 250_000, 1}, {"one too large", 84, 1},
		{"too small", 30, 1}, {"swallows three packets", 83 + 3*99, 0},
	} {
		b := classic(t, binary.LittleEndian, false, 262144, n)
		size := (len(b) - 24) / n
		at := 24 + 700*size
		binary.LittleEndian.PutUint32(b[at+8:], test.lie)
		if test.lie < 1<<20 {
			binary.LittleEndian.PutUint32(b[at+12:], test.lie)
		}
		packets, c := readAll(t, b)
		if int64(len(packets)) < n-test.lost-1 || c.Damaged == 0 && test.lost > 0 {
			t.Errorf("%s: %d of %d packets, %+v", test.name, len(packets), n, c.Damage)
		}
		for _, d := range c.Damage {
			if d.Offset < int64(at) || d.Offset > int64(len(b)) || d.LostBytes > 1<<20 {
				t.Errorf("%s: %v", test.name, d)
			}
		}
	}
	// Garbage in the middle, longer than the window.
	b := classic(t, binary.LittleEndian, false, 262144, 100)
	middle := 24 + 50*((len(b)-24)/100)
	dirty := append(bytes.Clone(b[:middle]), bytes.Repeat([]byte{0xff}, 3<<20)...)
	dirty = append(dirty, b[middle:]...)
	packets, c := readAll(t, dirty)
	if len(packets) != 100 || c.Damaged != 1 || c.Damage[0].LostBytes != 3<<20 || c.Damage[0].Offset != int64(middle) {
		t.Errorf("garbage: %d packets, %v", len(packets), c.Damage)
	}
}

func TestNotACapture(t *testing.T) {
	for name, b := range map[string][]byte{
		"empty": {}, "binary": {1, 2, 3, 4, 5, 6, 7, 8}, "prose": []byte("nothing of the kind\n"),
		"short header": classic(t, binary.LittleEndian, false, 100, 0)[:20], "gzip of nothing": {0x1f, 0x8b, 8},
	} {
		if _, err := NewReader(bytes.NewReader(b), "odd.pcap"); err == nil || !strings.Contains(err.Error(), "odd.pcap") {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := classic(t, binary.LittleEndian, false, 100, 1)
	b[20] = 105 // 802.11
	if _, err := NewReader(bytes.NewReader(b), "w.pcap"); err == nil || !strings.Contains(err.Error(), "link type 105") {
		t.Errorf("link type: %v", err)
	}
}

// ng writes a pcapng of two interfaces with gopacket: n frames on each, a
// capture filter, and statistics.
func ng(t testing.TB, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pcapgo.NewNgWriterInterface(&b, pcapgo.NgInterface{Name: "eth0", LinkType: layers.LinkTypeEthernet, Filter: "tcp port 2049", TimestampResolution: 9, SnapLength: 1000}, pcapgo.DefaultNgWriterOptions)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddInterface(pcapgo.NgInterface{Name: "tun0", LinkType: layers.LinkTypeRaw, TimestampResolution: 6}); err != nil {
		t.Fatal(err)
	}
	began := time.Unix(1_700_000_000, 5000).UTC()
	for i := range n {
		for iface, data := range [][]byte{tcpFrame(t), tcpFrame(t)[14:]} {
			ci := gopacket.CaptureInfo{Timestamp: began.Add(time.Duration(i) * time.Second), CaptureLength: len(data), Length: len(data), InterfaceIndex: iface}
			if err := w.WritePacket(ci, data); err != nil {
				t.Fatal(err)
			}
		}
	}
	stats := pcapgo.NgInterfaceStatistics{LastUpdate: began.Add(time.Hour), StartTime: began.Add(-time.Minute), EndTime: began.Add(time.Hour), PacketsReceived: 1000, PacketsDropped: 7}
	if err := w.WriteInterfaceStats(0, stats); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPcapng(t *testing.T) {
	one := ng(t, 10)
	packets, c := readAll(t, one)
	if len(packets) != 20 || c.Damaged != 0 || c.Filter != "tcp port 2049" || c.Dropped == nil || *c.Dropped != 7 || *c.Interfaces[0].Received != 1000 {
		t.Fatalf("%d packets, %+v", len(packets), c)
	}
	if packets[1].Interface != 1 || packets[1].Src.Port != 40000 || packets[0].Time != 1_700_000_000_000_005_000 {
		t.Errorf("%+v", packets[:2])
	}
	if got := c.To.Sub(c.From); got != 61*time.Minute {
		t.Errorf("the statistics say 61 minutes, read %v", got)
	}
	if c.Interfaces[0].Name != "eth0" || c.Interfaces[1].Link != "raw" {
		t.Errorf("%+v", c.Interfaces)
	}
	// Two sections: interfaces begin anew in each.
	two, c := readAll(t, append(bytes.Clone(one), one...))
	if len(two) != 40 || len(c.Interfaces) != 4 || *c.Dropped != 14 {
		t.Errorf("two sections: %d packets, %+v", len(two), c)
	}
	// The peer reads the same.
	r, err := pcapgo.NewNgReader(bytes.NewReader(one), pcapgo.NgReaderOptions{WantMixedLinkType: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range packets {
		_, ci, err := r.ReadPacketData()
		if err != nil || ci.Timestamp.UnixNano() != packets[i].Time || ci.Length != packets[i].Length || ci.InterfaceIndex != packets[i].Interface {
			t.Fatalf("packet %d: %v %+v, read %+v", i, err, ci, packets[i])
		}
	}
}

func TestPcapngDamaged(t *testing.T) {
	whole := ng(t, 10)
	for n := 28; n < len(whole); n++ { // behind the section header
		packets, c := readAll(t, whole[:n])
		if len(packets) > 20 || c.Damaged > 1 || c.Damaged == 1 && (c.Damage[0].Offset > int64(n) || c.Damage[0].Offset+c.Damage[0].LostBytes != int64(n)) {
			t.Fatalf("%d bytes: %d packets, %v", n, len(packets), c.Damage)
		}
	}
	// A block length that lies loses its own packet.
	block := bytes.Index(whole, []byte{6, 0, 0, 0})
	for _, lie := range []uint32{8, 0x7fffffff, 13, 1 << 20, 64} {
		b := bytes.Clone(whole)
		binary.LittleEndian.PutUint32(b[block+4:], lie)
		packets, c := readAll(t, b)
		if len(packets) != 19 || c.Damaged != 1 || c.Damage[0].Offset != int64(block) {
			t.Errorf("block length %d: %d packets, %v", lie, len(packets), c.Damage)
		}
	}
	b := bytes.Clone(whole)
	binary.LittleEndian.PutUint32(b[block+8:], 9) // no such interface
	binary.LittleEndian.PutUint32(b[block+20:], 5000)
	if packets, c := readAll(t, b); len(packets) != 19 || c.Damaged != 1 || !strings.Contains(c.Damage[0].String(), "interface 9") {
		t.Errorf("%d packets, %v", len(packets), c.Damage)
	}
}

// Keep counts all packets and delivers those of the hosts.
func TestKeep(t *testing.T) {
	b := classic(t, binary.LittleEndian, false, 262144, 5)
	other := classic(t, binary.LittleEndian, false, 262144, 7)[24:]
	for i := 0; i < len(other); i += len(other) / 7 {
		other[i+16+26+3], other[i+16+30+3] = 8, 9 // 10.0.0.8 to 10.0.0.9
	}
	r, err := NewReader(io.MultiReader(bytes.NewReader(b), bytes.NewReader(other)), "x")
	if err != nil {
		t.Fatal(err)
	}
	r.Keep([]netip.Addr{host2})
	n := 0
	for p := (Packet{}); r.Next(&p); n++ {
	}
	if c := r.Capture(); n != 5 || c.Packets != 12 {
		t.Errorf("%d delivered of %d", n, c.Packets)
	}
}

// FuzzReader: whatever the bytes, reading ends, and places and losses lie
// inside the input.
func FuzzReader(f *testing.F) {
	f.Add(classic(f, binary.LittleEndian, false, 262144, 3))
	f.Add(classic(f, binary.BigEndian, true, 60, 3))
	f.Add(ng(f, 2))
	f.Add([]byte("12:00:00.000001 IP 10.0.0.1.40000 > 10.0.0.2.2049: Flags [S], seq 1, win 64240, length 0\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := NewReader(bytes.NewReader(b), "fuzz")
		if err != nil {
			return
		}
		n := int64(0)
		for p := (Packet{}); r.Next(&p); n++ {
			if n > int64(len(b)) {
				t.Fatalf("%d packets out of %d bytes", n, len(b))
			}
		}
		c := r.Capture()
		if n+c.Undecoded+c.Cut != c.Packets {
			t.Fatalf("%d delivered, %d undecoded, %d cut, of %d", n, c.Undecoded, c.Cut, c.Packets)
		}
		if c.Format == "pcap" || c.Format == "pcapng" {
			for _, d := range c.Damage {
				if d.Offset < 0 || d.LostBytes < 0 || d.Offset+d.LostBytes > int64(len(b)) {
					t.Fatalf("%v of %d bytes", d, len(b))
				}
			}
		}
	})
}

// The map and the ordinary way give the same, also where records are damaged,
// where the file is cut, and where it shrinks under the map.
func TestMapped(t *testing.T) {
	const n = 300_000
	clean := classic(t, binary.LittleEndian, false, 262144, n)
	size := (len(clean) - 24) / n
	for i := 0; i < n; i += 7 { // every seventh is between others
		f := clean[24+i*size+16:]
		f[26+3], f[30+3] = 8, 9
	}
	damaged := bytes.Clone(clean)
	binary.LittleEndian.PutUint32(damaged[24+(n/2)*size+8:], 200_000)
	hole := bytes.Clone(clean)
	clear(hole[len(hole)/3 : len(hole)/3+5000])
	for name, b := range map[string][]byte{
		"clean": clean, "cut": clean[:len(clean)-50], "damaged": damaged, "hole": hole,
		"big endian": classic(t, binary.BigEndian, true, 262144, n), "small": clean[:24+100*size],
	} {
		path := filepath.Join(t.TempDir(), "c.pcap")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		read := func(src io.Reader) (sum uint64, delivered int, c Capture) {
			r, err := NewReader(src, "x")
			if err != nil {
				t.Fatal(err)
			}
			r.Keep([]netip.Addr{host2})
			for p := (Packet{}); r.Next(&p); delivered++ {
				sum = sum*31 + uint64(p.Time) + uint64(p.Src.Port)
			}
			return sum, delivered, r.Capture()
		}
		sum1, n1, c1 := read(f)
		f.Close()
		sum2, n2, c2 := read(bytes.NewReader(b))
		if sum1 != sum2 || n1 != n2 || !reflect.DeepEqual(c1, c2) {
			t.Errorf("%s: mapped %d of %d packets, %+v\nread %d of %d, %+v", name, n1, c1.Packets, c1.Damage, n2, c2.Packets, c2.Damage)
		}
		if name == "clean" && (c1.Packets != n || n1 != n-(n+6)/7) {
			t.Errorf("%d delivered of %d", n1, c1.Packets)
		}
	}
	path := filepath.Join(t.TempDir(), "shrinks.pcap")
	if err := os.WriteFile(path, clean, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := NewReader(f, "shrinks")
	if err != nil {
		t.Fatal(err)
	}
	r.Keep([]netip.Addr{host2})
	var p Packet
	for i := range 1000 {
		if !r.Next(&p) {
			t.Fatalf("only %d packets", i)
		}
	}
	if err := os.Truncate(path, 24+int64(2000*size)); err != nil {
		t.Fatal(err)
	}
	for r.Next(&p) {
	}
	if c := r.Capture(); c.Packets < 1000 {
		t.Errorf("%+v", c)
	}
}
