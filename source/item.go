package source

import (
	"io"
	"time"

	"ddx"
)

// Item is one piece of raw material: a file, the output of a command, a
// section of a pasted terminal session, a member of an archive.
type Item struct {
	Origin string    // path or command line as on the source host; the first part of every evidence origin
	Name   string    // base name of the file, or the command line: a hint for recognition, never more
	Time   time.Time // when it was taken; zero when unknown
	Host   string    // source host, when known
	Sample int       // 0, 1, 2...: which sample of a counter source this is

	// Between are the commands of a pasted session that were given since the
	// one of this item was given last: what may have changed its output.
	Between []string

	Data []byte                        // the content of small material; nil for a stream
	Open func() (io.ReadCloser, error) // the content of large material (logs)
	Line int                           // number of the first line of Data within Origin, minus one

	Size    int64  // bytes of the content, -1 when unknown
	Dropped int64  // log: lines known to be lost before they could be read
	Bound   string // log: exact, at-least or unknown; "" means that nothing was lost

	Reader string      // name of the reader that must be used (--as, or the bundle's index); "" recognises by content
	Absent ddx.Absence // set when the material could not be had; Detail says more
	Detail string
	Named  bool // the caller named it: not being able to read it makes exit status 4

	starts []int // offsets of the lines of Data, made by lineText
}

// Reader turns one form of material into facts. Readers are values in the list
// Readers; the order matters where two could claim the same content: the more
// specific one stands first.
type Reader struct {
	Name  string   // stable, used by --as and in the index of a bundle: "ethtool-statistics"
	Doc   string   // one line for docs/sources.md
	Kinds []string // fact kinds it can emit

	// What the live host is asked for. Files are patterns below the root
	// without the leading slash; commands are argument lists in which {nic}
	// stands for each interface, {disk} for each disk and {mount} for each mount point.
	Files    []string
	Commands [][]string
	Basic    bool // one of the four looks that every diagnosis needs
	Twice    bool // carries counters: live, it is read twice
	Child    bool // reading the files can block: only from a disposable child with a deadline
	Log      bool // lines for the pattern matcher rather than for Read

	// Match reports whether the content is of this form. head is at least the
	// first 16 KiB, or everything. The name is a hint only: content decides.
	Match func(name string, head []byte) bool
	// Read emits facts. It is given small material only. An error says what is
	// wrong at which line; facts emitted before it stand.
	Read func(it *Item, emit func(ddx.Fact)) error
}

// Line returns evidence for line number n (counted from 1 within the item).
func (it *Item) evidence(n int, text string) []ddx.Evidence {
	return []ddx.Evidence{{Kind: it.Reader, Origin: it.at(n), Host: it.Host, Time: it.Time, Text: text}}
}
