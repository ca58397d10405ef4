package source

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"ddx"
	"sync"
)

// Readers is every form of material that ddx understands, most specific first.
// Adding a source means adding one file and one line here.
var Readers = slices.Concat(
	networkReaders,
	storageReaders,
	hostReaders,
	cloudReaders,
	[]Reader{mountCheck, timeZone},
	logReaders,
)

// MaxItem is the most that is read of one piece of structured material, in
// bytes. Longer material is a log or a mistake.
const MaxItem = 64 << 20

// HeadSize is how much of an item recognition looks at.
const HeadSize = 16 << 10

// sysAttribute is a file of sysfs or of the control groups. What its value is
// the name alone tells, so only the readers of such files are asked: a
// collection has a hundred thousand of them. pstore and debugfs hold texts.
var sysAttribute = lazy(`(?:^|/)sys/(?:block|bus|class|dev|devices|firmware|module|power|fs/cgroup)/`)

// sysReaders are the readers that recognise such files by name and form.
var sysReaders = sync.OnceValue(func() []Reader { return []Reader{*readerNamed("sys-class-net"), *readerNamed("cgroup")} })

// attributeSize is the most that an attribute of sysfs can show: a page.
const attributeSize = 4096

// ruleFragment is a file from which a firewall's rules are put together: what
// it holds looks like the rules in force and is a part of them at most.
var ruleFragment = lazy(`(?:^|/)(?:etc/ufw|usr/share/ufw)/`)

// Recognise returns the reader for an item: the one it names, or the one whose
// file of /proc or /sys it is, or the first one that knows its content, or nil.
func Recognise(it *Item) (*Reader, error) {
	if it.Reader != "" {
		for i := range Readers {
			if Readers[i].Name == it.Reader {
				return &Readers[i], nil
			}
		}
		return nil, fmt.Errorf("read %s as %q: no such kind of material; 'ddx collect --list' names them", it.Origin, it.Reader)
	}
	if rd := readerByPath(it.path()); rd != nil {
		return rd, nil
	}
	if ruleFragment.MatchString(it.path()) {
		return nil, nil
	}
	name := it.Name
	if strings.HasPrefix(name, "/") {
		name = path.Base(name)
	}
	head := it.Data
	if len(head) > HeadSize {
		head = head[:HeadSize]
	}
	candidates := Readers
	if framedLog(head) { // nine of ten items of a large collection: not worth a hundred other questions
		candidates = logReaders
	} else if len(it.Data) <= attributeSize && sysAttribute.MatchString(it.path()) {
		candidates = sysReaders()
	}
	for i := range candidates {
		if candidates[i].Match != nil && candidates[i].Match(name, head) {
			return &candidates[i], nil
		}
	}
	return nil, nil
}

// at names a line of the item, counted from 1 within Data.
func (it *Item) at(n int) string { return fmt.Sprintf("%s:%d", it.Origin, it.Line+n) }

// fact makes a fact out of one line of the item. Fields are pairs of name and
// value; nil values are left out, ints become int64.
func (it *Item) fact(kind string, s ddx.Subject, n int, text string, fields ...any) ddx.Fact {
	f := ddx.Fact{Kind: kind, Subject: s, Time: it.Time, Evidence: it.evidence(n, text)}
	f.Fields = make(map[string]any, len(fields)/2)
	for i := 0; i+1 < len(fields); i += 2 {
		switch v := fields[i+1].(type) {
		case nil:
		case int:
			f.Fields[fields[i].(string)] = int64(v)
		case []string:
			if v != nil {
				f.Fields[fields[i].(string)] = v
			}
		default:
			f.Fields[fields[i].(string)] = v
		}
	}
	return f
}

// lines calls fn for each line with its number, counted from 1, without the
// line end and any carriage return.
func (it *Item) lines(fn func(n int, line string)) {
	data := it.Data
	for n := 1; len(data) > 0; n++ {
		line := data
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			line, data = data[:i], data[i+1:]
		} else {
			data = nil
		}
		fn(n, strings.TrimSuffix(string(line), "\r"))
	}
}

// command returns the words of a command line origin, the program without its
// directory and without sudo; nil when the item is not the output of a command.
func (it *Item) command() []string {
	w := strings.Fields(it.Name)
	for len(w) > 0 && (w[0] == "sudo" || strings.HasPrefix(w[0], "-")) {
		w = w[1:]
	}
	if len(w) > 0 {
		w[0] = w[0][strings.LastIndexByte(w[0], '/')+1:]
	}
	return w
}

var host = ddx.Subject{Kind: ddx.Host}

func nic(name string) ddx.Subject { return ddx.Subject{Kind: ddx.NIC, Name: name} }
