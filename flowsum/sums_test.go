package flowsum

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

// records are of a few interfaces in any order of time: with an address in
// common, with none, of both address families, and with directions of their own.
func records(seed uint64, n int) []Record {
	rng := rand.New(rand.NewPCG(seed, 7))
	out := make([]Record, n)
	for i := range out {
		eni := rng.IntN(40)
		src, dst := fmt.Sprintf("10.0.0.%d", eni), fmt.Sprintf("172.16.%d.%d", rng.IntN(3), rng.IntN(250))
		switch {
		case eni == 1:
			src = fmt.Sprintf("10.1.0.%d", rng.IntN(250))
		case eni == 2 && rng.IntN(2) == 0:
			src, dst = "2001:db8::1", fmt.Sprintf("2001:db8::%x", 2+rng.IntN(100))
		}
		if rng.IntN(2) == 0 {
			src, dst = dst, src
		}
		start := uint64(1_700_000_000 + rng.IntN(2000) + rng.IntN(2)*rng.IntN(40_000))
		r := Record{Interface: fmt.Appendf(nil, "eni-0%016x", eni), Src: []byte(src), Dst: []byte(dst), Packets: rng.Uint64N(1000), Bytes: rng.Uint64N(1e6),
			Start: start, End: start + rng.Uint64N(60), Action: Accept + Action(rng.IntN(2))}
		if eni > 30 && rng.IntN(20) > 0 {
			r.Direction = Ingress + Direction(rng.IntN(2))
		}
		id, s, d := WordOf(r.Interface), WordOf(r.Src), WordOf(r.Dst)
		r.ID, r.SrcWord, r.DstWord = id, s.Short(), d.Short()
		out[i] = r
	}
	return out
}

func all(t *testing.T, s *Sums) map[string]Amount {
	t.Helper()
	out := map[string]Amount{}
	for k, a := range s.All() {
		out[fmt.Sprint(k)] = a
	}
	totals := s.Totals()
	out[fmt.Sprint(totals.First, totals.Last, totals.Span, totals.Records, s.Interfaces())] = Amount{}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// Many at a time and one by one give the same sums, in memory and by way of the
// temporary file.
func TestAddBatch(t *testing.T) {
	for seed := range uint64(20) {
		in := records(seed, 4000)
		given := map[string][]netip.Addr{"eni-00000000000000003": {netip.MustParseAddr("10.0.0.3")}}
		want := New(time.Minute, 0, given)
		for i := range in {
			want.Add(&in[i])
		}
		for _, memory := range []int64{0, 30_000} {
			got := New(time.Minute, memory, given)
			batched := 0
			for i := 0; i < len(in); {
				var batch [Batch]Ordinary
				n := 0
				for ; n < Batch && i+n < len(in) && Fits(in[i+n].DstWord); n++ {
					r := &in[i+n]
					batch[n] = Ordinary{ID: r.ID, Src: r.SrcWord, Dst: r.DstWord, Start: r.Start, End: r.End, Packets: r.Packets, Bytes: r.Bytes,
						Rejected: uint8(r.Action - Accept), Direction: r.Direction}
				}
				left := got.AddBatch(batch[:n])
				for k := range n {
					if left>>k&1 != 0 {
						got.Add(&in[i+k])
					} else {
						batched++
					}
				}
				if i += n; n == 0 {
					got.Add(&in[i])
					i++
				}
			}
			if spilled := len(got.runs) > 2; spilled != (memory > 0) || memory == 0 && batched < 2000 {
				t.Fatalf("memory %d: %d runs, %d of %d records in batches", memory, len(got.runs), batched, len(in))
			}
			if a, b := all(t, got), all(t, want); !maps.Equal(a, b) {
				t.Fatalf("seed %d, memory %d:\n got %v\nwant %v", seed, memory, a, b)
			}
		}
	}
}

// However long the time that the records are of, and so however many runs there
// are, the memory stays the same.
func TestRunsTakeNoMemory(t *testing.T) {
	const interfaces, long = 200, 1000
	s := New(time.Minute, 300_000, nil)
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	var after int64
	for i := range uint64(long) {
		for k := range interfaces {
			r := Record{Interface: fmt.Appendf(nil, "eni-0%016x", k), Src: []byte("10.0.0.1"), Dst: fmt.Appendf(nil, "10.1.0.%d", k), Packets: i, Bytes: 1,
				Start: 1_700_000_000 + i*480, End: 1_700_000_000 + i*480, Action: Accept}
			id, src, dst := WordOf(r.Interface), WordOf(r.Src), WordOf(r.Dst)
			r.ID, r.SrcWord, r.DstWord = id, src.Short(), dst.Short()
			s.Add(&r)
		}
		if i == long/20 {
			after = heap()
		}
	}
	if grown := heap() - after; len(s.runs) < 100 || grown > 1<<20 {
		t.Errorf("%d bytes more with %d runs", grown, len(s.runs))
	}
	n := 0
	for k, a := range s.All() {
		if want := uint64(k.Start-1_700_000_000+60) / 480; a.Flows != 1 || a.Packets != want {
			t.Fatalf("%+v %+v, want %d packets", k, a, want)
		}
		n++
	}
	if n != interfaces*long || s.Err() != nil {
		t.Errorf("%d sums, %v", n, s.Err())
	}
}
