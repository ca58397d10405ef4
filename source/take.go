package source

import (
	"cmp"
	"io"
	"maps"
	"slices"
	"time"

	"ddx"
	"ddx/logline"
)

// Take is everything gathered about one host, in a stable order.
type Take struct {
	Header ddx.Header
	Items  []Item
	Facts  []ddx.Fact // facts that the material held ready, as records

	spool    *spool
	location *time.Location // of times without a zone, from the caller
}

// Close frees the temporary file that large material was kept in. Items must
// not be opened after it.
func (t *Take) Close() error {
	if t.spool == nil {
		return nil
	}
	return t.spool.close()
}

// Options say how material is gathered. The zero Options reads this machine.
type Options struct {
	Version  string            // of ddx, for the header
	Now      func() time.Time  // the clock; nil is time.Now
	Location *time.Location    // of times without a zone; nil is UTC
	As       map[string]string // path of OpenFiles -> name of the reader that must be used
	Stdin    io.Reader         // what the path "-" reads

	Host     *Host         // the machine that Live looks at; nil is this one
	Since    time.Time     // Live: begin of the journal; zero is 24 hours before now
	Boot     string        // Live: "" this boot, "all", or a boot as journalctl -b names it
	Pause    time.Duration // Live: between the two samples; 0 is 400 ms
	Deadline time.Duration // Live: for each tool and file; 0 is 3 s
	MaxLog   int64         // Live: most bytes read of one log; 0 is 256 MiB

	Progress func(ddx.Progress) // told now and then; may be nil
}

func (o *Options) clock() time.Time {
	if o.Now != nil {
		return o.Now()
	}
	return time.Now()
}

func (o *Options) progress(message string, done, total int) {
	if o.Progress != nil {
		o.Progress(ddx.Progress{Message: message, Done: int64(done), Total: int64(total)})
	}
}

// Log is text for the pattern matcher.
type Log struct {
	Item
	Channel logline.Channel // what it can hold; Unknown is anything
	Hint    logline.Hint
	Boot    string // current when all of it is of the running boot, earlier when none of it is, "" when not known
	// Incidental marks material that was read as something else and is scanned
	// only so that a line of a log in it is not missed: that it lacks a line
	// says nothing.
	Incidental bool
}

// Open returns the text from its beginning. It can be called more than once. A
// journal in its export or JSON form comes as one line a record, see
// logline.Reader.
func (l *Log) Open() (io.ReadCloser, error) {
	r, err := l.Item.open()
	if err != nil || l.Reader != "journal" {
		return r, err
	}
	return readCloser{logline.NewReader(r), r}, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// Loss says how many lines are known to be lost before they could be read, and
// what that number is: exact, at-least or unknown.
func (l *Log) Loss() (n int64, bound string) {
	return l.Dropped, cmp.Or(l.Bound, "exact")
}

// takes orders takes by host name, the one without a name first.
func takes(m map[string]*Take) []Take {
	var out []Take
	for _, host := range slices.Sorted(maps.Keys(m)) {
		out = append(out, *m[host])
	}
	return out
}
