package source

import (
	"bytes"
	"compress/zlib"
	"testing"
)

// FuzzInflateCrash: what comes out is bounded and a part of a crash.
func FuzzInflateCrash(f *testing.F) {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := w.Write([]byte("Panic#1 Part2\n<0>[    1.000000] first\n")); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[2:]) // without the header of zlib
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		text, err := inflateCrash(data)
		if err == nil && (len(text) > maxCrash+200 || !crashPart.Match(text[:min(len(text), 64)])) {
			t.Errorf("%d bytes out of %d: %q", len(text), len(data), text[:min(len(text), 64)])
		}
	})
}
