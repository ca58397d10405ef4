package capture

import (
	"os"

	"golang.org/x/sys/unix"
)

const pageSize = 4096

// mapBytes maps the file; nil if it cannot be.
func mapBytes(f *os.File, size int) []byte {
	b, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil
	}
	return b
}

func unmapBytes(b []byte) { unix.Munmap(b) }

// populate reads ahead and fills the page table in one call (Linux 5.14; before,
// pages come one fault at a time).
func populate(b []byte) { unix.Madvise(b, unix.MADV_POPULATE_READ) }

// release gives the pages of what was scanned back to the page cache, so that
// the memory of the process does not grow with the file.
func release(b []byte) {
	if len(b) > 0 {
		unix.Madvise(b, unix.MADV_DONTNEED)
	}
}
