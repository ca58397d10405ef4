package diagnose

import (
	"cmp"
	"slices"
	"strings"

	"ddx"
)

// hostInfo gathers what the facts say of the machine itself.
func hostInfo(e *evaluation) ddx.HostInfo {
	one := func(kind, field string) string {
		for _, f := range e.byKind[kind] {
			if v := f.String(field); v != "" {
				return v
			}
		}
		return ""
	}
	info := ddx.HostInfo{
		Name: one("host.kernel", "hostname"), Kernel: one("host.kernel", "release"), OS: one("host.os", "name"),
		Hypervisor: one("host.virt", "hypervisor"), Product: one("host.virt", "product"),
	}
	if info.Kernel == "" {
		info.Kernel = one("kernel.report", "release")
	}
	if f := e.byKind["cloud.instance"]; len(f) == 1 {
		info.Instance = f[0].Subject.Name
	}
	return info
}

// examined lists what was looked at: logs by their coverage, other material by
// the facts read from it.
func examined(facts []ddx.Fact) []ddx.Examined {
	out := []ddx.Examined{}
	at := map[[2]string]int{}
	for i := range facts {
		f := &facts[i]
		switch f.Kind {
		case "log.match", "log.unexplained", "kernel.report", "unavailable", "answer":
			continue
		case "unrecognised":
			zero := int64(0)
			kind := f.Kind
			if f.String("why") != "" {
				kind = "no-log"
			}
			out = append(out, ddx.Examined{Kind: kind, Origin: f.String("origin"), Dropped: &zero})
			continue
		case "uneventful":
			zero := int64(0)
			out = append(out, ddx.Examined{Kind: f.String("reader"), Origin: f.String("origin"), Dropped: &zero})
			continue
		case "log.coverage":
			x := ddx.Examined{Kind: "log", Origin: f.String("log"), From: f.String("from"), To: f.String("to")}
			x.Items, _ = f.Int("lines")
			if n, ok := f.Int("dropped"); ok {
				x.Dropped = &n
			}
			out = append(out, x)
			continue
		}
		if len(f.Evidence) == 0 {
			continue
		}
		key := [2]string{f.Evidence[0].Kind, originFile(f.Evidence[0].Origin)}
		j, ok := at[key]
		if !ok {
			j = len(out)
			at[key] = j
			zero := int64(0)
			out = append(out, ddx.Examined{Kind: key[0], Origin: key[1], Dropped: &zero})
		}
		out[j].Items++
	}
	slices.SortStableFunc(out, func(a, b ddx.Examined) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Origin, b.Origin))
	})
	return out
}

// originFile cuts the line number off an origin.
func originFile(origin string) string {
	i := strings.LastIndexByte(origin, ':')
	if i < 0 || i+1 == len(origin) || strings.Trim(origin[i+1:], "0123456789") != "" {
		return origin
	}
	return origin[:i]
}

func unexplained(e *evaluation) []ddx.Unexplained {
	out := []ddx.Unexplained{}
	for _, f := range e.byKind["log.unexplained"] {
		u := ddx.Unexplained{Text: f.String("template")}
		u.Count, _ = f.Int("count")
		if len(f.Evidence) > 0 {
			u.Origin, u.Text = f.Evidence[0].Origin, f.Evidence[0].Text
		}
		out = append(out, u)
	}
	slices.SortStableFunc(out, func(a, b ddx.Unexplained) int { return -cmp.Compare(a.Count, b.Count) })
	return out
}

func count(states []*state) ddx.Counts {
	c := ddx.Counts{Modes: len(states)}
	for _, s := range states {
		switch s.verdict {
		case ddx.RuledOut:
			c.RuledOut++
		case ddx.Untested:
			c.Untested++
		}
	}
	return c
}

// notExamined lists what could not be looked at, with the modes that needed it:
// first those that have evidence and would be decided by it.
func notExamined(e *evaluation, states []*state) []ddx.NotExamined {
	out := []ddx.NotExamined{}
	for _, f := range e.byKind["unrecognised"] {
		if named, _ := f.Bool("named"); named {
			out = append(out, ddx.NotExamined{What: f.String("origin"), Why: string(ddx.NotReadable) + ": " + f.String("why"), NeededBy: []string{}, Named: true})
		}
	}
	for _, f := range e.byKind["unavailable"] {
		n := ddx.NotExamined{What: f.String("what"), Why: f.String("reason"), NeededBy: []string{}}
		if d := f.String("detail"); d != "" {
			n.Why += ": " + d
		}
		n.Basic, _ = f.Bool("basic")
		n.Named, _ = f.Bool("named")
		// That there is no such file has been seen; a tool that is not there has
		// left something unseen.
		seen := f.String("reason") == string(ddx.NotThere) && strings.HasPrefix(n.What, "/")
		kinds := f.Strings("kinds")
		for _, s := range states {
			if s.verdict == ddx.RuledOut || !slices.ContainsFunc(s.needed, func(k string) bool { return slices.Contains(kinds, k) }) {
				continue
			}
			if !seen && (s.verdict == ddx.Possible || s.verdict == ddx.Likely) {
				n.Decides = true
				n.NeededBy = append([]string{s.mode.ID}, n.NeededBy...)
			} else {
				n.NeededBy = append(n.NeededBy, s.mode.ID)
			}
		}
		out = append(out, n)
	}
	return out
}
