package logline

import (
	"bytes"
	"strconv"
	"time"
)

// app reads the framings that programs write by themselves, alone or as the
// message of a syslog line: klog, JSON, logfmt.
func (l *Line) app(b []byte, h *Hint) bool {
	if len(b) < 8 {
		return false
	}
	switch c := b[0]; {
	case c == '{':
		return l.json(b, h)
	case isUpper(c) && isDigit(b[1]):
		return l.klog(b, h)
	case c == 't' || c == 'l' || c == 'm':
		return l.logfmt(b, h)
	}
	return false
}

// cri reads "stdout F message", which containerd and CRI-O write after the time.
func (l *Line) cri(b []byte, h *Hint) bool {
	if len(b) < 9 || string(b[:6]) != "stdout" && string(b[:6]) != "stderr" || b[6] != ' ' || b[7] != 'F' && b[7] != 'P' || b[8] != ' ' {
		return false
	}
	l.Channel, l.Message = Service, b[9:]
	l.inner(h)
	return true
}

// inner takes the message out of a second framing, that of the program within
// the container, and keeps the outer time.
func (l *Line) inner(h *Hint) {
	if l.app(l.Message, h) {
		return
	}
	in := Line{Mono: -1, Priority: -1, Seq: -1, Channel: Service}
	if m := l.Message; len(m) > 0 && isDigit(m[0]) && in.stamped(m, h) {
		l.Message = in.Message
		if in.Priority >= 0 {
			l.Priority = in.Priority
		}
		return
	}
	l.words()
}

// klog reads "E0314 01:57:54.123456    4321 file.go:12] message".
func (l *Line) klog(b []byte, h *Hint) bool {
	var pri int
	switch b[0] {
	case 'I':
		pri = 6
	case 'W':
		pri = 4
	case 'E':
		pri = 3
	case 'F':
		pri = 2
	default:
		return false
	}
	if len(b) < 22 || b[5] != ' ' {
		return false
	}
	mo, ok1 := two(b[1:])
	d, ok2 := two(b[3:])
	hh, mm, ss, ns, n, _ := clock(b[6:])
	if !ok1 || !ok2 || n == 0 || mo < 1 || mo > 12 || d < 1 || d > 31 {
		return false
	}
	rest := bytes.TrimLeft(b[6+n:], " ")
	pid, n := number(rest)
	end := bytes.Index(rest, []byte("] "))
	if n == 0 || end < 0 || end > 160 {
		return false
	}
	l.Priority, l.Channel, l.Message = pri, Service, rest[end+2:]
	if l.PID == 0 {
		l.PID = int(pid)
	}
	if l.Time.IsZero() {
		l.Time = yearOf(time.Month(mo), d, hh, mm, ss, ns, location(h), h.Now)
	}
	return true
}

// words looks for a level word near the beginning of what a program wrote: in
// capitals, in brackets, or first and before a colon. It stays in the message.
func (l *Line) words() {
	m := l.Message
	for i := range 5 {
		m = bytes.TrimLeft(m, " \t-|")
		w := word(m)
		if len(w) == 0 {
			return
		}
		m = m[len(w):]
		name := bytes.Trim(w, "[]():,|")
		p := levelWord(name)
		if p < 0 {
			continue
		}
		if isUpper(name[len(name)-1]) || w[0] == '[' || w[0] == '(' || i == 0 && w[len(w)-1] == ':' {
			if l.Priority < 0 {
				l.Priority = p
			}
			l.Channel = Service
			l.kernelWithin(m)
			return
		}
	}
}

// kernelWithin recognises a line of the kernel that a program wrote into its own
// log, after the level and the name of what it relays: by the seconds since boot.
func (l *Line) kernelWithin(m []byte) {
	m = bytes.TrimLeft(m, " \t")
	name := word(m)
	if len(name) < 2 || name[len(name)-1] != ':' {
		return
	}
	if mono, msg, ok := monoStamp(bytes.TrimLeft(m[len(name):], " \t")); ok {
		l.Mono, l.Message, l.Channel = mono, msg, Kernel
	}
}

// levelWord returns the syslog priority of a level word, -1 when it is none.
func levelWord(w []byte) int {
	if len(w) < 3 || len(w) > 9 {
		return -1
	}
	var low [9]byte
	for i, c := range w {
		if isUpper(c) {
			c += 'a' - 'A'
		}
		low[i] = c
	}
	return levelNumber(low[:len(w)])
}

func levelNumber(w []byte) int {
	switch string(w) {
	case "emerg", "panic", "dpanic":
		return 0
	case "alert":
		return 1
	case "crit", "critical", "fatal":
		return 2
	case "err", "error":
		return 3
	case "warn", "warning":
		return 4
	case "notice":
		return 5
	case "info":
		return 6
	case "debug", "trace":
		return 7
	}
	return -1
}

// logfmt reads key=value pairs. It wants a message and a time or a level. The
// pairs that are neither follow the message.
func (l *Line) logfmt(b []byte, h *Hint) bool {
	var msg, level, stamp []byte
	others := 0
	for rest := b; len(rest) > 0; {
		key, value, next, ok := pair(rest)
		if !ok {
			if len(msg) == 0 {
				return false
			}
			others++ // what is no pair is kept as well
			break
		}
		switch string(key) {
		case "time", "ts", "t":
			stamp = value
		case "level", "lvl":
			level = value
		case "msg", "message":
			msg = value
		default:
			others++
		}
		rest = next
	}
	if msg == nil || level == nil && stamp == nil {
		return false
	}
	if p := levelWord(bytes.Trim(level, `"`)); p >= 0 {
		l.Priority = p
	}
	if stamp = bytes.Trim(stamp, `"`); l.Time.IsZero() && len(stamp) > 0 {
		l.Time, _, _ = isoTime(stamp, h)
	}
	l.Channel = Service
	l.Message = unquote(msg)
	if others == 0 {
		return true
	}
	out := append(make([]byte, 0, len(b)), l.Message...)
	for rest := b; len(rest) > 0; {
		key, value, next, ok := pair(rest)
		if !ok {
			out = append(append(out, ' '), rest...)
			break
		}
		switch string(key) {
		case "time", "ts", "t", "level", "lvl", "msg", "message":
		default:
			out = append(append(append(append(out, ' '), key...), '='), unquote(value)...)
		}
		rest = next
	}
	l.Message = out
	return true
}

// pair reads one key=value; a value in quotes keeps them.
func pair(b []byte) (key, value, rest []byte, ok bool) {
	b = bytes.TrimLeft(b, " ")
	i := 0
	for i < len(b) && (isWord(b[i]) || b[i] == '.' || b[i] == '/') {
		i++
	}
	if i == 0 || i >= len(b) || b[i] != '=' {
		return nil, nil, b, false
	}
	key, b = b[:i], b[i+1:]
	if len(b) > 0 && b[0] == '"' {
		for j := 1; j < len(b); j++ {
			switch b[j] {
			case '\\':
				j++
			case '"':
				return key, b[:j+1], bytes.TrimLeft(b[j+1:], " "), true
			}
		}
		return key, b, nil, true
	}
	value = word(b)
	return key, value, bytes.TrimLeft(b[len(value):], " "), true
}

// unquote takes a value out of its quotes.
func unquote(v []byte) []byte {
	if len(v) < 2 || v[0] != '"' || v[len(v)-1] != '"' {
		return v
	}
	if bytes.IndexByte(v, '\\') < 0 {
		return v[1 : len(v)-1]
	}
	if s, err := strconv.Unquote(string(v)); err == nil {
		return []byte(s)
	}
	return v[1 : len(v)-1]
}
