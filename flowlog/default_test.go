package flowlog

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"ddx/flowsum"
)

var scanBuf = make([]byte, slack+readSize+maxLine+slack)

// scanBoth reads text by the default path and by the long way only.
func scanBoth(t *testing.T, text string) (fast, slow FileReport, fastSums, slowSums map[string][3]uint64) {
	t.Helper()
	scan := func(report *FileReport, short bool) map[string][3]uint64 {
		s := flowsum.New(time.Minute, 0, nil)
		scanner := textScanner{until: 1 << 63, report: report, out: s}
		if short {
			scanner.sums = s
		}
		if err := scanner.scan(strings.NewReader(text), scanBuf); err != nil {
			t.Fatal(err)
		}
		got := sums(t, s)
		totals := s.Totals()
		got[fmt.Sprint(totals.First, totals.Last, totals.Span, totals.Records, s.Interfaces())] = [3]uint64{}
		return got
	}
	fastSums, slowSums = scan(&fast, true), scan(&slow, false)
	return fast, slow, fastSums, slowSums
}

// Whatever byte stands wherever in a line, both ways say the same of it.
func TestDefaultPathAgrees(t *testing.T) {
	// The interface's address is settled before, and there is text behind.
	before := header + line(eniA, "10.0.0.7", "172.31.255.254", 3, t0, "ACCEPT") + line(eniA, "192.168.100.200", "10.0.0.7", 3, t0, "ACCEPT")
	after := strings.Repeat(line(eniA, "10.0.0.7", "1.2.3.4", 1, t0+600, "REJECT"), 4)
	for _, l := range []string{
		line(eniA, "10.0.0.7", "203.0.113.250", 12345678, t0+59, "ACCEPT"),
		line(eniA, "1.2.3.4", "10.0.0.7", 1, t0+480, "REJECT"),
		line(eniB, "1.2.3.4", "10.0.0.7", 1, t0+480, "REJECT"),
		line(eniA, "fe80::1", "10.0.0.7", 1, t0-600, "REJECT"),
		line(eniA, "10.0.0.7", "2001:db8::7", 99, t0+7000, "ACCEPT"),
		line(eniA, "10.0.0.7", "10.0.0.7", 0, t0, "ACCEPT"),
	} {
		for at := range len(l) {
			for _, c := range []byte(" \n\t\r\x00-/09:APKx\x80\xff") {
				b := []byte(l)
				b[at] = c
				text := before + string(b) + after
				fast, slow, fs, ss := scanBoth(t, text)
				if !reflect.DeepEqual(fast, slow) || !reflect.DeepEqual(fs, ss) {
					t.Fatalf("byte %d of %q made %q: %+v %v, want %+v %v", at, l, c, fast, fs, slow, ss)
				}
			}
			fast, slow, fs, ss := scanBoth(t, before+l[:at]+l[at+1:]+after)
			if !reflect.DeepEqual(fast, slow) || !reflect.DeepEqual(fs, ss) {
				t.Fatalf("%q without byte %d: %+v %v, want %+v %v", l, at, fast, fs, slow, ss)
			}
		}
	}
}

// Records in any order of time find their cells.
func TestDefaultPathTimes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var b strings.Builder
	b.WriteString(header)
	for range 20_000 {
		id, own := fmt.Sprintf("eni-0%016x", rng.IntN(40)), "10.0.0.7"
		src, dst := own, fmt.Sprintf("172.16.%d.%d", rng.IntN(256), rng.IntN(256))
		if rng.IntN(2) == 0 {
			src, dst = dst, src
		}
		b.WriteString(line(id, src, dst, rng.IntN(1000), t0+rng.IntN(2000)+rng.IntN(2)*rng.IntN(40000), [...]string{"ACCEPT", "REJECT"}[rng.IntN(2)]))
	}
	fast, slow, fs, ss := scanBoth(t, b.String())
	if !reflect.DeepEqual(fast, slow) || !reflect.DeepEqual(fs, ss) || fast.Records != 20_000 {
		t.Errorf("%+v, want %+v", fast, slow)
	}
}

// Masks of the processor are those of the arithmetic.
func TestSeparatorMasks(t *testing.T) {
	text := make([]byte, 64*257)
	for i := range text {
		text[i] = byte(i + i/256)
	}
	got, want := make([]uint64, 257), make([]uint64, 257)
	separatorMasks(got, text)
	separatorMasksGo(want, text)
	for i := range want {
		var plain uint64
		for k, c := range text[i*64:][:64] {
			if c <= ' ' {
				plain |= 1 << k
			}
		}
		if got[i] != plain || want[i] != plain {
			t.Fatalf("mask %d is %x and %x, want %x", i, got[i], want[i], plain)
		}
	}
	separatorMasks(nil, bytes.Repeat([]byte("x"), 0))
}
