package source

import (
	"slices"
	"strconv"
	"strings"

	"ddx"
)

// processStatus reads ps in its many forms. Rows pasted without the header
// are recognised for ps aux, ps -ef and ps -eo pid,stat,wchan,cmd.
var processStatus = Reader{
	Name: "ps", Doc: "ps: processes and threads with state, wait channel and command line",
	Kinds:    []string{"task", "tasks", "mount.attempt"},
	Commands: [][]string{{"ps", "-eo", "pid,ppid,user:20,stat,wchan:32,etimes,pcpu,rss,comm"}},
	Child:    true,
	Match: func(name string, head []byte) bool {
		return psHeader.Match(head) || psAuxRow.Match(head) || psFullRow.Match(head) || psWaitRow.Match(head)
	},
	Read: readPS,
}

var (
	psHeader  = lazy(`(?m)^[ \t]*(?:[A-Z%][A-Z%0-9]*[ \t]+)*(?:PID|LWP)[ \t]+(?:[A-Z%+][A-Z%0-9+]*[ \t]+)*(?:COMMAND|CMD|WCHAN|STAT|S)[ \t\r]*$`)
	psAuxRow  = lazy(`(?m)^[ \t]*\S+[ \t]+\d+[ \t]+\d+\.\d[ \t]+\d+\.\d[ \t]+\d+[ \t]+\d+[ \t]+\S+[ \t]+[RSDTtXZIW][<NLsl+]*[ \t]+\S+[ \t]+\d+:\d\d[ \t]+\S`)
	psFullRow = lazy(`(?m)^[ \t]*[\w.+-]+[ \t]+\d+[ \t]+\d+[ \t]+\d+[ \t]+[A-Za-z0-9:]+[ \t]+(?:\?|pts/\d+|tty\w+)[ \t]+(?:\d+-)?\d\d:\d\d:\d\d[ \t]+\S`)
	psWaitRow = lazy(`(?m)^[ \t]*(?:root[ \t]+)?\d+[ \t]+D[<NLsl+]*[ \t]+[a-z_][a-z0-9_.]*_[a-z0-9_.]*[ \t]+\S`)
	psState   = lazy(`^[RSDTtXZIWKP][<NLsl+]*$`)
	weekday   = lazy(`^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)$`)
)

// The orders of the headerless forms.
var (
	psAuxColumns  = strings.Fields("USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND")
	psFullColumns = strings.Fields("UID PID PPID C STIME TTY TIME CMD")
	psWaitColumns = strings.Fields("PID STAT WCHAN CMD")
)

func readPS(it *Item, emit func(ddx.Fact)) error {
	var header *columns
	var total, blocked, zombies, first int64
	whole, firstText := false, ""
	it.lines(func(n int, line string) {
		if psHeader.MatchString(line) {
			header = newColumns(strings.Fields(line))
			return
		}
		c := header
		if c == nil {
			switch {
			case psAuxRow.MatchString(line):
				c = newColumns(psAuxColumns)
			case psFullRow.MatchString(line):
				c = newColumns(psFullColumns)
			case psWaitRow.MatchString(line):
				c = newColumns(psWaitColumns)
			default:
				return
			}
		}
		f, ok := it.psRow(c, n, line)
		if !ok {
			return
		}
		emit(f)
		if a, ok := it.attemptOfCommand(f, n, line); ok {
			emit(a)
		}
		pid, _ := f.Int("pid")
		whole = whole || pid == 1
		if total++; total == 1 {
			first, firstText = int64(n), strings.TrimRight(line, " \t")
		}
		switch f.String("state") {
		case "D":
			blocked++
		case "Z":
			zombies++
		}
	})
	// Only a listing that holds PID 1 and states counts the tasks of a host:
	// anything else is a selection.
	if whole && header != nil && (header.has("STAT") || header.has("S")) {
		emit(it.fact("tasks", host, int(first), firstText, "total", total, "blocked", blocked, "zombies", zombies))
	}
	return nil
}

// psRow reads one row. A start date of ps -o lstart takes five cells.
func (it *Item) psRow(c *columns, n int, line string) (ddx.Fact, bool) {
	if i, ok := c.index["STARTED"]; ok {
		if w := strings.Fields(line); i+4 < len(w) && weekday.MatchString(w[i]) {
			line = strings.Join(slices.Concat(w[:i], []string{strings.Join(w[i:i+5], "-")}, w[i+5:]), " ")
		}
	}
	cells := c.row(line)
	if cells == nil {
		return ddx.Fact{}, false
	}
	pid := c.cell(cells, "LWP", "TID", "SPID", "PID")
	state := c.cell(cells, "STAT", "S", "STATE")
	if asInt(pid) == nil || state != "" && !psState.MatchString(state) {
		return ddx.Fact{}, false
	}
	command := treeMark.ReplaceAllString(c.cell(cells, "CMD", "ARGS", "COMMAND"), "")
	comm := commOf(command)
	if last := len(cells) - 1; c.titles[last] == "COMMAND" || c.titles[last] == "CMD" {
		command = treeMark.ReplaceAllString(cells[last], "")
		if !c.has("COMMAND") || c.index["COMMAND"] == last {
			comm = commOf(command)
		}
	}
	wchan := c.cell(cells, "WCHAN")
	if wchan == "-" {
		wchan = ""
	}
	if state != "" {
		state = state[:1]
	}
	return it.fact("task", taskSubject(comm, pid), n, it.lineText(n),
		"pid", asInt(pid), "ppid", asInt(c.cell(cells, "PPID")), "comm", asText(comm), "command", asText(command),
		"state", asText(state), "wchan", asText(wchan), "user", asText(c.cell(cells, "USER", "UID", "EUSER", "RUSER")),
		"elapsed", elapsedSeconds(c.cell(cells, "ELAPSED")), "cpu", asFloat(c.cell(cells, "%CPU")), "rss", asInt(c.cell(cells, "RSS", "RSZ"))), true
}

var treeMark = lazy(`^(?:[ |]*\\_ )+|^[ |]+`)

// commOf returns the task name that a command line shows: the base name of the
// program, cut to 15 bytes as the kernel does, or what stands in brackets.
func commOf(command string) string {
	if s, ok := strings.CutPrefix(command, "["); ok {
		if i := strings.LastIndexByte(s, ']'); i >= 0 {
			return s[:i]
		}
	}
	word, _, _ := strings.Cut(command, " ")
	if s, ok := strings.CutPrefix(word, "{"); ok { // busybox: {comm} command line
		return strings.TrimSuffix(s, "}")
	}
	// A kernel thread's name may hold a slash: only a path has a base name.
	if strings.HasPrefix(word, "/") || strings.HasPrefix(word, ".") {
		word = word[strings.LastIndexByte(word, '/')+1:]
	}
	word = strings.TrimSuffix(word, ":")
	if len(word) > 15 {
		word = word[:15]
	}
	return word
}

// elapsedSeconds reads [[DD-]HH:]MM:SS or a plain number of seconds.
func elapsedSeconds(s string) any {
	days, clock, ok := strings.Cut(s, "-")
	if !ok {
		days, clock = "0", s
	}
	total, err := strconv.ParseInt(days, 10, 32)
	if err != nil {
		return nil
	}
	seconds := int64(0)
	for _, part := range strings.Split(clock, ":") {
		v, err := strconv.ParseInt(part, 10, 32)
		if err != nil {
			return nil
		}
		seconds = seconds*60 + v
	}
	return total*86400 + seconds
}

// attemptOfCommand reads the command line of a mount helper that is still
// running: an NFS mount attempt that has not ended.
func (it *Item) attemptOfCommand(task ddx.Fact, n int, line string) (ddx.Fact, bool) {
	words := strings.Fields(task.String("command"))
	if len(words) > 1 && strings.HasPrefix(words[0], "{") {
		words = words[1:]
	}
	m := parseMountCommand(words)
	if m.server == "" {
		return ddx.Fact{}, false
	}
	return it.attempt(m, n, it.lineText(n), "finished", false), true
}
