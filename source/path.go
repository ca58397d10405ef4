package source

import (
	"path"
	"strings"
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
	parts := strings.Split(strings.Trim(origin, "/"), "/")
	for i := range Readers {
		for _, pattern := range Readers[i].Files {
			if !strings.HasPrefix(pattern, "proc/") && !strings.HasPrefix(pattern, "sys/") {
				continue
			}
			n := strings.Count(pattern, "/") + 1
			if len(parts) < n {
				continue
			}
			if ok, _ := path.Match(pattern, strings.Join(parts[len(parts)-n:], "/")); ok {
				return &Readers[i]
			}
		}
	}
	if strings.Contains("/"+origin, "/proc/sys/") {
		return readerNamed("sysctl") // every other file there is a plain setting
	}
	return nil
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
