package flowlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"ddx/flowsum"
)

// A Loss is input that was not counted: where, how much of it and why.
type Loss struct {
	Offset  int64  `json:"offset"`           // byte in the (decompressed) file where it begins
	Records uint64 `json:"records"`          // lines or rows
	Bytes   int64  `json:"bytes"`            // -1: not known
	Reason  string `json:"reason"`           // what is wrong with it
	Sample  string `json:"sample,omitempty"` // the beginning of the first such line
	Last    int64  `json:"last,omitempty"`   // where the last of them begins
}

// FileReport is what was read of one file and what was not.
type FileReport struct {
	Path    string `json:"path"`
	Format  string `json:"format"` // text, gzip, parquet
	Version int    `json:"version"`
	Bytes   int64  `json:"bytes"`             // as stored
	Records uint64 `json:"records"`           // counted, NODATA and SKIPDATA included
	Skipped uint64 `json:"skipped,omitempty"` // outside the asked time, or duplicates
	Losses  []Loss `json:"losses,omitempty"`  // one for each reason
	Error   string `json:"error,omitempty"`   // why reading stopped, with the offset
}

// Lost is the number of records of the file that were not counted, and the
// number of their bytes; bytes is -1 when it cannot be known.
func (f *FileReport) Lost() (records uint64, n int64) {
	for _, l := range f.Losses {
		records += l.Records
		if l.Bytes < 0 || n < 0 {
			n = -1
		} else {
			n += l.Bytes
		}
	}
	return records, n
}

// lose counts a loss. Losses of one reason are folded, so that a report stays
// small however bad the file is.
func (f *FileReport) lose(offset int64, records uint64, n int64, reason string, sample []byte) {
	for i := range f.Losses {
		if l := &f.Losses[i]; l.Reason == reason {
			l.Records += records
			l.Last = offset
			if n < 0 || l.Bytes < 0 {
				l.Bytes = -1
			} else {
				l.Bytes += n
			}
			return
		}
	}
	const most = 120
	f.Losses = append(f.Losses, Loss{Offset: offset, Records: records, Bytes: n, Reason: reason,
		Sample: string(sample[:min(len(sample), most)])})
}

const (
	readSize = 256 << 10
	// maxLine bounds a record. The longest possible one, every published field
	// at its longest, has less than 4 KiB.
	maxLine = 64 << 10
)

// sink takes records. It keeps none of their slices.
type sink interface{ Add(*flowsum.Record) }

// textScanner reads the lines of one file.
type textScanner struct {
	report *FileReport
	given  *Format // given by the user; nil: header line, or the default format
	parser *lineParser
	detail bool
	since  uint64
	until  uint64 // exclusive
	dedup  *dedup
	out    sink
	sums   *flowsum.Sums // for the fast path; nil: every record goes to out
	fast   *fastPath     // of the present format, or nil
	plain  *defaultPath  // before fast, or nil
	cancel func() error
}

// scan reads r to its end. Lines that are no records are lost and counted; an
// error of r ends the file, and what came before it stays counted.
// buf is working space of slack+readSize+maxLine+slack bytes.
func (s *textScanner) scan(r io.Reader, buf []byte) error {
	begin, end := slack, slack // unread bytes are buf[begin:end]
	limit := len(buf) - slack
	var base int64 // file offset of buf[slack]
	skipping := int64(-1)
	var row flowsum.Record
	for {
		n, err := r.Read(buf[end:min(limit, end+readSize)])
		end += n
		for begin < end {
			origin := base - slack
			slow := func(i, j int) { s.line(buf, i, j, origin+int64(i), &row) }
			if s.plain != nil && skipping < 0 {
				at, n := s.plain.take(buf, begin, end, slow)
				begin = at
				s.report.Records += n
				if s.plain.unfit(n) {
					s.plain = nil
					continue
				}
			} else if s.fast != nil && skipping < 0 {
				at, n := s.fast.take(buf, begin, end, slow)
				begin = at
				s.report.Records += n
				if begin == end {
					break
				}
			}
			k := bytes.IndexByte(buf[begin:end], '\n')
			if k < 0 {
				break
			}
			at := base + int64(begin-slack)
			if skipping >= 0 {
				s.report.lose(skipping, 1, at+int64(k)-skipping, fmt.Sprintf("line longer than %d bytes", maxLine), nil)
				skipping = -1
			} else {
				s.line(buf, begin, begin+k, at, &row)
			}
			begin += k + 1
		}
		if err != nil {
			return s.finish(buf, begin, end, base+int64(begin-slack), skipping, &row, err)
		}
		if s.cancel != nil {
			if err := s.cancel(); err != nil {
				return err
			}
		}
		if skipping >= 0 {
			begin = end
		} else if end-begin > maxLine {
			skipping = base + int64(begin-slack)
			begin = end
		}
		if end+readSize > limit || begin == end {
			base += int64(begin - slack)
			copy(buf[slack:], buf[begin:end])
			end = slack + end - begin
			begin = slack
		}
	}
}

// finish takes what stands after the last newline. A file may end without one;
// where the stream broke, the piece is half a record and lost.
func (s *textScanner) finish(buf []byte, begin, end int, at, skipping int64, r *flowsum.Record, err error) error {
	broken := !errors.Is(err, io.EOF)
	switch {
	case skipping >= 0:
		s.report.lose(skipping, 1, at+int64(end-begin)-skipping, fmt.Sprintf("line longer than %d bytes", maxLine), nil)
	case begin == end:
	case broken:
		s.report.lose(at, 1, int64(end-begin), "half a record where the stream broke", buf[begin:end])
	default:
		s.line(buf, begin, end, at, r)
	}
	if broken {
		return fmt.Errorf("at byte %d of the content: %w", at, err)
	}
	return nil
}

// line takes one line without its newline.
func (s *textScanner) line(b []byte, i, j int, at int64, r *flowsum.Record) {
	if i == j {
		return
	}
	if s.parser == nil && !s.begin(b, i, j, at) {
		return
	}
	why := s.parser.parse(b, i, j, r)
	if why != "" {
		if why = s.slow(b[i:j], why, r); why != "" {
			s.report.lose(at, 1, int64(j-i), why, b[i:j])
			return
		}
		if r.Interface == nil {
			return // a header
		}
	}
	if r.Start < s.since || r.Start >= s.until || s.dedup != nil && s.dedup.seen(b[i:j]) {
		s.report.Skipped++
		return
	}
	s.report.Records++
	s.out.Add(r)
}

// slow looks again at a line that is not in the expected form: another header
// (files joined by cat), tabs, several blanks, a carriage return. It returns ""
// with an empty row for a header.
func (s *textScanner) slow(line []byte, why string, r *flowsum.Record) string {
	if isHeader(line) {
		f, err := ParseFormat(string(bytes.TrimSpace(line)))
		if err != nil {
			return err.Error()
		}
		s.use(f, 0)
		r.Interface = nil
		return ""
	}
	mended, ok := normalise(line)
	if !ok {
		if len(bytes.TrimSpace(line)) == 0 {
			r.Interface = nil
			return ""
		}
		return why
	}
	padded := make([]byte, slack+len(mended)+slack)
	copy(padded[slack:], mended)
	return s.parser.parse(padded, slack, slack+len(mended), r)
}

// begin settles the format by the first line, and reports whether that line is
// a record.
func (s *textScanner) begin(b []byte, i, j int, at int64) bool {
	line := b[i:j]
	if isHeader(line) {
		f, err := ParseFormat(string(bytes.TrimSpace(line)))
		switch {
		case s.given != nil: // the user's word stands above the file's
			s.use(s.given, 0)
		case err != nil:
			s.report.lose(at, 1, int64(len(line)), err.Error(), line)
		default:
			s.use(f, 0)
		}
		return false
	}
	words := bytes.Fields(line)
	if len(words) == 0 {
		return false
	}
	prefix := 0
	// An export of CloudWatch Logs puts the time of ingestion before each record.
	if _, err := time.Parse(time.RFC3339, string(words[0])); err == nil {
		prefix = 1
	}
	f := s.given
	if f == nil {
		switch len(words) - prefix {
		case len(Version2.names):
			f = Version2
		case len(TransitGateway.names):
			f = TransitGateway
		default:
			s.report.lose(at, 1, int64(len(line)),
				fmt.Sprintf("no header line, and %d fields are neither the default format (14) nor a transit gateway's (%d): give the format", len(words)-prefix, len(TransitGateway.names)), line)
			return false
		}
	}
	s.use(f, prefix)
	return true
}

func (s *textScanner) use(f *Format, prefix int) {
	s.parser = newLineParser(f, prefix, s.detail)
	if s.fast, s.plain = nil, nil; s.sums != nil && s.dedup == nil {
		s.fast = newFastPath(s.parser, s.sums, s.since, s.until)
		if prefix == 0 && slices.Equal(f.names, Version2.names) {
			s.plain = newDefaultPath(s.sums, s.since, s.until)
		}
	}
	s.report.Version = max(s.report.Version, f.Version())
}
