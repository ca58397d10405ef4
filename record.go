package ddx

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Record is one JSON line that holds exactly one noun. A stream of records is
// the index of a bundle, the wire format of the agent, the log of the hub, the
// output of -o jsonl and the input of tests. It begins with a Header.
type Record struct {
	Header   *Header   `json:"header,omitempty"`
	Evidence *Evidence `json:"evidence,omitempty"`
	Fact     *Fact     `json:"fact,omitempty"`
	Finding  *Finding  `json:"finding,omitempty"`
	Test     *Test     `json:"test,omitempty"`
	Progress *Progress `json:"progress,omitempty"`
}

// Header opens every stream and says how it was made.
type Header struct {
	Schema    string    `json:"schema"` // RecordSchema
	DDX       string    `json:"ddx"`
	Catalogue string    `json:"catalogue,omitempty"`
	Host      string    `json:"host,omitempty"`
	Boot      string    `json:"boot,omitempty"`
	Now       time.Time `json:"now"` // the moment that answers are given for
	Redacted  bool      `json:"redacted,omitempty"`
}

// Progress says how far a producer is. A stream stays valid and gives the same
// answers when all progress records are removed.
type Progress struct {
	Message string `json:"message"`
	Done    int64  `json:"done,omitempty"`
	Total   int64  `json:"total,omitempty"`
}

func (r *Record) nouns() int {
	n := 0
	for _, set := range []bool{r.Header != nil, r.Evidence != nil, r.Fact != nil, r.Finding != nil, r.Test != nil, r.Progress != nil} {
		if set {
			n++
		}
	}
	return n
}

// RecordWriter writes records, one a line.
type RecordWriter struct {
	w   *bufio.Writer
	enc *json.Encoder
}

// NewRecordWriter writes the header and returns a writer for what follows.
func NewRecordWriter(w io.Writer, h Header) (*RecordWriter, error) {
	h.Schema = RecordSchema
	b := bufio.NewWriter(w)
	rw := &RecordWriter{w: b, enc: json.NewEncoder(b)}
	rw.enc.SetEscapeHTML(false)
	return rw, rw.Write(Record{Header: &h})
}

// Write appends one record.
func (w *RecordWriter) Write(r Record) error {
	if n := r.nouns(); n != 1 {
		return fmt.Errorf("write record: %d nouns in one record, want exactly one", n)
	}
	return w.enc.Encode(r)
}

// Flush hands all buffered records to the underlying writer.
func (w *RecordWriter) Flush() error { return w.w.Flush() }

// MaxRecord is the longest line that ReadRecords accepts, in bytes.
const MaxRecord = 16 << 20

// ReadRecords reads a stream and calls fn for each record after the header, in
// order. Errors name the line. Unknown JSON fields are ignored, so that a newer
// writer can be read; a line without exactly one known noun is an error.
func ReadRecords(r io.Reader, fn func(Record) error) (Header, error) {
	var h Header
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 64<<10), MaxRecord)
	line := 0
	for sc.Scan() {
		line++
		if len(bytes.TrimSpace(sc.Bytes())) == 0 {
			continue
		}
		var rec Record
		if err := json.Unmarshal(sc.Bytes(), &rec); err != nil {
			return h, fmt.Errorf("read records: line %d: %w", line, err)
		}
		if n := rec.nouns(); n != 1 {
			return h, fmt.Errorf("read records: line %d: %d known nouns in one record, want exactly one", line, n)
		}
		switch {
		case rec.Header != nil && h.Schema == "":
			if rec.Header.Schema != RecordSchema {
				return h, fmt.Errorf("read records: line %d: schema %q, this ddx reads %q", line, rec.Header.Schema, RecordSchema)
			}
			h = *rec.Header
		case rec.Header != nil:
			return h, fmt.Errorf("read records: line %d: a second header", line)
		case h.Schema == "":
			return h, fmt.Errorf("read records: line %d: a record before the header", line)
		default:
			if err := fn(rec); err != nil {
				return h, fmt.Errorf("read records: line %d: %w", line, err)
			}
		}
	}
	if err := sc.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("longer than %d bytes", MaxRecord)
		}
		return h, fmt.Errorf("read records: line %d: %w", line+1, err)
	}
	if h.Schema == "" {
		return h, errors.New("read records: no header: not a ddx record stream")
	}
	return h, nil
}

// UnmarshalJSON gives the fields of a fact the types of their declaration:
// JSON has one kind of number, facts have two. Fields that this version does
// not declare are dropped, as unknown JSON fields are.
func (f *Fact) UnmarshalJSON(b []byte) error {
	type plain Fact
	var p struct {
		plain
		Fields map[string]json.RawMessage `json:"fields"`
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	*f = Fact(p.plain)
	f.Fields = nil
	k := LookupFact(f.Kind)
	if k == nil {
		return nil // a newer vocabulary; the engine reads no such kind
	}
	for name, raw := range p.Fields {
		field := k.Field(name)
		if field == nil {
			continue
		}
		v, err := decodeField(raw, field.Type)
		if err != nil {
			return fmt.Errorf("fact %s: field %s: %w", f.Kind, name, err)
		}
		if f.Fields == nil {
			f.Fields = make(map[string]any, len(p.Fields))
		}
		f.Fields[name] = v
	}
	return nil
}

func decodeField(raw json.RawMessage, t Type) (any, error) {
	switch t {
	case Int:
		return decodeAs[int64](raw)
	case Float:
		return decodeAs[float64](raw)
	case Bool:
		return decodeAs[bool](raw)
	case Strings:
		return decodeAs[[]string](raw)
	}
	return decodeAs[string](raw)
}

func decodeAs[T any](raw json.RawMessage) (any, error) {
	var v T
	err := json.Unmarshal(raw, &v)
	return v, err
}
