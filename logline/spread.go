package logline

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// Forms whose records spread over several lines: journalctl -o verbose, and
// JSON that is printed for the eye, of journalctl -o json-pretty, dmesg -J or
// any tool that prints the journal's JSON anew.

// IsRecords reports whether head begins a log whose lines say nothing by
// themselves: it is to be read through a Reader.
func IsRecords(head []byte) bool {
	trimmed := bytes.TrimLeft(head, " \r\n")
	marked := bytes.HasPrefix(trimmed, []byte{0x1e}) || bytes.HasPrefix(trimmed, eventData)
	return IsExport(head) || isVerbose(head) || isSpreadJSON(head) || marked && isJournalJSON(head)
}

func isSpreadJSON(head []byte) bool {
	head = bytes.TrimLeft(head, " \r\n\xef\xbb\xbf")
	first, _, _ := bytes.Cut(head, []byte("\n"))
	if first = bytes.TrimSpace(first); string(first) != "{" && string(first) != "[" && string(first) != "[{" {
		return false
	}
	return bytes.Contains(head, []byte(`"__REALTIME_TIMESTAMP"`)) || bytes.Contains(head, []byte(`"_TRANSPORT"`)) || isDmesgJSON(head)
}

// isDmesgJSON reports whether a document is the one of dmesg -J.
func isDmesgJSON(head []byte) bool {
	b := bytes.TrimPrefix(head, []byte("{"))
	b = bytes.TrimLeft(b, " \t\r\n")
	return bytes.HasPrefix(b, []byte(`"dmesg":`))
}

// isVerbose reports whether head begins with the line that journalctl -o
// verbose puts before the fields of a record.
func isVerbose(head []byte) bool {
	for line := range bytes.Lines(head) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 || bytes.HasPrefix(line, []byte("-- ")) {
			continue
		}
		return verboseHead(line)
	}
	return false
}

// verboseHead reads "Sun 2026-03-01 02:41:00.123456 UTC [s=7fa3...;i=4e;...]".
func verboseHead(line []byte) bool {
	return weekday(line) && line[len(line)-1] == ']' && bytes.Contains(line, []byte(" [s=")) && bytes.Contains(line, []byte(";i="))
}

// verboseRecord reads one record of journalctl -o verbose and writes its line.
// The record ends with the first line of the next one, which is kept.
func (r *Reader) verboseRecord() error {
	clear(r.rec)
	head := r.next
	r.next = nil
	for {
		line, err := r.readLine()
		if err == io.EOF && head != nil {
			break
		}
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r")
		if len(line) > 0 && verboseHead(line) {
			next := bytes.Clone(line)
			if head != nil {
				r.next = next
				break
			}
			head = next
			continue
		}
		if key, value, ok := bytes.Cut(bytes.TrimPrefix(line, []byte("    ")), []byte("=")); ok && bytes.HasPrefix(line, []byte("    ")) {
			r.keep(key, value)
		}
	}
	r.record++
	j := r.fields()
	if j.real == nil && j.sourceReal == nil { // the fields need not hold the time: the first line does
		if l := Parse(head, Hint{}); !l.Time.IsZero() {
			j.real = strconv.AppendInt(nil, l.Time.UnixMicro(), 10)
		}
	}
	r.writeLine(r.rec["MESSAGE"], r.rec["SYSLOG_FACILITY"], j)
	return nil
}

// spreadRecord reads one object of JSON printed over lines and writes its line.
// What surrounds the objects, such as dmesg's list, is passed over.
func (r *Reader) spreadRecord() error {
	r.object = r.object[:0]
	for {
		line, err := r.readLine()
		if err == io.EOF && len(r.object) > 1 {
			return fmt.Errorf("read JSON records: record %d, which ends at offset %d: cut off: %w", r.record+1, r.offset, io.ErrUnexpectedEOF)
		}
		if err != nil {
			return err
		}
		line = bytes.TrimSpace(line)
		switch string(line) {
		case "{", "[{":
			r.object = append(r.object[:0], '{')
			continue
		case "}", "},", "},{", "}]", "}],":
			if len(r.object) > 1 {
				again := string(line) == "},{"
				r.object = append(r.object, '}')
				if r.writeJSON(r.object) {
					r.record++
				}
				if r.object = r.object[:0]; again {
					r.object = append(r.object, '{')
				}
				if len(r.out) > 0 {
					r.open = again
					return nil
				}
			}
			continue
		}
		if len(r.object) == 0 && r.open {
			r.object = append(r.object, '{')
			r.open = false
		}
		if len(r.object) > 0 && len(r.object) < 4*maxField {
			r.object = append(append(r.object, line...), '\n')
		}
	}
}

// writeDmesg writes the one-line form of an object of dmesg -J:
//
//	{"fac": "kern", "pri": "warn", "time": 12.345678, "msg": "..."}
//
// where fac is there with -x only, and pri is a number without it.
func (r *Reader) writeDmesg(line []byte) bool {
	var fac, pri, at, msg []byte
	ok := object(line, func(key, v []byte) {
		switch string(key) {
		case "fac":
			fac = text(v)
		case "pri":
			pri = text(v)
		case "time":
			at = text(v)
		case "msg":
			msg = text(v)
		}
	})
	if !ok || msg == nil || pri == nil {
		return false
	}
	level, n := number(pri)
	if n == 0 {
		level = int64(levelNumber(pri))
	}
	if level < 0 {
		level = 6
	}
	if len(fac) > 0 && string(fac) != "kern" && knownFacility(fac) {
		level |= 1 << 3
	}
	b := append(strconv.AppendInt(append(r.out, '<'), level, 10), '>')
	if mono, err := strconv.ParseFloat(string(at), 64); err == nil && mono >= 0 && mono < 1e12 {
		b = appendMono(b, mono)
	}
	r.out = append(appendMessage(b, msg), '\n')
	return true
}
