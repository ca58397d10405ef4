package source

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
)

// jsonHead is how much of a large JSON document is looked at to tell whether it
// holds records of a log.
const jsonHead = 1 << 20

// quotesMessages reports whether an item is one JSON document without a record
// of a log in it: rules, dashboards and settings quote the very messages that
// they look for, and nothing happened. Objects one a line, and what is not whole
// JSON, are left to be read as text.
func quotesMessages(it *Item, head []byte) bool {
	if !isJSONDocument(head) {
		return false
	}
	content := it.Data
	if it.Open != nil {
		content = it.head(jsonHead)
	}
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	w := jsonWalk{dec: json.NewDecoder(bytes.NewReader(content))}
	w.dec.UseNumber()
	w.top()
	switch {
	case w.found:
		return false
	case w.err == nil:
		_, err := w.dec.Token()
		return err == io.EOF // else another value follows
	case it.Open != nil && (w.err == io.EOF || w.err == io.ErrUnexpectedEOF):
		return true // more than the head of it is not looked at
	}
	return false
}

// jsonWalk goes through a JSON value and looks for a record of a log: an object
// with a message and a time, in itself or in the object around it; a message at
// the top; an error with a message; a pair of time and line; or a text of several lines that is a log.
type jsonWalk struct {
	dec   *json.Decoder
	err   error
	found bool
	depth int
}

// jsonMessages are the names under which programs that write JSON put the text
// of a record: true for those that make one at the top of a document without a
// time, too.
var jsonMessages = map[string]bool{
	"message": true, "@message": true, "msg": true, "log": true, "textpayload": true, "detail-type": true, // the last of an event of EventBridge
	"line": false, "text": false, "body": false, "stringvalue": false, "note": false, "event": false, "description": false, "statusreason": false,
}

// has says what an object holds.
type has struct{ message, record, time bool }

func (w *jsonWalk) token() (json.Token, bool) {
	if w.err != nil || w.found {
		return nil, false
	}
	t, err := w.dec.Token()
	w.err = err
	return t, err == nil
}

func (w *jsonWalk) top() {
	t, ok := w.token()
	if !ok {
		return
	}
	if t == json.Delim('[') {
		for w.dec.More() && w.err == nil && !w.found {
			if t, ok := w.token(); ok {
				w.found = w.value(t).record || w.found
			}
		}
		w.token() // the bracket
		return
	}
	w.found = w.value(t).record || w.found
}

// value goes through the value that begins with a token and tells what it holds
// if it is an object.
func (w *jsonWalk) value(t json.Token) has {
	if w.depth++; w.depth > maxJSONDepth {
		w.err = io.ErrShortBuffer
	}
	defer func() { w.depth-- }()
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return w.object()
		}
		w.array()
	case string:
		w.found = w.found || isLogText(t)
	}
	return has{}
}

func (w *jsonWalk) object() has {
	var h has
	inner := false // an object in this one has a message
	for w.err == nil && !w.found && w.dec.More() {
		key, ok := w.token()
		if !ok {
			break
		}
		t, ok := w.token()
		if !ok {
			break
		}
		name := strings.ToLower(key.(string))
		_, isText := t.(string)
		record, known := jsonMessages[name]
		if t == json.Delim('{') && (name == "error" || name == "errors") {
			// an answer of an API that says what went wrong, not a rule that looks for it
			w.found = w.value(t).message || w.found
			continue
		}
		h.message = h.message || isText && known
		h.record = h.record || isText && record
		h.time = h.time || isJSONTime(name, t)
		inner = w.value(t).message || inner
	}
	w.found = w.found || h.time && (h.message || inner)
	w.token() // the brace
	return h
}

func (w *jsonWalk) array() {
	first := ""
	for n := 0; w.err == nil && !w.found && w.dec.More(); n++ {
		t, ok := w.token()
		if !ok {
			break
		}
		s, isText := t.(string)
		if n == 0 {
			first = s
		}
		w.found = w.found || n == 1 && isText && isEpoch(first)
		w.value(t)
	}
	w.token() // the bracket
}

// isLogText reports whether a string of several lines is a log.
func isLogText(s string) bool {
	if !strings.Contains(strings.TrimSpace(s), "\n") {
		return false
	}
	kernel, service, timed, n := census([]byte(s[:min(len(s), HeadSize)]))
	return n > 0 && 2*max(kernel+service, timed) >= n
}

// isJSONTime reports whether a member says when something was: a date with a
// time of day, or seconds or more since 1970 under the name of a time.
func isJSONTime(name string, v json.Token) bool {
	switch v := v.(type) {
	case string:
		if len(v) >= 16 && v[4] == '-' && v[7] == '-' && (v[10] == 'T' || v[10] == ' ') && v[13] == ':' && strings.Trim(v[:4], "0123456789") == "" {
			return name != "creationtimestamp" && !strings.HasPrefix(name, "created") && !strings.HasPrefix(name, "updated") && !strings.HasPrefix(name, "modified")
		}
		return namesTime(name) && isEpoch(v)
	case json.Number:
		return namesTime(name) && isEpoch(v.String())
	}
	return false
}

func namesTime(name string) bool {
	return strings.Contains(name, "time") || name == "ts" || name == "@t" || name == "date"
}

// isEpoch reports whether digits can be a time since 1970, in seconds or finer,
// after 2001.
func isEpoch(s string) bool {
	whole, _, _ := strings.Cut(s, ".")
	return len(whole) >= 10 && len(whole) <= 19 && strings.Trim(whole, "0123456789") == "" && whole[0] != '0'
}
