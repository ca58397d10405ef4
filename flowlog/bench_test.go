package flowlog

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"ddx/flowsum"
)

// benchText makes version 2 records of 2000 interfaces within ten minutes.
func benchText(rows int) ([]byte, map[string][]netip.Addr) {
	rng := rand.New(rand.NewPCG(1, 2))
	own := map[string][]netip.Addr{}
	var ids []string
	for i := range 2000 {
		id := fmt.Sprintf("eni-0%016x", rng.Uint64())
		ids = append(ids, id)
		own[id] = []netip.Addr{netip.AddrFrom4([4]byte{10, byte(i % 200), byte(i / 200), 7})}
	}
	var b bytes.Buffer
	fmt.Fprintln(&b, Version2)
	for i := range rows {
		id := ids[rng.IntN(len(ids))]
		src, dst := own[id][0].String(), fmt.Sprintf("172.31.%d.%d", rng.IntN(64), rng.IntN(254))
		if rng.IntN(2) == 0 {
			src, dst = dst, src
		}
		start := 1_700_000_040 + i*600/rows
		fmt.Fprintf(&b, "2 123456789012 %s %s %s %d 443 6 %d %d %d %d %s OK\n", id, src, dst, 32768+rng.IntN(28000),
			rng.IntN(100), rng.IntN(100000), start, start+rng.IntN(60), [...]string{"ACCEPT", "REJECT"}[rng.IntN(25)/24])
	}
	return b.Bytes(), own
}

func BenchmarkText(b *testing.B) {
	const rows = 500_000
	text, own := benchText(rows)
	buf := make([]byte, slack+readSize+maxLine+slack)
	warm := flowsum.New(time.Minute, 64<<20, own) // its cells exist: adding is all it costs
	for _, c := range []struct {
		name string
		sink func() sink
	}{
		{"lines", nil},
		{"split", nil},
		{"parse", func() sink { return nothing{} }},
		{"sum", func() sink { return warm }},
		{"infer", func() sink { return flowsum.New(time.Minute, 64<<20, nil) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			before := cpuTime()
			for b.Loop() {
				if c.sink == nil {
					lines(text, c.name == "split")
					continue
				}
				var report FileReport
				s := textScanner{until: 1 << 63, report: &report, out: c.sink()}
				if sums, ok := s.out.(*flowsum.Sums); ok {
					s.sums = sums
				}
				if err := s.scan(bytes.NewReader(text), buf); err != nil || report.Records != rows {
					b.Fatal(err, report)
				}
			}
			b.ReportMetric(float64((cpuTime()-before).Nanoseconds())/float64(b.N)/rows, "cpu-ns/record")
		})
	}
}

// cpuTime is what the process has used: on a busy machine the only time that
// can be compared.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

type nothing struct{}

func (nothing) Add(*flowsum.Record) {}

// lines finds the lines only, and splits them if asked to.
func lines(text []byte, split bool) (n int) {
	p := newLineParser(Version2, 0, false)
	for i := 0; ; {
		k := bytes.IndexByte(text[i:], '\n')
		if k < 0 || i+k+slack > len(text) {
			return n
		}
		if split && p.split(text, i, i+k) {
			n++
		}
		i += k + 1
	}
}
