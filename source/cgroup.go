package source

import (
	"slices"
	"strings"

	"ddx"
)

// cgroupFiles are the files of a control group by what they say: a counter
// file, or one side of a limit. The path names the group; a file that is
// pasted without its path is about the group "".
var cgroupFiles = map[string]struct{ name, side string }{
	"memory.current":              {"memory", "current"},
	"memory.max":                  {"memory", "max"},
	"memory.usage_in_bytes":       {"memory", "current"},
	"memory.limit_in_bytes":       {"memory", "max"},
	"pids.current":                {"pids", "current"},
	"pids.max":                    {"pids", "max"},
	"memory.events":               {"memory", "events"},
	"pids.events":                 {"pids", "events"},
	"cpu.stat":                    {"cpu", "events"},
	"memory.oom_control":          {"memory", "events"},
	"memory.failcnt":              {"memory.failcnt", "counter"},
	"memory.memsw.failcnt":        {"memory.memsw_failcnt", "counter"},
	"memory.kmem.failcnt":         {"memory.kmem_failcnt", "counter"},
	"memory.kmem.usage_in_bytes":  {"memory.kmem", "current"},
	"memory.kmem.limit_in_bytes":  {"memory.kmem", "max"},
	"memory.swap.current":         {"memory.swap", "current"},
	"memory.swap.max":             {"memory.swap", "max"},
	"memory.memsw.usage_in_bytes": {"memory.memsw", "current"},
	"memory.memsw.limit_in_bytes": {"memory.memsw", "max"},
}

// cgroupDepth is how deep below the root groups are looked at: a container of
// a pod of a quality class is at 4.
const cgroupDepth = 4

// cgroupPatterns are the files to look at, in the hierarchy of version 2 (also
// where it is mounted beside version 1) and in those of version 1.
func cgroupPatterns() []string {
	var out []string
	for depth := range cgroupDepth + 1 {
		dirs := strings.Repeat("*/", depth)
		for _, f := range []string{"memory.events", "memory.current", "memory.max", "pids.current", "pids.max", "pids.events", "cpu.stat"} {
			out = append(out, "sys/fs/cgroup/"+dirs+f)
		}
		for _, f := range []string{"memory.usage_in_bytes", "memory.limit_in_bytes", "memory.failcnt", "memory.oom_control"} {
			out = append(out, "sys/fs/cgroup/memory/"+dirs+f)
		}
	}
	return out
}

// controlGroups reads the files of control groups of version 1 and 2.
var controlGroups = Reader{
	Name: "cgroup", Doc: "/sys/fs/cgroup: limits, use and events of control groups, versions 1 and 2",
	Kinds: []string{"cgroup.limit", "cgroup.counter"},
	Files: cgroupPatterns(),
	Twice: true,
	Match: func(name string, head []byte) bool {
		return cgroupEvents.Match(head) || cgroupNamed.Match(head) || cgroupFiles[name].name != "" && len(head) < 4096
	},
	Read: readCgroup,
}

var (
	cgroupEvents = lazy(`(?m)^(?:oom_group_kill|oom_kill_disable|nr_throttled|throttled_usec|under_oom) \d+[ \t\r]*$|^low \d+\nhigh \d+\nmax \d+\noom \d+`)
	cgroupNamed  = lazy(`(?m)^(?:==> )?\S*sys/fs/cgroup/(\S*/)?((?:memory|pids|cpu)\.[\w.]+)(?: <==|:)`)
	cgroupValue  = lazy(`^(\w+) (\d+)\s*$`)
)

func readCgroup(it *Item, emit func(ddx.Fact)) error {
	file, group := it.pathPart(0), ""
	if w := it.command(); len(w) == 2 && w[0] == "cat" {
		file = w[1][strings.LastIndexByte(w[1], '/')+1:]
	}
	if i := strings.Index(it.path(), "sys/fs/cgroup/"); i >= 0 {
		group = cgroupPath(it.path()[i+len("sys/fs/cgroup/"):])
	}
	it.lines(func(n int, line string) {
		if m := cgroupNamed.FindStringSubmatch(line); m != nil {
			file, group = m[2], cgroupPath(m[1]+m[2])
			_, rest, _ := strings.Cut(line, m[2])
			line = strings.TrimPrefix(rest, ":")
		}
		line = strings.TrimSpace(line)
		kind, known := cgroupFiles[file]
		if m := cgroupValue.FindStringSubmatch(line); m != nil && (!known || kind.side == "events") {
			if name := cgroupCounter(kind.name, m[1]); name != "" {
				emit(it.fact("cgroup.counter", cgroupSubject(group), n, it.lineText(n), "name", name, "value", asInt(m[2])))
			}
			return
		}
		v := asInt(line)
		switch {
		case v == nil && line != "max":
		case kind.side == "counter":
			emit(it.fact("cgroup.counter", cgroupSubject(group), n, it.lineText(n), "name", kind.name, "value", v))
		case kind.side == "current":
			emit(it.fact("cgroup.limit", cgroupSubject(group), n, it.lineText(n), "name", kind.name, "current", v))
		case kind.side == "max":
			if x, ok := v.(int64); ok && x > 1<<60 {
				v = nil // version 1 writes no limit as the largest number of pages
			}
			emit(it.fact("cgroup.limit", cgroupSubject(group), n, it.lineText(n), "name", kind.name, "max", v))
		}
	})
	return nil
}

// cgroupControllers are the hierarchies of version 1, the first part of a path.
var cgroupControllers = []string{"memory", "cpu", "cpuacct", "cpu,cpuacct", "cpuset", "pids", "blkio", "devices", "freezer", "systemd", "unified", "net_cls", "net_prio", "perf_event", "hugetlb"}

// cgroupPath gives the path of the group that holds a file below
// /sys/fs/cgroup, as the kernel writes it in its messages.
func cgroupPath(below string) string {
	parts := strings.Split(below, "/")
	parts = parts[:len(parts)-1]
	if len(parts) > 0 && slices.Contains(cgroupControllers, parts[0]) {
		parts = parts[1:]
	}
	return "/" + strings.Join(parts, "/")
}

// cgroupCounter names a counter after its controller. Without the file's name
// the key tells, where only one controller has it.
func cgroupCounter(controller, key string) string {
	switch key {
	case "oom", "oom_kill", "oom_group_kill", "high", "low", "under_oom":
		if controller == "" || controller == "memory" {
			return "memory." + key
		}
	case "max":
		if controller == "pids" {
			return "pids.max"
		}
		return "memory.max"
	case "nr_throttled", "throttled_usec", "nr_periods":
		return "cpu." + key
	case "throttled_time":
		return "cpu.throttled_ns"
	}
	return ""
}
