package source

import (
	"bytes"
	"cmp"
	"io"
	"time"

	"ddx/logline"
)

// latest returns the latest time that the lines of the material begin with,
// the clock's time when none does. Of large material the begin and the end are
// looked at: a log is written in order.
func latest(t *Take, o *Options) time.Time {
	now := o.clock().UTC().Round(0)
	hint := logline.Hint{Now: now, Location: cmp.Or(zoneOf(*t), o.Location)}
	limit := now.Add(24 * time.Hour)
	var last time.Time
	look := func(b []byte, hint logline.Hint) {
		if logline.IsRecords(b) {
			b, _ = io.ReadAll(logline.NewReader(bytes.NewReader(b))) // what can be had of it has times
		}
		for line := range bytes.Lines(b) {
			l := logline.Parse(line[:min(len(line), 4096)], hint)
			if l.Time.After(last) && l.Time.Before(limit) && l.Time.Year() > 1990 {
				last = l.Time
			}
		}
	}
	for i := range t.Items {
		it := &t.Items[i]
		if it.Absent != "" {
			continue
		}
		hint := asOf(hint, it)
		if it.Open == nil {
			if isText(it.head(8192)) {
				look(it.Data, hint)
			}
			continue
		}
		if head := it.head(HeadSize); isText(head) {
			look(head, hint)
			tail := it.tail(HeadSize)
			if logline.IsRecords(head) { // from the begin of a record
				for _, begin := range []string{"\n__CURSOR=", "\n{\n"} {
					if i := bytes.Index(tail, []byte(begin)); i >= 0 {
						tail = tail[i+1:]
						break
					}
				}
			}
			look(tail, hint)
		}
	}
	for _, f := range t.Facts {
		if f.Time.After(last) && f.Time.Before(limit) {
			last = f.Time
		}
	}
	if last.IsZero() {
		return now
	}
	return last
}

// tail returns the last n bytes of a stream, from the begin of a line.
func (it *Item) tail(n int64) []byte {
	r, err := it.open()
	if err != nil {
		return nil
	}
	defer r.Close()
	if it.Size > n {
		if seek, ok := r.(io.Seeker); !ok {
			return nil
		} else if _, err := seek.Seek(-n, io.SeekEnd); err != nil {
			return nil
		}
	}
	b, err := io.ReadAll(io.LimitReader(r, n))
	if err != nil {
		return nil
	}
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		b = b[i+1:]
	}
	return b
}

// asOf is the hint for the lines of one item: none of them was written after the
// item was taken, or after its file was changed for the last time. A copy may be
// younger than what it holds, never older; the dates of the years before Linux
// clouds are those of archives that keep no time.
func asOf(h logline.Hint, it *Item) logline.Hint {
	if it.Time.Year() >= 2006 && it.Time.Before(h.Now) {
		h.Now = it.Time
	}
	return h
}
