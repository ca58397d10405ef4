package source

import (
	"cmp"
	"strings"

	"ddx"
)

// cpuTitles names the columns of CPU shares over all the tools.
var cpuTitles = map[string]string{
	"%usr": "user", "%user": "user", "us": "user", "%sys": "system", "%system": "system", "sy": "system", "%iowait": "iowait", "wa": "iowait",
	"%steal": "steal", "st": "steal", "%soft": "softirq", "si": "softirq", "%irq": "irq", "hi": "irq", "%idle": "idle", "id": "idle",
}

// cpuShares reads mpstat, sar -u, the CPU part of iostat, and vmstat(8).
var cpuShares = Reader{
	Name: "cpu-shares", Doc: "mpstat, sar -u, vmstat: how the CPUs spend their time",
	// A live host is not asked: mpstat would take seconds for what two samples
	// of /proc/stat say.
	Kinds: []string{"cpu"},
	Match: func(name string, head []byte) bool {
		return mpstatHeader.Match(head) || vmstatHeader.Match(head)
	},
	Read: func(it *Item, emit func(ddx.Fact)) error {
		var header *columns
		cpuColumn := -1
		last := map[string]ddx.Fact{} // the last line of each CPU, averages included, stands for it
		var order []string
		it.lines(func(n int, line string) {
			if mpstatHeader.MatchString(line) || vmstatHeader.MatchString(line) {
				w := strings.Fields(line)
				header, cpuColumn = newColumns(w), -1
				for i, title := range w {
					if title == "CPU" {
						cpuColumn = i
					}
				}
				return
			}
			w := strings.Fields(line)
			if header == nil || len(w) == 0 {
				return
			}
			// "Average:" is one word where the time of the header may be two.
			shift := len(w) - len(header.titles)
			if shift < -1 || shift > 1 || (shift != 0 && cpuColumn < 0) {
				return
			}
			cpu, fields := "all", []any(nil)
			if cpuColumn >= 0 && cpuColumn+shift >= 0 && cpuColumn+shift < len(w) {
				cpu = w[cpuColumn+shift]
			}
			for i, title := range header.titles {
				if name := cpuTitles[title]; name != "" && i+shift >= 0 && i+shift < len(w) {
					v := asFloat(w[i+shift])
					if v == nil {
						return
					}
					// The si of vmstat is memory swapped in.
					if cpuColumn >= 0 || name != "softirq" {
						fields = append(fields, name, v)
					}
				}
			}
			if len(fields) == 0 {
				return
			}
			if _, known := last[cpu]; !known {
				order = append(order, cpu)
			}
			last[cpu] = it.fact("cpu", host, n, it.lineText(n), append([]any{"cpu", cpu}, fields...)...)
		})
		for _, cpu := range order {
			emit(last[cpu])
		}
		return nil
	},
}

var (
	mpstatHeader = lazy(`(?m)^.*\bCPU +%us(?:e?)r +%nice +%sys.*%idle`)
	vmstatHeader = lazy(`(?m)^\s*r +b +swpd +free +buff +cache .* us +sy +id +wa`)
)

// topBatch reads top -b: the summary and the tasks below it.
var topBatch = Reader{
	Name: "top", Doc: "top -b: load, CPU shares, memory and tasks",
	Kinds: []string{"host.uptime", "load", "cpu", "mem", "tasks", "task"},
	Match: func(name string, head []byte) bool {
		return topCPU.Match(head) || topTasks.Match(head) || topRowHeader.Match(head)
	},
	Read: func(it *Item, emit func(ddx.Fact)) error {
		var header *columns
		it.lines(func(n int, line string) {
			switch {
			case uptimeLine.MatchString(line):
				header = nil
				readUptimeLine(it, n, line, emit)
			case topCPU.MatchString(line):
				var fields []any
				for _, m := range topShare.FindAllStringSubmatch(line, -1) {
					if name := cpuTitles[m[2]]; name != "" {
						fields = append(fields, name, asFloat(m[1]))
					}
				}
				cpu := cmp.Or(topCPU.FindStringSubmatch(line)[1], "all")
				emit(it.fact("cpu", host, n, it.lineText(n), append([]any{"cpu", cpu}, fields...)...))
			case topTasks.MatchString(line):
				m := topTasks.FindStringSubmatch(line)
				emit(it.fact("tasks", host, n, it.lineText(n), "total", asInt(m[1]), "zombies", asInt(m[2])))
			case topMem.MatchString(line):
				m := topMem.FindStringSubmatch(line)
				unit := map[string]float64{"M": 1 << 10, "G": 1 << 20}[strings.ToUpper(m[1]+m[3])]
				unit = max(unit, 1) // kB where it names none
				total, ok1 := asSize(m[2], unit, 1).(int64)
				rest := topFree.FindStringSubmatch(line)
				if ok1 && rest != nil {
					emit(it.fact("mem", host, n, it.lineText(n), "total", total, "free", asSize(rest[1], unit, 1)))
				}
			case topRowHeader.MatchString(line):
				header = newColumns(strings.Fields(line))
			case header != nil:
				it.topRow(header, n, line, emit)
			}
		})
		return nil
	},
}

var (
	topCPU       = lazy(`(?m)^\s*%?Cpu(?:\(s\)|(\d+) *): *[\d.,]+[% ]*us`)
	topShare     = lazy(`(\d+(?:[.,]\d+)?)[% ]*(us|sy|ni|id|wa|hi|si|st)\b`)
	topTasks     = lazy(`(?m)^\s*(?:Tasks|Threads): *(\d+) total,.*?(\d+) zombie`)
	topMem       = lazy(`^\s*(?:([KMG])iB )?Mem ?: *([\d.]+)([kMG]?)[ +]total`)
	topFree      = lazy(`([\d.]+)[kKMG]?[ +]free`)
	topRowHeader = lazy(`(?m)^\s*PID +USER +PR +NI +VIRT.* COMMAND`)
)

func (it *Item) topRow(header *columns, n int, line string, emit func(ddx.Fact)) {
	cells := header.row(line)
	if cells == nil || asInt(header.cell(cells, "PID")) == nil {
		return
	}
	pid, command := header.cell(cells, "PID"), header.cell(cells, "COMMAND")
	comm := strings.TrimSuffix(commOf(command), "+") // top marks a name it cuts
	emit(it.fact("task", taskSubject(comm, pid), n, it.lineText(n), "pid", asInt(pid), "comm", comm, "command", command,
		"state", asText(header.cell(cells, "S")), "user", asText(header.cell(cells, "USER")), "cpu", asFloat(header.cell(cells, "%CPU")),
		"rss", asSize(strings.ToUpper(header.cell(cells, "RES")), 1024, 1024)))
}
