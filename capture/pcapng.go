package capture

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
	"time"
)

// Block types of pcapng (draft-ietf-opsawg-pcapng).
const (
	ngSection    = 0x0a0d0d0a
	ngInterface  = 1
	ngPacketOld  = 2
	ngSimple     = 3
	ngStatistics = 5
	ngEnhanced   = 6

	ngMaxBlock = 128 << 20
)

// pcapng is the block format: each block states its length before and after its
// body, so damage shows at once and reading goes on at the next sound block.
type pcapng struct {
	w        *window
	order    binary.ByteOrder
	skipping bool // the section has a version this reader does not know
	section  []ngIface
	last     int64
	old      uint64 // drops counted by packet blocks
}

// ngIface is an interface of the current section.
type ngIface struct {
	index   int // in Reader.interfaces
	link    LinkType
	snaplen uint32
	units   uint64 // of time in a second
	offset  int64  // seconds added to every time
}

func (f *pcapng) next(r *Reader) bool {
	w := f.w
	for {
		w.keep = w.pos
		if !w.fill(12) {
			f.end(r)
			return false
		}
		kind, size, problem := f.block(w.buf[w.pos:w.end])
		if problem == "" && !w.fill(size) {
			problem = fmt.Sprintf("the capture ends inside a block (%d of %d bytes)", w.end-w.pos, size)
			if why := w.ended(); why != "" {
				problem += ": " + why
			}
		}
		if problem == "" && int(f.order.Uint32(w.buf[w.pos+size-4:])) != size {
			problem = "the two lengths of a block contradict each other"
		}
		if problem != "" {
			if !f.resync(r, problem) {
				return false
			}
			continue
		}
		body, at := w.buf[w.pos+8:w.pos+size-4], w.at()
		w.pos += size
		got, problem := f.take(kind, body, r)
		if problem != "" {
			r.damaged(at, int64(size), problem)
		}
		if got {
			return true
		}
	}
}

// block reads a block's type and length; a section header sets the byte order.
func (f *pcapng) block(b []byte) (kind uint32, size int, problem string) {
	if be.Uint32(b) == ngSection {
		switch {
		case be.Uint32(b[8:]) == 0x1a2b3c4d:
			f.order = binary.BigEndian
		case binary.LittleEndian.Uint32(b[8:]) == 0x1a2b3c4d:
			f.order = binary.LittleEndian
		default:
			return 0, 0, "a section header without byte order"
		}
	}
	if f.order == nil {
		return 0, 0, "a block outside any section"
	}
	kind = f.order.Uint32(b)
	n := f.order.Uint32(b[4:])
	if n < 12 || n%4 != 0 || n > ngMaxBlock {
		return 0, 0, fmt.Sprintf("a block length of %d", n)
	}
	return kind, int(n), ""
}

// take reads the body of a block; got says that r.record holds a frame that
// passes the filter.
func (f *pcapng) take(kind uint32, b []byte, r *Reader) (got bool, problem string) {
	if kind == ngSection {
		f.section, f.skipping = f.section[:0], false
		if len(b) < 16 {
			return false, "a section header that is too short"
		}
		if major := f.order.Uint16(b[4:]); major != 1 {
			f.skipping = true
			return false, fmt.Sprintf("a section of version %d, which is skipped", major)
		}
		return false, ""
	}
	if f.skipping {
		return false, ""
	}
	switch kind {
	case ngInterface:
		return false, f.addInterface(b, r)
	case ngStatistics:
		return false, f.statistics(b, r)
	case ngEnhanced, ngPacketOld:
		if len(b) < 20 {
			return false, "a packet block that is too short"
		}
		iface := f.order.Uint32(b)
		if kind == ngPacketOld {
			iface = uint32(f.order.Uint16(b))
			if d := f.order.Uint16(b[2:]); d != 0xffff && d > 0 {
				f.drop(r, uint64(d))
			}
		}
		if int64(iface) >= int64(len(f.section)) {
			return false, fmt.Sprintf("a packet of interface %d, which the section does not have", iface)
		}
		i := &f.section[iface]
		captured, length := f.order.Uint32(b[12:]), f.order.Uint32(b[16:])
		if int64(captured) > int64(len(b)-20) || captured > length && length != 0 {
			return false, fmt.Sprintf("a packet of %d captured bytes in a block that holds %d, %d on the wire", captured, len(b)-20, length)
		}
		f.last = i.time(uint64(f.order.Uint32(b[4:]))<<32 | uint64(f.order.Uint32(b[8:])))
		if pad := 20 + (int(captured)+3)&^3; kind == ngEnhanced && pad < len(b) {
			f.options(b[pad:], func(code uint16, v []byte) {
				if code == 4 && len(v) == 8 {
					f.drop(r, f.order.Uint64(v))
				}
			})
		}
		return f.frame(r, i, b[20:20+captured], int(length)), ""
	case ngSimple:
		if len(b) < 4 || len(f.section) == 0 {
			return false, "a simple packet without interface or length"
		}
		length := f.order.Uint32(b)
		captured := min(length, uint32(len(b)-4))
		if s := f.section[0].snaplen; s > 0 {
			captured = min(captured, s)
		}
		return f.frame(r, &f.section[0], b[4:4+captured], int(length)), ""
	}
	return false, "" // name resolution, secrets, custom blocks
}

func (f *pcapng) frame(r *Reader, i *ngIface, data []byte, length int) bool {
	r.count(f.last, length)
	if r.filter.rejects(i.link, data) {
		return false
	}
	r.record = record{time: f.last, length: length, iface: i.index, link: i.link, data: data}
	return true
}

func (f *pcapng) drop(r *Reader, n uint64) {
	f.old += n
	r.dropped = &f.old
}

// time converts a block's timestamp to nanoseconds since 1970.
func (i *ngIface) time(t uint64) int64 {
	hi, lo := bits.Mul64(t%i.units, 1e9)
	frac, _ := bits.Div64(hi, lo, i.units)
	return (int64(t/i.units)+i.offset)*1e9 + int64(frac)
}

func (f *pcapng) addInterface(b []byte, r *Reader) string {
	if len(b) < 8 {
		return "an interface description that is too short"
	}
	i := ngIface{
		index: len(r.interfaces), units: 1e6,
		link: LinkType(f.order.Uint16(b)), snaplen: f.order.Uint32(b[4:]),
	}
	described := Interface{Link: i.link.String(), Snaplen: i.snaplen}
	f.options(b[8:], func(code uint16, v []byte) {
		switch {
		case code == 2:
			described.Name = strings.TrimRight(string(v), "\x00")
		case code == 9 && len(v) >= 1:
			i.units = resolution(v[0])
		case code == 11 && len(v) > 1 && v[0] == 0:
			described.Filter = strings.TrimRight(string(v[1:]), "\x00")
		case code == 14 && len(v) == 8:
			i.offset = int64(f.order.Uint64(v))
		}
	})
	f.section = append(f.section, i)
	if len(r.interfaces) < 1000 {
		r.interfaces = append(r.interfaces, described)
	}
	if !i.link.Known() {
		return fmt.Sprintf("interface %d has %s, which is not supported: its packets are counted only", len(f.section)-1, i.link)
	}
	return ""
}

// resolution reads if_tsresol: a negative power of ten, or of two if the top
// bit is set.
func resolution(v byte) uint64 {
	if v&0x80 != 0 {
		return 1 << min(v&0x7f, 63)
	}
	units := uint64(1)
	for range min(v, 19) {
		units *= 10
	}
	return units
}

// statistics reads an interface statistics block; its counts are totals, so the
// last one holds.
func (f *pcapng) statistics(b []byte, r *Reader) string {
	if len(b) < 12 {
		return "interface statistics that are too short"
	}
	n := f.order.Uint32(b)
	if int64(n) >= int64(len(f.section)) {
		return fmt.Sprintf("statistics of interface %d, which the section does not have", n)
	}
	i := &f.section[n]
	if i.index >= len(r.interfaces) {
		return ""
	}
	s := &r.interfaces[i.index]
	var dropped uint64
	seen := false
	f.options(b[12:], func(code uint16, v []byte) {
		if len(v) != 8 {
			return
		}
		n := f.order.Uint64(v)
		stamp := uint64(f.order.Uint32(v))<<32 | uint64(f.order.Uint32(v[4:]))
		switch code {
		case 2:
			s.Start = time.Unix(0, i.time(stamp)).UTC()
		case 3:
			s.End = time.Unix(0, i.time(stamp)).UTC()
		case 4:
			s.Received = &n
		case 5, 7: // by the interface, by the operating system
			dropped, seen = dropped+n, true
		}
	})
	if seen {
		s.Dropped = &dropped
	}
	return ""
}

// options calls each for every option until the end mark or a length that lies.
func (f *pcapng) options(b []byte, each func(code uint16, value []byte)) {
	for len(b) >= 4 {
		code, n := f.order.Uint16(b), int(f.order.Uint16(b[2:]))
		if code == 0 || n > len(b)-4 {
			return
		}
		each(code, b[4:4+n])
		b = b[min(len(b), 4+(n+3)&^3):]
	}
}

func (f *pcapng) end(r *Reader) {
	w := f.w
	left := int64(w.end - w.pos)
	switch why := w.ended(); {
	case why != "":
		r.damaged(w.at(), left, why)
	case left > 0:
		r.damaged(w.at(), left, fmt.Sprintf("the capture ends inside a block header (%d bytes)", left))
	}
	w.pos = w.end
}

// resync goes on at the next sound block: a known type whose two lengths agree.
func (f *pcapng) resync(r *Reader, problem string) bool {
	w := f.w
	bad := w.at()
	from := w.pos + 1
	for {
		n, found := f.search(from)
		if found == recordFound {
			r.damaged(bad, w.offset+int64(n)-bad, problem)
			w.pos = n
			return true
		}
		if w.err != nil {
			r.damaged(bad, w.offset+int64(w.end)-bad, problem+"; no block follows")
			w.pos = w.end
			return false
		}
		w.pos, w.keep = n, n
		w.fill(w.end - n + 1)
		from = w.pos
	}
}

func (f *pcapng) search(from int) (int, searched) {
	w := f.w
	n := from
	order := f.order
	defer func() { f.order = order }() // candidates must not change it
	for ; n+12 <= w.end; n++ {
		f.order = order
		kind, size, problem := f.block(w.buf[n:w.end])
		if problem != "" || kind == 0 || kind > ngEnhanced && kind != ngSection || size > 1<<20 {
			continue
		}
		if n+size > w.end {
			if w.err == nil {
				return n, recordMore
			}
			continue
		}
		if int(f.order.Uint32(w.buf[n+size-4:])) == size {
			return n, recordFound
		}
	}
	return min(n, w.end), recordNone
}
