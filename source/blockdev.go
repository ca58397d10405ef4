package source

import (
	"bytes"
	"strings"

	"ddx"
)

// blockDevices reads lsblk: tree, -f, -o, -P and -J.
var blockDevices = Reader{
	Name: "lsblk", Doc: "lsblk: block devices, sizes, file systems and mount points",
	Kinds:    []string{"disk"},
	Commands: [][]string{{"lsblk", "-b", "-P", "-o", "NAME,KNAME,PKNAME,TYPE,SIZE,RO,FSTYPE,UUID,PARTUUID,LABEL,MOUNTPOINT,MODEL,SERIAL"}},
	Match: func(name string, head []byte) bool {
		return lsblkHeader.Match(head) || bytes.Contains(head, []byte(`"blockdevices"`)) || lsblkPair.Match(head)
	},
	Read: readLsblk,
}

var (
	lsblkHeader = lazy(`(?m)^[ \t]*K?NAME +(?:[A-Z:%-]+ +)*(?:MAJ:MIN|FSTYPE|SIZE|TYPE|UUID|MOUNTPOINTS?|MODEL|SERIAL)\b`)
	lsblkPair   = lazy(`(?m)^(?:NAME|KNAME)="[^"]*" .*[A-Z]+="`)
	lsblkTree   = lazy("^[ \t]*(?:\\|-|`-|[│├└─| ])*")
	sizeText    = lazy(`^[\d.,]+[BKMGTP]?$`)
)

func readLsblk(it *Item, emit func(ddx.Fact)) error {
	if bytes.Contains(it.Data, []byte(`"blockdevices"`)) {
		docs, err := it.readJSON()
		var walk func(nodes []*jsonNode, parent string)
		walk = func(nodes []*jsonNode, parent string) {
			for _, d := range nodes {
				at := d.get("name")
				if at == nil {
					continue
				}
				v := map[string]string{"PKNAME": parent}
				for _, k := range d.keys {
					if t := d.text(k); t != "" {
						v[strings.ToUpper(k)] = t
					}
				}
				if m := d.list("mountpoints"); len(m) > 0 && v["MOUNTPOINT"] == "" {
					v["MOUNTPOINT"] = m[len(m)-1].text()
				}
				emit(it.diskFact(at.line, v))
				walk(d.list("children"), d.text("name"))
			}
		}
		for _, d := range docs {
			walk(d.list("blockdevices"), "")
		}
		return err
	}
	var starts []int // where each column of the header begins and ends
	var titles []string
	var parents []string // name at each depth of the tree
	it.lines(func(n int, line string) {
		if pairs := quotedPair.FindAllStringSubmatch(line, -1); pairs != nil && lsblkPair.MatchString(line) {
			v := map[string]string{}
			for _, p := range pairs {
				v[p[1]] = p[2]
			}
			emit(it.diskFact(n, v))
			return
		}
		if lsblkHeader.MatchString(line) {
			titles, starts = titlePositions(line)
			return
		}
		if titles == nil || strings.TrimSpace(line) == "" {
			return
		}
		indent := lsblkTree.FindString(line)
		depth := len([]rune(indent)) / 2
		v := lsblkCells(titles, starts, []rune(line), len([]rune(indent)))
		name := v["NAME"]
		if name == "" || strings.ContainsAny(name, "/$#") && !strings.HasPrefix(name, "/dev/") {
			return // a further mount point of the device above, or a prompt
		}
		parents = append(parents[:min(depth, len(parents))], name)
		if depth > 0 && len(parents) > 1 && v["PKNAME"] == "" {
			v["PKNAME"] = parents[len(parents)-2]
		}
		emit(it.diskFact(n, v))
	})
	return nil
}

// titlePositions returns the titles of a header and where each begins.
func titlePositions(line string) (titles []string, starts []int) {
	for i := 0; i < len(line); {
		if line[i] == ' ' || line[i] == '\t' {
			i++
			continue
		}
		j := i
		for j < len(line) && line[j] != ' ' && line[j] != '\t' {
			j++
		}
		titles, starts = append(titles, line[i:j]), append(starts, i)
		i = j
	}
	return titles, starts
}

// lsblkCells cuts a row into cells by position, so that empty cells stay
// empty: text begins where its title begins, a number ends where its title
// ends, and any other word continues the column it stands in.
func lsblkCells(titles []string, starts []int, row []rune, from int) map[string]string {
	v := map[string]string{}
	for i := from; i < len(row); {
		if row[i] == ' ' {
			i++
			continue
		}
		j := i
		for j < len(row) && row[j] != ' ' {
			j++
		}
		column := 0
		for c := range titles {
			if starts[c] <= i {
				column = c
			}
		}
		for c, title := range titles {
			if starts[c] == i || starts[c]+len(title) == j {
				column = c
				break
			}
		}
		if i == from {
			column = 0
		}
		v[titles[column]] = strings.TrimSpace(v[titles[column]] + " " + string(row[i:j]))
		i = j
	}
	return v
}

// diskFact makes a disk out of lsblk's columns.
func (it *Item) diskFact(n int, v map[string]string) ddx.Fact {
	first := func(names ...string) string {
		for _, name := range names {
			if v[name] != "" {
				return v[name]
			}
		}
		return ""
	}
	mount := first("MOUNTPOINT", "MOUNTPOINTS")
	if i := strings.IndexAny(mount, " \n"); i > 0 && strings.HasPrefix(mount, "/") && strings.HasPrefix(mount[i+1:], "/") {
		mount = mount[:i]
	}
	var ro any
	switch v["RO"] {
	case "0", "false":
		ro = false
	case "1", "true":
		ro = true
	}
	size := any(nil)
	if sizeText.MatchString(v["SIZE"]) {
		size = asSize(v["SIZE"], 1, 1)
	}
	return it.fact("disk", diskSubject(first("KNAME", "NAME")), n, it.lineText(n),
		"type", asText(v["TYPE"]), "size", size, "fstype", asText(v["FSTYPE"]), "uuid", asText(v["UUID"]), "label", asText(v["LABEL"]),
		"mountpoint", asText(mount), "model", asText(strings.TrimSpace(v["MODEL"])), "serial", asText(v["SERIAL"]), "read_only", ro,
		"parent", asText(v["PKNAME"]), "partuuid", asText(v["PARTUUID"]), "scheduler", asText(v["SCHED"]))
}

// blockIdentity reads blkid.
var blockIdentity = Reader{
	Name: "blkid", Doc: "blkid: file systems, labels and UUIDs of block devices",
	Kinds:    []string{"disk"},
	Commands: [][]string{{"blkid"}},
	Match:    func(name string, head []byte) bool { return blkidLine.Match(head) },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		it.lines(func(n int, line string) {
			m := blkidLine.FindStringSubmatch(line)
			if m == nil {
				return
			}
			v := map[string]string{}
			for _, p := range blkidPair.FindAllStringSubmatch(m[2], -1) {
				v[p[1]] = p[2]
			}
			emit(it.fact("disk", diskSubject(m[1]), n, it.lineText(n), "fstype", asText(v["TYPE"]), "uuid", asText(v["UUID"]), "label", asText(v["LABEL"]), "partuuid", asText(v["PARTUUID"])))
		})
		return nil
	},
}

var (
	blkidLine = lazy(`(?m)^[ \t]*(/dev/\S+): ((?:[A-Z_]+="[^"]*" ?)+)`)
	blkidPair = lazy(`([A-Z_]+)="([^"]*)"`)
)
