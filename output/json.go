package output

import (
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"
)

// JSON writes a value as indented JSON that is harmless on a terminal.
func JSON(w io.Writer, v any) error {
	enc := json.NewEncoder(SafeJSON(w))
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// SafeJSON returns a writer for JSON in which characters that would act on a
// terminal, and that JSON itself leaves as they are (marks that turn the
// direction of text, the control characters above ASCII), are written as \u
// escapes: the values stay the same.
func SafeJSON(w io.Writer) io.Writer { return &safeJSON{w: w} }

type safeJSON struct {
	w    io.Writer
	tail []byte // a character that the last write ended within
}

func (s *safeJSON) Write(p []byte) (int, error) {
	in := append(s.tail, p...)
	out := make([]byte, 0, len(in))
	for len(in) > 0 {
		if in[0] < utf8.RuneSelf {
			out, in = append(out, in[0]), in[1:]
			continue
		}
		if !utf8.FullRune(in) {
			break
		}
		r, n := utf8.DecodeRune(in)
		switch {
		case !hidden(r):
			out = append(out, in[:n]...)
		case r <= 0xffff:
			out = fmt.Appendf(out, "\\u%04x", r)
		default:
			out = fmt.Appendf(out, "\\u%04x\\u%04x", 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		}
		in = in[n:]
	}
	s.tail = append([]byte(nil), in...)
	if _, err := s.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}
