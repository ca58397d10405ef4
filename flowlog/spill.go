package flowlog

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// run is a table that was moved to a file. What is known of each section stays
// in memory, its cells are in the file, section after section, blocks in
// ascending order, each as its key's distance from the last one and its
// amounts, all as unsigned varints.
type run struct {
	file  *os.File
	parts []part
}

// writeRun writes the cells of t to a temporary file without a name.
func writeRun(t *table) (*run, error) {
	f, err := os.CreateTemp("", "ddx-flows-*")
	if err != nil {
		return nil, fmt.Errorf("move flow sums out of memory: %w: set TMPDIR to a directory with room", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, fmt.Errorf("move flow sums out of memory: %w", errors.Join(err, f.Close()))
	}
	r := &run{file: f}
	w := bufio.NewWriterSize(f, 256<<10)
	var at int64
	var buf []byte
	for _, s := range t.sections {
		keep := *s
		keep.records = t.count(s)
		keep.blocks, keep.recent = nil, [4]recentBlock{}
		p := part{section: &keep, records: keep.records, at: r, to: at}
		buf = binary.AppendUvarint(buf[:0], uint64(len(s.blocks)))
		last := int64(0)
		for _, ref := range s.blocks {
			buf = binary.AppendUvarint(buf, uint64(ref.key-last))
			last = ref.key
			for _, pair := range t.block(ref) {
				for _, a := range pair {
					buf = binary.AppendUvarint(buf, a.flows)
					if a.flows != 0 {
						buf = binary.AppendUvarint(buf, a.packets)
						buf = binary.AppendUvarint(buf, a.bytes)
					}
				}
			}
		}
		if _, err = w.Write(buf); err != nil {
			break
		}
		at += int64(len(buf))
		r.parts = append(r.parts, p)
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return nil, fmt.Errorf("move flow sums out of memory: %w: set TMPDIR to a directory with room", errors.Join(err, f.Close()))
	}
	return r, nil
}

type runCursor struct {
	sec  *section
	r    *bufio.Reader
	left uint64
	key  int64
	b    block
	bad  error
}

func (r *run) cursor(p part) cursor {
	c := &runCursor{sec: p.section}
	c.r = bufio.NewReaderSize(io.NewSectionReader(r.file, p.to, 1<<62-p.to), 4<<10)
	c.left = c.uvarint()
	return c
}

func (c *runCursor) uvarint() uint64 {
	n, err := binary.ReadUvarint(c.r)
	if err != nil && c.bad == nil {
		c.bad = fmt.Errorf("read flow sums back from the temporary file: %w", err)
	}
	return n
}

func (c *runCursor) next() bool {
	if c.left == 0 || c.bad != nil {
		return false
	}
	c.left--
	c.key += int64(c.uvarint())
	for i := range c.b {
		for k := range c.b[i] {
			a := amount{flows: c.uvarint()}
			if a.flows != 0 {
				a.packets, a.bytes = c.uvarint(), c.uvarint()
			}
			c.b[i][k] = a
		}
	}
	return c.bad == nil
}
func (c *runCursor) at() int64              { return c.key >> 8 }
func (c *runCursor) cells() (int64, *block) { return c.key, &c.b }
func (c *runCursor) part() *section         { return c.sec }
func (c *runCursor) err() error             { return c.bad }
