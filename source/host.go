package source

import (
	"context"
	"io"
	"io/fs"
	"time"

	"ddx"
)

// Host is a machine that Live looks at: this one (see ThisHost), or a
// recording of one.
type Host struct {
	// FS is its root. Files are read from it where reading cannot block.
	FS fs.FS
	// Run runs a read-only command to its end or to the deadline of ctx.
	Run func(ctx context.Context, argv []string) Output
	// ReadFiles reads files whose reading can block, from a process that can be
	// abandoned, and tells each in order. nil reads them from FS.
	ReadFiles func(ctx context.Context, paths []string, deadline time.Duration, done func(path string, o Output))
	// Statfs asks mount points whether they answer, likewise. nil leaves it out.
	Statfs func(ctx context.Context, paths []string, deadline time.Duration, done func(path string, o Output))
	// Kmsg opens the kernel's ring buffer: every read gives one record, EPIPE
	// tells that records were overwritten, EAGAIN or EOF ends. nil leaves it out.
	Kmsg func() (io.ReadCloser, error)
	// Stream runs a command whose output can be large.
	Stream func(ctx context.Context, argv []string, w io.Writer) Output
	// Now is its clock; nil is the clock of Options.
	Now func() time.Time
}

// Output is what a command or a file gave.
type Output struct {
	Data   []byte
	Absent ddx.Absence // why there is nothing, or not all of it
	Detail string
}
