package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestOwnSamples: bundles of ddx collect, one a minute, are counters that flow
// logs can be joined with.
func TestOwnSamples(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Date(2023, 11, 14, 22, 14, 0, 0, time.UTC)
	flows := "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"
	packets := 1_000_000
	for minute := range 12 {
		at := start.Add(time.Duration(minute) * time.Minute)
		for _, pair := range []string{"10.0.0.%d 10.0.0.9 40000 2003", "10.0.0.9 10.0.0.%d 2003 40000"} {
			flows += fmt.Sprintf("2 123456789012 eni-0123456789abcdef0 "+pair+" 6 600 60000 %d %d ACCEPT OK\n", 5+minute%2, at.Unix(), at.Unix()+50)
		}
		if minute < 5 || minute > 7 {
			packets += 600 // delivered and counted
		}
		bundle := fmt.Sprintf("own/%02d/", minute)
		put(bundle+"records.jsonl", fmt.Sprintf(`{"header":{"schema":"ddx.record/v1","host":"web-1","now":%[1]q}}
{"evidence":{"origin":"ip -s link","time":%[1]q,"file":"files/link","taken":{"command":["ip","-s","link","show"]}}}
`, at.Add(time.Minute).Format(time.RFC3339)))
		put(bundle+"files/link", fmt.Sprintf(`2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 9001 qdisc mq state UP mode DEFAULT group default qlen 1000
    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff
    RX:  bytes packets errors dropped  missed   mcast
     %d %d      0       0       0       0
    TX:  bytes packets errors dropped carrier collsns
     %d %d      0       0       0       0
`, packets*100, packets, packets*100, packets))
	}
	put("flows.log", flows)
	var out, errs bytes.Buffer
	status := run([]string{"flows", "join", "--flows", filepath.Join(dir, "flows.log"), "--counters", filepath.Join(dir, "own"), "-o", "csv"}, nil, &out, &errs)
	if want := "eni-0123456789abcdef0,web-1/eth0,delivered-not-received,2023-11-14T22:19:00Z,2023-11-14T22:22:00Z"; status != exitWrong || !strings.Contains(out.String(), want) {
		t.Errorf("status %d\n%s%s\nwant a window %s", status, &out, &errs, want)
	}
}
