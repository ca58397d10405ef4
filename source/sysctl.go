package source

import (
	"regexp"
	"strings"

	"ddx"
)

// sysctlValues reads sysctl -a, sysctl.conf and the files of /proc/sys.
var sysctlValues = Reader{
	Name: "sysctl", Doc: "sysctl -a, files of /proc/sys: kernel settings",
	Kinds: []string{"sysctl"},
	Files: []string{
		"proc/sys/kernel/hung_task_timeout_secs", "proc/sys/kernel/hung_task_warnings", "proc/sys/kernel/panic", "proc/sys/kernel/panic_on_oops", "proc/sys/kernel/softlockup_panic",
		"proc/sys/kernel/watchdog_thresh", "proc/sys/kernel/dmesg_restrict", "proc/sys/kernel/pid_max", "proc/sys/kernel/threads-max", "proc/sys/kernel/sysrq",
		"proc/sys/vm/*", "proc/sys/fs/file-max", "proc/sys/fs/nr_open", "proc/sys/fs/aio-max-nr", "proc/sys/fs/inotify/*",
		"proc/sys/net/core/*", "proc/sys/net/ipv4/*", "proc/sys/net/ipv4/conf/*/*", "proc/sys/net/ipv4/neigh/default/*", "proc/sys/net/ipv6/conf/*/disable_ipv6", "proc/sys/net/ipv6/route/*", "proc/sys/net/netfilter/*",
		"proc/sys/sunrpc/*",
	},
	Commands: [][]string{{"sysctl", "-a"}},
	Match:    func(name string, head []byte) bool { return sysctlLine.Match(head) },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		if i := strings.LastIndex(it.path(), "proc/sys/"); i >= 0 {
			name := strings.ReplaceAll(it.path()[i+len("proc/sys/"):], "/", ".")
			value := strings.TrimSpace(string(it.Data))
			if !strings.Contains(value, "\n") {
				emit(it.sysctlFact(1, name, value))
			}
			return nil
		}
		it.lines(func(n int, line string) {
			if m := sysctlLine.FindStringSubmatch(line); m != nil {
				emit(it.sysctlFact(n, m[1], strings.TrimSpace(m[2])))
			}
		})
		return nil
	},
}

var sysctlLine = regexp.MustCompile(`(?m)^[ \t]*((?:abi|crypto|debug|dev|fs|kernel|net|sunrpc|user|vm|fscache)[./][\w./@:-]+)[ \t]*=[ \t]*(.*?)[ \t\r]*$`)

func (it *Item) sysctlFact(n int, name, value string) ddx.Fact {
	first, _, _ := strings.Cut(strings.ReplaceAll(value, "\t", " "), " ")
	if strings.Contains(name, "/") && !strings.Contains(name, ".") {
		name = strings.ReplaceAll(name, "/", ".")
	}
	return it.fact("sysctl", host, n, it.lineText(n), "name", name, "value", value, "number", asInt(first))
}
