package flowsum

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// run is cells of a table that were moved to its temporary file: section after
// section in the order of before, so that runs are merged as they are read. What
// is known of the sections stays in the table. A section is the length of what
// follows; its interface, flow log and first candidate, each with its length
// before it; 1 for IPv6; the number of its blocks; and the blocks in ascending
// order, each as its key's distance from the last one and its amounts. All
// numbers are unsigned varints.
type run struct {
	file     *os.File
	from, to int64
}

// writeRun moves the cells of t to its temporary file, which has no name.
func writeRun(t *table) (r *run, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("move flow sums out of memory: %w: set TMPDIR to a directory with room", err)
		}
	}()
	if t.file == nil {
		f, err := os.CreateTemp("", "ddx-flows-*")
		if err != nil {
			return nil, err
		}
		if err := os.Remove(f.Name()); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		t.file = f
	}
	r = &run{t.file, t.written, t.written}
	w := bufio.NewWriterSize(io.NewOffsetWriter(t.file, r.from), 256<<10)
	var buf, length []byte
	for _, s := range slices.SortedFunc(slices.Values(t.sections), (*section).before) {
		if len(s.blocks) == 0 {
			continue
		}
		buf = appendSection(buf[:0], t, s)
		length = binary.AppendUvarint(length[:0], uint64(len(buf)))
		if _, err := w.Write(length); err != nil {
			return nil, err
		}
		if _, err := w.Write(buf); err != nil {
			return nil, err
		}
		r.to += int64(len(length) + len(buf))
	}
	t.written = r.to
	return r, w.Flush()
}

func appendSection(buf []byte, t *table, s *section) []byte {
	for _, text := range []string{s.iface, s.source, s.candidates[0]} {
		buf = append(binary.AppendUvarint(buf, uint64(len(text))), text...)
	}
	buf = binary.AppendUvarint(buf, uint64(b2i(s.v6)))
	buf = binary.AppendUvarint(buf, uint64(len(s.blocks)))
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
	return buf
}

// runs reads a number of runs side by side, interface by interface.
type runs struct {
	at    []runReader
	spare []*bufio.Reader // of cursors that are at their end
	head  []byte
}

// runReader stands before a section of a run.
type runReader struct {
	run   *run
	pos   int64    // of what follows the section that s is of
	s     *section // the next one, as far as the run knows it; nil at the end
	cells int64    // where its blocks begin
}

func newRuns(all []*run) (*runs, error) {
	r := &runs{at: make([]runReader, len(all)), head: make([]byte, 512)}
	for i := range all {
		r.at[i] = runReader{run: all[i], pos: all[i].from}
		if err := r.next(&r.at[i]); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// next reads the head of a run's next section.
func (r *runs) next(at *runReader) error {
	at.s = nil
	if at.pos >= at.run.to {
		return nil
	}
	for {
		n, err := at.run.file.ReadAt(r.head[:min(int64(len(r.head)), at.run.to-at.pos)], at.pos)
		left := r.head[:n]
		number := func() uint64 {
			v, k := binary.Uvarint(left)
			left = left[max(k, 0):]
			if k <= 0 {
				left = nil
			}
			return v
		}
		s := &section{}
		length := number()
		follows := at.pos + int64(n-len(left)) + int64(length)
		for _, text := range []*string{&s.iface, &s.source, &s.candidates[0]} {
			k := number()
			if k > uint64(len(left)) {
				left = nil
				break
			}
			*text, left = string(left[:k]), left[k:]
		}
		if len(left) > 0 {
			s.v6 = number() == 1
			at.s, at.cells, at.pos = s, at.pos+int64(n-len(left)), follows
			return nil
		}
		if n < len(r.head) {
			return fmt.Errorf("read flow sums back from the temporary file: %w", cmp.Or(err, io.ErrUnexpectedEOF))
		}
		r.head = make([]byte, 4*len(r.head)) // longer names than most
	}
}

// cursors opens the sections of an interface, which comes next in each run that
// has it.
func (r *runs) cursors(iface string) (out []cursor, err error) {
	for i := range r.at {
		at := &r.at[i]
		for at.s != nil && at.s.iface == iface {
			out = append(out, r.cursor(at))
			if err := r.next(at); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

// left names an interface that no cursor was asked for, "" if all were.
func (r *runs) left() string {
	for _, at := range r.at {
		if at.s != nil {
			return at.s.iface
		}
	}
	return ""
}

type runCursor struct {
	runs *runs
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

func (r *runs) cursor(at *runReader) cursor {
	c := &runCursor{runs: r, sec: at.s}
	if n := len(r.spare); n > 0 {
		c.r, r.spare = r.spare[n-1], r.spare[:n-1]
	} else {
		c.r = bufio.NewReaderSize(nil, 4<<10)
	}
	c.r.Reset(io.NewSectionReader(at.run.file, at.cells, at.pos-at.cells))
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
			c.runs.spare, c.r = append(c.runs.spare, c.r), nil
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
