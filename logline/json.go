package logline

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// json reads a line that is one JSON object: journalctl -o json, a Docker
// json-file, or what zap, logrus and slog write.
func (l *Line) json(b []byte, h *Hint) bool {
	var o struct{ msg, log, level, ts, transport, ident, comm, pid, host, prio, real, sourceReal, mono, sourceMono []byte }
	others := 0
	ok := object(b, func(key, v []byte) {
		switch string(key) {
		case "MESSAGE", "msg", "message", "Message":
			o.msg = v
		case "log":
			o.log = v
		case "level", "severity", "lvl":
			o.level = v
		case "ts", "time", "timestamp", "@timestamp":
			o.ts = v
		case "_TRANSPORT":
			o.transport = v
		case "SYSLOG_IDENTIFIER":
			o.ident = v
		case "_COMM":
			o.comm = v
		case "_PID", "SYSLOG_PID":
			o.pid = v
		case "_HOSTNAME":
			o.host = v
		case "PRIORITY":
			o.prio = v
		case "__REALTIME_TIMESTAMP":
			o.real = v
		case "_SOURCE_REALTIME_TIMESTAMP":
			o.sourceReal = v
		case "__MONOTONIC_TIMESTAMP":
			o.mono = v
		case "_SOURCE_MONOTONIC_TIMESTAMP":
			o.sourceMono = v
		default:
			others++
		}
	})
	if !ok {
		return false
	}
	if o.real != nil || o.transport != nil {
		l.Message = text(o.msg)
		l.journal(journalRecord{text(o.transport), text(o.ident), text(o.comm), text(o.pid), text(o.host), text(o.prio), text(o.sourceReal), text(o.real), text(o.sourceMono), text(o.mono)}, h)
		return true
	}
	if o.log != nil && o.msg == nil && o.ts != nil {
		l.jsonTime(o.ts, h)
		l.Channel, l.Message = Service, bytes.TrimRight(dockerLine(o.log), "\r\n")
		l.inner(h)
		return true
	}
	if o.msg == nil || o.level == nil && o.ts == nil {
		return false
	}
	l.jsonTime(o.ts, h)
	if p := levelWord(text(o.level)); p >= 0 {
		l.Priority = p
	}
	l.Channel, l.Message = Service, text(o.msg)
	if others > 0 {
		l.Message = withFields(l.Message, b)
	}
	return true
}

// dockerLine returns the text of a json-file line. Its escaped line end is cut
// first, so that a line without other escapes needs no copy.
func dockerLine(v []byte) []byte {
	n := len(v)
	if n > 4 && v[0] == '"' && string(v[n-3:]) == `\n"` && v[n-4] != '\\' {
		return unescape(v[1 : n-3])
	}
	return text(v)
}

// withFields appends the fields that say more than when and how bad.
func withFields(msg, b []byte) []byte {
	out := append(make([]byte, 0, len(b)), msg...)
	object(b, func(key, v []byte) {
		switch string(key) {
		case "msg", "message", "Message", "level", "severity", "lvl", "ts", "time", "timestamp", "@timestamp":
			return
		}
		out = append(append(append(append(out, ' '), key...), '='), text(v)...)
	})
	return out
}

// jsonTime reads a time that is a string, or seconds, milliseconds or
// nanoseconds since the epoch.
func (l *Line) jsonTime(v []byte, h *Hint) {
	if !l.Time.IsZero() || len(v) == 0 {
		return
	}
	if v[0] == '"' {
		l.Time, _, _ = isoTime(text(v), h)
		return
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || f <= 0 {
		return
	}
	switch {
	case f > 1e17:
		f /= 1e9
	case f > 1e14:
		f /= 1e6
	case f > 1e11:
		f /= 1e3
	}
	if f < 1e11 {
		l.Time = time.UnixMicro(int64(f * 1e6)).UTC()
	}
}

type journalRecord struct {
	transport, ident, comm, pid, host, prio, sourceReal, real, sourceMono, mono []byte
}

// journal fills a line from the fields of a journal record.
func (l *Line) journal(r journalRecord, h *Hint) {
	if usec, n := number(firstOf(r.sourceReal, r.real)); n > 0 {
		l.Time = time.UnixMicro(usec).UTC()
	}
	if usec, n := number(firstOf(r.sourceMono, r.mono)); n > 0 {
		l.Mono = float64(usec) / 1e6
	}
	if p, n := number(r.prio); n == 1 && p < 8 {
		l.Priority = int(p)
	}
	if len(r.host) > 0 {
		l.Host = h.Names.intern(r.host)
	}
	if name := firstOf(r.ident, r.comm); len(name) > 0 {
		l.Program = h.Names.intern(name)
	}
	pid, _ := number(r.pid)
	l.PID = int(pid)
	l.Channel = Service
	if string(r.transport) == "kernel" || len(r.transport) == 0 && l.Program == "kernel" && len(r.pid) == 0 {
		l.Channel = Kernel
		return
	}
	pri := l.Priority
	if l.app(l.Message, h) && l.Priority < 0 {
		l.Priority = pri
	}
}

func firstOf(a, b []byte) []byte {
	if len(a) > 0 {
		return a
	}
	return b
}

// object calls fn for each member of a JSON object with the key between its
// quotes and the value as it stands. It reports whether b is one object.
func object(b []byte, fn func(key, value []byte)) bool {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '{' {
		return false
	}
	for i = skipSpace(b, i+1); i < len(b) && b[i] != '}'; {
		if b[i] != '"' {
			return false
		}
		end := stringEnd(b, i)
		if end < 0 {
			return false
		}
		key := b[i+1 : end-1]
		i = skipSpace(b, end)
		if i >= len(b) || b[i] != ':' {
			return false
		}
		i = skipSpace(b, i+1)
		end = valueEnd(b, i)
		if end <= i {
			return false
		}
		fn(key, bytes.TrimRight(b[i:end], " \t\r\n"))
		i = skipSpace(b, end)
		if i < len(b) && b[i] == ',' {
			i = skipSpace(b, i+1)
		} else if i < len(b) && b[i] != '}' {
			return false
		}
	}
	return i < len(b) && skipSpace(b, i+1) == len(b)
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// stringEnd returns the position after the string that begins at i, or -1.
func stringEnd(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// valueEnd returns the position after the value that begins at i, or -1.
func valueEnd(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			if i = stringEnd(b, i); i < 0 {
				return -1
			}
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
			if depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return -1
}

// text returns the content of a JSON value: of a string, of an array of byte
// values, which is how the journal writes what is not text, or as it stands.
func text(v []byte) []byte {
	if len(v) < 2 {
		return v
	}
	switch {
	case v[0] == '"':
		return unescape(v[1 : len(v)-1])
	case v[0] == '[':
		return byteArray(v)
	case string(v) == "null":
		return nil
	}
	return v
}

// byteArray decodes [72,105]; another array is returned as it stands.
func byteArray(v []byte) []byte {
	out := make([]byte, 0, len(v)/3)
	for i := 1; i < len(v)-1; {
		i = skipSpace(v, i)
		n, digits := number(v[i:])
		if digits == 0 || n > 255 {
			return v
		}
		out = append(out, byte(n))
		if i = skipSpace(v, i+digits); i < len(v)-1 && v[i] != ',' {
			return v
		}
		i++
	}
	return out
}

// unescape decodes the escapes of a JSON string; it returns s when it has none.
func unescape(s []byte) []byte {
	if bytes.IndexByte(s, '\\') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 >= len(s) {
			out = append(out, s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n':
			out = append(out, '\n')
		case 't':
			out = append(out, '\t')
		case 'r':
			out = append(out, '\r')
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'u':
			r, ok := hex4(s[i+1:])
			if !ok {
				out = append(out, '\\', 'u')
				continue
			}
			i += 4
			if utf16.IsSurrogate(r) && i+6 < len(s) && s[i+1] == '\\' && s[i+2] == 'u' {
				if low, ok := hex4(s[i+3:]); ok {
					if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
						r = both
						i += 6
					}
				}
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, s[i])
		}
	}
	return out
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		d := unhex(c)
		if d < 0 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}
