package logline

import (
	"bytes"
	"net/netip"
	"time"
)

// priTag reads "<N>".
func priTag(b []byte) (pri int, rest []byte, ok bool) {
	v, n := number(b[1:])
	if n == 0 || n > 4 || n+1 >= len(b) || b[n+1] != '>' {
		return 0, nil, false
	}
	return int(v), b[n+2:], true
}

// afterPRI reads what can follow "<N>": RFC 5424, RFC 3164, a bracket of dmesg
// -r, or a bare message.
func (l *Line) afterPRI(b []byte, h *Hint, pri int) {
	l.Message = b
	switch {
	case len(b) == 0:
	case b[0] == '[' && l.bracket(b, h):
		if l.Channel == Service {
			l.tag(l.Message, h)
		}
		return
	case len(b) > 2 && b[0] == '1' && b[1] == ' ' && l.rfc5424(b[2:], h):
		return
	case l.stamped(b, h):
		return
	case l.tag(b, h):
		return
	}
	if pri>>3 == 0 {
		l.Channel = Kernel
	}
	l.split()
}

// from sets the program and with it the channel: only the tag kernel, under the
// kernel's facility where the framing has one, is the kernel.
func (l *Line) from(prog []byte, pid int, msg []byte, h *Hint) {
	l.PID, l.Message = pid, msg
	if string(prog) != "-" {
		l.Program = h.Names.intern(prog)
	}
	if l.Program != "kernel" || pid != 0 {
		l.Channel = Service
	}
	if l.Channel == Service {
		l.app(msg, h)
		return
	}
	l.Channel = Kernel
	if mono, rest, ok := monoStamp(msg); ok {
		l.Mono, l.Message = mono, rest
	}
}

// tag reads "prog[pid]: message".
func (l *Line) tag(b []byte, h *Hint) bool {
	prog, pid, rest, ok := syslogTag(b)
	if ok {
		l.from(prog, pid, rest, h)
	}
	return ok
}

// syslogTag splits "prog[pid]: message".
func syslogTag(b []byte) (prog []byte, pid int, rest []byte, ok bool) {
	i := 0
	for i < len(b) && b[i] > ' ' && b[i] != ':' && b[i] != '[' && b[i] < 0x7f {
		i++
	}
	if i == 0 || i >= len(b) || i > 128 {
		return nil, 0, nil, false
	}
	prog = b[:i]
	if b[i] == '[' {
		v, n := number(b[i+1:])
		end := i + 1 + n
		if n == 0 || end >= len(b) || b[end] != ']' {
			return nil, 0, nil, false
		}
		pid, i = int(v), end+1
	}
	if i >= len(b) || b[i] != ':' {
		return nil, 0, nil, false
	}
	if i+1 < len(b) && b[i+1] != ' ' {
		// rsyslog's file format puts no space of its own after the tag.
		if _, _, mono := monoStamp(b[i+1:]); !mono || string(prog) != "kernel" {
			return nil, 0, nil, false
		}
	}
	return prog, pid, trimOne(b[i+1:]), true
}

// stamped reads a line that begins with a wall-clock time.
func (l *Line) stamped(b []byte, h *Hint) bool {
	syslog, strict := true, false
	t, n := monthTime(b, h)
	if n == 0 && len(b) > 20 {
		switch {
		case isDigit(b[0]) && b[4] == ' ': // 2025 Jul  2 06:56:56.907166
			year, ok := four(b)
			if t, n = monthTime(b[5:], &Hint{Now: time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC), Location: h.Location}); n > 0 && ok {
				n += 5
			}
		case isDigit(b[0]):
			var dmesg bool
			if t, n, dmesg = isoTime(b, h); dmesg {
				l.Time, l.Message = t, trimOne(skipCaller(b[n:]))
				if l.Channel == Unknown {
					l.Channel = Kernel
				}
				return true
			}
			syslog = n > 0 && b[10] == 'T'
			strict = syslog && !hasOffset(b[:n])
		case weekday(b): // Thu 2019-03-14 01:57:54 UTC, or Thu Mar 14 01:57:54 2019
			rest := b[4:]
			if t, n, _ = isoTime(rest, h); n == 0 {
				rest = bytes.TrimLeft(rest, " ")
				t, n = monthTime(rest, h)
			} else if zone := zoneName(rest[n:]); zone > 0 {
				n += zone
			}
			if n > 0 {
				n += len(b) - len(rest)
			}
		}
	}
	if n == 0 || n < len(b) && b[n] != ' ' && b[n] != '\t' && b[n] != ':' && b[n] != ']' {
		return false
	}
	l.Time = t
	rest := b[n:]
	if len(rest) > 0 && rest[0] == ':' { // a program's own time: no host follows
		rest, syslog = rest[1:], false
	}
	rest = trimOne(rest)
	l.Message = rest
	switch {
	case l.cri(rest, h), syslog && l.hostTag(rest, h, strict), l.app(rest, h), l.nestedMono(rest), l.kernelTag(rest):
	default:
		l.Message = bytes.TrimLeft(rest, " \t")
		l.words()
	}
	return true
}

// hasOffset reports whether a time ends with a zone in numbers, as journalctl
// and rsyslog write it.
func hasOffset(b []byte) bool {
	n := len(b)
	if n < 25 {
		return n > 5 && (b[n-5] == '+' || b[n-5] == '-') && n > 20
	}
	return b[n-5] == '+' || b[n-5] == '-' || b[n-6] == '+' || b[n-6] == '-'
}

// nestedMono reads a kernel line that a log service put a time before.
func (l *Line) nestedMono(b []byte) bool {
	mono, rest, ok := monoStamp(b)
	if ok {
		l.Mono, l.Message = mono, rest
		if l.Channel == Unknown {
			l.Channel = Kernel
		}
	}
	return ok
}

// zoneName returns the length of " CEST" at the beginning of b. The zone that
// it abbreviates is not known for sure; the time is read in Hint.Location.
func zoneName(b []byte) int {
	if len(b) < 4 || b[0] != ' ' {
		return 0
	}
	i := 1
	for i < len(b) && isUpper(b[i]) {
		i++
	}
	if i < 4 || i > 6 || i < len(b) && b[i] != ' ' {
		return 0
	}
	return i
}

// hostTag reads "host prog[pid]: message" and its variants: without host, with
// a level word, with facility.level. When strict, the tag must have a process
// id or be the kernel's, or the host must be the one that the hint names.
func (l *Line) hostTag(b []byte, h *Hint, strict bool) bool {
	w := word(b)
	if len(w) == 0 || len(w) > 255 {
		return false
	}
	if last := w[len(w)-1]; last == ':' {
		prog, pid, rest, ok := syslogTag(b)
		if !ok || strict && pid == 0 && string(prog) != "kernel" {
			return false
		}
		l.from(prog, pid, rest, h)
		return true
	}
	if rest, ok := l.selector(w, b); ok {
		return l.tag(rest, h)
	}
	if bytes.IndexByte(w, '[') > 0 || levelWord(w) >= 0 || w[0] == '"' || w[0] == '{' {
		return false
	}
	rest := trimOne(b[len(w):])
	if mono, msg, ok := monoStamp(rest); ok { // netconsole and relays write no tag
		l.Host, l.Mono, l.Message = h.Names.intern(w), mono, msg
		if l.Channel == Unknown {
			l.Channel = Kernel
		}
		l.split()
		return true
	}
	if l.kmsg(rest, h) { // netconsole with its extended header, by way of syslog
		l.Host = h.Names.intern(w)
		return true
	}
	if name, after := relayed(w, rest); name != nil {
		w, rest = name, after
	}
	next := word(rest)
	if r, ok := l.selector(next, rest); ok {
		rest = r
	} else if p := levelWord(next); p >= 0 && isUpper(next[0]) {
		l.Priority, rest = p, trimOne(rest[len(next):])
	}
	prog, pid, msg, ok := syslogTag(rest)
	if w[0] == '[' && !ok { // a name that was blacked out as [host] has a tag after it
		return false
	}
	if strict && (!ok || pid == 0 && string(prog) != "kernel" && (h.Host == "" || string(w) != h.Host)) {
		return false
	}
	if string(w) != "-" {
		l.Host = h.Names.intern(w)
	}
	if !ok { // "-- MARK --", "last message repeated 2 times"
		l.Message, l.Channel = rest, Service
		return true
	}
	l.from(prog, pid, msg, h)
	return true
}

// relayed returns the host that a line is about where a relay has put the
// address that it heard it from before the header: "10.0.0.9 host prog[pid]: ".
// It is nil where the line has no second name.
func relayed(w, rest []byte) (host, after []byte) {
	if bytes.Count(w, []byte{'.'}) != 3 && bytes.Count(w, []byte{':'}) < 2 {
		return nil, nil // an error of ParseAddr would cost memory on every line
	}
	if _, err := netip.ParseAddr(string(w)); err != nil {
		return nil, nil
	}
	host = word(rest)
	if len(host) == 0 || bytes.ContainsAny(host, ":[") {
		return nil, nil
	}
	after = trimOne(rest[len(host):])
	if prog, pid, _, ok := syslogTag(after); !ok || pid == 0 && string(prog) != "kernel" {
		return nil, nil
	}
	return host, after
}

// selector reads the "kern.warn" that busybox writes before the tag.
func (l *Line) selector(w, b []byte) ([]byte, bool) {
	dot := bytes.IndexByte(w, '.')
	if dot < 3 || !knownFacility(w[:dot]) {
		return nil, false
	}
	p := levelNumber(w[dot+1:])
	if p < 0 {
		return nil, false
	}
	l.Priority = p
	if string(w[:dot]) != "kern" {
		l.Channel = Service
	}
	return trimOne(b[len(w):]), true
}

func word(b []byte) []byte {
	for i, c := range b {
		if c == ' ' || c == '\t' {
			return b[:i]
		}
	}
	return b
}

// unixStamp reads "1772332860.123456 host prog[pid]: message" of journalctl -o
// short-unix: ten digits of seconds since 1970, six of a fraction.
func (l *Line) unixStamp(b []byte, h *Hint) bool {
	sec, n := number(b)
	if n != 10 || len(b) < 18 || b[10] != '.' || b[17] != ' ' {
		return false
	}
	usec, n := number(b[11:17])
	if n != 6 || !l.hostTag(b[18:], h, true) {
		return false
	}
	l.Time = time.Unix(sec, usec*1000).UTC()
	return true
}

// octetCounted cuts the length that syslog over TCP puts before a message (RFC 6587).
func octetCounted(b []byte) (rest []byte, ok bool) {
	v, n := number(b)
	if n == 0 || n > 5 || v < 16 || n+2 >= len(b) || b[n] != ' ' || b[n+1] != '<' {
		return nil, false
	}
	_, _, ok = priTag(b[n+1:])
	return b[n+1:], ok
}

// rfc5424 reads what follows "<PRI>1 ".
func (l *Line) rfc5424(b []byte, h *Hint) bool {
	var t time.Time
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	} else {
		var n int
		if t, n, _ = isoTime(b, h); n == 0 {
			return false
		}
		b = b[n:]
	}
	var field [4][]byte // host, app-name, procid, msgid
	for i := range field {
		if len(b) == 0 || b[0] != ' ' {
			return false
		}
		field[i] = word(b[1:])
		b = b[1+len(field[i]):]
	}
	if len(b) < 2 || b[0] != ' ' {
		return false
	}
	b = b[1:]
	if b[0] == '-' {
		b = b[1:]
	} else if b = skipStructured(b); b == nil {
		return false
	}
	b = bytes.TrimPrefix(trimOne(b), []byte("\xef\xbb\xbf"))
	l.Time = t
	if string(field[0]) != "-" {
		l.Host = h.Names.intern(field[0])
	}
	pid, _ := number(field[2])
	if string(field[1]) == "-" {
		l.Message = b
		if l.Channel == Unknown {
			l.Channel = Kernel
		}
		return true
	}
	l.from(field[1], int(pid), b, h)
	return true
}

// skipStructured cuts the structured data of RFC 5424, nil when it does not end.
func skipStructured(b []byte) []byte {
	for len(b) > 0 && b[0] == '[' {
		quoted := false
		i := 1
		for ; i < len(b); i++ {
			if c := b[i]; c == '\\' && quoted {
				i++
			} else if c == '"' {
				quoted = !quoted
			} else if c == ']' && !quoted {
				break
			}
		}
		if i >= len(b) {
			return nil
		}
		b = b[i+1:]
	}
	if len(b) > 0 && b[0] != ' ' {
		return nil
	}
	return b
}
