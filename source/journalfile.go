package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"ddx"
	"ddx/logline"
)

// journalMagic begins a binary journal file.
const journalMagic = "LPKSHHRH"

// journalFile reads a binary journal file by journalctl, which wants it as a
// file with a name.
func (c *collector) journalFile(m material, r io.Reader) {
	f, err := os.CreateTemp("", "ddx-*.journal")
	if err != nil {
		c.absent(m, ddx.NotReadable, fmt.Sprintf("keep the journal in a temporary file (set TMPDIR to a place with room): %v", err))
		return
	}
	defer os.Remove(f.Name())
	n, err := io.Copy(f, contextReader{c.ctx, r})
	if err = errors.Join(err, f.Close()); err != nil {
		c.absent(m, ddx.NotReadable, fmt.Sprintf("after %d bytes of it: %v", n, err))
		return
	}
	stream := streamCommand
	if c.o.Host != nil && c.o.Host.Stream != nil {
		stream = c.o.Host.Stream
	}
	host, _ := hostOf(m.inside)
	it := Item{Origin: m.origin, Name: m.name, Time: m.time, Host: host, Named: m.named, Reader: "journal", Size: -1}
	ctx, cancel := context.WithTimeout(c.ctx, 5*time.Minute)
	defer cancel()
	pr, pw := io.Pipe()
	ended := make(chan Output, 1)
	go func() {
		o := stream(ctx, []string{"journalctl", "--no-pager", "--quiet", "--output=export", "--file=" + f.Name()}, pw)
		pw.Close()
		ended <- o
	}()
	err = c.spool.store(&it, logline.NewReader(pr))
	pr.CloseWithError(errors.New("no more is read"))
	o := <-ended
	if err != nil && o.Absent == "" {
		o.Absent, o.Detail = ddx.NotReadable, err.Error()
	}
	if o.Absent == ddx.NotThere {
		o.Detail += "; it is needed to read a binary journal: convert the file elsewhere with journalctl --file FILE -o export"
	}
	it.Absent, it.Detail = o.Absent, o.Detail
	if it.Size <= 0 {
		it.Data, it.Open, it.Size = nil, nil, -1
	}
	if it.Absent != "" {
		it.Bound = "unknown"
	}
	t := c.take(host)
	t.Items = append(t.Items, it)
}
