package logline

import (
	"bytes"
	"time"
)

// Channel says who wrote a line.
type Channel uint8

// The channels. Unknown is a line whose framing does not say: it is taken as given.
const (
	Unknown Channel = iota
	Kernel
	Service
)

// String returns "kernel", "service" or "any", the words of the fact
// log.coverage and of the catalogue.
func (c Channel) String() string {
	switch c {
	case Kernel:
		return "kernel"
	case Service:
		return "service"
	}
	return "any"
}

// Hint is what a reader knows of a log beside its lines. The zero Hint is valid.
type Hint struct {
	// Now is when the log was taken. A time without a year gets the year that
	// makes it the latest one not after Now plus a day; without Now such a time
	// stays unknown.
	Now time.Time
	// Location is that of times without a zone; nil is UTC.
	Location *time.Location
	// Host is the name of the host that wrote the log. It tells a host name
	// from the first word of a message where the framing leaves it open.
	Host string
	// Boot is when the host booted. It gives a time to lines that count seconds
	// since boot; when zero they have none.
	Boot time.Time
	// Names keeps the names of hosts and programs, so that lines share them. It
	// may be nil; a Names is not for use by several goroutines.
	Names Names
}

// Names holds one copy of each name of a host or program.
type Names map[string]string

func (n Names) intern(b []byte) string {
	if s, ok := n[string(b)]; ok {
		return s
	}
	if string(b) == "kernel" {
		return "kernel"
	}
	s := string(b)
	if n != nil && len(n) < 4096 {
		n[s] = s
	}
	return s
}

// Line is a log line without its framing.
type Line struct {
	Time     time.Time // wall clock; zero when the line has none
	Mono     float64   // seconds since boot; -1 when unknown
	Host     string    // "" when unknown
	Program  string    // syslog tag or journal identifier; "" when unknown
	PID      int       // 0 when unknown
	Channel  Channel
	Priority int    // 0 emerg to 7 debug; -1 when unknown
	Seq      int64  // number of the kmsg record; -1 when it is none
	Message  []byte // part of the line, or a copy where something had to be decoded
	// Rest is not empty when a console ran two records into one line: it begins
	// with the framing of the second one. Parse it like a line of its own.
	Rest []byte
}

// Parse takes a line out of its framing. It never fails: what is in no known
// framing is a bare message of an Unknown channel. A record whose facility,
// transport or tag is not the kernel's is Service. The line may end with a line
// end, which is no part of the message.
func Parse(line []byte, hint Hint) Line {
	l := Line{Mono: -1, Priority: -1, Seq: -1}
	b := clean(line)
	l.parse(b, &hint)
	if l.Mono >= 0 && l.Time.IsZero() && !hint.Boot.IsZero() {
		l.Time = hint.Boot.Add(time.Duration(l.Mono * 1e9)).Truncate(time.Microsecond)
	}
	return l
}

// parse finds the framing by the first bytes.
func (l *Line) parse(b []byte, h *Hint) {
	b = skipConsolePrefix(b)
	l.Message = b
	if len(b) == 0 {
		return
	}
	switch c := b[0]; {
	case c == '<':
		if pri, rest, ok := priTag(b); ok {
			l.Priority = pri & 7
			if pri>>3 != 0 {
				l.Channel = Service
			}
			l.afterPRI(rest, h, pri)
			return
		}
	case c == '[':
		if l.bracket(b, h) {
			return
		}
	case isDigit(c):
		if l.kmsg(b, h) || l.stamped(b, h) || l.unixStamp(b, h) {
			return
		}
		if rest, ok := octetCounted(b); ok {
			l.parse(rest, h)
			return
		}
	case c == '{':
		if l.json(b, h) {
			return
		}
	case c == '>': // quoted, as mail and Markdown do
		if rest := bytes.TrimLeft(b, "> \t"); len(rest) > 0 {
			l.parse(rest, h)
			return
		}
	default:
		if l.stamped(b, h) || l.facilityLevel(b, h) || l.kernelTag(b) || l.app(b, h) {
			return
		}
	}
	l.split()
}

// bracket reads what dmesg prints before a message: seconds since boot, a
// time, or a difference, all in brackets.
func (l *Line) bracket(b []byte, h *Hint) bool {
	if mono, rest, ok := monoStamp(b); ok {
		l.Mono, l.Message = mono, rest
		if l.Channel == Unknown {
			l.Channel = Kernel
		}
		l.shortMonotonic(h)
		l.split()
		return true
	}
	if t, rest, ok := bracketTime(b, h); ok {
		l.Time, l.Message = t, rest
		if l.Channel == Unknown {
			l.Channel = Kernel
		}
		l.split()
		return true
	}
	if len(b) > 20 && isDigit(b[1]) {
		if t, n, _ := isoTime(b[1:], h); n > 0 && n+1 < len(b) && b[n+1] == ']' {
			l.Time, l.Message = t, bytes.TrimLeft(b[n+2:], " \t")
			l.words()
			return true
		}
	}
	return false
}

// split ends the message where the console ran the next record into it.
func (l *Line) split() {
	m := l.Message
	for at := 1; at < len(m); {
		i := bytes.IndexByte(m[at:], '[')
		if i < 0 {
			return
		}
		at += i
		if at > 0 {
			if _, _, ok := monoStamp(m[at:]); ok {
				l.Message, l.Rest = m[:at], m[at:]
				return
			}
		}
		at++
	}
}

// clean cuts the line end, and takes out what a terminal would have consumed:
// escape sequences and carriage returns. Only a line that has some is copied.
func clean(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	for len(b) > 0 && (b[0] == '\r' || b[0] == 0) {
		b = b[1:]
	}
	if bytes.IndexByte(b, 0x1b) < 0 && bytes.IndexByte(b, '\r') < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c == '\r':
			i++
		case c == 0x1b:
			i = skipEscape(b, i)
		default:
			out = append(out, c)
			i++
		}
	}
	return out
}

// skipEscape returns the end of the terminal escape sequence that begins at i.
func skipEscape(b []byte, i int) int {
	i++
	if i >= len(b) {
		return i
	}
	switch b[i] {
	case '[': // CSI: parameters, then one final byte
		for i++; i < len(b); i++ {
			if b[i] >= 0x40 && b[i] <= 0x7e {
				return i + 1
			}
		}
		return i
	case ']': // OSC: until BEL or ESC \
		for i++; i < len(b); i++ {
			if b[i] == 7 {
				return i + 1
			}
			if b[i] == 0x1b && i+1 < len(b) && b[i+1] == '\\' {
				return i + 2
			}
		}
		return i
	case '(', ')', '#', '%':
		return min(i+2, len(b))
	}
	return i + 1
}

// skipConsolePrefix cuts a prefix such as "[guest0/uart0] " that a hypervisor's
// console recorder puts before every line.
func skipConsolePrefix(b []byte) []byte {
	if len(b) < 5 || b[0] != '[' || b[1] < 'a' || b[1] > 'z' {
		return b
	}
	slash := false
	for i := 1; i < len(b) && i < 40; i++ {
		switch c := b[i]; {
		case c == '/':
			slash = true
		case c == ']':
			if slash && i+1 < len(b) && b[i+1] == ' ' {
				return b[i+2:]
			}
			return b
		case !isWord(c):
			return b
		}
	}
	return b
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isWord(c byte) bool {
	return isDigit(c) || isUpper(c) || c >= 'a' && c <= 'z' || c == '_' || c == '-'
}

// number reads the digits that b begins with, at most 18 of them, and returns
// how many there are.
func number(b []byte) (v int64, n int) {
	for n < len(b) && n < 18 && isDigit(b[n]) {
		v = v*10 + int64(b[n]-'0')
		n++
	}
	return v, n
}
