package flowlog

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"ddx/flowsum"
)

// countLines counts the lines that a reader must either count or report lost.
func countLines(b []byte) (n uint64) {
	for l := range bytes.SplitSeq(b, []byte{'\n'}) {
		if len(bytes.TrimSpace(l)) > 0 {
			n++
		}
	}
	return n
}

// FuzzText: no panic, no line lost in silence, and the fast path counts what
// the long way counts.
func FuzzText(f *testing.F) {
	f.Add([]byte(header + line(eniA, "10.0.0.1", "10.0.0.9", 5, t0, "ACCEPT") + line(eniA, "10.0.0.2", "10.0.0.9", 5, t0, "REJECT")))
	f.Add([]byte(header + line(eniA, "10.0.0.1", "10.0.0.9", 5, t0, "ACCEPT") + "2 123\n" + line(eniA, "2001:db8::1", "2001:db8::2", 5, t0, "ACCEPT")))
	// Enough lines that the default path takes some.
	many := header
	for i := range 12 {
		many += line(eniA, "10.0.0.9", fmt.Sprint("172.16.0.", i), i, t0+i*50, "ACCEPT") + line(eniA, "1.1.1.1", "10.0.0.9", 12345678, t0+i*700, "REJECT")
	}
	f.Add([]byte(many))
	f.Add([]byte("interface-id start packets flow-direction\neni-1 1700000000 5 ingress\neni-1 1700000000 - egress\r\n"))
	f.Add([]byte("interface-id start packets\nversion start packets\n"))
	f.Add(append([]byte(header), bytes.Repeat([]byte{'x'}, 200)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		scan := func(fast bool) (*flowsum.Sums, FileReport) {
			s := flowsum.New(time.Minute, 0, nil)
			var r FileReport
			sc := textScanner{until: 1 << 63, report: &r, out: s}
			if fast {
				sc.sums = s
			}
			if err := sc.scan(bytes.NewReader(b), make([]byte, slack+readSize+maxLine+slack)); err != nil {
				t.Fatal(err)
			}
			return s, r
		}
		a, ra := scan(true)
		c, rc := scan(false)
		lost, _ := ra.Lost()
		if ra.Records+lost > countLines(b) {
			t.Fatalf("%d counted and %d lost of %d lines", ra.Records, lost, countLines(b))
		}
		if lost2, _ := rc.Lost(); lost != lost2 || ra.Records != rc.Records {
			t.Fatalf("fast %+v, slow %+v", ra, rc)
		}
		x, y := sums(t, a), sums(t, c)
		if len(x) != len(y) {
			t.Fatalf("fast %v\nslow %v", x, y)
		}
		for k, v := range x {
			if y[k] != v {
				t.Fatalf("%s: fast %v, slow %v", k, v, y[k])
			}
		}
	})
}

func FuzzGzip(f *testing.F) {
	var t testing.T
	whole := []byte(pack(&t, header+line(eniA, "10.0.0.1", "10.0.0.9", 5, t0, "ACCEPT")))
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(append(bytes.Clone(whole), whole...))
	f.Fuzz(fuzzRead)
}

func FuzzParquet(f *testing.F) {
	whole := parquetFile(f, 2)
	f.Add(whole)
	f.Add(whole[:len(whole)-9])
	f.Fuzz(fuzzRead)
}

// fuzzRead reads a file by content, as Read does with a pipe.
func fuzzRead(t *testing.T, b []byte) {
	if len(b) > 1<<20 {
		return
	}
	res, err := Read(context.Background(), []string{"-"}, Options{Stdin: io.NopCloser(bytes.NewReader(b)), Flows: 100, Memory: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	for range res.Sums.All() {
	}
	if err := res.Sums.Err(); err != nil {
		t.Fatal(err)
	}
}

func FuzzFormat(f *testing.F) {
	f.Add("${version} ${interface-id} ${packets} ${start}")
	f.Add(header)
	f.Fuzz(func(t *testing.T, s string) {
		format, err := ParseFormat(s)
		if err == nil && len(format.Fields()) == 0 {
			t.Fatal("a format without fields")
		}
	})
}

// FuzzIdentities: whatever stands in a file of addresses, an address that comes
// out of it is one.
func FuzzIdentities(f *testing.F) {
	f.Add([]byte(`{"NetworkInterfaces":[{"NetworkInterfaceId":"eni-1","MacAddress":"02:00:00:00:00:01","PrivateIpAddress":"10.0.0.9","Ipv6Addresses":[{"Ipv6Address":"2001:db8::9"}]}]}`))
	f.Add([]byte(`[{"ifname":"eth0","address":"02:00:00:00:00:01","addr_info":[{"local":"10.0.0.9"}]}]`))
	f.Add([]byte("eni,address\neni-1,10.0.0.9\n\"eni-2\" 10.0.0.10\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		ids, err := ReadIdentities(bytes.NewReader(b), "h", "fuzz")
		if err != nil && len(ids) > 0 {
			t.Fatalf("%d identities and %v", len(ids), err)
		}
		for eni, addrs := range OwnAddresses(ids) {
			for _, a := range addrs {
				if eni == "" || !a.IsValid() {
					t.Fatalf("%q has %v", eni, a)
				}
			}
		}
	})
}
