package flowsum

import (
	"bufio"
	"cmp"
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
	spare []*bufio.Reader // of cursors that are at their end
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
		keep.blocks = nil
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
	run  *run
	sec  *section
	r    *bufio.Reader // nil at the end
	left uint64
	key  int64
	b    block
	bad  error
}

// longest is more than a block takes in the file: its key and three numbers for
// each of its amounts.
const longest = (1 + 3*2*blockLen) * binary.MaxVarintLen64

func (r *run) cursor(p part) cursor {
	c := &runCursor{run: r, sec: p.section}
	if n := len(r.spare); n > 0 {
		c.r, r.spare = r.spare[n-1], r.spare[:n-1]
	} else {
		c.r = bufio.NewReaderSize(nil, 4<<10)
	}
	c.r.Reset(io.NewSectionReader(r.file, p.to, 1<<62-p.to))
	var err error
	if c.left, err = binary.ReadUvarint(c.r); err != nil {
		c.broken(err)
	}
	return c
}

func (c *runCursor) broken(err error) {
	c.bad = fmt.Errorf("read flow sums back from the temporary file: %w", err)
}

func (c *runCursor) next() bool {
	if c.left == 0 || c.bad != nil {
		if c.r != nil {
			c.run.spare, c.r = append(c.run.spare, c.r), nil
		}
		return false
	}
	c.left--
	text, err := c.r.Peek(longest)
	used := 0
	uvarint := func() uint64 {
		if used < len(text) && text[used] < 0x80 {
			used++
			return uint64(text[used-1])
		}
		v, n := binary.Uvarint(text[used:])
		if n <= 0 {
			c.broken(cmp.Or(err, io.ErrUnexpectedEOF))
			return 0
		}
		used += n
		return v
	}
	c.key += int64(uvarint())
	for i := range c.b {
		for k := range c.b[i] {
			a := amount{flows: uvarint()}
			if a.flows != 0 {
				a.packets, a.bytes = uvarint(), uvarint()
			}
			c.b[i][k] = a
		}
	}
	if c.bad == nil {
		if _, err := c.r.Discard(used); err != nil {
			c.broken(err)
		}
	}
	return c.bad == nil
}
func (c *runCursor) at() int64              { return c.key >> 8 }
func (c *runCursor) cells() (int64, *block) { return c.key, &c.b }
func (c *runCursor) part() *section         { return c.sec }
func (c *runCursor) err() error             { return c.bad }
