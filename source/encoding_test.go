package source

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"ddx"
)

// TestUTF16 decodes what editors and shells of Windows write, however the bytes
// arrive, and leaves alone what only begins like it.
func TestUTF16(t *testing.T) {
	text := strings.Repeat("größer 𝄞 \u4e2d and plain\r\n", 5000)
	for _, big := range []bool{false, true} {
		for name, wrap := range map[string]func(io.Reader) io.Reader{"at once": func(r io.Reader) io.Reader { return r }, "by one": iotest.OneByteReader, "with the end": iotest.DataErrReader} {
			r, changed := decoded(bufio.NewReaderSize(wrap(bytes.NewReader(utf16Of(text, big))), 4096))
			got, err := io.ReadAll(r)
			if err != nil || !changed || string(got) != text {
				t.Errorf("big %v, %s: changed %v, error %v, %d bytes, want %d", big, name, changed, err, len(got), len(text))
			}
		}
	}
	for in, want := range map[string]string{
		"\xff\xfea\x00b":        "a\ufffd", // half a character at the end
		"\xff\xfe":              "",
		"\xff\xfea\x00\x00\xd8": "a\ufffd", // half a pair at the end
		"\xff\xfe\x01\x00a":     "\xff\xfe\x01\x00a",
		"\xff\xfb\x90\x64":      "\xff\xfb\x90\x64",
		"plain":                 "plain",
	} {
		r, _ := decoded(bufio.NewReader(strings.NewReader(in)))
		if got, err := io.ReadAll(r); err != nil || string(got) != want {
			t.Errorf("%q: %q (%v), want %q", in, got, err, want)
		}
	}
	cut, _ := decoded(bufio.NewReader(io.MultiReader(bytes.NewReader(utf16Of("ab", false)), iotest.ErrReader(io.ErrUnexpectedEOF))))
	if got, err := io.ReadAll(cut); err != io.ErrUnexpectedEOF || string(got) != "ab" {
		t.Errorf("a cut stream: %q, %v", got, err)
	}
}

// TestUTF16Material: what commands print and large logs are decoded alike, also
// where the caller says what they are.
func TestUTF16Material(t *testing.T) {
	dir := t.TempDir()
	small := write(t, dir, "ethtool.txt", utf16Of(ethOut, false))
	large := write(t, dir, "big.log", utf16Of(strings.Repeat("[    1.000000] nvme nvme0: I/O 29 QID 1 timeout, aborting\n", smallItem/50), true))
	take := open(t, Options{As: map[string]string{small: "ethtool-statistics"}}, small, large)[0]
	facts, logs, err := Facts(take)
	if err != nil || len(logs) != 1 || logs[0].Reader != "kernel-log" {
		t.Fatalf("logs %+v, error %v", logs, err)
	}
	var got []ddx.Fact
	for _, f := range facts {
		if f.Kind != "unavailable" {
			got = append(got, f)
		}
	}
	want := factsOf(t, []Item{{Origin: small, Name: "ethtool.txt", Reader: "ethtool-statistics", Data: []byte(ethOut)}})
	if len(want) == 0 || len(got) != len(want) {
		t.Errorf("%d facts, want %d", len(got), len(want))
	}
}
