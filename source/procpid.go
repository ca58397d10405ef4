package source

import (
	"fmt"
	"maps"
	"regexp"
	"strings"

	"ddx"
)

// procTask reads the files of /proc/PID that are safe to read of a blocked
// task: never cmdline, maps or environ, which can block on the task's memory
// lock. Each file yields a part of a task; JoinTasks puts them together.
var procTask = Reader{
	Name: "proc-task", Doc: "/proc/PID/{stat,status,comm,wchan,syscall}: state and wait channel of a task",
	Kinds: []string{"task"},
	Files: []string{"proc/[0-9]*/stat", "proc/[0-9]*/wchan", "proc/[0-9]*/syscall", "proc/[0-9]*/task/[0-9]*/stat", "proc/[0-9]*/task/[0-9]*/wchan", "proc/[0-9]*/status", "proc/[0-9]*/comm"},
	Child: true,
	Match: func(name string, head []byte) bool { return procStatLine.Match(head) || procStatusName.Match(head) },
	Read:  readProcTask,
}

var (
	procStatLine   = regexp.MustCompile(`(?m)^(\d+) \((.{1,64})\) ([RSDTtXxZPIWK]) (-?\d+) -?\d+ -?\d+ -?\d+ -?\d+ \d+ (?:\d+ ){10}`)
	procStatusName = regexp.MustCompile(`(?m)^Name:\t.+\n(?:Umask:\t\d+\n)?State:\t\w`)
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
	values, first, kv := map[string]string{}, 0, regexp.MustCompile(`^(\w+):\t(.*)$`)
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

// JoinTasks merges the task facts that speak of the same process or thread:
// ps knows its command line, /proc/PID/stack its frames. The first fact of a
// pid keeps its place and takes the fields it lacks, the evidence and, where
// it had none, the comm of the others. Other facts pass unchanged. Facts must
// be of one host; a task whose comm differs (the pid was used again) stays
// apart.
func JoinTasks(facts []ddx.Fact) []ddx.Fact {
	out := make([]ddx.Fact, 0, len(facts))
	first := map[string]int{}
	for _, f := range facts {
		pid, ok := f.Int("pid")
		if f.Kind != "task" || !ok {
			out = append(out, f)
			continue
		}
		key := fmt.Sprint(pid)
		i, seen := first[key]
		if !seen {
			first[key] = len(out)
			out = append(out, f)
			continue
		}
		old := &out[i]
		if a, b := old.String("comm"), f.String("comm"); a != "" && b != "" && a != b && !strings.HasPrefix(a, b) && !strings.HasPrefix(b, a) {
			out = append(out, f)
			continue
		}
		merged := maps.Clone(f.Fields)
		maps.Copy(merged, old.Fields)
		// A wait channel of 0 hides the answer; one that names it wins.
		if w := f.String("wchan"); w != "" && w != "0" && old.String("wchan") == "0" {
			merged["wchan"] = w
		}
		old.Fields = merged
		if strings.HasPrefix(old.Subject.Name, ":") {
			old.Subject = f.Subject
		}
		old.Evidence = append(old.Evidence[:len(old.Evidence):len(old.Evidence)], f.Evidence...)
	}
	return out
}
