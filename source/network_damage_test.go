package source

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ddx"
)

// networkFixtures returns the path and content of every fixture of the network
// readers.
func networkFixtures(t testing.TB) map[string][]byte {
	out := map[string][]byte{}
	for i := range networkReaders {
		files, _ := filepath.Glob(filepath.Join("testdata", networkReaders[i].Name, "*.txt"))
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			out[file] = data
		}
	}
	return out
}

// summary is what a text says, without where it says so.
func summary(t testing.TB, file string, data []byte) string {
	reader, base := filepath.Base(filepath.Dir(file)), filepath.Base(file)
	name := networkNames[reader+"/"+base]
	it := &Item{Origin: name, Name: name, Data: data, Reader: reader}
	var out strings.Builder
	if _, err := readItem(it, func(f ddx.Fact) {
		for _, e := range f.Evidence {
			if strings.TrimSpace(e.Text) == "" {
				t.Errorf("%s: evidence without text for %s", file, f.Kind)
			}
		}
		f.Evidence = f.Evidence[:1]
		_, rest, _ := strings.Cut(renderFact(it, f), " ")
		fmt.Fprintln(&out, rest)
	}); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return out.String()
}

// TestPastedNetworkOutput pastes every fixture as people do: moved to the
// right, with carriage returns, behind another line. It must be recognised and
// say the same.
func TestPastedNetworkOutput(t *testing.T) {
	for file, data := range networkFixtures(t) {
		reader := filepath.Base(filepath.Dir(file))
		if nameOnly[reader] {
			continue
		}
		want := summary(t, file, data)
		for how, changed := range map[string][]byte{
			"indented": []byte("    " + strings.ReplaceAll(strings.TrimSuffix(string(data), "\n"), "\n", "\n    ") + "\n"),
			"crlf":     bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r"), nil), []byte("\n"), []byte("\r\n")),
			"headed":   append([]byte("here is what it says:\n\n"), data...),
		} {
			if reader == "dig" && how == "headed" && !bytes.Contains(data, []byte("DiG")) && !bytes.Contains(data, []byte("HEADER")) {
				continue // records alone are told by being alone
			}
			rd, err := Recognise(&Item{Origin: "pasted", Data: changed})
			if err != nil || readerName(rd) != reader {
				t.Errorf("%s %s: recognised as %s", file, how, readerName(rd))
				continue
			}
			if got := summary(t, file, changed); got != want {
				t.Errorf("%s %s: says\n%swant\n%s", file, how, got, want)
			}
		}
	}
}

// TestDamagedNetworkOutput cuts every fixture at many places and mixes the
// halves of two: no reader may panic, and what it says must be well formed.
func TestDamagedNetworkOutput(t *testing.T) {
	fixtures := networkFixtures(t)
	for file, data := range fixtures {
		reader := filepath.Base(filepath.Dir(file))
		for cut := 0; cut < len(data); cut += 1 + len(data)/40 {
			for _, piece := range [][]byte{data[:cut], data[cut:], append(bytes.Clone(data[cut:]), data[:cut]...)} {
				checkDamaged(t, &Item{Origin: file, Name: networkNames[reader+"/"+filepath.Base(file)], Data: piece, Reader: reader})
			}
		}
	}
}

func checkDamaged(t testing.TB, it *Item) {
	// an error is an answer: only what was said before it is looked at
	_, _ = readItem(it, func(f ddx.Fact) {
		if err := f.Check(); err != nil {
			t.Errorf("%s: %v", it.Origin, err)
		}
	})
}

// FuzzNetworkReaders gives any text to every network reader.
func FuzzNetworkReaders(f *testing.F) {
	for file, data := range networkFixtures(f) {
		f.Add(networkNames[filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file)], data)
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		for i := range networkReaders {
			networkReaders[i].Match(name, data)
			checkDamaged(t, &Item{Origin: "fuzz", Name: name, Data: data, Reader: networkReaders[i].Name})
		}
	})
}

// TestCutOffNetworkOutput: material that ends too early is an error that names
// the line, and what stood before it is still said.
func TestCutOffNetworkOutput(t *testing.T) {
	for _, tt := range []struct {
		reader, text, line string
		facts              int
	}{
		{"ip-neigh-json", "[{\"dst\":\"10.0.0.1\",\"dev\":\"eth0\",\"state\":[\"STALE\"]},\n{\"dst\":\"10.0.0.2\",\"dev\":", "line 2", 1},
		{"net-protocols", "Tcp: ActiveOpens PassiveOpens\nTcp: 7\nUdp: NoPorts\nUdp: 3\n", "line 2", 2},
		{"net-stat-conntrack", "entries clashres found drop\n00000001 00000002 00000003 00000004\n00000001 0000\n", "line 3", 4},
	} {
		facts := 0
		_, err := readItem(&Item{Origin: "cut", Data: []byte(tt.text), Reader: tt.reader}, func(ddx.Fact) { facts++ })
		if err == nil || !strings.Contains(err.Error(), tt.line) || facts != tt.facts {
			t.Errorf("%s: %d facts and error %v, want %d and one that names %s", tt.reader, facts, err, tt.facts, tt.line)
		}
	}
}
