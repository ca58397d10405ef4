package kernlog

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// lazy compiles an expression on first use: most commands never need it.
func lazy(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// part makes an expression for a part of a report. Must stands in every text
// that it matches: of most lines that alone tells that they are no such part.
func part(must, expr string) func(msg string) []string {
	re := lazy(expr)
	return func(msg string) []string {
		if !strings.Contains(msg, must) {
			return nil
		}
		return re().FindStringSubmatch(msg)
	}
}

var (
	cpuLine   = part("CPU: ", `CPU: (\d+) (?:UID: \d+ )?PID: (\d+) Comm: (.+?) (?:Kdump: loaded )?(Not tainted|Tainted: [A-Z ()]+?) +(\S+) #?`)
	taintLine = part("ainted", `^\s*(Not tainted|Tainted: [A-Z ()]+?) +(\d\S+) #?`)
	ipLine    = part("+", `^\s*(?:RIP: [0-9a-f]{4}:|EIP: (?:[0-9a-f]{4}:)?|R?IP:? +|\[exception [RE]IP: |pc : |PC is at |EIP is at |epc +: (?:[0-9a-f]+ )?|NIP \[[0-9a-f]+\] |ERA: [0-9a-f]+ |Krnl PSW : [0-9a-f]+ [0-9a-f]+ \()(?:\[<[0-9a-f]+>\]\s*)*\s*([\w.]+)\+(?:0x)?[0-9a-f]+(?:/0x[0-9a-f]+)?(?: \[(\w+)\])?`)
	frameLine = part("+0x", `^\s*(?:\[<?[0-9a-fx]+>?\] ?)*(\? )?\(?([A-Za-z_][\w.]*)\+0x[0-9a-f]+/0x[0-9a-f]+\)?(?: \[(\w+)\])?`)
	// Frames as crash(8) prints them, and those of 32-bit ARM.
	crashFrame = part(" at ", `^\s*#\d+ \[[0-9a-f]+\] ([\w.]+) at [0-9a-f]+`)
	armFrame   = part(" from ", `^\s*(?:\[<[0-9a-f]+>\] )?\(?([A-Za-z_][\w.]*)(?:\+0x[0-9a-f]+/0x[0-9a-f]+)?(?: \[(\w+)\])?\)? from (?:\[<[0-9a-f]+>\] )?\(?[\w.]+\+0x`)
	workLine   = part("Workqueue:", `^\s*Workqueue: +\S+ ([A-Za-z_][\w.]*(?: \[\w+\])?)`)
	pidComm    = lazy(`^\s*(?:task:)?(\S+)\s+(?:state:)?[DSR] `)
	oomKill    = part("oom-kill:constraint=", `oom-kill:constraint=(\w+),.*?task_memcg=([^,]*),task=([^,]*),pid=(\d+)`)
	oomMemcg   = part("oom_memcg=", `oom_memcg=([^,]*)`)
	oomLimit   = part("killed as a result of limit", `Task in (\S+) killed as a result of limit of (\S+)`)
	oomVictim  = part("Kill", `Kill(?:ed)? process (\d+)(?:,? ?UID \d+,?)? ?\(([^)]+)\)`)
	anonRSS    = part("anon-rss:", `anon-rss:(\d+)kB`)
	enaDevice  = part("ena ", `\bena ([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9])(?: (\S+))?: `)
)

// take adds what one message tells. It reports whether the message belongs to
// the report.
func (r *Report) take(msg string) bool {
	switch r.Type {
	case "ena-reset":
		return r.takeENA(msg)
	case "oom":
		if r.takeOOM(msg) {
			return true
		}
	}
	return r.takeStack(msg)
}

func (r *Report) takeStack(msg string) bool {
	named := r.Task != "" && strings.Contains(msg, r.Task)
	if !named && !marked(msg) {
		return false
	}
	if m := cpuLine(msg); m != nil {
		r.setInt(&r.CPU, m[1])
		if r.Type != "hung-task" && r.Type != "soft-lockup" {
			r.setInt(&r.PID, m[2])
			if r.Task == "" {
				r.Task = m[3]
			}
		}
		r.setTaint(m[4], m[5])
		return true
	}
	if m := taintLine(msg); m != nil {
		r.setTaint(m[1], m[2])
		return true
	}
	if m := ipLine(msg); m != nil {
		if r.ip == "" {
			r.ip, r.ipModule = m[1], m[2]
		}
		return true
	}
	if m := workLine(msg); m != nil {
		r.work = m[1]
		return true
	}
	if m := armFrame(msg); m != nil {
		r.frame(m[1], m[2], true)
		return true
	}
	if m := crashFrame(msg); m != nil {
		r.frame(m[1], "", true)
		return true
	}
	if m := frameLine(msg); m != nil {
		r.frame(m[2], m[3], m[1] == "")
		return true
	}
	for _, s := range parts {
		if strings.Contains(msg, s) {
			return true
		}
	}
	return named && pidComm().MatchString(msg)
}

// frame adds a function of the trace. Frames that the kernel marks with a question
// mark are kept apart: they may be leftovers of the stack.
func (r *Report) frame(name, module string, reliable bool) {
	if i := strings.Index(name, ".constprop"); i > 0 {
		name = name[:i]
	}
	if module != "" {
		name += " [" + module + "]"
	}
	if !reliable {
		r.unreliable = append(r.unreliable, name)
	} else if len(r.Frames) < 100 {
		r.Frames = append(r.Frames, name)
	}
}

func (r *Report) takeOOM(msg string) bool {
	own := false
	if strings.Contains(msg, "Memory cgroup out of memory") || strings.Contains(msg, "Memory cgroup stats for") {
		r.Reason, own = "CONSTRAINT_MEMCG", true
	}
	if m := oomKill(msg); m != nil {
		r.Reason, r.Cgroup, r.Victim, own = m[1], m[2], m[3], true
		if g := oomMemcg(msg); g != nil {
			r.Cgroup = g[1]
		}
		r.setInt(&r.PID, m[4])
	}
	if m := oomLimit(msg); m != nil {
		r.Reason, r.Cgroup, own = "CONSTRAINT_MEMCG", m[2], true
	}
	if m := oomVictim(msg); m != nil {
		r.Victim, own = m[2], true
		r.setInt(&r.PID, m[1])
		if a := anonRSS(msg); a != nil {
			r.setInt(&r.VictimKB, a[1])
		}
		if r.Reason == "" && strings.Contains(msg, "Out of memory") {
			r.Reason = "CONSTRAINT_NONE"
		}
	}
	return own || strings.Contains(msg, "oom_score_adj") || strings.Contains(msg, "active_anon") || strings.HasPrefix(msg, "[") || strings.Contains(msg, "memory: usage")
}

func (r *Report) takeENA(msg string) bool {
	if m := enaDevice(msg); m != nil {
		if r.Device == "" || m[2] != "" {
			r.Device = m[1]
			if m[2] != "" && m[2] != "(unnamed" {
				r.Device = m[2]
			}
		}
	}
	switch {
	case strings.Contains(msg, "Device reset completed successfully"), strings.Contains(msg, "Device reset completed, status: 0"):
		r.Completed = true
		return true
	}
	return strings.Contains(msg, "ena ") || strings.Contains(msg, "ena:") || strings.Contains(msg, "[ENA_COM")
}

// ended reports whether the message is the last of the report.
func (r *Report) ended(msg string) bool {
	switch r.Type {
	case "ena-reset":
		return strings.Contains(msg, "Device reset completed") || strings.Contains(msg, "eset attempt failed") || strings.Contains(msg, "estore attempt failed")
	case "oom":
		return strings.Contains(msg, "oom_reaper: reaped")
	}
	return strings.Contains(msg, "---[ end ")
}

func (r *Report) setInt(p *int64, s string) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		*p = n
	}
}

func (r *Report) setTaint(taint, release string) {
	if r.Release == "" {
		r.Release = release
	}
	if t, ok := strings.CutPrefix(taint, "Tainted:"); ok {
		r.Taint = strings.ReplaceAll(strings.TrimSpace(t), " ", "")
	}
}
