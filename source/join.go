package source

import (
	"fmt"
	"maps"
	"strings"

	"ddx"
)

// joinKeys are the kinds whose facts come in parts, one file each, with what
// tells that two of them speak of the same thing.
var joinKeys = map[string]func(ddx.Fact) string{
	"task": func(f ddx.Fact) string {
		pid, ok := f.Int("pid")
		if !ok {
			return ""
		}
		return fmt.Sprint(pid)
	},
	"cgroup.limit":  func(f ddx.Fact) string { return f.Subject.Name + " " + f.String("name") },
	"table":         func(f ddx.Fact) string { return f.String("name") },
	"disk":          func(f ddx.Fact) string { return f.Subject.Name },
	"mount":         func(f ddx.Fact) string { return f.Subject.Name + " " + f.String("source") + " " + f.String("fstype") },
	"kernel.module": func(f ddx.Fact) string { return f.String("name") },
	"sysctl":        func(f ddx.Fact) string { return f.String("name") },
	"host.virt":     func(ddx.Fact) string { return "host" },
	"host.kernel":   func(f ddx.Fact) string { return f.String("release") },
	"clock":         func(ddx.Fact) string { return "host" },
}

// JoinParts merges facts that are parts of one statement: ps knows a task's
// command line, /proc/PID/stack its frames; one file holds the limit of a
// control group, another its use. The first fact keeps its place, takes the
// fields it lacks and the evidence of the others. Facts that contradict each
// other (a second sample, a pid that was used again) stay apart, as do facts
// of different hosts. Percentages are computed when both parts are there.
func JoinParts(facts []ddx.Fact) []ddx.Fact {
	out := make([]ddx.Fact, 0, len(facts))
	first := map[string]int{}
	for _, f := range facts {
		key := ""
		if k := joinKeys[f.Kind]; k != nil {
			key = k(f)
		}
		if key == "" {
			out = append(out, f)
			continue
		}
		if len(f.Evidence) > 0 {
			key = f.Evidence[0].Host + " " + key
		}
		key = f.Kind + " " + key
		i, seen := first[key]
		if !seen || contradict(out[i], f) {
			if !seen {
				first[key] = len(out)
			}
			out = append(out, f)
			continue
		}
		out[i] = joined(out[i], f)
	}
	return out
}

// contradict reports whether a field of both facts differs. A wait channel of
// 0 hides the answer, and the shown command line includes the comm: neither
// contradicts.
func contradict(a, b ddx.Fact) bool {
	for name, v := range a.Fields {
		w, ok := b.Fields[name]
		if !ok || fmt.Sprint(v) == fmt.Sprint(w) {
			continue
		}
		s, t := fmt.Sprint(v), fmt.Sprint(w)
		switch {
		case name == "wchan" && (s == "0" || t == "0"):
		case name == "comm" && (strings.HasPrefix(s, t) || strings.HasPrefix(t, s)):
		case a.Kind == "task" && (name == "command" || name == "user" || name == "cpu" || name == "rss" || name == "elapsed" || name == "syscall"):
		case a.Kind == "host.virt" && name == "hypervisor" && (s == "kvm" || t == "kvm"): // Nitro is KVM to the guest
		case a.Kind == "mount" && name == "options": // mountinfo shows those of the superblock as well
		case a.Kind == "kernel.module" && name == "filename":
		case a.Kind == "disk" && (name == "inflight" || name == "size" || name == "mountpoint"):
		default:
			return true
		}
	}
	return false
}

func joined(a, b ddx.Fact) ddx.Fact {
	fields := maps.Clone(b.Fields)
	maps.Copy(fields, a.Fields)
	if w := b.String("wchan"); w != "" && w != "0" && a.String("wchan") == "0" {
		fields["wchan"] = w
	}
	if a.Kind == "host.virt" && a.String("hypervisor") == "kvm" && b.String("hypervisor") != "" {
		fields["hypervisor"] = b.String("hypervisor")
	}
	for _, part := range []string{"current", "used"} {
		if p := percentOf(fields[part], fields["max"]); p != nil {
			fields["percent"] = p
		}
	}
	a.Fields = fields
	if strings.HasPrefix(a.Subject.Name, ":") {
		a.Subject = b.Subject
	}
	a.Evidence = append(a.Evidence[:len(a.Evidence):len(a.Evidence)], b.Evidence...)
	return a
}
