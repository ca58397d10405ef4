package source

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestCrowded(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		free, size int64
		want       bool
	}{
		{511 * mib, 100_000 * mib, true},
		{513 * mib, 100_000 * mib, false},
		{2 * mib, 64 * mib, true}, // a small tmpfs
		{60 * mib, 64 * mib, false},
		{0, 0, false}, // a file system that does not tell
	} {
		if got := crowded(c.free, c.size); got != c.want {
			t.Errorf("%d MiB free of %d: %v", c.free/mib, c.size/mib, got)
		}
	}
}

// TestNoRoom: without a place for large material its beginning is kept, and the
// error says what to do.
func TestNoRoom(t *testing.T) {
	t.Setenv("TMPDIR", "/nonexistent")
	line := "[    1.000000] nvme nvme0: I/O 29 QID 1 timeout, aborting\n"
	o := clock
	o.Stdin = strings.NewReader(strings.Repeat(line, 2*smallItem/len(line)))
	items := open(t, o, "-")[0].Items
	if len(items) != 2 || items[0].Size != smallItem || !bytes.HasPrefix(items[0].Data, []byte(line)) {
		t.Fatal(list(items))
	}
	if it := items[1]; !it.Named || !strings.Contains(it.Detail, "after 4194304 bytes of it: ") || !strings.Contains(it.Detail, "set TMPDIR") {
		t.Errorf("%+v", it)
	}
}

// TestReadError: what came before an error of the stream is kept.
func TestReadError(t *testing.T) {
	o := clock
	o.Stdin = &brokenReader{strings.NewReader("[    1.000000] nvme nvme0: I/O 29 QID 1 timeout, aborting\n")}
	if items := open(t, o, "-")[0].Items; len(items) != 2 || items[0].Size <= 0 || !strings.Contains(items[1].Detail, "broken cable") {
		t.Error(list(items))
	}
}

type brokenReader struct{ r *strings.Reader }

func (b *brokenReader) Read(p []byte) (int, error) {
	if b.r.Len() == 0 {
		return 0, errors.New("broken cable")
	}
	return b.r.Read(p)
}
