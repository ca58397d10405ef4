package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"ddx"
)

// jsonNode is a JSON value that knows the line it begins on, so that evidence
// taken out of JSON is as exact as evidence taken out of lines.
type jsonNode struct {
	line   int
	value  any // string, json.Number, bool or nil of a scalar
	keys   []string
	fields map[string]*jsonNode
	items  []*jsonNode
}

// maxJSONDepth bounds the recursion; no tool nests its answers deeper.
const maxJSONDepth = 100

type jsonParser struct {
	dec   *json.Decoder
	data  []byte
	off   int64 // up to where line has counted
	line  int
	depth int
}

// readJSON reads the JSON documents of the item, one after another. Text
// before the first line that opens an object or a list (a prompt, a command)
// is skipped. A piece cut out of an object is read as one, as far as it goes.
// Damaged material yields what stands before the damage and an error that names
// the line.
func (it *Item) readJSON() ([]*jsonNode, error) {
	if cutOut.Match(it.Data) {
		data := append([]byte{'{'}, it.Data...)
		p := &jsonParser{data: data, line: 1, dec: json.NewDecoder(bytes.NewReader(data))}
		p.dec.UseNumber()
		n, err := p.next()
		if n == nil {
			return nil, fmt.Errorf("line %d: %w", p.at(), err)
		}
		return []*jsonNode{n}, nil // where it ends, the piece was cut
	}
	start, line := jsonStart(it.Data)
	if start < 0 {
		return nil, errors.New("line 1: no JSON object or list begins here")
	}
	var docs []*jsonNode
	p := &jsonParser{data: it.Data[start:], line: line}
	p.dec = json.NewDecoder(bytes.NewReader(p.data))
	p.dec.UseNumber()
	for {
		n, err := p.next()
		if n != nil {
			docs = append(docs, n)
		}
		if errors.Is(err, io.EOF) && p.depth == 0 {
			return docs, nil
		}
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = errors.New("the text ends inside a JSON value")
			}
			return docs, fmt.Errorf("line %d: %w", p.at(), err)
		}
	}
}

// cutOut is how a piece begins that was cut out of an object: with a key.
var cutOut = lazy(`^\s*"[A-Za-z][\w-]*"\s*:\s*[\[{"\dtfn]`)

// jsonStart returns the offset and line number of the first line that begins
// with { or [ followed by what JSON allows there; -1 when there is none.
func jsonStart(data []byte) (offset, line int) {
	line = 1
	for offset < len(data) {
		end := bytes.IndexByte(data[offset:], '\n')
		if end < 0 {
			end = len(data) - offset
		}
		if t := bytes.TrimSpace(data[offset : offset+end]); len(t) > 0 && (t[0] == '{' || t[0] == '[') {
			inner := bytes.TrimSpace(data[offset+bytes.IndexByte(data[offset:], t[0])+1:])
			if len(inner) == 0 || strings.IndexByte(`"{[]}`, inner[0]) >= 0 {
				return offset, line
			}
		}
		offset += end + 1
		line++
	}
	return -1, 0
}

// at returns the line on which the last token ended.
func (p *jsonParser) at() int {
	off := min(p.dec.InputOffset(), int64(len(p.data)))
	p.line += bytes.Count(p.data[p.off:off], []byte{'\n'})
	p.off = off
	return p.line
}

func (p *jsonParser) next() (*jsonNode, error) {
	tok, err := p.dec.Token()
	if err != nil {
		return nil, err
	}
	n := &jsonNode{line: p.at()}
	d, ok := tok.(json.Delim)
	if !ok {
		n.value = tok
		return n, nil
	}
	if p.depth++; p.depth > maxJSONDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxJSONDepth)
	}
	if d == '{' {
		n.fields = map[string]*jsonNode{}
	}
	for p.dec.More() {
		key := ""
		if d == '{' {
			tok, err := p.dec.Token()
			if err != nil {
				return n, err
			}
			key, _ = tok.(string)
		}
		c, err := p.next()
		if c != nil {
			if d == '{' {
				n.keys = append(n.keys, key)
				n.fields[key] = c
			} else {
				n.items = append(n.items, c)
			}
		}
		if err != nil {
			return n, err
		}
	}
	if _, err := p.dec.Token(); err != nil {
		return n, err
	}
	p.depth--
	return n, nil
}

// get follows the keys from n; nil when one of them is not there. All methods
// of a nil node return nothing.
func (n *jsonNode) get(keys ...string) *jsonNode {
	for _, k := range keys {
		if n == nil {
			return nil
		}
		n = n.fields[k]
	}
	return n
}

// list returns the items of the list under the keys.
func (n *jsonNode) list(keys ...string) []*jsonNode {
	if n = n.get(keys...); n == nil {
		return nil
	}
	return n.items
}

// text returns the scalar under the keys as text, "" for none and null.
func (n *jsonNode) text(keys ...string) string {
	if n = n.get(keys...); n == nil || n.value == nil {
		return ""
	}
	return fmt.Sprint(n.value)
}

// str, num, real and truth return the scalar for Item.fact: nil for none.
func (n *jsonNode) str(keys ...string) any  { return asText(n.text(keys...)) }
func (n *jsonNode) real(keys ...string) any { return asFloat(n.text(keys...)) }

func (n *jsonNode) num(keys ...string) any {
	s := n.text(keys...)
	if v, ok := asInt(s).(int64); ok {
		return v
	}
	if f, ok := asFloat(s).(float64); ok && f == float64(int64(f)) {
		return int64(f)
	}
	return nil
}

func (n *jsonNode) truth(keys ...string) any {
	if v, err := strconv.ParseBool(n.text(keys...)); err == nil {
		return v
	}
	return nil
}

// texts returns the scalar under key of each item of n, empty ones left out.
func (n *jsonNode) texts(list string, key ...string) []string {
	var out []string
	for _, i := range n.list(list) {
		if s := i.text(key...); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// jsonFact makes a fact whose evidence is the line of each node given, in
// their order, each line once.
func (it *Item) jsonFact(kind string, s ddx.Subject, at []*jsonNode, fields ...any) ddx.Fact {
	f := it.fact(kind, s, 0, "", fields...)
	f.Evidence = nil
	seen := map[int]bool{}
	for _, n := range at {
		if n != nil && !seen[n.line] {
			seen[n.line] = true
			f.Evidence = append(f.Evidence, it.evidence(n.line, it.lineText(n.line))...)
		}
	}
	return f
}

// maxEvidence bounds the text taken from one line, in bytes: JSON is often one
// line. A longer line ends in "...".
const maxEvidence = 4096

// lineText returns line n of the item, cut to maxEvidence bytes.
func (it *Item) lineText(n int) string {
	if it.starts == nil {
		it.starts = []int{0}
		for i, b := range it.Data {
			if b == '\n' {
				it.starts = append(it.starts, i+1)
			}
		}
	}
	if n < 1 || n > len(it.starts) {
		return ""
	}
	end := len(it.Data)
	if n < len(it.starts) {
		end = it.starts[n] - 1
	}
	data := it.Data[it.starts[n-1]:end]
	if len(data) > maxEvidence {
		data = append(bytes.Clone(data[:maxEvidence]), "..."...)
	}
	return strings.TrimRight(strings.ToValidUTF8(string(data), "?"), " \t\r")
}
