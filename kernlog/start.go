package kernlog

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// start is a first line of a report: Expr is what a scanner looks for, and its
// groups are what fields names, in order.
type start struct {
	typ    string
	expr   string
	fields []string
	first  bool // only where the text begins inside of a report
	re     *regexp.Regexp
	must   string // stands in every line that re matches
}

var starts = sync.OnceValue(func() []start {
	for i := range startList {
		startList[i].re, startList[i].must = compile(startList[i].expr)
	}
	return startList
})

var startList = []start{
	{typ: "hung-task", expr: `INFO: task (.+):(\d+) blocked (?:in I/O wait )?for more than (\d+) seconds`, fields: []string{"task", "pid", "seconds"}},
	{typ: "soft-lockup", expr: `BUG: soft lockup - CPU#(\d+) stuck for (\d+)s! \[(.+):(\d+)\]`, fields: []string{"cpu", "seconds", "task", "pid"}},
	{typ: "hard-lockup", expr: `Watchdog detected hard LOCKUP on cpu ?(\d+)`, fields: []string{"cpu"}},
	{typ: "rcu-stall", expr: `INFO: (rcu\w*) (?:detected stalls on CPUs/tasks|self-detected stall on CPU|detected expedited stalls)`, fields: []string{"reason"}},
	{typ: "rcu-stall", expr: `(rcu\w*) kthread (?:timer wakeup didn't happen|starved) for \d+ jiffies`, fields: []string{"reason"}},
	{typ: "workqueue-stall", expr: `BUG: workqueue lockup - pool .{0,80}stuck for (\d+)s!`, fields: []string{"seconds"}},
	{typ: "panic", expr: `Kernel panic - not syncing: (.*)`, fields: []string{"reason"}},
	{typ: "oops", expr: `BUG: [Uu]nable to handle (?:kernel|page fault)`},
	{typ: "oops", expr: `BUG: kernel NULL pointer dereference`},
	{typ: "oops", expr: `Unable to handle kernel .{0,60}(?:at virtual address|in virtual kernel address space)`},
	{typ: "oops", expr: `general protection fault(?:, .{0,120})?: [0-9a-f]{4}\b`},
	{typ: "oops", expr: `kernel BUG at (\S+?)!`, fields: []string{"reason"}},
	{typ: "oops", expr: `(?:divide error|invalid opcode|stack segment|int3|bounds): [0-9a-f]{4} \[#\d+\]`},
	{typ: "oops", expr: `PANIC: double fault`},
	{typ: "oops", expr: `Internal error: .{0,60}\[#\d+\]`},
	{typ: "oops", expr: `Oops(?: - \w+)?: `},
	{typ: "oops", expr: `stack-protector: Kernel stack is corrupted`},
	{typ: "oops", expr: `skb_(?:over|under)_panic`},
	{typ: "oops", expr: `\[exception [RE]IP: [A-Za-z_]`},
	{typ: "oops", expr: `\bEIP is at [A-Za-z_]`, first: true},
	{typ: "oops", expr: `\bPC is at [A-Za-z_]`, first: true},
	{typ: "oops", expr: `\bCR2: [0-9a-f]{8,16}\b`, first: true},
	{typ: "hung-task", expr: `"echo 0 > /proc/sys/kernel/hung_task_timeout_secs"`, first: true},
	{typ: "hung-task", expr: `task:(.+?) +state:D +stack: *\d+ +pid: *(\d+)`, fields: []string{"task", "pid"}, first: true},
	{typ: "hung-task", expr: `(\S+) +D +(?:[0-9a-f]{8,16} +)?\d+ +(\d+) +\d+ 0x0000[0-9a-f]{4}\b`, fields: []string{"task", "pid"}, first: true},
	{typ: "oom", expr: `(\S.*) invoked oom-killer: gfp_mask=(\S+?),`, fields: []string{"task", "flags"}},
	{typ: "oom", expr: `Out of memory(?: \(oom_kill_allocating_task\))?: Kill(?:ed)? process \d+`},
	{typ: "oom", expr: `Memory cgroup (?:stats for|out of memory)`},
	{typ: "oom", expr: `oom-kill:constraint=`},
	{typ: "oom", expr: `Task in \S+ killed as a result of limit of`},
	{typ: "oom", expr: `Killed process \d+ \(.{0,20}total-vm:`},
	{typ: "page-allocation-failure", expr: `(\S.*): page allocation failure:? ?order:(\d+), mode:(\S+)`, fields: []string{"task", "order", "flags"}},
	{typ: "warning", expr: `WARNING: (?:CPU: \d+ PID: \d+ )?at (\S+)(?: ([\w.]+)\+0x)?`, fields: []string{"reason", "symbol"}},
	{typ: "ena-reset", expr: `Keep alive watchdog timeout`},
	{typ: "ena-reset", expr: `number of lost tx completions? is above the threshold`},
	{typ: "ena-reset", expr: `Lost TX completions are above (?:the )?threshold`},
	{typ: "ena-reset", expr: `TX q \d+ is paused for too long`},
	{typ: "ena-reset", expr: `Potential MSIX issue on [RT]x side Queue`},
	{typ: "ena-reset", expr: `detected an unhealthy state, reset is requested`},
	{typ: "ena-reset", expr: `Trigger reset is on`},
	{typ: "stack", expr: `[\w.]{3,}\+0x[0-9a-f][0-9a-f]*/0x[0-9a-f]+`},
}

// compile compiles an expression, and finds the text that every match holds.
func compile(expr string) (re *regexp.Regexp, must string) {
	re = regexp.MustCompile(expr)
	tree, _ := syntax.Parse(expr, syntax.Perl) // it has just been compiled
	return re, required(tree)
}

// required returns the longest literal that every match of an expression
// contains, empty if there is none: to look for it costs a fraction of what the
// expression costs.
func required(re *syntax.Regexp) string {
	longest := ""
	switch {
	case re.Op == syntax.OpLiteral && re.Flags&syntax.FoldCase == 0:
		longest = string(re.Rune)
	case re.Op == syntax.OpCapture, re.Op == syntax.OpConcat:
		for _, sub := range re.Sub {
			if s := required(sub); len(s) > len(longest) {
				longest = s
			}
		}
	}
	return longest
}

// Starts lists the expressions of lines that the assembler must see: each may
// be the first of a report. A caller that scans text looks for these and then
// hands over as many following lines as Want asks for.
func Starts() []string {
	out := make([]string, len(startList))
	for i := range startList {
		out[i] = startList[i].expr
	}
	return out
}

// start opens a report if the line is a first line that no open report claims.
func (a *Assembler) start(l Line) bool {
	all := starts()
	for i := range all {
		s := &all[i]
		if !strings.Contains(l.Message, s.must) {
			continue
		}
		m := s.re.FindStringSubmatch(l.Message)
		if m == nil {
			continue
		}
		if cur := a.current(s.typ); cur != nil && cur.continues(s.typ, l.Message) {
			cur.capture(s, m)
			cur.take(l.Message)
			cur.idle = 0
			return true
		}
		if s.first {
			if !a.atFront() {
				continue
			}
			if cur := a.current("stack"); cur != nil && s.typ == "oops" {
				cur.Type, cur.Title = s.typ, l.Message
				cur.take(l.Message)
				cur.idle = 0
				return true
			}
		}
		if s.typ == "stack" && len(a.open) > 0 {
			return false
		}
		a.close(s.typ)
		r := newReport(s.typ, l)
		r.headless = s.first || s.typ == "stack"
		r.capture(s, m)
		r.take(l.Message)
		if s.typ == "panic" {
			r.Fatal = true
			if cur := a.current("oops"); cur != nil {
				cur.Fatal = true
			}
		}
		a.open = append(a.open, r)
		return true
	}
	return false
}

// atFront reports whether nothing but a stack without a header has been seen.
func (a *Assembler) atFront() bool {
	return len(a.done) == 0 && !slices.ContainsFunc(a.open, func(r *Report) bool { return r.Type != "stack" })
}

// current returns the innermost open report of a type.
func (a *Assembler) current(typ string) *Report {
	for i := len(a.open) - 1; i >= 0; i-- {
		if a.open[i].Type == typ {
			return a.open[i]
		}
	}
	return nil
}

// close ends what a new report of a type ends: its own kind, and a stack
// without a header.
func (a *Assembler) close(typ string) {
	kept := a.open[:0]
	for _, r := range a.open {
		if r.Type == typ || r.Type == "stack" {
			a.finish(r)
		} else {
			kept = append(kept, r)
		}
	}
	a.open = kept
}

// continues reports whether a line that could start a report goes on with this
// one: an oops has several first lines, an OOM kill has up to five.
func (r *Report) continues(typ, msg string) bool {
	switch typ {
	case "oops":
		return r.length < 12 && !strings.Contains(msg, "BUG: ") && !strings.Contains(msg, "Unable to handle")
	case "oom":
		return !strings.Contains(msg, "invoked oom-killer") && (r.Victim == "" || strings.HasPrefix(msg, "Killed process"))
	case "ena-reset":
		return true
	case "stack":
		return true
	case "rcu-stall":
		return strings.Contains(msg, "kthread")
	}
	return false
}

func (r *Report) capture(s *start, m []string) {
	for i, f := range s.fields {
		v := m[i+1]
		n, _ := strconv.ParseInt(v, 10, 64)
		switch f {
		case "task":
			r.Task = v
		case "pid":
			r.PID = n
		case "seconds":
			r.Seconds = n
		case "cpu":
			r.CPU = n
		case "order":
			r.Order = n
		case "flags":
			r.Flags = v
		case "reason":
			r.Reason = v
		case "symbol":
			r.ip = v
		}
	}
	if s.typ == "ena-reset" && r.Reason == "" && !strings.Contains(m[0], "Trigger reset") {
		r.Reason = r.Title
	}
}
