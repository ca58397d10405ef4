package source

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"ddx"
)

// bundleIndex is the first member of a bundle: a record stream with one
// evidence record for each item. The content of the items follows in files/.
const bundleIndex = "records.jsonl"

// WriteBundle writes a take as a bundle, a tar.gz: its records first, then the
// material, unchanged. Reading it back gives the same items and so the same
// facts. Times within are those of the take, so that the same take gives the
// same bytes.
func WriteBundle(w io.Writer, t Take) error {
	var index bytes.Buffer
	rw, err := ddx.NewRecordWriter(&index, t.Header)
	if err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	sp := &spool{} // streams are measured before they are written
	defer sp.close()
	items := slices.Clone(t.Items)
	for i := range items {
		it := &items[i]
		if it.Open != nil {
			if err := measure(it, sp); err != nil {
				return fmt.Errorf("write bundle: read %s: %w", it.Origin, err)
			}
		}
		if err := rw.Write(ddx.Record{Evidence: evidenceOf(it, i)}); err != nil {
			return fmt.Errorf("write bundle: %s: %w", it.Origin, err)
		}
	}
	for i := range t.Facts {
		if err := rw.Write(ddx.Record{Fact: &t.Facts[i]}); err != nil {
			return fmt.Errorf("write bundle: %w", err)
		}
	}
	if err := rw.Flush(); err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}

	zw := gzip.NewWriter(w)
	tw := tar.NewWriter(zw)
	add := func(name string, size int64, mod time.Time, r io.Reader) error {
		if mod.IsZero() {
			mod = t.Header.Now
		}
		h := &tar.Header{Name: name, Mode: 0o600, Size: size, ModTime: mod.Truncate(time.Second), Format: tar.FormatPAX}
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		_, err := io.CopyN(tw, r, size)
		return err
	}
	if err := add(bundleIndex, int64(index.Len()), time.Time{}, &index); err != nil {
		return fmt.Errorf("write bundle: index: %w", err)
	}
	for i := range items {
		it := &items[i]
		if it.Data == nil && it.Open == nil {
			continue
		}
		r, err := it.open()
		if err == nil {
			err = add(fileOf(it, i), it.Size, it.Time, r)
			r.Close()
		}
		if err != nil {
			return fmt.Errorf("write bundle: %s: %w", it.Origin, err)
		}
	}
	if err := tw.Close(); err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	if err := zw.Close(); err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	return nil
}

// measure copies a stream, so that its size is known and stays.
func measure(it *Item, sp *spool) error {
	r, err := it.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	it.Open = nil
	return sp.store(it, r)
}

// fileOf names the member that holds an item: its number and, for people who
// unpack a bundle, its origin.
func fileOf(it *Item, n int) string {
	word := func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '_'
	}
	name := strings.Trim(strings.Map(word, it.Origin), "_.")
	return fmt.Sprintf("files/%05d_%s", n, name[:min(len(name), 80)])
}

func evidenceOf(it *Item, n int) *ddx.Evidence {
	e := &ddx.Evidence{Kind: it.Reader, Origin: it.Origin, Host: it.Host, Time: it.Time, Status: string(it.Absent)}
	if it.Data != nil || it.Open != nil {
		e.File = fileOf(it, n)
		it.Size = max(it.Size, int64(len(it.Data)))
	}
	taken := ddx.Taken{Sample: it.Sample, Line: it.Line, Named: it.Named, Detail: it.Detail, Dropped: it.Dropped, Bound: it.Bound}
	if it.Name != path.Base(it.Origin) {
		taken.Name = it.Name
	}
	if taken != (ddx.Taken{}) {
		e.Taken = &taken
	}
	return e
}

func itemOf(e *ddx.Evidence) Item {
	it := Item{Origin: e.Origin, Name: path.Base(e.Origin), Host: e.Host, Time: e.Time, Reader: e.Kind, Absent: ddx.Absence(e.Status), Size: -1}
	if readerNamed(it.Reader) == nil {
		it.Reader = "" // of another version of ddx: the content tells
	}
	if taken := e.Taken; taken != nil {
		it.Sample, it.Line, it.Named, it.Detail, it.Dropped, it.Bound = taken.Sample, taken.Line, taken.Named, taken.Detail, taken.Dropped, taken.Bound
		if taken.Name != "" {
			it.Name = taken.Name
		}
	}
	if e.Text != "" {
		it.Data, it.Size = []byte(e.Text), int64(len(e.Text))
	}
	return it
}

// bundle reads a bundle whose index tr stands at.
func (c *collector) bundle(m material, tr *tar.Reader) {
	t, err := readRecords(tr)
	if err != nil {
		c.damaged(m, fmt.Sprintf("bundle: %s: %v; was it cut on its way? collect it again", bundleIndex, err))
		return
	}
	if host, _ := hostOf(m.inside); host != "" && t.Header.Host == "" {
		t.Header.Host = host
	}
	at := map[string]int{}
	for i, file := range t.files {
		if file != "" {
			at[file] = i
		}
	}
	broken := fmt.Sprintf("bundle %s ends before it", m.origin)
	torn := 0
	for {
		h, err := tr.Next()
		if err != nil {
			if err != io.EOF {
				broken = fmt.Sprintf("bundle %s: %v", m.origin, err)
			}
			break
		}
		i, ok := at[h.Name]
		if !ok || h.Typeflag != tar.TypeReg {
			continue
		}
		delete(at, h.Name)
		it := &t.Items[i]
		if err := c.spool.store(it, contextReader{c.ctx, tr}); err != nil {
			it.Absent, it.Detail = ddx.NotReadable, fmt.Sprintf("bundle %s: after %d bytes of it: %v", m.origin, it.Size, err)
			torn++
		}
	}
	for _, i := range at {
		if it := &t.Items[i]; it.Data == nil && it.Open == nil {
			it.Absent, it.Detail = ddx.NotReadable, broken
			torn++
		}
	}
	if torn > 0 { // said once for the whole that the caller named
		t.Items = append(t.Items, Item{Origin: m.origin, Name: m.name, Named: true, Absent: ddx.NotReadable, Size: -1,
			Detail: fmt.Sprintf("the bundle is cut or damaged: %d of its %d pieces cannot be read; collect it again", torn, len(t.Items))})
	}
	c.bundles = append(c.bundles, t.Take)
}

// recordTake is a take whose items still lack their content; files holds the
// member of each.
type recordTake struct {
	Take
	files []string
}

func readRecords(r io.Reader) (recordTake, error) {
	var t recordTake
	h, err := ddx.ReadRecords(r, func(rec ddx.Record) error {
		switch {
		case rec.Evidence != nil:
			t.Items = append(t.Items, itemOf(rec.Evidence))
			t.files = append(t.files, rec.Evidence.File)
		case rec.Fact != nil:
			t.Facts = append(t.Facts, *rec.Fact)
		}
		return nil
	})
	t.Header = h
	return t, err
}

// readRecordStream reads records alone, such as the output of -o jsonl.
func readRecordStream(b []byte) (Take, error) {
	t, err := readRecords(bytes.NewReader(b))
	return t.Take, err
}
