package source

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"ddx"
)

// mountTable reads the mount table in the form of mount(8), /proc/mounts and
// /proc/PID/mountinfo. A single pasted line is enough.
var mountTable = Reader{
	Name: "mount-table", Doc: "mount(8), /proc/mounts, /proc/self/mountinfo: what is mounted where, with effective options",
	Kinds: []string{"mount"},
	Files: []string{"proc/mounts", "proc/self/mountinfo"},
	Basic: true,
	Match: func(name string, head []byte) bool {
		return name != "fstab" && (mount8Line.Match(head) || procMountsLine.Match(head) || mountinfoLine.Match(head))
	},
	Read: readMountTable,
}

var (
	mount8Line     = lazy(`(?m)^[ \t]*(\S.*?) on (/.*?) type ([\w.-]+) \(([^()]*(?:\([^()]*\)[^()]*)*)\)`)
	procMountsLine = lazy(`(?m)^[ \t]*(\S+) (/\S*) ([\w.-]+) ((?:rw|ro)(?:,\S*)?) 0 0[ \t\r]*$`)
	mountinfoLine  = lazy(`(?m)^[ \t]*\d+ \d+ \d+:\d+ (/\S*|\S+:\S*) (/\S*) (\S+) (?:\S+:\S+ |unbindable )*- ([\w.-]+) (\S+) (\S+)`)
)

func readMountTable(it *Item, emit func(ddx.Fact)) error {
	it.lines(func(n int, line string) {
		var source, target, fstype, options string
		if m := mountinfoLine.FindStringSubmatch(line); m != nil {
			source, target, fstype, options = m[5], m[2], m[4], m[3]+","+m[6]
		} else if m := procMountsLine.FindStringSubmatch(line); m != nil {
			source, target, fstype, options = m[1], m[2], m[3], m[4]
		} else if m := mount8Line.FindStringSubmatch(line); m != nil {
			emit(it.mountFact(n, line, m[1], m[2], m[3], m[4]))
			return
		} else {
			return
		}
		emit(it.mountFact(n, line, unescapeMount(source), unescapeMount(target), fstype, options))
	})
	return nil
}

// unescapeMount undoes the octal escapes of blanks and backslashes in
// /proc/mounts.
func unescapeMount(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(v))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// mountFact states one mount. Options of a mount and of its superblock may be
// given together; the first of two equal ones stays.
func (it *Item) mountFact(n int, line, source, target, fstype, options string) ddx.Fact {
	opts := splitOptions(options)
	f := it.fact("mount", mountSubject(target), n, strings.TrimRight(line, " \t"),
		"source", asText(source), "fstype", asText(fstype), "options", opts)
	for _, o := range opts {
		if o == "ro" || o == "rw" {
			// Either of mount and superblock makes it read-only.
			f.Fields["read_only"] = f.Fields["read_only"] == true || o == "ro"
		}
	}
	if f.Fields["read_only"] == true {
		f.Fields["options"] = slices.DeleteFunc(opts, func(o string) bool { return o == "rw" })
	}
	if fstype == "nfs" || fstype == "nfs4" {
		addNFSFields(f.Fields, source, fstype, opts)
	}
	return f
}

// splitOptions splits a mount option list at commas outside quotes.
func splitOptions(s string) []string {
	var out []string
	seen := map[string]bool{}
	for s != "" {
		i, quoted := 0, false
		for ; i < len(s) && (quoted || s[i] != ','); i++ {
			if s[i] == '"' {
				quoted = !quoted
			}
		}
		if o := strings.TrimSpace(s[:i]); o != "" && !seen[o] {
			seen[o] = true
			out = append(out, o)
		}
		s = s[min(i+1, len(s)):]
	}
	return out
}

// addNFSFields adds what the options of an NFS mount say. A port that is not
// printed is 2049; noresvport is printed whenever it is in force.
func addNFSFields(fields map[string]any, source, fstype string, opts []string) {
	if server := nfsServer(source); server != "" {
		fields["server"] = server
	}
	fields["port"], fields["noresvport"] = int64(2049), false
	minor := ""
	for _, o := range opts {
		key, value, _ := strings.Cut(o, "=")
		switch key {
		case "vers", "nfsvers":
			fields["vers"] = value
		case "minorversion":
			minor = value
		case "v4", "v4.0", "v4.1", "v4.2", "v3", "nfsv3":
			fields["vers"] = strings.TrimLeft(key, "nfsv")
		case "addr", "proto":
			fields[map[string]string{"addr": "address", "proto": "proto"}[key]] = value
		case "port", "timeo", "retrans":
			if v, ok := asInt(value).(int64); ok && (key != "port" || v > 0) {
				fields[key] = v
			}
		case "hard":
			fields["hard"] = true
		case "soft", "softerr":
			fields["hard"] = false
		case "noresvport":
			fields["noresvport"] = true
		}
	}
	if fields["vers"] == "4" && minor != "" {
		fields["vers"] = "4." + minor
	}
	if fields["vers"] == nil && fstype == "nfs4" {
		fields["vers"] = "4"
	}
}

// nfsServer returns the server of an NFS source HOST:/PATH or [ADDRESS]:/PATH.
func nfsServer(source string) string {
	if s, ok := strings.CutPrefix(source, "["); ok {
		server, _, _ := strings.Cut(s, "]")
		return server
	}
	if i := strings.Index(source, ":/"); i > 0 {
		return source[:i]
	}
	server, _, ok := strings.Cut(source, ":")
	if !ok || strings.Contains(server, "/") {
		return ""
	}
	return server
}

// nfsstatMounts reads nfsstat -m.
var nfsstatMounts = Reader{
	Name: "nfsstat-mounts", Doc: "nfsstat -m: NFS mounts with their flags",
	Kinds: []string{"mount"},
	Match: func(name string, head []byte) bool {
		return bytes.Contains(head, []byte("Flags:")) && nfsstatHeader.Match(head)
	},
	Read: func(it *Item, emit func(ddx.Fact)) error {
		var target, source, header string
		var at int
		it.lines(func(n int, line string) {
			if m := nfsstatHeader.FindStringSubmatch(line); m != nil {
				target, source, header, at = m[1], m[2], strings.TrimRight(line, " \t"), n
				return
			}
			flags, ok := strings.CutPrefix(strings.TrimSpace(line), "Flags:")
			if !ok || target == "" {
				return
			}
			f := it.mountFact(at, header, source, target, "nfs", strings.TrimSpace(flags))
			delete(f.Fields, "fstype") // nfsstat does not say whether nfs or nfs4
			f.Evidence = append(f.Evidence, it.evidence(n, strings.TrimRight(line, " \t"))...)
			emit(f)
			target = ""
		})
		return nil
	},
}

var nfsstatHeader = lazy(`(?m)^(/\S.*?) from (\S+:\S*)[ \t\r]*$`)
