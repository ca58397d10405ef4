package source

import (
	"strings"

	"ddx"
)

// kernelVersion reads uname, /proc/version and /proc/sys/kernel/osrelease.
var kernelVersion = Reader{
	Name: "kernel-version", Doc: "uname -a, /proc/version, osrelease: the running kernel",
	Kinds:    []string{"host.kernel"},
	Files:    []string{"proc/version", "proc/sys/kernel/osrelease"},
	Commands: [][]string{{"uname", "-a"}},
	Match: func(name string, head []byte) bool {
		return len(head) < 2048 && (unameLine.Match(head) || procVersionLine.Match(head) || releaseOnly.Match(head))
	},
	Read: func(it *Item, emit func(ddx.Fact)) error {
		it.lines(func(n int, line string) {
			t := strings.TrimSpace(line)
			if m := unameLine.FindStringSubmatch(t); m != nil {
				emit(it.fact("host.kernel", host, n, it.lineText(n), "hostname", m[1], "release", m[2], "version", strings.TrimSpace(m[3]), "arch", m[4]))
			} else if m := procVersionLine.FindStringSubmatch(t); m != nil {
				emit(it.fact("host.kernel", host, n, it.lineText(n), "release", m[1], "version", asText(m[2])))
			} else if releaseOnly.MatchString(t) {
				emit(it.fact("host.kernel", host, n, it.lineText(n), "release", t))
			}
		})
		return nil
	},
}

var (
	unameLine       = lazy(`(?m)^\s*Linux (\S+) (\d+\.\d+\S*) (.*?) ?(x86_64|aarch64|i[3-6]86|arm64|armv7l|ppc64le|s390x|riscv64)(?: (?:x86_64|aarch64|unknown|i[3-6]86))*(?: GNU/Linux| Linux)?\s*$`)
	procVersionLine = lazy(`(?m)^\s*Linux version (\d+\.\d+\S*) \(.*\)(?: (#\d+.*?))?\s*$`)
	releaseOnly     = lazy(`^\s*[2-9]\.\d+\.\d+[-+.][\w.+~-]+\s*$`)
)

// osRelease reads os-release and the one-line release files of older systems.
var osRelease = Reader{
	Name: "os-release", Doc: "/etc/os-release, /etc/system-release: the distribution",
	Kinds: []string{"host.os"},
	Files: []string{"etc/os-release", "usr/lib/os-release", "etc/system-release"},
	Match: func(name string, head []byte) bool {
		return len(head) < 8192 && (osReleaseID.Match(head) && osReleaseName.Match(head) || systemRelease.Match(head))
	},
	Read: func(it *Item, emit func(ddx.Fact)) error {
		v, first := map[string]string{}, 0
		it.lines(func(n int, line string) {
			key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
			if ok && (key == "ID" || key == "VERSION_ID" || key == "PRETTY_NAME") {
				v[key] = strings.Trim(value, `"'`)
				if first == 0 || key == "PRETTY_NAME" {
					first = n
				}
			} else if m := systemRelease.FindStringSubmatch(line); m != nil && first == 0 {
				v["PRETTY_NAME"], v["VERSION_ID"], first = strings.TrimSpace(line), m[1], n
			}
		})
		if first > 0 {
			emit(it.fact("host.os", host, first, it.lineText(first), "id", asText(v["ID"]), "version", asText(v["VERSION_ID"]), "name", asText(v["PRETTY_NAME"])))
		}
		return nil
	},
}

var (
	osReleaseID   = lazy(`(?m)^\s*ID="?\w`)
	osReleaseName = lazy(`(?m)^\s*(?:PRETTY_NAME|VERSION_ID)=`)
	systemRelease = lazy(`^\s*[A-Z][\w ]+ release (\d[\w.]*)(?: .*)?\s*$`)
)

// uptimeAndLoad reads uptime(1), w(1), /proc/uptime and /proc/loadavg.
var uptimeAndLoad = Reader{
	Name: "uptime", Doc: "uptime, /proc/uptime, /proc/loadavg: time since boot and load averages",
	Kinds: []string{"host.uptime", "load"},
	Files: []string{"proc/uptime", "proc/loadavg"},
	Match: func(name string, head []byte) bool {
		return len(head) < 8192 && (uptimeLine.Match(head) || loadavgLine.Match(head) || procUptime.Match(head))
	},
	Read: func(it *Item, emit func(ddx.Fact)) error {
		it.lines(func(n int, line string) {
			readUptimeLine(it, n, line, emit)
			if m := loadavgLine.FindStringSubmatch(line); m != nil {
				emit(it.fact("load", host, n, it.lineText(n), "one", asFloat(m[1]), "five", asFloat(m[2]), "fifteen", asFloat(m[3]), "runnable", asInt(m[4]), "tasks", asInt(m[5])))
			} else if m := procUptime.FindStringSubmatch(line); m != nil {
				emit(it.fact("host.uptime", host, n, it.lineText(n), "seconds", asFloat(m[1])))
			}
		})
		return nil
	},
}

var (
	uptimeLine  = lazy(`(?m)^\s*(?:top - )?\d\d:\d\d(?::\d\d)?(?: ?[AP]M)? +up +(.+?), +load averages?: (\d+[.,]\d+),? +(\d+[.,]\d+),? +(\d+[.,]\d+)`)
	upPart      = lazy(`^(\d+) (day|min|hour|sec)|^(\d+):(\d\d)$`)
	loadavgLine = lazy(`(?m)^\s*(\d+\.\d\d) (\d+\.\d\d) (\d+\.\d\d) (\d+)/(\d+) \d+\s*$`)
	procUptime  = lazy(`(?m)^\s*(\d+\.\d\d) \d+\.\d\d\s*$`)
)

// readUptimeLine reads the line of uptime(1), which top and w print as well.
func readUptimeLine(it *Item, n int, line string, emit func(ddx.Fact)) {
	m := uptimeLine.FindStringSubmatch(line)
	if m == nil {
		return
	}
	seconds, known := 0.0, false
	for _, part := range strings.Split(m[1], ",") {
		p := upPart.FindStringSubmatch(strings.TrimSpace(part))
		if p == nil {
			continue
		}
		known = true
		if p[2] != "" {
			v, _ := asFloat(p[1]).(float64)
			seconds += v * map[string]float64{"day": 86400, "hour": 3600, "min": 60, "sec": 1}[p[2]]
			continue
		}
		h, _ := asFloat(p[3]).(float64)
		min, _ := asFloat(p[4]).(float64)
		seconds += h*3600 + min*60
	}
	if known {
		emit(it.fact("host.uptime", host, n, it.lineText(n), "seconds", seconds))
	}
	emit(it.fact("load", host, n, it.lineText(n), "one", asFloat(m[2]), "five", asFloat(m[3]), "fifteen", asFloat(m[4])))
}

// kernelCommandLine reads /proc/cmdline.
var kernelCommandLine = Reader{
	Name: "kernel-command-line", Doc: "/proc/cmdline: parameters the kernel was started with",
	Kinds: []string{"kernel.param"},
	Files: []string{"proc/cmdline"},
	Match: func(name string, head []byte) bool { return len(head) < 4096 && cmdlineText.Match(head) },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		it.lines(func(n int, line string) {
			for _, word := range strings.Fields(line) {
				key, value, _ := strings.Cut(word, "=")
				if key != "" {
					emit(it.fact("kernel.param", host, n, it.lineText(n), "name", key, "value", value))
				}
			}
		})
		return nil
	},
}

var cmdlineText = lazy(`^\s*(?:BOOT_IMAGE=\S+ .*|(?:\S+ )*root=\S+ (?:\S+ )*(?:ro|rw|console=\S+)(?: \S+)*)\s*$`)

// kernelTaint reads /proc/sys/kernel/tainted; the path names it.
var kernelTaint = Reader{
	Name: "kernel-taint", Doc: "/proc/sys/kernel/tainted: taint mask",
	Kinds: []string{"kernel.taint"},
	Files: []string{"proc/sys/kernel/tainted"},
	Match: func(name string, head []byte) bool { return false },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		if v := asInt(strings.TrimSpace(string(it.Data))); v != nil {
			emit(it.fact("kernel.taint", host, 1, it.lineText(1), "value", v))
		}
		return nil
	},
}
