package source

import (
	"strconv"
	"strings"

	"ddx"
)

// diskFree reads df in all its forms: blocks and inodes, -h, -P, -T,
// --output, busybox, with or without the header, long device names on a line
// of their own, and the errors df prints for mounts that do not answer.
var diskFree = Reader{
	Name: "df", Doc: "df, df -i, df -hT: space and inodes of file systems",
	Kinds:    []string{"fs", "mount.check"},
	Commands: [][]string{{"df", "-lPT"}, {"df", "-lPi"}},
	Child:    true,
	Match: func(name string, head []byte) bool {
		return dfHeader.Match(head) || dfBareLine.Match(head) || dfError.Match(head)
	},
	Read: readDF,
}

var (
	dfHeader   = lazy(`(?m)^[ \t]*(?:Filesystem|File) .*(?:Mounted on|Use%|Capacity|Avail)`)
	dfBareLine = lazy(`(?m)^[ \t]*(?:/dev/\S+|overlay|tmpfs|[\w.:-]+:/\S*)[ \t]+(?:[a-z]\w+[ \t]+)?(?:-?[\d.]+[KMGTP]?i?[ \t]+){3}(?:\d+%|-)[ \t]+/\S*[ \t\r]*$`)
	dfError    = lazy(`(?m)^[ \t]*(?:/\S*/)?df: (?:cannot access )?[‘'` + "`" + `"]?(/[^‘’'"` + "`" + `:]*)[’'"]?: (Stale (?:NFS )?file handle|Transport endpoint is not connected|Input/output error|Permission denied|Connection timed out|Host is down|No such file or directory|Required key not available|Resource temporarily unavailable)`)
	dfForeign  = lazy(`(?m)^[ \t]*\p{L}[^\n]*[\p{L}]%[ \t]+\p{L}`) // a header in another language
	dfInodes   = lazy(`(?i)inod|inœud|nodos-i|ノード|нод`)
	blockTitle = lazy(`^(\d+)([KMGB]?)B?-blocks$`)
	dfNumber   = lazy(`^-?[\d.,]+[KMGTPE]?i?B?$`)
)

// dfForm is what the header says of the rows below it.
type dfForm struct {
	typed, inodes bool
	unit          float64  // bytes of a number without a suffix
	titles        []string // with --output, the order of the columns
}

func parseDFHeader(line string) dfForm {
	f := dfForm{unit: 1024}
	w := strings.Fields(line)
	for i, title := range w {
		switch {
		case title == "Type":
			f.typed = true
		case title == "Inodes":
			f.inodes = true
		case title == "Size":
			f.unit = 1
		}
		if m := blockTitle.FindStringSubmatch(title); m != nil {
			f.unit, _ = strconv.ParseFloat(m[1], 64)
			f.unit *= map[string]float64{"": 1, "B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[m[2]]
			w[i] = "Size"
		}
	}
	// The standard orders are read from the right, which survives blanks in
	// device names; anything else came from --output.
	std := strings.TrimSuffix(strings.Join(w, " "), " on")
	std = strings.NewReplacer("Capacity", "Use%", "Available", "Avail", "%iused", "IUse%", " Type", "").Replace(std)
	if std != "Filesystem Size Used Avail Use% Mounted" && std != "Filesystem Inodes IUsed IFree IUse% Mounted" {
		f.titles = w
		if n := len(w); n > 1 && w[n-1] == "on" {
			f.titles = w[:n-1]
		}
	}
	return f
}

func readDF(it *Item, emit func(ddx.Fact)) error {
	form, wrapped := dfForm{unit: 1024}, ""
	it.lines(func(n int, line string) {
		text := strings.TrimRight(line, " \t")
		if m := dfError.FindStringSubmatch(line); m != nil {
			if m[2] != "No such file or directory" && m[2] != "Permission denied" { // those say nothing of the mount
				emit(it.fact("mount.check", mountSubject(m[1]), n, text, "result", "error", "error", m[2]))
			}
			return
		}
		if dfHeader.MatchString(line) {
			form, wrapped = parseDFHeader(line), ""
			return
		}
		if dfForeign.MatchString(line) {
			form, wrapped = dfForm{unit: 1024, inodes: dfInodes.MatchString(line)}, ""
			return
		}
		w := strings.Fields(line)
		if form.titles != nil {
			if f, ok := it.dfOutputRow(form, w, n, text); ok {
				emit(f)
			}
			return
		}
		if len(w) == 1 {
			wrapped = w[0]
			return
		}
		if wrapped != "" && len(w) >= 5 && dfNumber.MatchString(w[0]) {
			w = append([]string{wrapped}, w...)
		}
		wrapped = ""
		if f, ok := it.dfRow(form, w, n, text); ok {
			emit(f)
		}
	})
	return nil
}

// dfRow reads DEVICE [TYPE] SIZE USED AVAIL PERCENT MOUNTPOINT, finding its
// place by the percentage: the mount point may hold blanks.
func (it *Item) dfRow(form dfForm, w []string, n int, text string) (ddx.Fact, bool) {
	for p := 4; p+1 < len(w); p++ {
		percent := w[p]
		if (!strings.HasSuffix(percent, "%") && percent != "-") || !strings.HasPrefix(w[p+1], "/") {
			continue
		}
		numbers := true
		for _, x := range w[p-3 : p] {
			numbers = numbers && (x == "-" || dfNumber.MatchString(x))
		}
		if !numbers {
			continue
		}
		fstype, device := any(nil), w[:p-3]
		if len(device) > 1 && (form.typed || len(device) == 2) {
			fstype, device = device[len(device)-1], device[:len(device)-1]
		}
		f := it.fact("fs", mountSubject(strings.Join(w[p+1:], " ")), n, text, "device", strings.Join(device, " "), "fstype", fstype)
		form.numbers(f.Fields, w[p-3], w[p-2], w[p-1], percent)
		return f, true
	}
	return ddx.Fact{}, false
}

// numbers adds the four figures. A file system without an inode table prints
// 0 inodes: it has none to run out of.
func (form dfForm) numbers(fields map[string]any, total, used, free, percent string) {
	set := func(name string, v any) {
		if v != nil {
			fields[name] = v
		}
	}
	if !form.inodes {
		set("size", asSize(total, form.unit, 1024))
		set("used", asSize(used, form.unit, 1024))
		set("available", asSize(free, form.unit, 1024))
		set("used_percent", asFloat(percent))
		return
	}
	if t, ok := asSize(total, 1, 1).(int64); ok && t > 0 {
		fields["inodes"] = t
		set("inodes_free", asSize(free, 1, 1))
		set("inodes_used_percent", asFloat(percent))
	}
}

// dfOutputRow reads a row of df --output, whose columns the header names.
func (it *Item) dfOutputRow(form dfForm, w []string, n int, text string) (ddx.Fact, bool) {
	if len(w) < len(form.titles) {
		return ddx.Fact{}, false
	}
	cell := map[string]string{}
	for i, title := range form.titles {
		cell[strings.NewReplacer("Available", "Avail", "Capacity", "Use%").Replace(title)] = w[i]
	}
	if !strings.HasPrefix(cell["Mounted"], "/") {
		return ddx.Fact{}, false
	}
	f := it.fact("fs", mountSubject(cell["Mounted"]), n, text, "device", asText(cell["Filesystem"]), "fstype", asText(cell["Type"]))
	blocks := form
	blocks.inodes = false
	blocks.numbers(f.Fields, cell["Size"], cell["Used"], cell["Avail"], cell["Use%"])
	form.inodes = true
	form.numbers(f.Fields, cell["Inodes"], cell["IUsed"], cell["IFree"], cell["IUse%"])
	return f, true
}
