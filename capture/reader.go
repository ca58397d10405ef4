package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/gzip"
)

// Damage is a place in a capture that could not be read. Offset counts bytes
// from the start of the file, after decompression when the file is compressed;
// Line counts from 1 in text captures. LostBytes were skipped to go on reading.
type Damage struct {
	File      string `json:"file"`
	Offset    int64  `json:"offset"`
	Line      int    `json:"line,omitempty"`
	Problem   string `json:"problem"`
	LostBytes int64  `json:"lost_bytes"`
}

func (d Damage) String() string {
	place := fmt.Sprintf("%s: offset %d", d.File, d.Offset)
	if d.Line > 0 {
		place = fmt.Sprintf("%s:%d", d.File, d.Line)
	}
	return fmt.Sprintf("%s: %s (%d bytes lost)", place, d.Problem, d.LostBytes)
}

// Interface is what a capture says about one of its interfaces. Received and
// Dropped are nil if it does not say.
type Interface struct {
	Name     string  `json:"name,omitempty"`
	Link     string  `json:"link"`
	Snaplen  uint32  `json:"snaplen,omitempty"`
	Filter   string  `json:"filter,omitempty"`
	Received *uint64 `json:"received,omitempty"`
	Dropped  *uint64 `json:"dropped,omitempty"`

	// When the capture began and ended, by the interface statistics.
	Start time.Time `json:"start,omitzero"`
	End   time.Time `json:"end,omitzero"`
}

// maxDamage bounds the list; further damage is counted only.
const maxDamage = 100

// Reader reads one capture. It is not safe for concurrent use.
type Reader struct {
	name   string
	format string
	source source
	filter prefilter // frames it rejects are counted but not returned

	packets, bytes        int64
	first, last           int64 // times; valid if packets > 0
	undecoded, cut        int64
	interfaces            []Interface
	dropped               *uint64 // by the kernel, as far as the capture says
	damage                []Damage
	damageCount, unparsed int64
	dateless              bool
	record                record
}

// record is one frame of a capture.
type record struct {
	time   int64
	length int // on the wire
	iface  int
	link   LinkType
	data   []byte
}

// source is a file format. next fills the record with the next frame that
// r.filter lets pass, counts all it meets, and reports false at the end.
type source interface {
	next(r *Reader) bool
}

// packetSource is a format that holds packets already decoded: text.
type packetSource interface {
	nextPacket(r *Reader, p *Packet) bool
}

// NewReader recognises the format of src by its first bytes: pcap, pcapng,
// either of them gzipped, or tcpdump's text. The name is for messages. The error
// says that src is none of these or could not be read at all.
func NewReader(src io.Reader, name string) (*Reader, error) {
	w := newWindow(src)
	compressed := false
	if head := w.peek(2); len(head) == 2 && head[0] == 0x1f && head[1] == 0x8b {
		z, err := gzip.NewReader(w.rest())
		if err != nil {
			return nil, fmt.Errorf("read capture %s: gzip header: %w; is the file complete?", name, err)
		}
		w, compressed = newWindow(z), true
	}
	r := &Reader{name: name}
	head := w.peek(24)
	switch {
	case len(head) == 0 && w.err != nil && w.err != io.EOF:
		return nil, fmt.Errorf("read capture %s: %w", name, w.err)
	case len(head) == 0:
		return nil, fmt.Errorf("read capture %s: the file is empty; a capture has at least a header", name)
	case len(head) >= 4 && pcapMagic(head) != nil:
		src, err := newPcap(w, head, r)
		if err != nil {
			return nil, err
		}
		r.format, r.source = "pcap", src
	case len(head) >= 12 && be.Uint32(head) == ngSection:
		r.format, r.source = "pcapng", &pcapng{w: w}
	default:
		sample := w.peek(64 << 10)
		if !looksLikeText(sample) {
			return nil, fmt.Errorf("read capture %s: neither pcap, pcapng nor tcpdump text (it begins with % x); give a file written by tcpdump -w, or its printed output", name, sample[:min(8, len(sample))])
		}
		r.format, r.source = "text", newText(w.rest())
	}
	if compressed {
		r.format += "+gzip"
	}
	return r, nil
}

// Next reads the next packet and reports false at the end of the capture.
// Frames whose headers cannot be decoded are counted and skipped.
func (r *Reader) Next(p *Packet) bool {
	if s, ok := r.source.(packetSource); ok {
		return s.nextPacket(r, p)
	}
	for r.source.next(r) {
		p.Time, p.Length, p.Interface = r.record.time, r.record.length, r.record.iface
		err := Decode(r.record.link, r.record.data, p)
		if err == nil || errors.Is(err, ErrLength) && p.Kind != Other {
			return true
		}
		if errors.Is(err, ErrShort) && len(r.record.data) < r.record.length {
			r.cut++ // by the snapshot length, not by a liar
		} else {
			r.undecoded++
		}
	}
	return false
}

// count enters a packet into the totals.
func (r *Reader) count(at int64, length int) {
	if r.packets == 0 {
		r.first, r.last = at, at
	}
	r.packets++
	r.bytes += int64(length)
	r.first, r.last = min(r.first, at), max(r.last, at)
}

func (r *Reader) damaged(offset, lost int64, problem string) {
	r.damageCount++
	if len(r.damage) < maxDamage {
		r.damage = append(r.damage, Damage{File: r.name, Offset: offset, Problem: problem, LostBytes: lost})
	}
}

// Capture is what a capture says about itself.
type Capture struct {
	File       string      `json:"file"`
	Format     string      `json:"format"` // pcap, pcapng, text, with +gzip; live
	Interfaces []Interface `json:"interfaces"`
	Packets    int64       `json:"packets"`
	Bytes      int64       `json:"bytes"`     // on the wire
	Undecoded  int64       `json:"undecoded"` // packets with headers that contradict themselves
	Cut        int64       `json:"cut"`       // packets with headers beyond the snapshot length
	Unparsed   int64       `json:"unparsed"`  // lines of a text capture that are no packet
	Dropped    *uint64     `json:"dropped"`   // by the capture itself; null: it does not say
	Filter     string      `json:"filter,omitempty"`
	From       time.Time   `json:"from,omitzero"`
	To         time.Time   `json:"to,omitzero"`
	Dateless   bool        `json:"dateless,omitempty"` // only the time of day is known: dates are 1970-01-01
	Damage     []Damage    `json:"damage"`
	Damaged    int64       `json:"damaged"` // places; Damage lists the first 100
}

// Capture tells what has been read so far.
func (r *Reader) Capture() Capture {
	c := Capture{
		File: r.name, Format: r.format, Interfaces: r.interfaces,
		Packets: r.packets, Bytes: r.bytes, Undecoded: r.undecoded, Cut: r.cut, Unparsed: r.unparsed,
		Dropped: r.dropped, Dateless: r.dateless, Damage: r.damage, Damaged: r.damageCount,
	}
	first, last, any := r.first, r.last, r.packets > 0
	for _, i := range r.interfaces {
		if c.Filter == "" {
			c.Filter = i.Filter
		}
		if i.Dropped != nil {
			sum := *i.Dropped
			if c.Dropped != nil && c.Dropped != r.dropped {
				sum += *c.Dropped
			}
			c.Dropped = &sum
		}
		if !i.Start.IsZero() && !i.End.Before(i.Start) {
			if !any {
				first, last, any = i.Start.UnixNano(), i.End.UnixNano(), true
			}
			first, last = min(first, i.Start.UnixNano()), max(last, i.End.UnixNano())
		}
	}
	if any {
		c.From, c.To = time.Unix(0, first).UTC(), time.Unix(0, last).UTC()
	}
	return c
}

// window is a sliding view of a stream that knows its offset.
type window struct {
	src    io.Reader
	buf    []byte
	pos    int   // next unread byte
	end    int   // end of the valid bytes
	keep   int   // bytes from here on are kept when the view slides; <= pos
	offset int64 // of buf[0] in the stream
	err    error // why no more bytes come; io.EOF at the end
}

// windowSize is where reading from the page cache costs least (measured from 64 KiB
// to 1 MiB).
const windowSize = 512 << 10

func newWindow(src io.Reader) *window {
	return &window{src: src, buf: make([]byte, windowSize)}
}

// at is the stream offset of the next unread byte.
func (w *window) at() int64 { return w.offset + int64(w.pos) }

// fill makes n unread bytes available and reports whether it could.
func (w *window) fill(n int) bool {
	for w.end-w.pos < n {
		if w.err != nil {
			return false
		}
		if w.keep > 0 {
			copy(w.buf, w.buf[w.keep:w.end])
			w.offset += int64(w.keep)
			w.pos, w.end, w.keep = w.pos-w.keep, w.end-w.keep, 0
		}
		// Grow step by step as bytes arrive: n may be a lie.
		if w.end == len(w.buf) {
			w.buf = append(w.buf, make([]byte, len(w.buf))...)
		}
		m, err := w.src.Read(w.buf[w.end:])
		w.end += m
		w.err = err
	}
	return true
}

// peek returns up to n unread bytes.
func (w *window) peek(n int) []byte {
	w.fill(n)
	return w.buf[w.pos:min(w.end, w.pos+n)]
}

// rest is the stream from the next unread byte on.
func (w *window) rest() io.Reader {
	read := bytes.NewReader(w.buf[w.pos:w.end])
	if w.err != nil {
		return io.MultiReader(read, failing{w.err})
	}
	return io.MultiReader(read, w.src)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// ended says why the stream ended, for Damage; empty at a regular end.
func (w *window) ended() string {
	if w.err == nil || w.err == io.EOF {
		return ""
	}
	if errors.Is(w.err, io.ErrUnexpectedEOF) {
		return "the compressed stream is cut short"
	}
	return w.err.Error()
}
