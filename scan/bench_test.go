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
	benchDdx    = flag.String("bench-ddx", "", "the ddx program that BenchmarkDiagnose runs")
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
	stats, err := s.Scan(f, workers, func(l Line) int {
		if len(l.Patterns) > 0 {
			lines++
		} else {
			words++
		}
		return 0
	})
	if err != nil {
		return err
	}
	fmt.Println(lines, words, stats.Candidates, stats.Verified)
	return nil
}

// BenchmarkRipgrep compares the CPU time (user and system, whole process, one
// core) of a scan with that of ripgrep over the same text and expressions, in
// interleaved rounds, and demands that both count the same lines. It measures
// by itself: run it once.
//
//	go test ./scan -run '^$' -bench Ripgrep -benchtime 1x -mb 256 -rounds 5
func BenchmarkRipgrep(b *testing.B) {
	dir := b.TempDir()
	logs := map[string]string{}
	for name, kind := range map[string]logKind{"log": busyLog, "quiet": quietLog} {
		logs[name] = filepath.Join(dir, name)
		if err := writeLogFile(logs[name], int64(*benchMB)<<20, kind); err != nil {
			b.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	scan := func(log string, n int, words string, workers int) *run {
		env := fmt.Sprintf("DDX_SCAN_CHILD=%s,%d,%s,%d", logs[log], n, words, workers)
		return &run{name: fmt.Sprintf("scan %s, %d patterns, words %s, workers %d", log, n, words, workers),
			env: []string{env, fmt.Sprintf("GOMAXPROCS=%d", workers)}, args: []string{self}}
	}
	scan100, scan500 := scan("log", 100, "off", 1), scan("log", 500, "off", 1)
	words500, quiet500 := scan("log", 500, "words", 1), scan("quiet", 500, "words", 1)
	wall500 := scan("log", 500, "off", runtime.NumCPU())
	runs := []*run{scan100, scan500, words500, quiet500, wall500, {name: "cat log", args: []string{"cat", logs["log"]}}}
	var rg100, rg500 *run
	if rg, err := exec.LookPath("rg"); err != nil {
		b.Log("no comparison: ripgrep is not installed (apt-get install ripgrep)")
	} else {
		ripgrep := func(n int) *run {
			file := filepath.Join(dir, fmt.Sprint("patterns", n))
			if err := os.WriteFile(file, []byte(strings.Join(benchPatterns(n), "\n")+"\n"), 0o600); err != nil {
				b.Fatal(err)
			}
			return &run{name: fmt.Sprintf("rg -c -f, %d patterns", n),
				args: []string{rg, "--no-config", "-j1", "-c", "-f", file, logs["log"]}}
		}
		rg100, rg500 = ripgrep(100), ripgrep(500)
		runs = append(runs, rg100, rg500)
	}
	inTurn(b, runs)
	for _, r := range runs {
		cpu := median(r.cpu)
		fmt.Printf("%-46s CPU %.3f s (%.2f GB/s), wall %.3f s, lines %s\n",
			r.name, cpu, float64(*benchMB)/953.67/cpu, median(r.wall), r.output)
	}
	ratio := func(unit string, x, y *run, times func(*run) []float64) {
		v := median(times(x)) / median(times(y))
		fmt.Printf("%s: %.2f\n", unit, v)
		b.ReportMetric(v, unit)
	}
	cpu := func(r *run) []float64 { return r.cpu }
	wall := func(r *run) []float64 { return r.wall }
	ratio("scan-500/scan-100", scan500, scan100, cpu)
	if rg500 != nil {
		ratio("rg/scan-CPU-100", rg100, scan100, cpu)
		ratio("rg/scan-CPU-500", rg500, scan500, cpu)
		ratio("rg/scan-wall-500-all-cores", rg500, wall500, wall)
		for _, pair := range [][2]*run{{rg100, scan100}, {rg500, scan500}, {rg500, wall500}} {
			if lines, _, _ := strings.Cut(pair[1].output, " "); lines != pair[0].output {
				b.Errorf("%s found %s lines, %s found %s", pair[1].name, lines, pair[0].name, pair[0].output)
			}
		}
	}
}

// BenchmarkDiagnose measures whole diagnoses of one log: what is not the search
// for literals goes to the lines that it finds.
//
//	go test ./scan -run '^$' -bench Diagnose -benchtime 1x -mb 1024 -rounds 3 -bench-ddx bin/ddx
func BenchmarkDiagnose(b *testing.B) {
	if *benchDdx == "" {
		b.Skip("give the program by -bench-ddx")
	}
	dir := b.TempDir()
	var runs []*run
	for name, kind := range map[string]logKind{"innocent": innocentLog, "quiet": quietLog, "busy": busyLog} {
		log := filepath.Join(dir, name)
		if err := writeLogFile(log, int64(*benchMB)<<20, kind); err != nil {
			b.Fatal(err)
		}
		for _, cores := range []int{1, runtime.NumCPU()} {
			runs = append(runs, &run{name: fmt.Sprintf("diagnose %s, %d cores", name, cores),
				env: []string{fmt.Sprint("GOMAXPROCS=", cores)}, args: []string{*benchDdx, "diagnose", "--exit-zero", "-o", "json", log}})
		}
	}
	slices.SortFunc(runs, func(x, y *run) int { return strings.Compare(x.name, y.name) })
	inTurn(b, runs)
	for _, r := range runs {
		fmt.Printf("%-28s CPU %.2f s, wall %.2f s\n", r.name, median(r.cpu), median(r.wall))
	}
}

// inTurn runs the commands one after the other, round for round.
func inTurn(b *testing.B, runs []*run) {
	for b.Loop() {
		for range *benchRounds {
			for _, r := range runs {
				if err := r.once(); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
}

func writeLogFile(name string, size int64, kind logKind) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := writeLog(f, size, 1, kind); err != nil {
		return err
	}
	return f.Close()
}

// A run is a command with what its runs took.
type run struct {
	name      string
	env, args []string
	cpu, wall []float64
	output    string
}

func (r *run) once() error {
	cmd := exec.Command(r.args[0], r.args[1:]...)
	cmd.Env = append(os.Environ(), r.env...)
	var out strings.Builder
	if r.args[0] != "cat" {
		cmd.Stdout = &out
	}
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s: %w", r.name, err)
	}
	r.wall = append(r.wall, time.Since(start).Seconds())
	r.cpu = append(r.cpu, (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds())
	r.output = strings.TrimSpace(out.String())
	return nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
