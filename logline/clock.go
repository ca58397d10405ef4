package logline

import (
	"bytes"
	"time"
)

var months = [...]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}

func monthName(b []byte) time.Month {
	if len(b) < 3 {
		return 0
	}
	for i, m := range months {
		if b[0] == m[0] && b[1] == m[1] && b[2] == m[2] {
			return time.Month(i + 1)
		}
	}
	return 0
}

func weekday(b []byte) bool {
	if len(b) < 4 || b[3] != ' ' && b[3] != ',' {
		return false
	}
	switch string(b[:3]) {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun":
		return true
	}
	return false
}

// localeTime reports whether the text is a date of five words that ends in a
// clock and a year, as ctime-like formats are in every language.
func localeTime(b []byte) bool {
	if n := len(b); n < 19 || b[n-5] != ' ' || b[n-14] != ' ' {
		return false
	}
	_, _, _, _, used, _ := clock(b[len(b)-13:])
	_, year := four(b[len(b)-4:])
	return used == 8 && year && len(bytes.Fields(b)) == 5
}

// clock reads hh:mm:ss with an optional fraction after a point or a comma.
func clock(b []byte) (h, m, s, nsec, n int, comma bool) {
	if len(b) < 8 || b[2] != ':' || b[5] != ':' {
		return 0, 0, 0, 0, 0, false
	}
	var ok [3]bool
	h, ok[0] = two(b)
	m, ok[1] = two(b[3:])
	s, ok[2] = two(b[6:])
	if !ok[0] || !ok[1] || !ok[2] || h > 23 || m > 59 || s > 60 {
		return 0, 0, 0, 0, 0, false
	}
	n = 8
	if n+1 < len(b) && (b[n] == '.' || b[n] == ',') && isDigit(b[n+1]) {
		comma = b[n] == ','
		n++
		for scale := 100000000; n < len(b) && isDigit(b[n]); n++ {
			nsec += int(b[n]-'0') * scale
			scale /= 10
		}
	}
	return h, m, s, nsec, n, comma
}

func two(b []byte) (int, bool) {
	if len(b) < 2 || !isDigit(b[0]) || !isDigit(b[1]) {
		return 0, false
	}
	return int(b[0]-'0')*10 + int(b[1]-'0'), true
}

func four(b []byte) (int, bool) {
	hi, ok1 := two(b)
	if !ok1 {
		return 0, false
	}
	lo, ok2 := two(b[2:])
	return hi*100 + lo, ok2
}

func location(h *Hint) *time.Location {
	if h.Location == nil {
		return time.UTC
	}
	return h.Location
}

// date is time.Date that refuses days a month does not have.
func date(y int, mo time.Month, d, hh, mm, ss, ns int, loc *time.Location) (time.Time, bool) {
	if mo < 1 || mo > 12 || d < 1 || d > 31 {
		return time.Time{}, false
	}
	if d > 28 && time.Date(y, mo, d, 0, 0, 0, 0, time.UTC).Day() != d {
		return time.Time{}, false
	}
	return time.Date(y, mo, d, hh, mm, ss, ns, loc), true
}

// isoTime reads a date with a time of day and an optional zone: dates with -, /
// or . between the numbers, T or a blank before the time. n is its length, 0
// when there is none; dmesg tells that it has the T, the comma, six digits and
// the zone of dmesg --time-format=iso, which nothing else writes.
func isoTime(b []byte, h *Hint) (t time.Time, n int, dmesg bool) {
	if len(b) < 19 || b[4] != '-' && b[4] != '/' && b[4] != '.' || b[7] != b[4] || b[10] != 'T' && b[10] != ' ' {
		return t, 0, false
	}
	y, ok1 := four(b)
	mo, ok2 := two(b[5:])
	d, ok3 := two(b[8:])
	hh, mm, ss, ns, used, comma := clock(b[11:])
	if !ok1 || !ok2 || !ok3 || used == 0 {
		return t, 0, false
	}
	n = 11 + used
	loc := location(h)
	zone, zn, ok := zoneOffset(b[n:])
	if ok {
		loc, n = time.UTC, n+zn
	}
	t, ok = date(y, time.Month(mo), d, hh, mm, ss, ns, loc)
	if !ok || n < len(b) && (isWord(b[n]) && b[n] != '-') {
		return time.Time{}, 0, false
	}
	return t.Add(-zone), n, comma && b[10] == 'T' && used == 15 && zn > 1
}

// zoneOffset reads Z, +hh:mm, +hhmm or " UTC" at the end of a time.
func zoneOffset(b []byte) (offset time.Duration, n int, ok bool) {
	if len(b) == 0 {
		return 0, 0, false
	}
	switch b[0] {
	case 'Z':
		return 0, 1, true
	case ' ':
		if len(b) >= 4 && string(b[1:4]) == "UTC" && (len(b) == 4 || !isWord(b[4])) {
			return 0, 4, true
		}
		return 0, 0, false
	case '+', '-':
		hh, ok1 := two(b[1:])
		if !ok1 {
			return 0, 0, false
		}
		n = 3
		if n < len(b) && b[n] == ':' {
			n++
		}
		mm, ok2 := two(b[n:])
		if !ok2 || hh > 14 || mm > 59 {
			return 0, 0, false
		}
		offset = time.Duration(hh)*time.Hour + time.Duration(mm)*time.Minute
		if b[0] == '-' {
			offset = -offset
		}
		return offset, n + 2, true
	}
	return 0, 0, false
}

// monthTime reads "Mar 14 01:57:54", with a fraction or a year in any of the
// places where syslog daemons and journalctl put them.
func monthTime(b []byte, h *Hint) (t time.Time, n int) {
	mo := monthName(b)
	if mo == 0 || len(b) < 15 || b[3] != ' ' {
		return t, 0
	}
	i := 4
	if b[i] == ' ' {
		i++
	}
	day, dn := number(b[i:])
	i += dn
	if dn == 0 || dn > 2 || i >= len(b) || b[i] != ' ' {
		return t, 0
	}
	i++
	year := 0
	if y, ok := four(b[i:]); ok && len(b) > i+5 && b[i+4] == ' ' {
		year, i = y, i+5
	}
	hh, mm, ss, ns, used, _ := clock(b[i:])
	if used == 0 {
		return t, 0
	}
	i += used
	loc := location(h)
	if year == 0 && i < len(b) && b[i] == ' ' {
		j := i
		if _, zn, ok := zoneOffset(b[j:]); ok { // "Mar 14 01:57:54 UTC 2019"
			j += zn
		}
		if y, ok := four(b[min(j+1, len(b)):]); ok && b[j] == ' ' && y >= 1970 && (len(b) == j+5 || b[j+5] == ' ' || b[j+5] == ']') {
			if j > i {
				loc = time.UTC
			}
			year, i = y, j+5
		}
	}
	if year != 0 {
		t, ok := date(year, mo, int(day), hh, mm, ss, ns, loc)
		if !ok {
			return time.Time{}, 0
		}
		return t, i
	}
	if day < 1 || day > 31 {
		return t, 0
	}
	return yearOf(mo, int(day), hh, mm, ss, ns, loc, h.Now), i
}

// yearOf returns the latest such time that is not after now plus a day.
func yearOf(mo time.Month, d, hh, mm, ss, ns int, loc *time.Location, now time.Time) time.Time {
	if now.IsZero() {
		return time.Time{}
	}
	limit := now.Add(24 * time.Hour)
	for y := limit.In(loc).Year(); y > limit.Year()-9; y-- {
		if t, ok := date(y, mo, d, hh, mm, ss, ns, loc); ok && !t.After(limit) {
			return t
		}
	}
	return time.Time{}
}

// bracketTime reads the times that dmesg prints in brackets: [Thu Mar 14
// 01:57:54 2019] of -T, [Mar14 01:57] and [  +0.000123] of -H, and
// [<    0.000123>].
func bracketTime(b []byte, h *Hint) (t time.Time, rest []byte, ok bool) {
	end := bytes.IndexByte(b[:min(len(b), 48)], ']')
	if end < 9 {
		return t, nil, false
	}
	in := b[1:end]
	rest = trimOne(skipCaller(b[end+1:]))
	switch {
	case weekday(in):
		t, n := monthTime(bytes.TrimLeft(in[4:], " "), h)
		return t, rest, n > 0
	case localeTime(in):
		// dmesg -T in another language: the month may be spelt as in English.
		if f := bytes.Fields(in); monthName(f[1]) != 0 {
			t, _ = monthTime(in[bytes.Index(in, f[1]):], h)
		}
		return t, rest, true
	case monthName(in) != 0 && len(in) == 11 && in[5] == ' ' && in[8] == ':':
		d, ok1 := two(in[3:])
		if in[3] == ' ' && isDigit(in[4]) {
			d, ok1 = int(in[4]-'0'), true
		}
		hh, ok2 := two(in[6:])
		mm, ok3 := two(in[9:])
		if !ok1 || !ok2 || !ok3 || d < 1 || d > 31 || hh > 23 || mm > 59 {
			return t, nil, false
		}
		return yearOf(monthName(in), d, hh, mm, 0, 0, location(h), h.Now), rest, true
	case in[0] == ' ' || in[0] == '+' || in[0] == '<':
		if in[0] == '<' && in[len(in)-1] == '>' { // of --time-format=delta
			in = in[1 : len(in)-1]
			in = append([]byte{'+'}, bytes.TrimLeft(in, " ")...)
		}
		in = bytes.TrimLeft(in, " ")
		if len(in) < 9 || in[0] != '+' {
			return t, nil, false
		}
		_, n := number(in[1:])
		if n == 0 || n+2 >= len(in) || in[n+1] != '.' {
			return t, nil, false
		}
		_, f := number(in[n+2:])
		return t, rest, f == 6 && n+2+f == len(in)
	}
	return t, nil, false
}
