package kernlog

import (
	"strconv"
	"strings"
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
	if m := linkLine(msg); m != nil {
		if r.link == "" {
			r.link = strings.TrimSpace(m[1] + " " + bracketed(m[2]))
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
	return named && pidComm(msg) != nil
}

func bracketed(module string) string {
	if module == "" {
		return ""
	}
	return "[" + module + "]"
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
