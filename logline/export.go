package logline

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
)

// maxField is the most that is kept of one field of a journal record.
const maxField = 1 << 20

// A Reader gives a log as lines with one record each. A stream in the journal's
// export format, in one of its JSON forms or its verbose one, or in dmesg's JSON
// is written anew, every record as one line
//
//	<PRI>2006-01-02T15:04:05.000000+00:00 HOST TAG[PID]: [   12.345678] MESSAGE
//
// that Parse reads, so that line N is record N; a line end within a message
// becomes #012, as rsyslog writes it. PRI has a facility other than the
// kernel's in every record whose transport is not the kernel. Any other stream
// passes unchanged.
type Reader struct {
	src    *bufio.Reader
	form   string // "" before the first read, then export, verbose, json, spread (JSON over lines) or text
	buf    []byte // the rest of the current line
	out    []byte
	offset int64
	record int64
	err    error
	line   []byte
	rec    map[string][]byte
	next   []byte // verbose: first line of the record to come
	object []byte // spread: the object that is read
	open   bool   // spread: the line that ended an object began the next one
}

// NewReader returns a Reader of r. It recognises the form by the first bytes.
func NewReader(r io.Reader) *Reader {
	return &Reader{src: bufio.NewReaderSize(r, 256<<10)}
}

// Read implements io.Reader. Errors name the record and the offset in the stream.
func (r *Reader) Read(p []byte) (int, error) {
	if r.form == "" {
		r.form = r.sniff()
	}
	if r.form == "text" {
		return r.src.Read(p)
	}
	for len(r.buf) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.out = r.out[:0]
		switch r.form {
		case "export":
			r.err = r.exportRecord()
		case "verbose":
			r.err = r.verboseRecord()
		case "spread":
			r.err = r.spreadRecord()
		default:
			r.err = r.jsonRecord()
		}
		r.buf = r.out
	}
	n := copy(p, r.buf)
	r.buf = r.buf[n:]
	return n, nil
}

func (r *Reader) sniff() string {
	head, _ := r.src.Peek(4096)
	switch {
	case IsExport(head):
		r.rec = map[string][]byte{}
		return "export"
	case isVerbose(head):
		r.rec = map[string][]byte{}
		return "verbose"
	case isSpreadJSON(head):
		return "spread"
	case isJournalJSON(head):
		return "json"
	}
	return "text"
}

// IsExport reports whether head begins a stream in the journal's export format.
func IsExport(head []byte) bool {
	head = bytes.TrimLeft(head, "\n")
	for _, field := range []string{"__CURSOR=", "__REALTIME_TIMESTAMP=", "__MONOTONIC_TIMESTAMP=", "__SEQNUM="} {
		if bytes.HasPrefix(head, []byte(field)) {
			return true
		}
	}
	return false
}

// eventData is what journalctl -o json-sse puts before a record; json-seq puts
// a record separator there, 0x1e.
var eventData = []byte("data: ")

func isJournalJSON(head []byte) bool {
	head = bytes.TrimPrefix(bytes.TrimLeft(head, " \r\n\x1e"), eventData)
	return len(head) > 0 && head[0] == '{' && (bytes.Contains(head, []byte(`"__REALTIME_TIMESTAMP"`)) || bytes.Contains(head, []byte(`"_TRANSPORT"`)))
}

// readLine returns one line without its end; what is beyond maxField is
// skipped. The result stands until the next call.
func (r *Reader) readLine() ([]byte, error) {
	r.line = r.line[:0]
	for {
		part, err := r.src.ReadSlice('\n')
		r.offset += int64(len(part))
		if room := 2*maxField - len(r.line); room > 0 {
			r.line = append(r.line, part[:min(room, len(part))]...)
		}
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err != nil && (err != io.EOF || len(r.line) == 0):
			return nil, err
		}
		return bytes.TrimSuffix(r.line, []byte("\n")), nil
	}
}

// exportRecord reads one record of the export format and writes its line.
func (r *Reader) exportRecord() error {
	start := r.offset
	clear(r.rec)
	for {
		line, err := r.readLine()
		if err == io.EOF && len(r.rec) > 0 {
			break
		}
		if err != nil {
			return err
		}
		if len(line) == 0 {
			if len(r.rec) > 0 {
				break
			}
			start = r.offset
			continue
		}
		if i := bytes.IndexByte(line, '='); i >= 0 {
			r.keep(line[:i], line[i+1:])
			continue
		}
		name := string(line)
		if err := r.binaryField(name); err != nil {
			return fmt.Errorf("read journal export: record %d at offset %d: field %q: %w", r.record+1, start, name, err)
		}
	}
	r.record++
	r.writeLine(r.rec["MESSAGE"], r.rec["SYSLOG_FACILITY"], r.fields())
	return nil
}

// fields are those that keep has kept.
func (r *Reader) fields() journalRecord {
	j := r.rec
	return journalRecord{
		transport: j["_TRANSPORT"], ident: j["SYSLOG_IDENTIFIER"], comm: j["_COMM"], pid: firstOf(j["_PID"], j["SYSLOG_PID"]), host: j["_HOSTNAME"], prio: j["PRIORITY"],
		sourceReal: j["_SOURCE_REALTIME_TIMESTAMP"], real: j["__REALTIME_TIMESTAMP"], sourceMono: j["_SOURCE_MONOTONIC_TIMESTAMP"], mono: j["__MONOTONIC_TIMESTAMP"],
	}
}

// keep remembers the fields that a line is made of.
func (r *Reader) keep(name, value []byte) {
	switch string(name) {
	case "MESSAGE", "_TRANSPORT", "SYSLOG_IDENTIFIER", "SYSLOG_FACILITY", "_COMM", "_PID", "SYSLOG_PID", "_HOSTNAME", "PRIORITY",
		"__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP", "_SOURCE_MONOTONIC_TIMESTAMP":
		r.rec[string(name)] = append(make([]byte, 0, len(value)), value[:min(len(value), maxField)]...)
	case "__CURSOR":
		r.rec["__CURSOR"] = nil
	}
}

// binaryField reads a field whose value stands after a length: 8 bytes, little
// endian, then the value and a line end.
func (r *Reader) binaryField(name string) error {
	var size [8]byte
	n, err := io.ReadFull(r.src, size[:])
	r.offset += int64(n)
	if err != nil {
		return fmt.Errorf("its length is cut off: %w", io.ErrUnexpectedEOF)
	}
	left := binary.LittleEndian.Uint64(size[:])
	if left > 1<<32 {
		return fmt.Errorf("says it is %d bytes long: the stream is damaged", left)
	}
	kept := make([]byte, min(left, maxField))
	n, err = io.ReadFull(r.src, kept)
	r.offset += int64(n)
	r.keep([]byte(name), kept[:n])
	if err == nil {
		var skipped int64
		skipped, err = io.CopyN(io.Discard, r.src, int64(left)-int64(len(kept))+1)
		r.offset += skipped
	}
	if err != nil {
		return fmt.Errorf("cut off: %w", io.ErrUnexpectedEOF)
	}
	return nil
}

// jsonRecord reads one line of journalctl -o json and writes its line. A line
// that is not such a record passes unchanged.
func (r *Reader) jsonRecord() error {
	line, err := r.readLine()
	if err != nil {
		return err
	}
	if len(line) == 0 {
		return nil // ends an event of json-sse
	}
	r.record++
	if line = bytes.TrimPrefix(bytes.TrimPrefix(line, []byte{0x1e}), eventData); !r.writeJSON(line) {
		r.out = append(append(r.out, line...), '\n')
	}
	return nil
}

// writeJSON writes the one-line form of a record in JSON, and reports whether
// it is one.
func (r *Reader) writeJSON(line []byte) bool {
	var j journalRecord
	var msg, facility, sysPID []byte
	ok := object(line, func(key, v []byte) {
		switch string(key) {
		case "MESSAGE":
			msg = text(v)
		case "SYSLOG_FACILITY":
			facility = text(v)
		case "_TRANSPORT":
			j.transport = text(v)
		case "SYSLOG_IDENTIFIER":
			j.ident = text(v)
		case "_COMM":
			j.comm = text(v)
		case "_PID":
			j.pid = text(v)
		case "SYSLOG_PID":
			sysPID = text(v)
		case "_HOSTNAME":
			j.host = text(v)
		case "PRIORITY":
			j.prio = text(v)
		case "__REALTIME_TIMESTAMP":
			j.real = text(v)
		case "_SOURCE_REALTIME_TIMESTAMP":
			j.sourceReal = text(v)
		case "__MONOTONIC_TIMESTAMP":
			j.mono = text(v)
		case "_SOURCE_MONOTONIC_TIMESTAMP":
			j.sourceMono = text(v)
		}
	})
	if !ok || j.real == nil && j.transport == nil {
		return r.form == "spread" && r.writeDmesg(line)
	}
	j.pid = firstOf(j.pid, sysPID)
	r.writeLine(msg, facility, j)
	return true
}

// writeLine writes the one-line form of a record.
func (r *Reader) writeLine(msg, facility []byte, j journalRecord) {
	l := Line{Mono: -1, Priority: -1}
	l.journal(j, &Hint{})
	kernel := l.Channel == Kernel
	fac, n := number(facility)
	switch {
	case kernel:
		fac = 0
	case n == 0 || fac == 0 || fac > 23:
		fac = 3 // daemon
	}
	pri := int64(l.Priority)
	if pri < 0 {
		pri = 6
	}
	b := append(r.out, '<')
	b = strconv.AppendInt(b, fac<<3|pri, 10)
	b = append(b, '>')
	if l.Time.IsZero() {
		b = append(b, "1970-01-01T00:00:00.000000+00:00"...)
	} else {
		b = l.Time.AppendFormat(b, "2006-01-02T15:04:05.000000-07:00")
	}
	b = append(appendName(append(b, ' '), l.Host), ' ')
	switch {
	case kernel:
		b = append(b, "kernel: "...)
		if l.Mono >= 0 {
			b = appendMono(b, l.Mono)
		}
	default:
		b = appendName(b, l.Program)
		if l.PID > 0 {
			b = append(strconv.AppendInt(append(b, '['), int64(l.PID), 10), ']')
		}
		b = append(b, ": "...)
	}
	r.out = append(appendMessage(b, msg), '\n')
}

// appendMessage writes a message as one line.
func appendMessage(b, msg []byte) []byte {
	for _, c := range bytes.TrimRight(msg, "\n") {
		if c == '\n' || c == '\r' || c == 0 {
			b = append(b, '#', '0', '0'+c>>3, '0'+c&7)
			continue
		}
		b = append(b, c)
	}
	return b
}

// appendName writes a name of a host or program so that it stays one word.
func appendName(b []byte, name string) []byte {
	if name == "" {
		return append(b, '-')
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c <= ' ' || c == ':' || c == '[' || c >= 0x7f:
			b = append(b, '_')
		default:
			b = append(b, c)
		}
	}
	return b
}

// appendMono writes "[   12.345678] ".
func appendMono(b []byte, mono float64) []byte {
	usec := int64(mono*1e6 + 0.5)
	b = append(b, '[')
	sec := strconv.FormatInt(usec/1e6, 10)
	for range 5 - len(sec) {
		b = append(b, ' ')
	}
	b = append(append(b, sec...), '.')
	frac := strconv.FormatInt(usec%1e6+1e6, 10)
	return append(append(b, frac[1:]...), "] "...)
}
