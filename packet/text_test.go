package packet

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ddx"
	"ddx/capture"
	"ddx/golden"
)

// The texts in testdata are captures as operators paste them; beside each lies
// what is read out of it.
func TestText(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r, err := capture.NewReader(bytes.NewReader(b), filepath.Base(file))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		result := Analyse(r, Options{})
		var got bytes.Buffer
		if err := result.WriteText(&got); err != nil {
			t.Fatal(err)
		}
		for _, f := range Facts(result) {
			line, err := json.Marshal(struct {
				Subject string
				Fields  map[string]any
			}{f.Subject.String(), f.Fields})
			if err != nil {
				t.Fatal(err)
			}
			got.Write(append(line, '\n'))
			declared(t, f)
		}
		golden.Compare(t, strings.TrimSuffix(file, ".txt")+".golden", got.Bytes())
	}
}

// declared holds a fact against the vocabulary.
func declared(t *testing.T, f ddx.Fact) {
	t.Helper()
	if err := f.Check(); err != nil {
		t.Error(err)
	}
}

// FuzzAnalyse: any input that can be read gives a result that marshals.
func FuzzAnalyse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil {
			f.Add(b, "10.0.0.2:2049")
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, target string) {
		r, err := capture.NewReader(bytes.NewReader(b), "fuzz")
		if err != nil {
			return
		}
		o := Options{}
		o.Target, _ = ParseTarget(target)
		result := Analyse(r, o)
		if _, err := json.Marshal(result); err != nil {
			t.Fatal(err)
		}
		Facts(result)
	})
}

func FuzzStream(f *testing.F) {
	f.Add(true, []byte(rpcCall(1, 0)+rpcCall(2, 1, 42)), uint8(7))
	f.Add(false, []byte("\x00\x0c123456789012"), uint8(1))
	f.Fuzz(func(t *testing.T, rpc bool, b []byte, step uint8) {
		s := &stream{rpc: rpc, synced: true, final: true}
		heads := 0
		for i, n := 0, int(step)+1; i < len(b); i += n {
			part := b[i:min(len(b), i+n)]
			s.feed(uint32(i), part, len(part), func(head []byte) {
				heads++
				if len(head) > headSize {
					t.Fatalf("a head of %d bytes", len(head))
				}
			})
		}
		if heads > len(b) {
			t.Fatalf("%d messages in %d bytes", heads, len(b))
		}
	})
}
