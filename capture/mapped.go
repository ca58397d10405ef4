package capture

import (
	"io"
	"math"
	"os"
	"runtime/debug"
)

// mapped scans a classic pcap in memory, for the records that a filter lets
// pass. Reading a file copies all of it; a map costs a page table, and of each
// record only the headers are touched. But each record's place hangs on the
// length of the one before, so one walk waits for memory at every step: lanes
// walks go on at a time, each over its part of a stretch. Where a part begins is
// guessed as after damage, and proven by the walk before it, which must end
// there; a stretch with anything odd in it is read in the ordinary way.
type mapped struct {
	f    *pcap
	file *os.File
	data []byte
	pos  int // next record
	hits []int
	hit  int
	seen int // pages before it are given back
}

const (
	lanes      = 32
	stretch    = 64 << 20
	mappedFrom = 4 << 20 // below it, starting costs more than it saves
)

// walk is one lane: what it met on its way from start to the first record at or
// behind limit.
type walk struct {
	start, pos, limit int
	packets, bytes    int64
	first, last       int64
	hits              []int
	odd               bool
}

// scan looks through the next stretch and reports false if it must be read in
// the ordinary way, from m.pos on.
func (m *mapped) scan(r *Reader) bool {
	end := min(len(m.data), m.pos+stretch)
	if end-m.pos < mappedFrom {
		return false
	}
	release(m.data[m.seen : m.pos&^(pageSize-1)])
	m.seen = m.pos &^ (pageSize - 1)
	populate(m.data[m.pos&^(pageSize-1) : end])
	var w [lanes]walk
	part := (end - m.pos) / lanes
	for i := range w {
		w[i] = walk{start: m.pos, first: math.MaxInt64, last: math.MinInt64}
		if i > 0 {
			start, ok := m.f.begins(m.data, m.pos+i*part)
			if !ok {
				return false
			}
			w[i].start = start
			w[i-1].limit = start
		}
		w[i].pos = w[i].start
	}
	w[lanes-1].limit = end
	m.run(&w, &r.filter)
	m.hits, m.hit = m.hits[:0], 0
	for i := range w {
		// The last lane may end at a record that is cut: what is before it stands.
		if w[i].odd && i < lanes-1 || i > 0 && w[i-1].pos != w[i].start {
			return false
		}
	}
	if w[lanes-1].pos == w[lanes-1].start {
		return false
	}
	for i := range w {
		if w[i].packets == 0 {
			continue
		}
		if r.packets == 0 {
			r.first, r.last = w[i].first, w[i].last
		}
		r.packets += w[i].packets
		r.bytes += w[i].bytes
		r.first, r.last = min(r.first, w[i].first), max(r.last, w[i].last)
		m.hits = append(m.hits, w[i].hits...)
	}
	m.pos = w[lanes-1].pos
	return true
}

// run advances the lanes in turn, one record each. Where a lane goes next is
// asked for at once and needed a round later, so that the waits for memory of
// all lanes overlap.
func (m *mapped) run(w *[lanes]walk, filter *prefilter) {
	var active [lanes]*walk
	for i := range w {
		active[i] = &w[i]
	}
	data := m.data
	for n := lanes; n > 0; {
		for i := 0; i < n; {
			l := active[i]
			if !m.step(l, filter) {
				n--
				active[i] = active[n]
				continue
			}
			if at := l.pos; at+64 <= len(data) {
				prefetch(&data[at], &data[at+48])
			}
			i++
		}
	}
}

// step goes over one record and reports false when the lane has ended.
func (m *mapped) step(l *walk, filter *prefilter) bool {
	if l.pos >= l.limit {
		return false
	}
	if l.pos+16 > len(m.data) {
		l.odd = true
		return false
	}
	at, captured, length, ok := m.f.header(m.data[l.pos : l.pos+16])
	next := l.pos + 16 + int(captured)
	if !ok || next > len(m.data) {
		l.odd = true
		return false
	}
	l.packets++
	l.bytes += int64(length)
	l.first, l.last = min(l.first, at), max(l.last, at)
	if !filter.rejects(m.f.link, m.data[l.pos+16:next]) {
		l.hits = append(l.hits, l.pos)
	}
	l.pos = next
	return true
}

// begins finds the first place from n on where three credible records follow
// each other.
func (f *pcap) begins(data []byte, n int) (int, bool) {
	for last := min(n+1<<20, len(data)-16); n < last; n++ {
		at, good := n, 0
		for ; good < 3 && at+16 <= len(data); good++ {
			_, captured, length, credible := f.header(data[at : at+16])
			if !credible || captured < 14 || length > 1<<20 {
				break
			}
			at += 16 + int(captured)
		}
		if good == 3 {
			return n, true
		}
	}
	return 0, false
}

// next gives the next hit; false means that reading goes on in the ordinary
// way, at m.pos.
func (m *mapped) next(r *Reader) (found bool) {
	// A file that shrinks under its map makes a fault of the access; then the
	// ordinary way says what is left.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			found = false
		}
	}()
	for m.hit == len(m.hits) {
		if !m.scan(r) {
			return false
		}
	}
	n := m.hits[m.hit]
	m.hit++
	at, captured, length, ok := m.f.header(m.data[n : n+16])
	if !ok || n+16+int(captured) > len(m.data) {
		return false // the file was changed
	}
	m.f.before, m.f.good = at, true
	// The bytes are copied: the map may fault where nobody can recover.
	r.record = record{time: at, length: int(length), link: m.f.link, data: append(r.record.data[:0:0], m.data[n+16:n+16+int(captured)]...)}
	return true
}

// mapFile maps the capture that src reads from its beginning, if it is a large
// plain file; nil otherwise.
func (f *pcap) mapFile(src io.Reader) *mapped {
	file, ok := src.(*os.File)
	if !ok {
		return nil
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() < mappedFrom || info.Size() > math.MaxInt {
		return nil
	}
	// A file that was read from elsewhere than its beginning is not what the
	// window shows.
	if at, err := file.Seek(0, io.SeekCurrent); err != nil || at != f.w.offset+int64(f.w.end) {
		return nil
	}
	data := mapBytes(file, int(info.Size()))
	if data == nil {
		return nil
	}
	return &mapped{f: f, file: file, data: data, pos: 24}
}

// close unmaps and sets the window to where the map was left.
func (m *mapped) close() {
	w := m.f.w
	w.src = io.NewSectionReader(m.file, int64(m.pos), math.MaxInt64-int64(m.pos))
	w.pos, w.end, w.keep, w.offset, w.err = 0, 0, 0, int64(m.pos), nil
	unmapBytes(m.data)
	m.data = nil
}
