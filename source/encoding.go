package source

import (
	"bufio"
	"bytes"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// decoded decodes text in UTF-16 that begins with a byte order mark, as a
// redirect in PowerShell and editors on Windows write it, whatever it holds. It
// reports whether the text is no longer what lies in the file.
func decoded(br *bufio.Reader) (io.Reader, bool) {
	head, _ := br.Peek(600) // a read error comes again
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")) && isUTF16(head[2:], false):
		return &utf16Reader{r: br}, true
	case bytes.HasPrefix(head, []byte("\xfe\xff")) && isUTF16(head[2:], true):
		return &utf16Reader{r: br, big: true}, true
	}
	return br, false
}

// isUTF16 reports whether what follows the mark can be text: no control
// characters but those of text, and no half of a pair alone.
func isUTF16(b []byte, big bool) bool {
	units := units(nil, b, big)
	for i := 0; i < len(units); i++ {
		switch u := rune(units[i]); {
		case u < ' ' && u != '\n' && u != '\t' && u != '\r' && u != 0x1b:
			return false
		case utf16.IsSurrogate(u) && i+1 < len(units):
			if utf16.DecodeRune(u, rune(units[i+1])) == utf8.RuneError {
				return false
			}
			i++
		}
	}
	return true
}

// units appends the 16-bit units of b.
func units(dst []uint16, b []byte, big bool) []uint16 {
	for ; len(b) > 1; b = b[2:] {
		u := uint16(b[1])<<8 | uint16(b[0])
		if big {
			u = uint16(b[0])<<8 | uint16(b[1])
		}
		dst = append(dst, u)
	}
	return dst
}

// utf16Reader gives UTF-16 with its mark as UTF-8 without one. What cannot be
// decoded becomes U+FFFD.
type utf16Reader struct {
	r     io.Reader
	big   bool
	in    []byte   // read and not yet decoded: at most half a unit between reads
	units []uint16 // likewise: at most half a pair
	out   []byte
	begun bool
	err   error
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.out) == 0 {
		if u.err != nil {
			return 0, u.err
		}
		u.fill()
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	return n, nil
}

// fill decodes the next part.
func (u *utf16Reader) fill() {
	const part = 32 << 10
	if cap(u.in) < part {
		u.in = append(make([]byte, 0, part), u.in...)
	}
	n, err := u.r.Read(u.in[len(u.in):part])
	u.in, u.err = u.in[:len(u.in)+n], err
	u.units = units(u.units, u.in, u.big)
	u.in = u.in[:copy(u.in, u.in[len(u.in)&^1:])]
	if err != nil && len(u.in) > 0 {
		u.units, u.in = append(u.units, utf8.RuneError), nil
	}
	all := u.units
	if !u.begun && len(all) > 0 {
		u.begun = true
		if all[0] == 0xfeff {
			all = all[1:]
		}
	}
	if n := len(all); n > 0 && all[n-1]&0xfc00 == 0xd800 && err == nil {
		all = all[:n-1] // its other half comes next
	}
	u.out = u.out[:0]
	for _, r := range utf16.Decode(all) {
		u.out = utf8.AppendRune(u.out, r)
	}
	left := 0
	if n := len(u.units); err == nil && n > 0 && u.units[n-1]&0xfc00 == 0xd800 {
		u.units[0], left = u.units[n-1], 1
	}
	u.units = u.units[:left]
}
