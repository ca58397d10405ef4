// Summarize is the product's summariser as a process of its own: sums per
// interface, minute, direction and action, written as CSV.
package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"flag"
	"fmt"
	"log"
	"net/netip"
	"os"
	"runtime/pprof"
	"strconv"

	"ddx/flowlog"
)

func main() {
	log.SetFlags(0)
	addresses := flag.String("addresses", "", "CSV of interface and address")
	profile := flag.String("cpuprofile", "", "write a CPU profile")
	flag.Parse()
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			log.Fatal(err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			log.Fatal(err)
		}
		defer pprof.StopCPUProfile()
	}
	if err := run(*addresses, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

func run(addresses string, paths []string) error {
	own := map[string][]netip.Addr{}
	if addresses != "" {
		f, err := os.Open(addresses)
		if err != nil {
			return err
		}
		defer f.Close()
		rows, err := csv.NewReader(f).ReadAll()
		if err != nil {
			return err
		}
		for _, r := range rows[1:] {
			a, err := netip.ParseAddr(r[1])
			if err != nil {
				return err
			}
			own[r[0]] = append(own[r[0]], a)
		}
	}
	res, err := flowlog.Read(context.Background(), paths, flowlog.Options{Addresses: own})
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(os.Stdout, 1<<20)
	var line []byte
	for k, a := range res.Sums.All() {
		if k.Action <= flowlog.Reject {
			line = append(append(line[:0], k.Interface...), ',')
			line = append(strconv.AppendInt(line, k.Start, 10), ',')
			line = append(append(line, k.Direction.String()...), ',')
			line = append(append(line, k.Action.String()...), ',')
			for i, n := range [...]uint64{a.Packets, a.Bytes, a.Flows} {
				line = append(strconv.AppendUint(line, n, 10), ",,\n"[i])
			}
			w.Write(line)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if n, _ := res.Lost(); n > 0 || res.Err() != nil {
		return fmt.Errorf("%d records lost: %v", n, res.Err())
	}
	return res.Sums.Err()
}
