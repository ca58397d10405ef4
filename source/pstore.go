package source

import (
	"bytes"
	"cmp"
	"compress/flate"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"ddx"
)

// pstore reads what the kernel saved of a crash. The parts of one crash are
// numbered from its end, so they are put together from the highest number down.
func (l *looking) pstore() []Item {
	names, err := fs.Glob(l.h.FS, "sys/fs/pstore/dmesg-*")
	if err != nil || len(names) == 0 {
		return nil
	}
	type part struct {
		crash, number int
		name          string
		data          []byte
	}
	var parts []part
	var out []Item
	for _, name := range names {
		b, err := l.readFile(name)
		if err != nil {
			out = append(out, Item{Origin: "/" + name, Name: path.Base(name), Time: l.now(), Reader: "kernel-log", Absent: reasonOf(err), Detail: err.Error(), Size: -1})
			continue
		}
		if isDeflatedCrash(name) {
			if b, err = inflateCrash(b); err != nil {
				out = append(out, Item{Origin: "/" + name, Name: path.Base(name), Time: l.now(), Reader: "kernel-log", Absent: ddx.NotReadable, Detail: err.Error(), Size: -1})
				continue
			}
		}
		p := part{name: name, data: b}
		// "Panic#2 Part3" opens each part.
		if kind, rest, ok := strings.Cut(string(firstLine(b)), "#"); ok && len(kind) < 16 {
			if n, err := fmt.Sscanf(rest, "%d Part%d", &p.crash, &p.number); n != 2 || err != nil {
				p.crash, p.number = 0, 0
			}
		}
		parts = append(parts, p)
	}
	slices.SortStableFunc(parts, func(a, b part) int {
		return cmp.Or(cmp.Compare(a.crash, b.crash), cmp.Compare(b.number, a.number))
	})
	for i, p := range parts {
		if i > 0 && p.number > 0 && p.crash == parts[i-1].crash {
			it := &out[len(out)-1]
			it.Data = append(append(it.Data, '\n'), p.data...)
			it.Size = int64(len(it.Data))
			continue
		}
		out = append(out, Item{Origin: "/" + p.name, Name: path.Base(p.name), Time: l.now(), Reader: "kernel-log", Data: p.data, Size: int64(len(p.data))})
	}
	return out
}

// maxCrash is the most that is taken out of one compressed part: backends keep
// parts of some tens of kilobytes.
const maxCrash = 1 << 20

var crashPart = lazy(`\A[A-Z][\w ]{2,15}#\d+ Part\d+\n`)

// isDeflatedCrash reports whether a file is named as the kernel names the part
// of a crash that it could not decompress. Nothing in raw deflate tells it from
// any other bytes, so here alone a name decides what is tried.
func isDeflatedCrash(name string) bool {
	base := path.Base(name)
	return strings.HasPrefix(base, "dmesg-") && strings.HasSuffix(base, ".enc.z")
}

// inflateCrash decompresses such a part: older kernels write zlib, current ones
// deflate without its header. What could be had of a damaged one is kept, once
// its first line shows that it is one.
func inflateCrash(data []byte) ([]byte, error) {
	forms := []func() (io.Reader, error){
		func() (io.Reader, error) { return zlib.NewReader(bytes.NewReader(data)) },
		func() (io.Reader, error) { return flate.NewReader(bytes.NewReader(data)), nil },
	}
	for _, open := range forms {
		r, err := open()
		if err != nil {
			continue
		}
		text, err := io.ReadAll(io.LimitReader(r, maxCrash+1))
		switch {
		case !crashPart.Match(text[:min(len(text), 64)]):
		case len(text) > maxCrash:
			return nil, fmt.Errorf("inflate: more than %d bytes come out, no part of a crash is that long", maxCrash)
		case err != nil:
			return fmt.Appendf(text, "\n[the rest could not be inflated: %v]\n", err), nil
		default:
			return text, nil
		}
	}
	return nil, errors.New("inflate: neither zlib nor deflate with a part of a crash in it; it was damaged, or written with another compression (pstore.compress=)")
}

// crash stores a recorded part of a crash that the kernel left compressed.
func (c *collector) crash(m material, r io.Reader) {
	data, err := io.ReadAll(io.LimitReader(r, maxCrash))
	if err == nil {
		data, err = inflateCrash(data)
	}
	if err != nil {
		c.damaged(m, err.Error())
		return
	}
	m.name, m.reopen, m.size = strings.TrimSuffix(m.name, ".enc.z"), nil, -1
	c.store(m, bytes.NewReader(data))
}
