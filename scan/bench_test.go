package scan

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	benchMB     = flag.Int("mb", 256, "size of the benchmark's text in MB")
	benchRounds = flag.Int("rounds", 5, "rounds of the comparison with ripgrep")
)

// TestMain lets the test binary be the scanner that the comparison runs as a
// process of its own: DDX_SCAN_CHILD=file,patterns,words,workers.
func TestMain(m *testing.M) {
	if job := os.Getenv("DDX_SCAN_CHILD"); job != "" {
		if err := child(strings.Split(job, ",")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child scans a file and prints the numbers of matching lines and of lines
// with a word.
func child(job []string) error {
	n, err := strconv.Atoi(job[1])
	if err != nil {
		return err
	}
	var opts []Option
	if job[2] == "words" {
		opts = append(opts, Words(benchWords))
	}
	workers, err := strconv.Atoi(job[3])
	if err != nil {
		return err
	}
	s, err := Compile(benchPatterns(n), opts...)
	if err != nil {
		return err
	}
	f, err := os.Open(job[0])
	if err != nil {
		return err
	}
	defer f.Close()
	lines, words := 0, 0
	count := func(l Line) {
		if len(l.Patterns) > 0 {
			lines++
		} else {
			words++
		}
	}
	var stats Stats
	if workers > 1 {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		stats, err = s.ScanAt(f, info.Size(), workers, count)
		if err != nil {
			return err
		}
	} else {
		stats, err = s.Scan(f, func(l Line) int { count(l); return 0 })
		if err != nil {
			return err
		}
	}
	fmt.Println(lines, words, stats.Candidates, stats.Verified)
	return nil
}
