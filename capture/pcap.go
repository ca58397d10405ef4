package capture

import (
	"encoding/binary"
	"fmt"
)

// pcap is the classic format: a header of 24 bytes, then records of a 16-byte
// header and the frame.
type pcap struct {
	w       *window
	order   binary.ByteOrder
	little  bool
	nano    bool
	link    LinkType
	maximum uint32 // captured length that is believed
	before  int64  // time of the last good record
	good    bool   // there was one
	mapped  *mapped
	begun   bool
}

// pcapMagic returns the byte order of a capture, or nil if it is none.
func pcapMagic(b []byte) binary.ByteOrder {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if m := order.Uint32(b); m == 0xa1b2c3d4 || m == 0xa1b23c4d {
			return order
		}
	}
	return nil
}

func newPcap(w *window, head []byte, r *Reader) (*pcap, error) {
	if len(head) < 24 {
		return nil, fmt.Errorf("read capture %s: the pcap header ends after %d of 24 bytes", r.name, len(head))
	}
	order := pcapMagic(head)
	if major := order.Uint16(head[4:]); major != 2 {
		return nil, fmt.Errorf("read capture %s: pcap version %d at offset 4 is not 2", r.name, major)
	}
	f := &pcap{
		w: w, order: order, little: order == binary.ByteOrder(binary.LittleEndian),
		nano: order.Uint32(head) == 0xa1b23c4d,
		link: LinkType(order.Uint32(head[20:]) & 0xffff), // above it: frame check sequence length
	}
	snaplen := order.Uint32(head[16:])
	// libpcap's own bound; headers with a snapshot length that is too small exist.
	f.maximum = min(max(snaplen, 262144), 1<<27)
	if !f.link.Known() {
		return nil, fmt.Errorf("read capture %s: %s at offset 20 is not supported; capture on an Ethernet interface or with -i any", r.name, f.link)
	}
	r.interfaces = []Interface{{Link: f.link.String(), Snaplen: snaplen}}
	w.pos += 24
	return f, nil
}

// header reads a record header and reports whether it is credible.
func (f *pcap) header(b []byte) (at int64, captured, length uint32, ok bool) {
	var sec, frac uint32
	if f.little {
		le := binary.LittleEndian
		sec, frac, captured, length = le.Uint32(b), le.Uint32(b[4:]), le.Uint32(b[8:]), le.Uint32(b[12:])
	} else {
		sec, frac, captured, length = be.Uint32(b), be.Uint32(b[4:]), be.Uint32(b[8:]), be.Uint32(b[12:])
	}
	if f.nano {
		at, ok = int64(sec)*1e9+int64(frac), frac < 1e9
	} else {
		at, ok = int64(sec)*1e9+int64(frac)*1e3, frac < 1e6
	}
	return at, captured, length, ok && captured <= f.maximum && captured <= length
}

// next is the hot path of counting: a frame that the filter rejects costs a
// header, a comparison and four sums.
func (f *pcap) next(r *Reader) bool {
	w := f.w
	if !f.begun {
		f.begun = true
		if r.filter.on {
			f.mapped = f.mapFile(w.src)
		}
	}
	if f.mapped != nil {
		if f.mapped.next(r) {
			return true
		}
		f.mapped.close()
		f.mapped = nil
	}
	packets, total := r.packets, r.bytes
	defer func() { r.packets, r.bytes = packets, total }()
	for {
		if w.end-w.pos < 16 {
			if !w.fill(16) {
				f.end(r)
				return false
			}
		}
		at, captured, length, ok := f.header(w.buf[w.pos:])
		if !ok {
			if !f.resync(r, "a record header that cannot be right") {
				return false
			}
			continue
		}
		size := 16 + int(captured)
		if w.end-w.pos < size {
			if !w.fill(size) {
				if !f.cut(r, size) {
					return false
				}
				continue
			}
		}
		data := w.buf[w.pos+16 : w.pos+size]
		// What this record covers is looked through again if the next header
		// turns out to be none: its length may be the lie.
		w.keep = w.pos
		w.pos += size
		if packets == 0 {
			r.first, r.last = at, at
		}
		packets++
		total += int64(length)
		r.first, r.last = min(r.first, at), max(r.last, at)
		f.before, f.good = at, true
		if r.filter.rejects(f.link, data) {
			continue
		}
		r.record = record{time: at, length: int(length), iface: 0, link: f.link, data: data}
		return true
	}
}

// end states what is left over at the end of the stream.
func (f *pcap) end(r *Reader) {
	w := f.w
	left := int64(w.end - w.pos)
	switch why := w.ended(); {
	case why != "":
		r.damaged(w.at(), left, why)
	case left > 0:
		r.damaged(w.at(), left, fmt.Sprintf("the capture ends inside a record header (%d of 16 bytes)", left))
	}
	w.pos, w.keep = w.end, w.end
}

// cut deals with a record that is longer than what is left: either the capture
// ends inside it, or its length lies and there are records to be saved.
func (f *pcap) cut(r *Reader, size int) bool {
	w := f.w
	if n, found := f.search(w.pos+1, true); found == recordFound {
		r.damaged(w.at(), int64(n-w.pos), "a record length that reaches beyond the end of the file")
		w.pos, w.keep = n, n
		return true
	}
	left := int64(w.end - w.pos)
	problem := fmt.Sprintf("the capture ends inside a packet (%d of %d bytes)", left, size)
	if why := w.ended(); why != "" {
		problem += ": " + why
	}
	r.damaged(w.at(), left, problem)
	w.pos, w.keep = w.end, w.end
	return false
}

// resync looks for the next record, from the start of the last packet's data
// on. It reports false if there is none in the rest of the stream.
func (f *pcap) resync(r *Reader, problem string) bool {
	w := f.w
	bad := w.at()
	from := w.pos + 1
	if w.pos-w.keep > 16 {
		from = w.keep + 17
	}
	for {
		n, found := f.search(from, w.err != nil)
		if found == recordFound {
			r.damaged(bad, max(0, w.offset+int64(n)-bad), problem)
			w.pos, w.keep = n, n
			return true
		}
		if w.err != nil {
			if why := w.ended(); why != "" {
				problem += "; " + why
			}
			r.damaged(bad, w.offset+int64(w.end)-bad, problem+"; no record follows")
			w.pos, w.keep = w.end, w.end
			return false
		}
		w.pos, w.keep = n, n
		w.fill(w.end - n + 1)
		from = w.pos
	}
}

type searched int

const (
	recordNone searched = iota // none before the position
	recordMore                 // perhaps at the position: more bytes will tell
	recordFound
)

// search finds a position where two credible records follow each other, with
// times near the last good one, or one that ends exactly with the stream.
func (f *pcap) search(from int, last bool) (int, searched) {
	w := f.w
	const near = int64(24 * 3600 * 1e9)
	n := from
	for ; n+16 <= w.end; n++ {
		at, captured, length, ok := f.header(w.buf[n:])
		if !ok || captured < 14 || length > 1<<20 || f.good && (at < f.before-near || at > f.before+near) {
			continue
		}
		next := n + 16 + int(captured)
		switch {
		case next+16 <= w.end:
			at2, captured2, length2, ok := f.header(w.buf[next:])
			if ok && captured2 >= 14 && length2 <= 1<<20 && at2 >= at-near && at2 <= at+near {
				return n, recordFound
			}
		case !last:
			return n, recordMore
		case next == w.end:
			return n, recordFound
		}
	}
	return min(n, w.end), recordNone
}
