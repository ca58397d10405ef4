// Generate writes flow logs for the benchmark: version 2 text of many
// interfaces over eighty minutes, spread over files as the flow-log service
// spreads them, and the same compressed. The same seed gives the same bytes.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"

	"github.com/klauspost/compress/gzip"
)

func main() {
	log.SetFlags(0)
	rows := flag.Int("rows", 5_000_000, "records")
	files := flag.Int("files", 8, "files")
	enis := flag.Int("enis", 2000, "network interfaces")
	dir := flag.String("dir", "data", "directory to write to: text/ and gzip/ below it, and addresses.csv")
	flag.Parse()
	if err := run(*dir, *rows, *files, *enis); err != nil {
		log.Fatal(err)
	}
}

type eni struct{ id, addr, account string }

func run(dir string, rows, files, enis int) error {
	rng := rand.New(rand.NewPCG(1, 2))
	table := make([]eni, enis)
	for i := range table {
		table[i] = eni{fmt.Sprintf("eni-0%016x", rng.Uint64()), fmt.Sprintf("10.%d.%d.%d", i%200, i/200, 4+rng.IntN(250)), fmt.Sprintf("%012d", 111111111111+i%3)}
	}
	for _, d := range []string{"text", "gzip"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	csv := "eni,addr\n"
	for _, e := range table {
		csv += e.id + "," + e.addr + "\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "addresses.csv"), []byte(csv), 0o644); err != nil {
		return err
	}
	for f := range files {
		name := fmt.Sprintf("flows-%02d.log", f)
		plain, err := os.Create(filepath.Join(dir, "text", name))
		if err != nil {
			return err
		}
		packed, err := os.Create(filepath.Join(dir, "gzip", name+".gz"))
		if err != nil {
			return err
		}
		z, err := gzip.NewWriterLevel(packed, 6)
		if err != nil {
			return err
		}
		w := bufio.NewWriterSize(io.MultiWriter(plain, z), 1<<20)
		write(w, rng, table, rows/files, 1_700_000_040+int64(f)*600)
		for _, c := range []func() error{w.Flush, z.Close, plain.Close, packed.Close} {
			if err := c(); err != nil {
				return err
			}
		}
	}
	return nil
}

// write writes one file: ten minutes, in the order of delivery.
func write(w *bufio.Writer, rng *rand.Rand, table []eni, rows int, begin int64) {
	w.WriteString("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n")
	var b []byte
	for i := range rows {
		e := &table[rng.IntN(len(table))]
		start := begin + int64(i)*600/int64(rows) + int64(rng.IntN(20))
		end := start + 20 + int64(rng.IntN(39))
		b = append(append(append(append(append(b[:0], "2 "...), e.account...), ' '), e.id...), ' ')
		if rng.IntN(400) == 0 {
			b = append(b, "- - - - - - - "...)
			b = strconv.AppendInt(append(strconv.AppendInt(b, start, 10), ' '), end, 10)
			b = append(b, " - NODATA\n"...)
			w.Write(b)
			continue
		}
		peer := fmt.Sprintf("172.31.%d.%d", rng.IntN(64), 1+rng.IntN(254))
		src, dst := e.addr, peer
		sport, dport := 32768+rng.IntN(28000), [...]int{443, 2049, 53, 5432, 8080, 2003}[rng.IntN(6)]
		if rng.IntN(2) == 0 {
			src, dst, sport, dport = dst, src, dport, sport
		}
		packets := 1 + int64(rng.ExpFloat64()*20)
		b = append(append(append(append(b, src...), ' '), dst...), ' ')
		for _, n := range []int64{int64(sport), int64(dport), 6, packets, packets * int64(60+rng.IntN(1400)), start, end} {
			b = append(strconv.AppendInt(b, n, 10), ' ')
		}
		if rng.IntN(25) == 0 {
			b = append(b, "REJECT OK\n"...)
		} else {
			b = append(b, "ACCEPT OK\n"...)
		}
		w.Write(b)
	}
}
