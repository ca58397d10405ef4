package source

import (
	"bytes"
	"strings"

	"ddx"
)

// findmntTable reads findmnt: the tree, the list, -P pairs and -J.
var findmntTable = Reader{
	Name: "findmnt", Doc: "findmnt: mounts as a tree, pairs or JSON",
	Kinds: []string{"mount"},
	Match: func(name string, head []byte) bool {
		return findmntHeader.Match(head) || bytes.Contains(head, []byte(`"filesystems"`)) || bytes.HasPrefix(head, []byte(`TARGET="`))
	},
	Read: readFindmnt,
}

var (
	findmntHeader = lazy(`(?m)^TARGET +SOURCE +FSTYPE +OPTIONS`)
	quotedPair    = lazy(`([A-Z][A-Z0-9:%_-]*)="([^"]*)"`)
)

func readFindmnt(it *Item, emit func(ddx.Fact)) error {
	if bytes.Contains(it.Data, []byte(`"filesystems"`)) {
		docs, err := it.readJSON()
		var walk func(nodes []*jsonNode)
		walk = func(nodes []*jsonNode) {
			for _, m := range nodes {
				if target := m.text("target"); target != "" {
					at := m.get("target").line
					emit(it.mountFact(at, it.lineText(at), m.text("source"), target, m.text("fstype"), m.text("options")))
				}
				walk(m.list("children"))
			}
		}
		for _, d := range docs {
			walk(d.list("filesystems"))
		}
		return err
	}
	it.lines(func(n int, line string) {
		var source, target, fstype, options string
		if pairs := quotedPair.FindAllStringSubmatch(line, -1); pairs != nil {
			v := map[string]string{}
			for _, p := range pairs {
				v[p[1]] = p[2]
			}
			source, target, fstype, options = v["SOURCE"], v["TARGET"], v["FSTYPE"], v["OPTIONS"]
		} else {
			w := strings.Fields(strings.TrimLeft(line, " │├└─|`-"))
			if len(w) < 4 || !strings.HasPrefix(w[0], "/") {
				return
			}
			options, fstype = w[len(w)-1], w[len(w)-2]
			target, source = w[0], strings.Join(w[1:len(w)-2], " ")
		}
		if target != "" && fstype != "" {
			emit(it.mountFact(n, line, source, target, fstype, options))
		}
	})
	return nil
}
