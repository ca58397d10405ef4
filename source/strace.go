package source

import (
	"strconv"
	"strings"

	"ddx"
)

// straceCalls reads strace output: with and without -f, -o, -t, -tt, -ttt, -r
// and -T. A call that is entered and not returned is stated whatever way the
// text ends: "<unfinished ...>", "<detached ...>" or in the middle of a line.
var straceCalls = Reader{
	Name: "strace", Doc: "strace: failed, slow and unfinished system calls, and NFS mounts among them",
	Kinds: []string{"strace.call", "mount.attempt"},
	Match: func(name string, head []byte) bool { return straceLine.Match(head) },
	Read:  readStrace,
}

const (
	stracePrefix = `[ \t]*(?:\[pid +(\d+)\] |(\d+) +)?(?:(\d\d:\d\d:\d\d(?:\.\d+)?|\d+\.\d+) +)?(?:\(\+ +[\d.]+\) +)?`
	slowCall     = 1.0 // seconds from which a call that succeeded is stated
	maxSameCall  = 10  // facts for one call and error; more say nothing new
)

var (
	straceLine     = lazy(`(?m)^` + stracePrefix + `(?:[a-z_][a-z0-9_]*\((?:[^\n]*\))? += (?:-?\d+|\?|0x[0-9a-f]+)(?:[ \t\r]|$)|[a-z_0-9]+\([^\n]*<(?:unfinished|detached) \.\.\.>|<\.\.\. \w+ resumed>|mount\("[^"\n]*", "[^"\n]*", "nfs4?"|restart_syscall\(<)`)
	straceFront    = lazy(`^` + stracePrefix + `(.*)$`)
	straceEnter    = lazy(`^([a-z_][a-z0-9_]*)\((.*)$`)
	straceResume   = lazy(`^<\.\.\. (\w+) resumed> ?(.*)$`)
	straceReturn   = lazy(`\)\s+= (\?|-?\d+|0x[0-9a-f]+)(?: ([A-Z][A-Z0-9_]+))?(?: \([^<]*\))?(?: \S.*?)??(?: <(\d+\.\d+)>)?\s*$`)
	straceUnended  = lazy(` *<(?:unfinished|detached) \.\.\.>\s*$`)
	straceAttached = lazy(`strace: Process \d+ (?:attached|detached)\n?`)
	straceString   = lazy(`"((?:[^"\\]|\\.)*)("(?:\.\.\.)?|$)`)
)

// expectedErrors are answers that programs ask for; they are stated for
// mount and umount2 only.
var expectedErrors = map[string]bool{
	"ENOENT": true, "EAGAIN": true, "EINTR": true, "EINPROGRESS": true, "ENOTTY": true, "ECHILD": true, "EEXIST": true, "ENODATA": true,
	"ERESTARTSYS": true, "ERESTARTNOINTR": true, "ERESTARTNOHAND": true, "ERESTART_RESTARTBLOCK": true, "EOPNOTSUPP": true, "ENXIO": true, "ESRCH": true,
}

// openCall is a call that was entered.
type openCall struct {
	name, args, text string
	line             int
	clock            float64
	timed            bool
}

type straceReader struct {
	it    *Item
	emit  func(ddx.Fact)
	open  map[string]*openCall // by pid
	order []string
	comm  map[string]string
	same  map[string]int
	clock float64 // of the last line that had one, in seconds
	timed bool
}

func readStrace(it *Item, emit func(ddx.Fact)) error {
	r := &straceReader{it: it, emit: emit, open: map[string]*openCall{}, comm: map[string]string{}, same: map[string]int{}}
	it.lines(func(n int, line string) {
		m := straceFront.FindStringSubmatch(straceAttached.ReplaceAllString(line, ""))
		pid, rest := m[1]+m[2], m[4]
		r.tick(m[3])
		if e := straceResume.FindStringSubmatch(rest); e != nil {
			c := r.open[pid]
			if c == nil {
				c = &openCall{name: e[1], text: it.lineText(n), line: n}
			}
			c.args += e[2]
			if e[1] == c.name || c.name == "restart_syscall" {
				r.finish(pid, c, n)
			}
			return
		}
		e := straceEnter.FindStringSubmatch(rest)
		if e == nil {
			if strings.HasPrefix(rest, "+++ ") {
				delete(r.open, pid) // an exit group, or killed within the call
			}
			return
		}
		c := &openCall{name: e[1], args: e[2], text: it.lineText(n), line: n, clock: r.clock, timed: m[3] != ""}
		if e[1] == "execve" {
			if s := straceString.FindStringSubmatch(e[2]); s != nil {
				r.comm[pid] = commOf(s[1])
			}
		}
		switch {
		case straceUnended.MatchString(c.args):
			c.args = straceUnended.ReplaceAllString(c.args, "")
			r.enter(pid, c)
		case straceReturn.MatchString(c.args):
			r.finish(pid, c, n)
		default: // cut off by the end of the file, or by a message of strace
			r.enter(pid, c)
		}
	})
	for _, pid := range r.order {
		if c := r.open[pid]; c != nil {
			delete(r.open, pid)
			r.unfinished(pid, c)
		}
	}
	return nil
}

// tick takes the clock of a line. A small number is relative to the line
// before; of the three forms only differences are used.
func (r *straceReader) tick(s string) {
	if s == "" {
		return
	}
	r.timed = true
	if h := strings.Split(s, ":"); len(h) == 3 {
		hour, _ := strconv.ParseFloat(h[0], 64)
		minute, _ := strconv.ParseFloat(h[1], 64)
		second, _ := strconv.ParseFloat(h[2], 64)
		v := hour*3600 + minute*60 + second
		for v < r.clock-43200 { // past midnight
			v += 86400
		}
		r.clock = v
		return
	}
	v, _ := strconv.ParseFloat(s, 64)
	if v < 1e6 {
		v += r.clock
	}
	r.clock = v
}

func (r *straceReader) enter(pid string, c *openCall) {
	if _, known := r.open[pid]; !known {
		r.order = append(r.order, pid)
	}
	r.open[pid] = c
}

func (r *straceReader) subject(pid string) ddx.Subject {
	return taskSubject(r.comm[pid], pid)
}

// finish states a call that returned, if it failed or was slow.
func (r *straceReader) finish(pid string, c *openCall, n int) {
	delete(r.open, pid)
	m := straceReturn.FindStringSubmatchIndex(c.args)
	if m == nil {
		c.args = straceUnended.ReplaceAllString(c.args, "")
		r.enter(pid, c)
		return
	}
	sub := func(i int) string {
		if m[2*i] < 0 {
			return ""
		}
		return c.args[m[2*i]:m[2*i+1]]
	}
	args, errno := c.args[:m[0]], ""
	if sub(1) == "-1" || sub(1) == "?" {
		errno = sub(2)
	}
	switch c.name {
	case "clone", "clone3", "fork", "vfork":
		if child := sub(1); r.comm[child] == "" {
			r.comm[child] = r.comm[pid] // a child bears its parent's name until it executes another program
		}
	}
	text := c.text
	seconds := asFloat(sub(3))
	if seconds == nil && n != c.line && c.timed && r.clock > c.clock {
		seconds = r.clock - c.clock
	}
	s, _ := seconds.(float64)
	mount := c.name == "mount" || c.name == "umount2"
	if mount {
		r.mount(pid, c, args, errno, n, true)
	}
	if (errno == "" || expectedErrors[errno] && !mount) && s < slowCall {
		return
	}
	if key := c.name + " " + errno; r.same[key] >= maxSameCall {
		return
	} else {
		r.same[key]++
	}
	f := r.it.fact("strace.call", r.subject(pid), c.line, text, "pid", asInt(pid), "call", c.name, "args", args, "error", asText(errno), "seconds", seconds)
	if n != c.line {
		f.Evidence = append(f.Evidence, r.it.evidence(n, r.it.lineText(n))...)
	}
	r.emit(f)
}

// unfinished states a call that never returned. Its age is at least the time
// from its entry to the last clock of the file, of any process.
func (r *straceReader) unfinished(pid string, c *openCall) {
	var seconds any
	if c.timed && r.clock > c.clock {
		seconds = r.clock - c.clock
	}
	if c.name == "mount" {
		r.mount(pid, c, c.args, "", c.line, false)
	}
	r.emit(r.it.fact("strace.call", r.subject(pid), c.line, c.text, "pid", asInt(pid), "call", c.name, "args", c.args, "seconds", seconds, "unfinished", true))
}

// mount states an NFS mount(2). strace cuts strings: the last option of a cut
// list is dropped, it may be half of one.
func (r *straceReader) mount(pid string, c *openCall, args, errno string, n int, finished bool) {
	s := straceString.FindAllStringSubmatch(args, -1)
	if c.name != "mount" || len(s) < 3 || s[2][1] != "nfs" && s[2][1] != "nfs4" {
		return
	}
	m := mountCommand{program: s[2][1], source: s[0][1], target: s[1][1], server: nfsServer(s[0][1])}
	if len(s) > 3 {
		m.options = s[3][1]
		if s[3][2] != `"` {
			m.options = m.options[:max(strings.LastIndexByte(m.options, ','), 0)]
		}
	}
	result := "ok"
	if errno != "" {
		result = errno
	}
	fields := []any{"finished", finished}
	if finished {
		fields = append(fields, "result", result, "errno", asText(errno))
	}
	f := r.it.attempt(m, c.line, c.text, fields...)
	if n != c.line {
		f.Evidence = append(f.Evidence, r.it.evidence(n, r.it.lineText(n))...)
	}
	r.emit(f)
}
