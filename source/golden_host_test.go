package source

import (
	"ddx/golden"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ddx"
)

// goldenReaders are the readers that this file holds to their fixtures.
var goldenReaders = slices.Concat(storageReaders, hostReaders, cloudReaders)

// fixtureOrigin is the origin a fixture is read under: for files of /proc and
// /sys, whose path is part of their meaning, the name of the fixture is the
// path with "@" for "/"; every other fixture has no name at all.
func fixtureOrigin(file string) (origin, name string) {
	base := strings.TrimSuffix(filepath.Base(file), ".txt")
	if p := strings.ReplaceAll(base, "@", "/"); strings.HasPrefix(p, "proc/") || strings.HasPrefix(p, "sys/") {
		return "/" + p, filepath.Base(p)
	}
	return "-", ""
}

// TestFixtures feeds every fixture through recognition without a name, wants
// the reader whose directory it lies in, checks every fact against its
// declaration and compares all of them with the golden file beside it.
func TestFixtures(t *testing.T) {
	for _, rd := range goldenReaders {
		files, err := filepath.Glob(filepath.Join("testdata", rd.Name, "*.txt"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s: no fixture", rd.Name)
		}
		for _, file := range files {
			t.Run(rd.Name+"/"+filepath.Base(file), func(t *testing.T) {
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				origin, name := fixtureOrigin(file)
				it := &Item{Origin: origin, Name: name, Data: data, Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
				got, facts := readAll(t, it)
				if got == nil || got.Name != rd.Name {
					t.Fatalf("recognised as %v, want %s", readerName(got), rd.Name)
				}
				for _, f := range facts {
					if !slices.Contains(rd.Kinds, f.Kind) {
						t.Errorf("%s is not in the Kinds of the reader", f.Kind)
					}
				}
				checkEvidence(t, it, facts)
				compareGolden(t, strings.TrimSuffix(file, ".txt")+".facts", facts)
			})
		}
	}
}

func readerName(r *Reader) string {
	if r == nil {
		return "nothing"
	}
	return r.Name
}

func readAll(t *testing.T, it *Item) (*Reader, []ddx.Fact) {
	t.Helper()
	var facts []ddx.Fact
	rd, err := readItem(it, func(f ddx.Fact) {
		if err := f.Check(); err != nil {
			t.Error(err)
		}
		if k := ddx.LookupFact(f.Kind); k != nil && k.Subject != f.Subject.Kind {
			t.Errorf("fact %s about %s, declared about a %s", f.Kind, f.Subject, k.Subject)
		}
		facts = append(facts, f)
	})
	if err != nil {
		t.Errorf("read: %v", err)
	}
	return rd, facts
}

// checkEvidence holds every fact to its promise: the text of its evidence is
// the line that its origin names.
func checkEvidence(t *testing.T, it *Item, facts []ddx.Fact) {
	t.Helper()
	for _, f := range facts {
		if len(f.Evidence) == 0 {
			t.Errorf("fact %s %s has no evidence", f.Kind, f.Subject)
		}
		for _, e := range f.Evidence {
			var n int
			if _, err := fmt.Sscanf(strings.TrimPrefix(e.Origin, it.Origin+":"), "%d", &n); err != nil {
				t.Errorf("origin %q names no line", e.Origin)
			}
			first, _, _ := strings.Cut(e.Text, "\n")
			if want := strings.TrimRight(it.lineText(n), " \t"); first != want {
				t.Errorf("evidence of line %d is\n%q, the line is\n%q", n, first, want)
			}
		}
	}
}

// factText is the form of a fact in golden files: one line, fields in order.
func factText(f ddx.Fact) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", f.Kind, f.Subject)
	k := ddx.LookupFact(f.Kind)
	for i := range k.Fields {
		if v, ok := f.Fields[k.Fields[i].Name]; ok {
			if s, ok := v.(string); ok {
				v = fmt.Sprintf("%q", s)
			}
			fmt.Fprintf(&b, " %s=%v", k.Fields[i].Name, v)
		}
	}
	for i, e := range f.Evidence {
		b.WriteString([]string{" @", ","}[min(i, 1)])
		b.WriteString(e.Origin[strings.LastIndexByte(e.Origin, ':')+1:])
	}
	return b.String()
}

func compareGolden(t *testing.T, file string, facts []ddx.Fact) {
	t.Helper()
	var b strings.Builder
	for _, f := range facts {
		b.WriteString(factText(f) + "\n")
	}
	golden.Compare(t, file, []byte(b.String()))
	if len(facts) == 0 {
		t.Error("no facts")
	}
}

// FuzzHostReaders feeds any text to one of the readers: none may panic, and
// every fact must keep to its declaration.
func FuzzHostReaders(f *testing.F) {
	for i, rd := range goldenReaders {
		files, _ := filepath.Glob(filepath.Join("testdata", rd.Name, "*.txt"))
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(i), data)
		}
		f.Add(uint8(i), []byte("Mem:0 total")) // top: a unit is not always there
	}
	origins := []string{"-", "/proc/1/stack", "/sys/block/sda/stat", "/sys/fs/cgroup/a/memory.max"}
	f.Fuzz(func(t *testing.T, i uint8, data []byte) {
		rd := goldenReaders[int(i)%len(goldenReaders)]
		rd.Match("", data)
		for _, origin := range origins {
			it := &Item{Origin: origin, Data: data, Reader: rd.Name}
			_ = rd.Read(it, func(f ddx.Fact) { // an error is an answer; a panic is not
				if err := f.Check(); err != nil {
					t.Errorf("%s: %v", rd.Name, err)
				}
			})
		}
	})
}
