package match

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
	"slices"

	"ddx/kernlog"
	"ddx/logline"
	"ddx/scan"
)

// consoleSize is the most of a log in which broken messages are joined. EC2
// keeps 64 KB of a console; a byte that is no text takes three in its JSON.
const consoleSize = 128 << 10

// maxPieces is into how many lines a message can be broken and still be joined.
const maxPieces = 4

// joined gives a recorded console on which messages were broken by line ends
// with each of them in one line, and an empty line in the place of every piece
// more, so that all lines keep their numbers. Larger logs pass unchanged.
func (m *Matcher) joined(b *bufio.Reader) io.Reader {
	text, err := b.Peek(consoleSize + 1)
	if err != io.EOF { // there is more of it, or it cannot be read
		return b
	}
	j := joiner{m: m}
	var out []byte // stays nil while nothing was joined
	done := 0
	for at := 0; at < len(text); {
		end := lineEnd(text, at)
		if whole, pieces, next := j.message(text, at); pieces > 1 {
			out = append(append(out, text[done:at]...), whole...)
			for range pieces {
				out = append(out, '\n')
			}
			done, end = next, next
		}
		at = end
	}
	if out == nil {
		return b
	}
	return bytes.NewReader(append(out, text[done:]...))
}

// lineEnd returns where the line that begins at i ends, its line end included.
func lineEnd(text []byte, i int) int {
	if n := bytes.IndexByte(text[i:], '\n'); n >= 0 {
		return i + n + 1
	}
	return len(text)
}

func trimEnd(line []byte) []byte { return bytes.TrimRight(line, "\r\n") }

// isStamped reports whether a line begins with seconds since boot, as the
// kernel writes to the console.
func isStamped(line []byte) bool {
	l := logline.Parse(line, logline.Hint{})
	return l.Mono >= 0 && l.Seq < 0 && l.Time.IsZero() && l.Channel == logline.Kernel
}

type joiner struct {
	m      *Matcher
	finder *scan.Finder
}

// message returns the message that begins at a line, the number of lines that
// it was broken into, and where the line after it begins.
func (j *joiner) message(text []byte, at int) (whole []byte, pieces, next int) {
	next = lineEnd(text, at)
	whole, pieces = trimEnd(text[at:next]), 1
	if next == len(text) || !isStamped(whole) {
		return whole, pieces, next
	}
	var seams []int
	joined, n := bytes.Clone(whole), next
	for len(seams)+1 < maxPieces && n < len(text) {
		end := lineEnd(text, n)
		piece := trimEnd(text[n:end])
		if l := logline.Parse(piece, logline.Hint{}); len(l.Message) == 0 || l.Channel != logline.Unknown || l.Mono >= 0 || !l.Time.IsZero() {
			break
		}
		seams = append(seams, len(joined))
		joined, n = append(joined, piece...), end
		if j.proved(joined, seams) {
			whole, pieces, next = bytes.Clone(joined), len(seams)+1, n
		}
	}
	return whole, pieces, next
}

// proved reports whether the pieces of a line are one message. Only a pattern
// proves that: it fits all of them together, and no longer when anything stands
// at a seam. So two messages are never taken for one because a pattern has room
// for what lies between its words.
func (j *joiner) proved(line []byte, seams []int) bool {
	if j.finder == nil {
		j.finder = j.m.set.Finder()
	}
	whole := message(line)
	found, _ := j.finder.Find(whole)
	for _, p := range found {
		if p >= j.m.loss {
			break
		}
		re := j.m.expression(p)
		if re.Match(whole) && !slices.ContainsFunc(seams, func(at int) bool {
			return re.Match(message(line[:at])) || re.Match(message(line[:at], []byte{0}, line[at:]))
		}) {
			return true
		}
	}
	return false
}

// message is that of a line in parts.
func message(parts ...[]byte) []byte {
	return logline.Parse(slices.Concat(parts...), logline.Hint{}).Message
}

// expression is that of a pattern of a mode, or of the first line of a report.
func (m *Matcher) expression(p int) *regexp.Regexp {
	if p < m.starts {
		return m.lines[p].pattern.Regexp()
	}
	return regexp.MustCompile(kernlog.Starts()[p-m.starts]) // they were compiled before
}
