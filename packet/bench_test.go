package packet_test

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ddx/capture"
	"ddx/packet"
)

var (
	benchPackets = flag.Int("bench-packets", 0, "compare with tcpdump and tshark on a generated capture of this many MB")
	benchDDX     = flag.String("bench-ddx", "", "the ddx binary to measure, as DDX packets FILE --to HOST:PORT -o json; empty: this test binary, doing the same")
)

// TestMain lets the test binary stand in for ddx packets.
func TestMain(m *testing.M) {
	if file := os.Getenv("DDX_TEST_PACKETS"); file != "" {
		f, err := os.Open(file)
		if err == nil {
			var r *capture.Reader
			var t packet.Target
			if r, err = capture.NewReader(f, file); err == nil {
				if t, err = packet.ParseTarget(os.Getenv("DDX_TEST_TO")); err == nil {
					err = json.NewEncoder(os.Stdout).Encode(packet.Analyse(r, packet.Options{Target: t}))
				}
			}
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const benchTarget = "10.20.30.40"

// generate writes a capture of mixed TCP and UDP between many hosts, mean 611
// bytes, in which about one packet in 7,600 is to or from the target's port.
func generate(t *testing.T, name string, size int64) {
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	le, be := binary.LittleEndian, binary.BigEndian
	h := make([]byte, 24)
	le.PutUint32(h, 0xa1b2c3d4)
	le.PutUint16(h[4:], 2)
	le.PutUint16(h[6:], 4)
	le.PutUint32(h[16:], 262144)
	le.PutUint32(h[20:], 1)
	w.Write(h)
	rnd := rand.New(rand.NewPCG(1, 2))
	target := netip.MustParseAddr(benchTarget).As4()
	frame := make([]byte, 1600)
	for i := range frame {
		frame[i] = byte(rnd.Uint32())
	}
	at := int64(1_700_000_000_000_000)
	for written := int64(24); written < size; {
		n := 60 + rnd.IntN(1102)
		b := frame[:14+n]
		be.PutUint16(b[12:], 0x0800)
		ip := b[14:]
		ip[0], ip[1] = 0x45, 0
		be.PutUint16(ip[2:], uint16(n))
		be.PutUint16(ip[6:], 0x4000)
		ip[8], ip[9] = 64, 6
		if rnd.IntN(8) == 0 {
			ip[9] = 17
		}
		be.PutUint32(ip[12:], 0x0a000000|rnd.Uint32N(1<<16))
		be.PutUint32(ip[16:], 0x0a010000|rnd.Uint32N(1<<16))
		be.PutUint16(ip[20:], uint16(32768+rnd.IntN(28000)))
		be.PutUint16(ip[22:], 443)
		switch rnd.IntN(7600) {
		case 0:
			copy(ip[16:], target[:])
			be.PutUint16(ip[22:], 2049)
		case 1: // the host, another port
			copy(ip[16:], target[:])
		case 2: // the port, another host
			be.PutUint16(ip[22:], 2049)
		}
		if ip[9] == 17 {
			be.PutUint16(ip[24:], uint16(n-20))
		} else {
			ip[32], ip[33] = 0x50, 0x10
		}
		at += int64(rnd.IntN(200))
		var rec [16]byte
		le.PutUint32(rec[:], uint32(at/1e6))
		le.PutUint32(rec[4:], uint32(at%1e6))
		le.PutUint32(rec[8:], uint32(len(b)))
		le.PutUint32(rec[12:], uint32(len(b)))
		w.Write(rec[:])
		w.Write(b)
		written += int64(16 + len(b))
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}

// TestBenchPackets prints CPU ratios (user and system time of whole processes,
// tools in turn, median of the rounds) and fails if the counts differ.
//
//	go test ./packet -run '^TestBenchPackets$' -v -bench-packets 256
func TestBenchPackets(t *testing.T) {
	if *benchPackets == 0 {
		t.Skip("a benchmark: give -bench-packets MB")
	}
	needs(t, "tcpdump", "tshark")
	dir := t.TempDir()
	file, part := filepath.Join(dir, "all.pcap"), filepath.Join(dir, "part.pcap")
	size := int64(*benchPackets) << 20
	partSize := min(size, 64<<20)
	generate(t, file, size)
	generate(t, part, partSize)
	filter := "host " + benchTarget + " and port 2049"
	type tool struct {
		name  string
		cmd   func() *exec.Cmd
		count func(out string) int
		scale float64
	}
	ddx := func(file string) func() *exec.Cmd {
		return func() *exec.Cmd {
			if *benchDDX != "" {
				return exec.Command(*benchDDX, "packets", file, "--to", benchTarget+":2049", "-o", "json", "--exit-zero")
			}
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "DDX_TEST_PACKETS="+file, "DDX_TEST_TO="+benchTarget+":2049")
			return cmd
		}
	}
	matched := func(out string) int {
		var r packet.Result
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatalf("ddx: %v: %.200s", err, out)
		}
		return int(r.Matched)
	}
	ratio := float64(size) / float64(partSize)
	tools := []tool{
		{"ddx", ddx(file), matched, 1},
		{"tcpdump -r --count", func() *exec.Cmd { return exec.Command("tcpdump", "-n", "-r", file, "--count", filter) },
			func(out string) int { n, _ := strconv.Atoi(strings.Fields(out)[0]); return n }, 1},
		{"ddx, the part for tshark", ddx(part), matched, 1},
		{"tshark, scaled", func() *exec.Cmd {
			return exec.Command("tshark", "-n", "-r", part, "-Y", "ip.addr == "+benchTarget+" && (tcp.port == 2049 || udp.port == 2049)", "-T", "fields", "-e", "frame.number")
		}, func(out string) int { return len(strings.Fields(out)) }, ratio},
		{"cat", func() *exec.Cmd { return exec.Command("cat", file) }, func(string) int { return 0 }, 1},
	}
	const rounds = 5
	cpu := make([][]float64, len(tools))
	counts := make([]int, len(tools))
	for round := range rounds {
		for i, tool := range tools {
			if tool.scale > 1 && round >= 3 {
				continue // tshark takes long, and its figure does not depend on the last percent
			}
			cmd := tool.cmd()
			out := &strings.Builder{}
			if tool.name != "cat" {
				cmd.Stdout = out
			}
			if err := cmd.Run(); err != nil {
				t.Fatalf("%s: %v", tool.name, err)
			}
			s := cmd.ProcessState
			cpu[i] = append(cpu[i], (s.UserTime()+s.SystemTime()).Seconds()*tool.scale)
			counts[i] = tool.count(out.String())
		}
	}
	median := func(v []float64) float64 { v = slices.Sorted(slices.Values(v)); return v[len(v)/2] }
	own := median(cpu[0])
	t.Logf("%d MB, %s", *benchPackets, time.Now().UTC().Format(time.DateOnly))
	for i, tool := range tools {
		m := median(cpu[i])
		t.Logf("%-26s %8.3f s CPU  %7.2fx ddx  %d packets", tool.name, m, m/own, counts[i])
	}
	if counts[0] != counts[1] || counts[2] != counts[3] || counts[0] == 0 {
		t.Errorf("the counts differ: %v", counts)
	}
}
