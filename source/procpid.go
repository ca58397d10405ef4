package source

import (
	"strings"

	"ddx"
)

// procTask reads the files of /proc/PID that are safe to read of a blocked
// task: never cmdline, maps or environ, which can block on the task's memory
// lock. Each file yields a part of a task; JoinParts puts them together.
var procTask = Reader{
	Name: "proc-task", Doc: "/proc/PID/{stat,status,comm,wchan,syscall}: state and wait channel of a task",
	Kinds: []string{"task"},
	Files: []string{"proc/[0-9]*/stat", "proc/[0-9]*/wchan", "proc/[0-9]*/syscall", "proc/[0-9]*/task/[0-9]*/stat", "proc/[0-9]*/task/[0-9]*/wchan", "proc/[0-9]*/status", "proc/[0-9]*/comm"},
	Child: true,
	Match: func(name string, head []byte) bool { return procStatLine.Match(head) || procStatusName.Match(head) },
	Read:  readProcTask,
}

var (
	procStatLine   = lazy(`(?m)^(\d+) \((.{1,64})\) ([RSDTtXxZPIWK]) (-?\d+) -?\d+ -?\d+ -?\d+ -?\d+ \d+ (?:\d+ ){10}`)
	procStatusName = lazy(`(?m)^Name:\t.+\n(?:Umask:\t\d+\n)?State:\t\w`)
)

func readProcTask(it *Item, emit func(ddx.Fact)) error {
	pid := ""
	if p := it.pathPart(1); asInt(p) != nil {
		pid = p
	}
	switch file := it.pathPart(0); {
	case procStatLine.Match(it.Data):
		it.lines(func(n int, line string) {
			if m := procStatLine.FindStringSubmatch(line); m != nil {
				emit(it.fact("task", taskSubject(m[2], m[1]), n, it.lineText(n), "pid", asInt(m[1]), "ppid", asInt(m[4]), "comm", m[2], "state", m[3]))
			}
		})
	case procStatusName.Match(it.Data):
		readProcStatus(it, pid, emit)
	case pid != "" && (file == "comm" || file == "wchan" || file == "syscall"):
		if v := strings.TrimRight(string(it.Data), "\n\x00"); v != "" && !strings.Contains(v, "\n") {
			comm := ""
			if file == "comm" {
				comm = v
			}
			emit(it.fact("task", taskSubject(comm, pid), 1, it.lineText(1), "pid", asInt(pid), file, v))
		}
	}
	return nil
}

func readProcStatus(it *Item, pid string, emit func(ddx.Fact)) {
	values, first, kv := map[string]string{}, 0, lazy(`^(\w+):\t(.*)$`)
	flush := func() {
		if values["Name"] == "" {
			return
		}
		if values["Pid"] != "" {
			pid = values["Pid"]
		}
		state, _, _ := strings.Cut(values["State"], " ")
		rss, _, _ := strings.Cut(strings.TrimSpace(values["VmRSS"]), " ")
		uid, _, _ := strings.Cut(values["Uid"], "\t")
		emit(it.fact("task", taskSubject(values["Name"], pid), first, it.lineText(first),
			"pid", asInt(pid), "ppid", asInt(values["PPid"]), "comm", values["Name"], "state", asText(state), "rss", asInt(rss), "user", asText(uid)))
	}
	it.lines(func(n int, line string) {
		m := kv.FindStringSubmatch(line)
		if m == nil {
			return
		}
		if m[1] == "Name" {
			flush()
			clear(values)
			first = n
		}
		values[m[1]] = strings.TrimSpace(m[2])
	})
	flush()
}
