package flowlog

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// Bad input: everything readable is counted, the rest is told exactly.
func TestBadInput(t *testing.T) {
	good := line(eniA, "10.0.0.1", "10.0.0.9", 5, t0, "ACCEPT") + line(eniA, "10.0.0.2", "10.0.0.9", 5, t0, "ACCEPT")
	want := map[string][3]uint64{eniA + " 0 ACCEPT ingress": {10, 1000, 2}}
	half := "2 123456789012 " + eniA + " 10.0.0.1 10.0"
	long := strings.Repeat("x", 3<<20)
	for _, c := range []struct {
		name, text string
		records    uint64
		bytes      int64
		offset     int64
		reason     string
	}{
		{"half a record in between", header + half + "\n" + good, 1, int64(len(half)), int64(len(header)), "number of fields"},
		{"half a record at the end", header + good + half, 1, int64(len(half)), int64(len(header + good)), "number of fields"},
		{"two halves of one length", header + "2 123\n" + strings.Repeat("a ", 11) + "b\n" + good, 2, 28, int64(len(header)), "number of fields"},
		{"3 MiB line", header + long + "\n" + good, 1, int64(len(long)), int64(len(header)), "longer than"},
		{"3 MiB line at the end", header + good + long, 1, int64(len(long)), int64(len(header + good)), "longer than"},
		{"packets are no number", header + good + strings.Replace(line(eniA, "a", "b", 77, t0, "ACCEPT"), " 77 ", " 7x ", 1), 1,
			int64(len(line(eniA, "a", "b", 77, t0, "ACCEPT")) - 1), int64(len(header + good)), "packets"},
		{"runs backwards", header + good + strings.Replace(line(eniA, "a", "b", 7, t0, "ACCEPT"), fmt.Sprint(t0+30), fmt.Sprint(t0-30), 1), 1,
			int64(len(line(eniA, "a", "b", 7, t0, "ACCEPT")) - 1), int64(len(header + good)), "start or end"},
		{"binary", header + "\x00\x01\xff\n" + good, 1, 3, int64(len(header)), "number of fields"},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := read(t, Options{}, map[string]string{"f": c.text})
			wantSums(t, res.Sums, want)
			n, b := res.Lost()
			l := res.Files[0].Losses
			if n != c.records || b != c.bytes || len(l) != 1 || l[0].Offset != c.offset || !strings.Contains(l[0].Reason, c.reason) {
				t.Errorf("lost %d records, %d bytes, %+v", n, b, l)
			}
		})
	}
	t.Run("a header that lies", func(t *testing.T) {
		res := read(t, Options{}, map[string]string{"f": strings.Replace(header, "packets bytes start end", "start end packets bytes", 1) + good})
		if n, _ := res.Lost(); n != 2 {
			t.Errorf("lost %d of 2: %+v", n, res.Files[0].Losses)
		}
	})
	t.Run("truncated gzip", func(t *testing.T) {
		whole := pack(t, header+strings.Repeat(good, 5000))
		res := read(t, Options{}, map[string]string{"f.gz": whole[:len(whole)/2], "g": header + good})
		f := res.Files[0]
		n, b := f.Lost()
		if !strings.Contains(f.Error, "compressed byte") || f.Records == 0 || f.Records >= 10000 || b != -1 || n > 1 {
			t.Errorf("%+v", f)
		}
		if got := sums(t, res.Sums)[eniA+" 0 ACCEPT ingress"][2]; got != f.Records+2 {
			t.Errorf("counted %d, reported %d", got, f.Records+2)
		}
	})
	t.Run("no format known", func(t *testing.T) {
		res := read(t, Options{}, map[string]string{"f": "1 2 3\n4 5 6\n"})
		if n, b := res.Lost(); n != 2 || b != 10 {
			t.Errorf("lost %d, %d bytes", n, b)
		}
	})
}

type parquetRow struct {
	Version     int32   `parquet:"version"`
	InterfaceID string  `parquet:"interface_id,dict"`
	SrcAddr     *string `parquet:"srcaddr,optional,dict"`
	DstAddr     *string `parquet:"dstaddr,optional"`
	Packets     *int64  `parquet:"packets,optional"`
	Bytes       *int64  `parquet:"bytes,optional"`
	Start       int64   `parquet:"start"`
	End         int64   `parquet:"end"`
	Action      *string `parquet:"action,optional,dict"`
	LogStatus   string  `parquet:"log_status,dict"`
}

func parquetFile(t testing.TB, groups int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[parquetRow](&b, parquet.Compression(&parquet.Snappy))
	own, peer, other := "10.0.0.9", "10.0.0.1", "10.0.0.2"
	accept, reject, dash := "ACCEPT", "REJECT", "-"
	five, size := int64(5), int64(500)
	for range groups {
		rows := []parquetRow{
			{2, eniA, &peer, &own, &five, &size, t0, t0 + 30, &accept, "OK"},
			{2, eniA, &own, &other, &five, &size, t0, t0 + 30, &reject, "OK"},
			{2, eniA, nil, nil, nil, nil, t0 + 60, t0 + 90, &dash, "NODATA"},
		}
		if _, err := w.Write(rows); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestParquet(t *testing.T) {
	file := parquetFile(t, 3)
	want := map[string][3]uint64{
		eniA + " 0 ACCEPT ingress":  {15, 1500, 3},
		eniA + " 0 REJECT egress":   {15, 1500, 3},
		eniA + " 60 NODATA unknown": {0, 0, 3},
	}
	res := read(t, Options{}, map[string]string{"a.parquet": string(file)})
	wantSums(t, res.Sums, want)
	if n, _ := res.Lost(); n != 0 || res.Err() != nil {
		t.Errorf("lost %d, %v", n, res.Err())
	}
	piped, err := Read(context.Background(), []string{"-"}, Options{Stdin: bytes.NewReader(file)})
	if err != nil {
		t.Fatal(err)
	}
	wantSums(t, piped.Sums, want)

	// Damage in the second row group: its rows are lost, exactly.
	bad := bytes.Clone(file)
	third := len(bad) / 3
	for i := third; i < third+60; i++ {
		bad[i] ^= 0x5a
	}
	res = read(t, Options{}, map[string]string{"a.parquet": string(bad)})
	n, _ := res.Lost()
	if res.Err() == nil || n == 0 || n+res.Files[0].Records != 9 {
		t.Errorf("lost %d, counted %d, %v", n, res.Files[0].Records, res.Err())
	}
	res = read(t, Options{}, map[string]string{"a.parquet": string(file[:len(file)-9]), "b": header})
	if res.Err() == nil {
		t.Error("truncated Parquet file without an error")
	}
}

// Two thousand interfaces with a small budget: the sums go to the temporary
// file and come back the same.
func TestBoundedMemory(t *testing.T) {
	text, own := benchText(60_000)
	big := read(t, Options{Addresses: own, Memory: 64 << 20, Workers: 1}, map[string]string{"a": string(text)})
	small := read(t, Options{Addresses: own, Memory: 200 << 10, Workers: 1}, map[string]string{"a": string(text)})
	a, b := sums(t, big.Sums), sums(t, small.Sums)
	if !maps.Equal(a, b) {
		t.Errorf("%d sums in memory, %d by way of the file", len(a), len(b))
	}
	var n uint64
	for _, v := range a {
		n += v[2]
	}
	if n != 60_000 {
		t.Errorf("%d flows", n)
	}
}

// aLine is a reader of a record, a line of n bytes and a record again, which
// exist nowhere as a whole.
type aLine struct {
	before, after *strings.Reader
	n             int64
}

func (l *aLine) Read(b []byte) (int, error) {
	if l.before.Len() > 0 {
		return l.before.Read(b)
	}
	if l.n > 0 {
		b = b[:min(int64(len(b)), l.n)]
		b[0] = 'x' // the rest is what a buffer holds from the time before
		l.n -= int64(len(b))
		for i := range b {
			if b[i] == '\n' {
				b[i] = 'x'
			}
		}
		return len(b), nil
	}
	return l.after.Read(b)
}

// A line of a gigabyte costs no memory: it is lost, exactly, and what stands
// before and after it is counted..
func TestLineOfAGigabyte(t *testing.T) {
	const n = 1 << 30
	good := line(eniA, "10.0.0.1", "10.0.0.9", 5, t0, "ACCEPT")
	good2 := line(eniA, "10.0.0.2", "10.0.0.9", 7, t0, "ACCEPT")
	in := &aLine{strings.NewReader(header + good), strings.NewReader("\n" + good2), n}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	res, err := Read(context.Background(), []string{"-"}, Options{Stdin: in})
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	wantSums(t, res.Sums, map[string][3]uint64{eniA + " 0 ACCEPT ingress": {12, 1200, 2}})
	l := res.Files[0].Losses
	if len(l) != 1 || l[0].Records != 1 || l[0].Bytes != n || l[0].Offset != int64(len(header+good)) || !strings.Contains(l[0].Reason, "longer than 65536 bytes") {
		t.Errorf("%+v", l)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
		t.Errorf("%d bytes of memory for it", took)
	}
}

// Pages and windows of any size, with nulls among the values: Parquet gives the
// sums of the same records in text.
func TestParquetWindows(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var rows []parquetRow
	var text strings.Builder
	text.WriteString(header)
	for range 9000 {
		id := fmt.Sprintf("eni-0%016x", rng.IntN(30))
		start := int64(t0 + rng.IntN(3000))
		if rng.IntN(10) == 0 {
			dash := "-"
			rows = append(rows, parquetRow{2, id, nil, nil, nil, nil, start, start + 30, &dash, "NODATA"})
			fmt.Fprintf(&text, "2 123456789012 %s - - - - - - - %d %d - NODATA\n", id, start, start+30)
			continue
		}
		src, dst := "10.0.0.9", fmt.Sprintf("172.16.%d.%d", rng.IntN(200), rng.IntN(250))
		if rng.IntN(2) == 0 {
			src, dst = dst, src
		}
		packets := int64(rng.IntN(5000))
		size := packets * 100
		action := [...]string{"ACCEPT", "REJECT"}[rng.IntN(2)]
		rows = append(rows, parquetRow{2, id, &src, &dst, &packets, &size, start, start + 30, &action, "OK"})
		text.WriteString(line(id, src, dst, int(packets), int(start), action))
	}
	want := sums(t, read(t, Options{}, map[string]string{"a": text.String()}).Sums)
	for _, page := range []int{256, 4096, 1 << 20} {
		var b bytes.Buffer
		w := parquet.NewGenericWriter[parquetRow](&b, parquet.Compression(&parquet.Snappy), parquet.PageBufferSize(page), parquet.MaxRowsPerRowGroup(5000))
		if _, err := w.Write(rows); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		res := read(t, Options{}, map[string]string{"a.parquet": b.String()})
		if n, _ := res.Lost(); n != 0 || res.Err() != nil || res.Files[0].Records != uint64(len(rows)) {
			t.Errorf("pages of %d bytes: lost %d, %v", page, n, res.Err())
		}
		wantSums(t, res.Sums, want)
		res = read(t, Options{Flows: 100_000}, map[string]string{"a.parquet": b.String()})
		wantSums(t, res.Sums, want)
	}
}
