package source

import (
	"strconv"
	"strings"

	"ddx"
)

// tableFiles are files that hold the use or the limit of a kernel table.
var tableFiles = map[string]struct{ table, side string }{
	"proc/sys/fs/file-nr":                        {"files", "both"},
	"proc/sys/fs/aio-nr":                         {"aio", "used"},
	"proc/sys/fs/aio-max-nr":                     {"aio", "max"},
	"proc/sys/fs/inotify/max_user_watches":       {"inotify-watches", "max"},
	"proc/sys/fs/inotify/max_user_instances":     {"inotify-instances", "max"},
	"proc/sys/kernel/pid_max":                    {"pids", "max"},
	"proc/sys/kernel/threads-max":                {"threads", "max"},
	"proc/sys/net/netfilter/nf_conntrack_count":  {"conntrack", "used"},
	"proc/sys/net/netfilter/nf_conntrack_max":    {"conntrack", "max"},
	"proc/sys/net/ipv4/neigh/default/gc_thresh3": {"neighbours-ipv4", "max"},
	"proc/sys/net/ipv6/neigh/default/gc_thresh3": {"neighbours-ipv6", "max"},
	"proc/sys/net/ipv4/tcp_max_orphans":          {"tcp-orphans", "max"},
	"proc/sys/net/ipv4/tcp_max_tw_buckets":       {"tcp-timewait", "max"},
	"proc/sys/net/ipv4/tcp_mem":                  {"tcp-memory-pages", "third"},
}

// kernelTables reads the files of kernel tables with a limit. A limit is a
// sysctl as well, so it yields both facts.
var kernelTables = Reader{
	Name: "kernel-tables", Doc: "file-nr, aio-nr, inotify, conntrack, pid and neighbour limits: use and limit of kernel tables",
	Kinds: []string{"table", "sysctl"},
	Files: []string{
		"proc/sys/fs/file-nr", "proc/sys/fs/aio-nr", "proc/sys/fs/aio-max-nr", "proc/sys/fs/inotify/max_user_watches", "proc/sys/fs/inotify/max_user_instances",
		"proc/sys/kernel/pid_max", "proc/sys/kernel/threads-max", "proc/sys/net/netfilter/nf_conntrack_count", "proc/sys/net/netfilter/nf_conntrack_max",
		"proc/sys/net/ipv4/neigh/default/gc_thresh3", "proc/sys/net/ipv6/neigh/default/gc_thresh3", "proc/sys/net/ipv4/tcp_max_orphans", "proc/sys/net/ipv4/tcp_max_tw_buckets", "proc/sys/net/ipv4/tcp_mem",
	},
	Match: func(name string, head []byte) bool { return false },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		i := strings.LastIndex(it.path(), "proc/sys/")
		w := strings.Fields(string(it.Data))
		if i < 0 || len(w) == 0 {
			return nil
		}
		path := strings.TrimSpace(it.path()[i:])
		t, used, limit := tableFiles[path], any(nil), any(nil)
		switch {
		case t.side == "both" && len(w) >= 3:
			used, limit = asInt(w[0]), asInt(w[2])
		case t.side == "used":
			used = asInt(w[0])
		case t.side == "max":
			limit = asInt(w[0])
		case t.side == "third" && len(w) >= 3:
			limit = asInt(w[2])
		}
		if v, ok := limit.(int64); ok && v > 1<<62 {
			limit = nil // files without a limit
		}
		if used != nil || limit != nil {
			emit(it.fact("table", host, 1, it.lineText(1), "name", t.table, "used", used, "max", limit, "percent", percentOf(used, limit)))
		}
		if used == nil {
			emit(it.sysctlFact(1, strings.ReplaceAll(strings.TrimPrefix(path, "proc/sys/"), "/", "."), strings.TrimSpace(string(it.Data))))
		}
		return nil
	},
}

// userLimits reads ulimit -a and /proc/PID/limits. They are settings of a
// process, stated as configuration of its shell or of the process.
var userLimits = Reader{
	Name: "limits", Doc: "ulimit -a, /proc/PID/limits: resource limits of a process",
	Kinds: []string{"config"},
	Match: func(name string, head []byte) bool { return procLimits.Match(head) || ulimitLine.Match(head) },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		it.lines(func(n int, line string) {
			if m := procLimitRow.FindStringSubmatch(line); m != nil {
				emit(it.fact("config", host, n, it.lineText(n), "file", "limits", "section", "soft", "name", m[1], "value", m[2]))
				emit(it.fact("config", host, n, it.lineText(n), "file", "limits", "section", "hard", "name", m[1], "value", m[3]))
			} else if m := ulimitLine.FindStringSubmatch(line); m != nil {
				emit(it.fact("config", host, n, it.lineText(n), "file", "ulimit", "section", "soft", "name", m[1], "value", m[2]))
			}
		})
		return nil
	},
}

var (
	procLimits   = lazy(`(?m)^Limit +Soft Limit +Hard Limit`)
	procLimitRow = lazy(`^(Max [a-z ]+?) {2,}(unlimited|\d+) +(unlimited|\d+)`)
	ulimitLine   = lazy(`(?m)^((?:open files|max user processes|max locked memory|stack size|core file size|max memory size|pending signals|virtual memory|file size)) +\((?:[\w-]+, )?-\w\) +(unlimited|\d+)[ \t\r]*$`)
)

// memoryErrors reads the EDAC counters of /sys, whose path names the
// controller.
var memoryErrors = Reader{
	Name: "edac", Doc: "/sys/devices/system/edac/mc: corrected and uncorrected memory errors",
	Kinds: []string{"kernel.counter"},
	Files: []string{"sys/devices/system/edac/mc/mc*/ce_count", "sys/devices/system/edac/mc/mc*/ue_count"},
	Twice: true,
	Match: func(name string, head []byte) bool { return edacUtil.Match(head) },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		if v := asInt(strings.TrimSpace(string(it.Data))); v != nil {
			name := "edac_" + strings.TrimSuffix(it.pathPart(0), "_count")
			if mc := it.pathPart(1); mc != "mc0" && mc != "" {
				name += "_" + mc // the first controller, mostly the only one, bears the plain name
			}
			emit(it.fact("kernel.counter", host, 1, it.lineText(1), "name", name, "value", v))
			return nil
		}
		sums, lines := map[string]int64{}, map[string]int{}
		it.lines(func(n int, line string) {
			if m := edacUtil.FindStringSubmatch(line); m != nil {
				name := map[string]string{"Corrected": "edac_ce", "Uncorrected": "edac_ue"}[m[2]]
				v, _ := strconv.ParseInt(m[1], 10, 64)
				sums[name] += v
				if lines[name] == 0 {
					lines[name] = n
				}
			}
		})
		for _, name := range []string{"edac_ce", "edac_ue"} {
			if lines[name] > 0 {
				emit(it.fact("kernel.counter", host, lines[name], it.lineText(lines[name]), "name", name, "value", sums[name]))
			}
		}
		return nil
	},
}

var edacUtil = lazy(`(?m)^mc\d+: .*?(\d+) (Corrected|Uncorrected) Errors`)
