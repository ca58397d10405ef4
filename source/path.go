package source

import (
	"path"
	"strings"
	"sync"
)

// readerByPath returns the reader of a file of /proc, /sys or /etc by its
// path. The files of /proc and /sys often hold a bare number: only the path
// says what it counts. The tree may lie in any directory (a sosreport, a
// bundle), so the end of the origin is compared.
func readerByPath(origin string) *Reader {
	if w := strings.Fields(origin); len(w) > 1 {
		// A command shows a file unchanged only if it is cat of that file.
		if w[0] == "sudo" {
			w = w[1:]
		}
		if len(w) != 2 || w[0] != "cat" {
			return nil
		}
		origin = w[1]
	}
	origin = strings.Trim(origin, "/")
	index := filesByBase()
	base := path.Base(origin)
	for _, f := range [][]kernelFile{index[base], index[""]} {
		for _, k := range f {
			if ok, _ := path.Match(k.pattern, lastElements(origin, k.depth)); ok {
				return k.reader
			}
		}
	}
	if strings.Contains("/"+origin, "/proc/sys/") {
		return readerNamed("sysctl") // every other file there is a plain setting
	}
	return nil
}

// kernelFile is a pattern of a file of /proc or /sys, its number of elements
// and its reader.
type kernelFile struct {
	pattern string
	depth   int
	reader  *Reader
}

// filesByBase holds the patterns by their last element, those that end in a
// wildcard under "": a collection has a hundred thousand files of /sys, and
// each asks for a handful of patterns only.
var filesByBase = sync.OnceValue(func() map[string][]kernelFile {
	index := map[string][]kernelFile{}
	for i := range Readers {
		for _, pattern := range Readers[i].Files {
			if !strings.HasPrefix(pattern, "proc/") && !strings.HasPrefix(pattern, "sys/") {
				continue
			}
			base := path.Base(pattern)
			if strings.ContainsAny(base, "*?[\\") {
				base = ""
			}
			index[base] = append(index[base], kernelFile{pattern, strings.Count(pattern, "/") + 1, &Readers[i]})
		}
	}
	return index
})

// lastElements returns the last n elements of a path, all if it has fewer.
func lastElements(p string, n int) string {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i] == '/' {
			if n--; n == 0 {
				return p[i+1:]
			}
		}
	}
	return p
}

// path returns the path of the file that the item shows: a section of a pasted
// session is named after the file that cat or head showed, everything else has
// it in its origin.
func (it *Item) path() string {
	if strings.HasPrefix(it.Name, "/") && !strings.ContainsAny(it.Name, " \t") {
		return it.Name
	}
	return it.Origin
}

// pathPart returns the n-th part of the path counted from its end, 0 being the
// base name; "" when there is none.
func (it *Item) pathPart(n int) string {
	parts := strings.Split(strings.Trim(it.path(), "/"), "/")
	if n >= len(parts) {
		return ""
	}
	return parts[len(parts)-1-n]
}

// underPath reports whether the path has dir as a whole part sequence, such as
// "proc/sys".
func (it *Item) underPath(dir string) bool {
	return strings.Contains("/"+strings.Trim(it.path(), "/")+"/", "/"+dir+"/")
}
