package source

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"ddx"
)

// TestOpenNamedSpecial: what a caller names and cannot be read is an item that
// says so and counts as named; none of it is waited for.
func TestOpenNamedSpecial(t *testing.T) {
	dir := t.TempDir()
	fifo, empty := filepath.Join(dir, "fifo"), filepath.Join(dir, "empty")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{fifo, empty, "/dev/zero", "/dev/null"} {
		takes, err := OpenFiles(context.Background(), []string{p, p}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		items := takes[0].Items
		if len(items) != 1 || items[0].Absent != ddx.NotReadable || !items[0].Named || items[0].Detail == "" {
			t.Errorf("%s: items %+v, want one that is named and not readable", p, items)
		}
		takes[0].Close()
	}
}

// TestOpenUnreadableMember: a file that cannot be opened in a folder that was
// named counts as named.
func TestOpenUnreadableMember(t *testing.T) {
	c := &collector{ctx: context.Background(), o: &Options{}, takes: map[string]*Take{}}
	st, err := os.Stat(".")
	if err != nil {
		t.Fatal(err)
	}
	c.file(material{origin: "d/secret"}, st, func() (*os.File, error) { return nil, os.ErrPermission })
	if it := c.takes[""].Items[0]; !it.Named || it.Absent != deniedHere() {
		t.Errorf("item %+v, want one that is named and denied", it)
	}
}
