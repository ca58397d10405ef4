// Flows measures ddx's flow-log summariser against DuckDB and mawk: the same
// question, whole processes in interleaved rounds, equal answers checked.
// `make bench-flows` runs it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// tool is one way to answer for one kind of files.
type tool struct {
	kind, name string
	args       []string
	runs       []usage
}

type usage struct {
	cpu, wall time.Duration
	memory    int64 // KiB, largest resident set
}

func main() {
	log.SetFlags(0)
	rows := flag.Int("rows", 5_000_000, "records")
	rounds := flag.Int("rounds", 3, "rounds")
	dir := flag.String("dir", filepath.Join(os.TempDir(), "ddx-bench-flows"), "directory for programs and data; data of the same number of records is used again")
	level := flag.String("goamd64", "v3", "GOAMD64 that ddx is built with")
	kinds := flag.String("kinds", "text,gzip,parquet", "which files")
	flag.Parse()
	if err := run(*dir, *rows, *rounds, *level, strings.Split(*kinds, ",")); err != nil {
		log.Fatal(err)
	}
}

func run(dir string, rows, rounds int, level string, kinds []string) error {
	bin, data := filepath.Join(dir, "bin"), filepath.Join(dir, fmt.Sprint("rows-", rows))
	if err := build(bin, level); err != nil {
		return err
	}
	if err := prepare(bin, data, rows); err != nil {
		return err
	}
	addresses := filepath.Join(data, "addresses.csv")
	ext := map[string]string{"text": "log", "gzip": "gz", "parquet": "parquet"}
	var tools []*tool
	for _, kind := range kinds {
		glob := filepath.Join(data, kind, "*."+ext[kind])
		tools = append(tools,
			&tool{kind: kind, name: "ddx", args: []string{filepath.Join(bin, "ddx"), "flows", "summarize", "-o", "csv", "--addresses", addresses, filepath.Join(data, kind)}},
			&tool{kind: kind, name: "duckdb", args: []string{filepath.Join(bin, "duckdb"), "-addresses", addresses, "-kind", kind, glob}})
		if _, err := exec.LookPath("mawk"); err == nil && kind == "text" {
			files, err := filepath.Glob(glob)
			if err != nil {
				return err
			}
			tools = append(tools, &tool{kind: kind, name: "mawk", args: append([]string{"mawk", mawkProgram, addresses}, files...)})
		}
	}
	for round := range rounds {
		for _, t := range tools {
			u, err := measure(t.args, t.answer(dir))
			if err != nil {
				return fmt.Errorf("round %d: %s %s: %w", round+1, t.kind, t.name, err)
			}
			t.runs = append(t.runs, u)
		}
	}
	// Answers are compared at the end: a child's largest resident set is never
	// less than that of its parent when it was started.
	want := ""
	for _, t := range tools {
		got, err := canonical(t.answer(dir))
		if err != nil {
			return err
		}
		if want == "" {
			want = got
		}
		if got != want {
			return fmt.Errorf("%s %s gives other sums than ddx: %d and %d bytes of answer", t.kind, t.name, len(got), len(want))
		}
	}
	fmt.Printf("%d records, %d rounds, medians; ddx built with GOAMD64=%s; all answers equal: %d sums\n\n", rows, rounds, level, strings.Count(want, "\n"))
	fmt.Printf("%-8s %-7s %9s %9s %10s %14s\n", "files", "tool", "CPU s", "wall s", "memory MiB", "CPU / ddx's")
	for _, t := range tools {
		base := median(tools, t.kind)
		m := t.median()
		fmt.Printf("%-8s %-7s %9.2f %9.2f %10.1f %14.2f\n", t.kind, t.name, m.cpu.Seconds(), m.wall.Seconds(), float64(m.memory)/1024, m.cpu.Seconds()/base.cpu.Seconds())
	}
	return nil
}

// answer is the file that the tool's answer is kept in.
func (t *tool) answer(dir string) string {
	return filepath.Join(dir, "answer-"+t.kind+"-"+t.name+".csv")
}

func (t *tool) median() usage {
	var u usage
	cpu, wall := []time.Duration{}, []time.Duration{}
	for _, r := range t.runs {
		cpu, wall = append(cpu, r.cpu), append(wall, r.wall)
		u.memory = max(u.memory, r.memory)
	}
	slices.Sort(cpu)
	slices.Sort(wall)
	u.cpu, u.wall = cpu[len(cpu)/2], wall[len(wall)/2]
	return u
}

func median(tools []*tool, kind string) usage {
	for _, t := range tools {
		if t.kind == kind && t.name == "ddx" {
			return t.median()
		}
	}
	return usage{}
}

// mawkProgram answers the same question in awk.
const mawkProgram = `FNR == NR { split($0, f, ","); own[f[1]] = f[2]; next }
$14 == "OK" {
	d = $5 == own[$3] ? "ingress" : $4 == own[$3] ? "egress" : "unknown"
	k = $3 "," ($11 - $11 % 60) "," d "," $13
	p[k] += $9; b[k] += $10; n[k]++
}
END { for (k in p) printf "%s,%.0f,%.0f,%d\n", k, p[k], b[k], n[k] }`

func build(bin, level string) error {
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	for _, c := range [][]string{
		{"go", "build", "-o", bin + "/", "./generate", "./duckdb"},
		{"go", "build", "-C", "../..", "-o", filepath.Join(bin, "ddx"), "./cmd/ddx"},
	} {
		cmd := exec.Command(c[0], c[1:]...)
		cmd.Env = append(os.Environ(), "GOAMD64="+level)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(c, " "), err)
		}
	}
	return nil
}

// prepare makes the data unless they are there.
func prepare(bin, data string, rows int) error {
	done := filepath.Join(data, "complete")
	if _, err := os.Stat(done); err == nil {
		return nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(data, 0o755); err != nil {
		return err
	}
	made := filepath.Join(data, "made")
	if _, err := measure([]string{filepath.Join(bin, "generate"), "-rows", fmt.Sprint(rows), "-dir", data}, made); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(data, "text", "*.log"))
	if err != nil {
		return err
	}
	if _, err := measure(append([]string{filepath.Join(bin, "duckdb"), "-export", filepath.Join(data, "parquet")}, files...), made); err != nil {
		return err
	}
	return os.WriteFile(done, nil, 0o644)
}

// measure runs a program with its output in a file and gives what it used.
func measure(args []string, answer string) (u usage, err error) {
	out, err := os.Create(answer)
	if err != nil {
		return u, err
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	begin := time.Now()
	err = errors.Join(cmd.Run(), out.Close())
	u.wall = time.Since(begin)
	if s := cmd.ProcessState; s != nil {
		u.cpu = s.UserTime() + s.SystemTime()
		if r, ok := s.SysUsage().(*syscall.Rusage); ok {
			u.memory = r.Maxrss
		}
	}
	return u, err
}

// canonical sorts the sums of an answer and leaves out the header and records
// without packets.
func canonical(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	lines = slices.DeleteFunc(lines, func(l string) bool {
		return strings.HasPrefix(l, "interface,") || strings.Contains(l, ",NODATA,") || strings.Contains(l, ",SKIPDATA,")
	})
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n", nil
}
