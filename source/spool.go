package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
)

// smallItem is the most of one piece of material that is kept in memory.
const smallItem = 4 << 20

// memoryItems is the most that all material of one take may keep in memory.
const memoryItems = 192 << 20

// spool keeps large material in one temporary file without a name, so that
// nothing is left behind however the program ends.
type spool struct {
	mu   sync.Mutex
	f    *os.File
	size int64
	held int64 // bytes kept in memory
}

func (s *spool) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.f == nil {
		return nil
	}
	f := s.f
	s.f = nil
	return f.Close()
}

// file returns the temporary file; the caller holds the lock.
func (s *spool) file() (*os.File, error) {
	if s.f != nil {
		return s.f, nil
	}
	f, err := os.CreateTemp("", "ddx-*")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", needsRoom, err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("keep large material: %w", err), f.Close())
	}
	s.f = f
	return f, nil
}

// store reads r to its end into the item: into memory when it is small, else
// into the temporary file. What was read before an error is kept.
func (s *spool) store(it *Item, r io.Reader) error {
	var buf bytes.Buffer
	n, err := io.Copy(&buf, io.LimitReader(r, smallItem))
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || n < smallItem && s.held+n <= memoryItems {
		s.held += n
		it.Data, it.Size = append(make([]byte, 0, n), buf.Bytes()...), n // a buffer has room for twice as much
		return err
	}
	f, ferr := s.file()
	if ferr != nil { // what was read is kept all the same
		s.held += n
		it.Data, it.Size = buf.Bytes(), n
		return ferr
	}
	start := s.size
	rest, err := io.Copy(&roomyWriter{w: io.NewOffsetWriter(f, start), f: f}, io.MultiReader(&buf, r))
	s.size += rest
	it.Data, it.Size = nil, rest
	it.Open = func() (io.ReadCloser, error) {
		return section{io.NewSectionReader(f, start, rest), io.NopCloser(nil)}, nil
	}
	if err != nil && isWriteError(err) {
		return fmt.Errorf("%s: %w", needsRoom, err)
	}
	return err
}

const needsRoom = "keep large material in a temporary file (set TMPDIR to a place with room)"

// Spooling stops where it would leave less room than leaveBytes, or on a small
// file system one part in leaveShare of it: a host that is looked at in trouble
// must not get into more of it, whatever comes out of a pipe.
const (
	leaveBytes = 512 << 20
	leaveShare = 20
	checkEvery = 16 << 20
)

// roomyWriter writes as long as its file system has room to leave.
type roomyWriter struct {
	w     io.Writer
	f     *os.File
	since int64 // bytes since room was looked for
	begun bool
}

func (r *roomyWriter) Write(p []byte) (int, error) {
	if r.since += int64(len(p)); r.since >= checkEvery || !r.begun {
		r.since, r.begun = 0, true
		var st syscall.Statfs_t
		if err := syscall.Fstatfs(int(r.f.Fd()), &st); err == nil && crowded(int64(st.Bavail)*st.Bsize, int64(st.Blocks)*st.Bsize) {
			return 0, &os.PathError{Op: "write", Path: r.f.Name(), Err: fmt.Errorf("only %d MiB are free, which are left to the host", int64(st.Bavail)*st.Bsize>>20)}
		}
	}
	return r.w.Write(p)
}

// crowded reports whether a file system has no more room than must be left.
func crowded(free, size int64) bool { return free < min(leaveBytes, size/leaveShare) }

// section is a part of a file that can be sought in.
type section struct {
	*io.SectionReader
	io.Closer
}

func isWriteError(err error) bool {
	var pe *os.PathError
	return errors.As(err, &pe) && pe.Op == "write"
}

// open returns the content of the item from its beginning.
func (it *Item) open() (io.ReadCloser, error) {
	if it.Open != nil {
		return it.Open()
	}
	return io.NopCloser(bytes.NewReader(it.Data)), nil
}

// head returns the first n bytes of the content, or all of it.
func (it *Item) head(n int) []byte {
	if it.Open == nil {
		return it.Data[:min(n, len(it.Data))]
	}
	r, err := it.Open()
	if err != nil {
		return nil
	}
	defer r.Close()
	b := make([]byte, n)
	got, _ := io.ReadFull(r, b) // what can be had decides the form; reading it again tells the error
	return b[:got]
}
