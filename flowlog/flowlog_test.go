package flowlog

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"ddx/flowsum"
)

const header = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"

func line(eni, src, dst string, packets, start int, action string) string {
	return fmt.Sprintf("2 123456789012 %s %s %s 40000 443 6 %d %d %d %d %s OK\n", eni, src, dst, packets, packets*100, start, start+30, action)
}

const (
	eniA = "eni-0123456789abcdef0"
	eniB = "eni-0fedcba9876543210"
	t0   = 1_700_000_040 // begin of a minute
)

func read(t *testing.T, o Options, files map[string]string) *Result {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	res, err := Read(context.Background(), []string{dir}, o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func sums(t *testing.T, s *flowsum.Sums) map[string][3]uint64 {
	t.Helper()
	out := map[string][3]uint64{}
	for k, a := range s.All() {
		out[fmt.Sprintf("%s %d %v %v", k.Interface, k.Start-t0, k.Action, k.Direction)] = [3]uint64{a.Packets, a.Bytes, a.Flows}
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func wantSums(t *testing.T, s *flowsum.Sums, want map[string][3]uint64) {
	t.Helper()
	if got := sums(t, s); !maps.Equal(got, want) {
		t.Errorf("sums\n got %v\nwant %v", got, want)
	}
}

func pack(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The basic sums: by minute, direction (inferred from the one common address)
// and action; NODATA and SKIPDATA as records without packets.
func TestSums(t *testing.T) {
	text := header +
		line(eniA, "10.0.0.1", "10.0.0.9", 5, t0, "ACCEPT") +
		line(eniA, "10.0.0.9", "10.0.0.1", 3, t0+59, "ACCEPT") +
		line(eniA, "10.0.0.2", "10.0.0.9", 7, t0+60, "REJECT") +
		"2 123456789012 " + eniA + " - - - - - - - " + fmt.Sprint(t0+120, " ", t0+179) + " - NODATA\n" +
		"2 123456789012 " + eniA + " - - - - - - - " + fmt.Sprint(t0+180, " ", t0+239) + " - SKIPDATA\n"
	want := map[string][3]uint64{
		eniA + " 0 ACCEPT ingress":     {5, 500, 1},
		eniA + " 0 ACCEPT egress":      {3, 300, 1},
		eniA + " 60 REJECT ingress":    {7, 700, 1},
		eniA + " 120 NODATA unknown":   {0, 0, 1},
		eniA + " 180 SKIPDATA unknown": {0, 0, 1},
	}
	for name, files := range map[string]map[string]string{
		"text":            {"a.log": text},
		"gzip":            {"a.log.gz": pack(t, text)},
		"no header":       {"a.log": strings.TrimPrefix(text, header)},
		"no last newline": {"a.log": strings.TrimSuffix(text, "\n")},
		"tabs":            {"a.log": strings.ReplaceAll(text, " ", "\t")},
		"carriage return": {"a.log": strings.ReplaceAll(text, "\n", "\r\n")},
		"joined by cat":   {"a.log": header + text},
		"cloudwatch export": {"a.log": "2023-11-14T22:14:00.000Z " +
			strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(text, header), "\n"), "\n", "\n2023-11-14T22:14:00.000Z ")},
	} {
		t.Run(name, func(t *testing.T) {
			res := read(t, Options{}, files)
			wantSums(t, res.Sums, want)
			if n, _ := res.Lost(); n != 0 || res.Err() != nil || res.Files[0].Records != 5 {
				t.Errorf("lost %d, error %v, records %d", n, res.Err(), res.Files[0].Records)
			}
			i := res.Sums.Interfaces()
			if len(i) != 1 || i[0].DirectionFrom != "inferred" || i[0].Addresses[0] != "10.0.0.9" {
				t.Errorf("interfaces %+v", i)
			}
		})
	}
}

// Any field order, by header and by format string; fields not known are
// skipped.
func TestFieldOrder(t *testing.T) {
	for name, c := range map[string]struct {
		format string
		text   string
	}{
		"header": {"", "flow-direction next-hop-vpc-id interface-id bytes packets end start action\n" +
			fmt.Sprintf("ingress vpc-1 %s 500 5 %d %d ACCEPT\n", eniA, t0+30, t0)},
		"format string": {"${start} ${packets} ${bytes} ${interface-id} ${flow-direction} ${action} ${reject-reason} ${encryption-status}",
			fmt.Sprintf("%d 5 500 %s ingress ACCEPT - 1\n", t0, eniA)},
		"version 10": {"", strings.TrimSuffix(header, "\n") + " tcp-flags flow-direction ecs-task-id reject-reason resource-id encryption-status\n" +
			strings.TrimSuffix(line(eniA, "10.0.0.1", "10.0.0.9", 5, t0, "ACCEPT"), "\n") + " 18 ingress - - - 1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var o Options
			if c.format != "" {
				f, err := ParseFormat(c.format)
				if err != nil {
					t.Fatal(err)
				}
				o.Format = f
			}
			res := read(t, o, map[string]string{"x.log": c.text})
			wantSums(t, res.Sums, map[string][3]uint64{eniA + " 0 ACCEPT ingress": {5, 500, 1}})
			if name == "version 10" && res.Files[0].Version != 10 {
				t.Errorf("version %d", res.Files[0].Version)
			}
		})
	}
}

func TestTransitGateway(t *testing.T) {
	rec := fmt.Sprintf("6 TransitGateway 123456789012 tgw-1 tgw-attach-0123456789abcdef0 1 2 vpc-1 vpc-2 s1 s2 e1 e2 az1 az2 tgw-attach-2 10.0.0.1 10.1.0.1 40000 443 6 5 500 %d %d OK IPv4 1 2 3 4 2 us-east-1 ingress - -\n", t0, t0+30)
	res := read(t, Options{}, map[string]string{"tgw.log": rec})
	wantSums(t, res.Sums, map[string][3]uint64{"tgw-attach-0123456789abcdef0 0 - ingress": {5, 500, 1}})
	if lost := res.Sums.Totals().Lost; lost["no-route"] != 1 || lost["blackhole"] != 2 || lost["mtu-exceeded"] != 3 || lost["ttl-expired"] != 4 {
		t.Errorf("lost %v", lost)
	}
}

// Direction without a direction field: a single peer leaves it open, and that
// is said; given addresses settle it.
func TestDirection(t *testing.T) {
	one := header + line(eniA, "10.0.0.1", "10.0.0.9", 5, t0, "ACCEPT") + line(eniA, "10.0.0.9", "10.0.0.1", 3, t0, "ACCEPT")
	res := read(t, Options{}, map[string]string{"a": one})
	wantSums(t, res.Sums, map[string][3]uint64{eniA + " 0 ACCEPT unknown": {8, 800, 2}})
	if got := res.Sums.Interfaces()[0].DirectionFrom; got != "ambiguous" {
		t.Errorf("direction from %s", got)
	}
	res = read(t, Options{Addresses: map[string][]netip.Addr{eniA: {netip.MustParseAddr("10.0.0.1")}}}, map[string]string{"a": one})
	wantSums(t, res.Sums, map[string][3]uint64{eniA + " 0 ACCEPT egress": {5, 500, 1}, eniA + " 0 ACCEPT ingress": {3, 300, 1}})

	// No address is in every record.
	res = read(t, Options{}, map[string]string{"a": one + line(eniA, "10.0.0.3", "10.0.0.4", 1, t0, "ACCEPT")})
	wantSums(t, res.Sums, map[string][3]uint64{eniA + " 0 ACCEPT unknown": {9, 900, 3}})

	// IPv6 beside IPv4: an address of each.
	res = read(t, Options{}, map[string]string{"a": header +
		line(eniA, "10.0.0.1", "10.0.0.9", 1, t0, "ACCEPT") + line(eniA, "10.0.0.2", "10.0.0.9", 1, t0, "ACCEPT") +
		line(eniA, "2001:db8::1", "2001:db8::9", 2, t0, "ACCEPT") + line(eniA, "2001:db8::9", "2001:db8::2", 4, t0, "ACCEPT")})
	wantSums(t, res.Sums, map[string][3]uint64{eniA + " 0 ACCEPT ingress": {4, 400, 3}, eniA + " 0 ACCEPT egress": {4, 400, 1}})
}

// Parts summed apart and merged in any grouping equal the whole, also when
// parts went to the temporary file.
func TestMergeAssociative(t *testing.T) {
	peers := []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}
	var parts []string
	for p := range 4 {
		var b strings.Builder
		for i := range 40 {
			eni := []string{eniA, eniB, "eni-12345678"}[i%3]
			src, dst := peers[(i+p)%3], "10.9.9."+fmt.Sprint(i%3)
			if p < 2 {
				src = peers[0] // one peer only: open until merged
			}
			if i%2 == 0 {
				src, dst = dst, src
			}
			b.WriteString(line(eni, src, dst, i+1, t0+i*37+p*1000, []string{"ACCEPT", "REJECT"}[i%5/4]))
		}
		parts = append(parts, b.String())
	}
	one := func(text string, memory int64) *flowsum.Sums {
		s := flowsum.New(time.Minute, memory, nil)
		var r FileReport
		sc := textScanner{until: 1 << 63, report: &r, out: s, sums: s}
		if err := sc.scan(strings.NewReader(text), make([]byte, slack+readSize+maxLine+slack)); err != nil {
			t.Fatal(err)
		}
		return s
	}
	merge := func(a, b *flowsum.Sums) *flowsum.Sums {
		if err := a.Merge(b); err != nil {
			t.Fatal(err)
		}
		return a
	}
	want := sums(t, one(strings.Join(parts, ""), 0))
	for _, memory := range []int64{0, 1, 3000} {
		p := func(i int) *flowsum.Sums { return one(parts[i], memory) }
		for name, got := range map[string]*flowsum.Sums{
			"left":     merge(merge(merge(p(0), p(1)), p(2)), p(3)),
			"right":    merge(p(0), merge(p(1), merge(p(2), p(3)))),
			"pairs":    merge(merge(p(0), p(1)), merge(p(2), p(3))),
			"backward": merge(merge(merge(p(3), p(2)), p(1)), p(0)),
		} {
			if got := sums(t, got); !maps.Equal(got, want) {
				t.Errorf("memory %d, %s:\n got %v\nwant %v", memory, name, got, want)
			}
		}
	}
	if len(want) < 20 {
		t.Errorf("only %d sums", len(want))
	}
}

// Duplicates: the same object in two places, two flow logs on one interface,
// and the same record twice.
func TestDuplicates(t *testing.T) {
	const object = "123456789012_vpcflowlogs_us-east-1_fl-0aaa_20231114T2214Z_0011aabb.log.gz"
	text := header + line(eniA, "10.0.0.1", "10.0.0.9", 5, t0, "ACCEPT") + line(eniA, "10.0.0.2", "10.0.0.9", 2, t0, "ACCEPT")
	day := "AWSLogs/123456789012/vpcflowlogs/us-east-1/2023/11/14/"
	want := map[string][3]uint64{eniA + " 0 ACCEPT ingress": {7, 700, 2}}

	res := read(t, Options{}, map[string]string{day + object: pack(t, text), "copy/" + object: pack(t, text)})
	wantSums(t, res.Sums, want)
	if len(res.Repeated) != 1 {
		t.Errorf("repeated %v", res.Repeated)
	}
	second := strings.Replace(object, "fl-0aaa", "fl-0bbb", 1)
	rejects := header + line(eniA, "10.0.0.1", "10.0.0.9", 1, t0, "REJECT")
	third := strings.Replace(object, "fl-0aaa", "fl-0ccc", 1)
	res = read(t, Options{}, map[string]string{day + object: pack(t, text), day + second: pack(t, text), day + third: pack(t, rejects)})
	wantSums(t, res.Sums, map[string][3]uint64{eniA + " 0 ACCEPT ingress": {7, 700, 2}, eniA + " 0 REJECT ingress": {1, 100, 1}})
	if i := res.Sums.Interfaces()[0]; i.Duplicates != 2 || len(i.FlowLogs) != 3 {
		t.Errorf("interface %+v", i)
	}
	res = read(t, Options{Dedup: true}, map[string]string{"a": text, "b": text})
	wantSums(t, res.Sums, want)
	if n := res.Files[0].Skipped + res.Files[1].Skipped; n != 2 {
		t.Errorf("skipped %d", n)
	}
}

func TestSinceUntilProgress(t *testing.T) {
	text := header + line(eniA, "10.0.0.1", "10.0.0.9", 5, t0, "ACCEPT") + line(eniA, "10.0.0.2", "10.0.0.9", 6, t0+60, "ACCEPT") +
		line(eniA, "10.0.0.3", "10.0.0.9", 7, t0+120, "ACCEPT")
	var last Progress
	res := read(t, Options{Since: time.Unix(t0+60, 0), Until: time.Unix(t0+120, 0), Progress: func(p Progress) { last = p }},
		map[string]string{"a": text})
	if got := sums(t, res.Sums); len(got) != 1 || res.Files[0].Skipped != 2 {
		t.Errorf("%v, skipped %d", got, res.Files[0].Skipped)
	}
	if last.Files != 1 || last.Bytes != int64(len(text)) || last.BytesTotal != last.Bytes {
		t.Errorf("progress %+v", last)
	}
}
