package logline

import "bytes"

// kmsg reads a record of /dev/kmsg: prio,seq,usec,flags[,...];message
func (l *Line) kmsg(b []byte, h *Hint) bool {
	pri, n := number(b)
	if n == 0 || n > 5 || n >= len(b) || b[n] != ',' {
		return false
	}
	rest := b[n+1:]
	seq, n := number(rest)
	if n == 0 || n >= len(rest) || rest[n] != ',' {
		return false
	}
	rest = rest[n+1:]
	usec, n := number(rest)
	if n == 0 || n >= len(rest) || rest[n] != ',' {
		return false
	}
	rest = rest[n+1:]
	semi := bytes.IndexByte(rest, ';')
	if semi < 1 || semi > 64 || bytes.IndexByte(rest[:semi], ' ') >= 0 {
		return false
	}
	l.Priority, l.Seq, l.Mono = int(pri&7), seq, float64(usec)/1e6
	l.Channel = Kernel
	if pri>>3 != 0 {
		l.Channel = Service
	}
	l.Message = unescapeKmsg(rest[semi+1:])
	if l.Channel == Service {
		l.tag(l.Message, h)
	}
	return true
}

// unescapeKmsg decodes \xHH, which the kernel writes for bytes that are not
// printable and for the backslash.
func unescapeKmsg(b []byte) []byte {
	if !bytes.Contains(b, []byte(`\x`)) {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' && i+3 < len(b) && b[i+1] == 'x' {
			hi, lo := unhex(b[i+2]), unhex(b[i+3])
			if hi >= 0 && lo >= 0 {
				out = append(out, byte(hi<<4|lo))
				i += 3
				continue
			}
		}
		out = append(out, b[i])
	}
	return out
}

func unhex(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// monoStamp reads "[   12.345678] ", with the caller that CONFIG_PRINTK_CALLER
// adds and the difference that dmesg -d adds, and returns what follows.
func monoStamp(b []byte) (mono float64, rest []byte, ok bool) {
	if len(b) < 10 || b[0] != '[' {
		return 0, nil, false
	}
	i := 1
	for i < len(b) && b[i] == ' ' {
		i++
	}
	sec, n := number(b[i:])
	i += n
	if n == 0 || n > 12 || i >= len(b) || b[i] != '.' {
		return 0, nil, false
	}
	usec, n := number(b[i+1:])
	i += n + 1
	if n != 6 || i >= len(b) {
		return 0, nil, false
	}
	if b[i] == ' ' && i+1 < len(b) && b[i+1] == '<' {
		end := bytes.IndexByte(b[i:], '>')
		if end < 0 || end > 24 {
			return 0, nil, false
		}
		i += end + 1
	}
	if i >= len(b) || b[i] != ']' {
		return 0, nil, false
	}
	rest = skipCaller(b[i+1:])
	if len(rest) > 0 && rest[0] == ' ' {
		rest = rest[1:]
	}
	return float64(sec) + float64(usec)/1e6, rest, true
}

// skipCaller cuts "[  T123]" or "[    C0]", and the CPU as "@2".
func skipCaller(b []byte) []byte {
	if len(b) > 1 && b[0] == '@' {
		if _, n := number(b[1:]); n > 0 && len(b) > n+1 && b[n+1] == ' ' {
			return b[n+1:]
		}
	}
	i := 0
	if i < len(b) && b[i] == ' ' {
		i++
	}
	if i >= len(b) || b[i] != '[' {
		return b
	}
	for i++; i < len(b) && b[i] == ' '; i++ {
	}
	if i >= len(b) || b[i] != 'T' && b[i] != 'C' {
		return b
	}
	_, n := number(b[i+1:])
	i += n + 1
	if n == 0 || i >= len(b) || b[i] != ']' {
		return b
	}
	return b[i+1:]
}

// shortMonotonic recognises journalctl -o short-monotonic, which writes host
// and tag after the same bracket as dmesg. Only a tag that says kernel or has a
// process id tells: a kernel message can look like "HOST TAG: ..." as well.
func (l *Line) shortMonotonic(h *Hint) {
	m := l.Message
	if bytes.HasPrefix(m, kernelColon) {
		l.Program, l.Message = "kernel", m[len(kernelColon):]
		return
	}
	sp := bytes.IndexByte(m, ' ')
	if sp <= 0 || sp > 255 || bytes.IndexByte(m[:sp], ':') >= 0 {
		return
	}
	prog, pid, rest, ok := syslogTag(m[sp+1:])
	if !ok || string(prog) != "kernel" && pid == 0 && (h.Host == "" || string(m[:sp]) != h.Host) {
		return
	}
	l.Host, l.Program, l.PID, l.Message = h.Names.intern(m[:sp]), h.Names.intern(prog), pid, rest
	l.Channel = Kernel
	if l.Program != "kernel" {
		l.Channel = Service
		l.app(l.Message, h)
	}
}

var kernelColon = []byte("kernel: ")

// kernelTag reads a line that begins with the tag "kernel: " and nothing before
// it, as logs pasted without their times do.
func (l *Line) kernelTag(b []byte) bool {
	if !bytes.HasPrefix(b, kernelColon) {
		return false
	}
	l.Program, l.Channel, l.Message = "kernel", Kernel, b[len(kernelColon):]
	if mono, rest, ok := monoStamp(l.Message); ok {
		l.Mono, l.Message = mono, rest
	}
	l.split()
	return true
}

// facilityLevel reads "kern  :err   : " of dmesg -x.
func (l *Line) facilityLevel(b []byte, h *Hint) bool {
	i := bytes.IndexByte(b, ':')
	if i < 4 || i > 9 {
		return false
	}
	facility := bytes.TrimRight(b[:i], " ")
	if !knownFacility(facility) {
		return false
	}
	rest := b[i+1:]
	j := bytes.IndexByte(rest, ':')
	if j < 3 || j > 9 || j+1 >= len(rest) || rest[j+1] != ' ' {
		return false
	}
	pri := levelNumber(bytes.TrimRight(rest[:j], " "))
	if pri < 0 {
		return false
	}
	l.Priority, l.Channel = pri, Kernel
	if string(facility) != "kern" {
		l.Channel = Service
	}
	rest = rest[j+2:]
	l.Message = rest
	if len(rest) > 0 && rest[0] == '[' && l.bracket(rest, h) {
		return true
	}
	if t, n, dmesg := isoTime(rest, h); n > 0 && dmesg {
		l.Time, l.Message = t, trimOne(rest[n:])
	}
	l.split()
	return true
}

func knownFacility(b []byte) bool {
	switch string(b) {
	case "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
		"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7":
		return true
	}
	return false
}

func trimOne(b []byte) []byte {
	if len(b) > 0 && b[0] == ' ' {
		return b[1:]
	}
	return b
}
