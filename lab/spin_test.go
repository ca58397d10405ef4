package lab

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// spinRun is what Spin's verifier printed.
type spinRun struct {
	states, transitions, errors int
	seconds                     float64
}

// pan compiles the Promela model with macros into a verifier and returns its
// path. It skips the test by name if Spin or a C compiler is missing.
func pan(t testing.TB, defines, compile string) string {
	t.Helper()
	for _, tool := range []string{"spin", "gcc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s: install Debian's spin and gcc", tool)
		}
	}
	model, err := filepath.Abs("testdata/dns.pml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	// -o2 turns off Spin's removal of dead local variables: it takes a variable
	// for dead that is only used inside a d_step, and then misses states.
	run := func(name string, args ...string) {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
	}
	run("spin", append(append([]string{"-o2", "-a"}, strings.Fields(defines)...), model)...)
	run("gcc", append(append([]string{"-DSAFETY", "-w"}, strings.Fields(compile)...), "-o", "pan", "pan.c")...)
	return filepath.Join(dir, "pan")
}

var spinLines = map[string]*regexp.Regexp{
	"errors":      regexp.MustCompile(`errors: (\d+)`),
	"states":      regexp.MustCompile(`(\d+) states, stored`),
	"transitions": regexp.MustCompile(`(\d+) transitions`),
}

// runPan runs a verifier over the whole space, through errors.
func runPan(t testing.TB, pan string, hashBits int) spinRun {
	t.Helper()
	cmd := exec.Command(pan, "-m2000000", fmt.Sprintf("-w%d", hashBits), "-E", "-n", "-c0")
	cmd.Dir = filepath.Dir(pan)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("pan: %v\n%s", err, out)
	}
	number := func(name string) int {
		m := spinLines[name].FindSubmatch(out)
		if m == nil {
			t.Fatalf("pan printed no %s:\n%s", name, out)
		}
		n, _ := strconv.Atoi(string(m[1]))
		return n
	}
	if strings.Contains(string(out), "max search depth too small") {
		t.Fatalf("pan did not search everything:\n%s", out)
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return spinRun{number("states"), number("transitions"), number("errors"), cpu.Seconds()}
}

// Spin explores a Promela model of the same system: the same states, but for
// the one before its processes start, and the same verdicts.
func TestSpinAgrees(t *testing.T) {
	tests := []struct {
		defines    string
		safeguards []string
		enactors   int
		endpoints  int
	}{
		{"", nil, 2, 1},
		{"-DN=3", nil, 3, 1},
		{"-DEP=2 -DAPART", []string{"rollback-apart"}, 2, 2},
		{"-DN=3 -DLOCK -DFENCE", []string{"lock-fence"}, 3, 1},
		{"-DRECHECK -DLOCK", []string{"lock", "recheck"}, 2, 1},
		{"-DRECHECK -DLOCK -DFENCE", []string{"lock-fence", "recheck"}, 2, 1},
		{"-DEP=2 -DCAS", []string{"generation-cas"}, 2, 2},
		{"-DOLDER", []string{"generation-guard"}, 2, 1},
		{"-DCOND", []string{"conditional-delete"}, 2, 1},
		{"-DAGE -DSPARE", []string{"age-from-active", "cleaner-spares-active"}, 2, 1},
		{"-DNOCLEAN", []string{"no-cleanup"}, 2, 1},
		{"-DCAS -DCOND -DPROTECT -DTARGET", []string{"generation-cas", "conditional-delete", "protect-rollback", "target-check"}, 2, 1},
		{"-DCOND -DONEBATCH -DEP=2", []string{"conditional-delete", "one-batch"}, 2, 2},
	}
	for i, tt := range tests {
		x, err := Explore(context.Background(), newDNSSpace(variant(tt.safeguards, 1, 3, tt.enactors, tt.endpoints)), ExploreOptions{NoSymmetry: true})
		if err != nil {
			t.Fatal(err)
		}
		// The first five variants check the two properties of the published
		// cross-check, the others one each in turn.
		properties := []int{1, 2}
		if i >= 5 {
			properties = []int{i%4 + 1}
		}
		for _, p := range properties {
			r := runPan(t, pan(t, fmt.Sprintf("%s -DPROP=%d", tt.defines, p), "-O1 -DNOREDUCE"), 20)
			if x.States+1 != r.states {
				t.Errorf("%v: %d states here, %d in Spin, want one more there", tt.safeguards, x.States, r.states)
			}
			if holds := x.Violations[p-1] == nil; holds != (r.errors == 0) {
				t.Errorf("%v: %s holds here: %v, errors in Spin: %d", tt.safeguards, DNSInvariants[p-1], holds, r.errors)
			}
		}
	}
}
