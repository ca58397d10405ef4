package source

import (
	"strconv"
	"strings"

	"ddx"
)

// cpuStates are the columns of a cpu line of /proc/stat.
var cpuStates = []string{"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice"}

// kernelStat reads /proc/stat: ticks of all CPUs together by state, so that
// two samples give shares, and the counters below them.
var kernelStat = Reader{
	Name: "proc-stat", Doc: "/proc/stat: CPU ticks by state, context switches, forks, blocked tasks",
	Kinds: []string{"kernel.counter"},
	Files: []string{"proc/stat"},
	Twice: true,
	Match: func(name string, head []byte) bool { return procStatCPU.Match(head) },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		it.lines(func(n int, line string) {
			w := strings.Fields(line)
			if len(w) < 2 {
				return
			}
			count := func(name, s string) {
				if v := asInt(s); v != nil {
					emit(it.fact("kernel.counter", host, n, it.lineText(n), "name", name, "value", v))
				}
			}
			switch w[0] {
			case "cpu":
				for i, state := range cpuStates {
					if i+1 < len(w) {
						count("cpu_"+state+"_ticks", w[i+1])
					}
				}
			case "ctxt", "processes", "procs_running", "procs_blocked":
				count(w[0], w[1])
			}
		})
		return nil
	},
}

var procStatCPU = lazy(`(?m)^cpu  \d+ \d+ \d+ \d+`)

// vmCounters are the counters of /proc/vmstat that tell of trouble. Those that
// the kernel keeps by zone are summed under the name before the last "_".
var vmCounters = map[string]string{
	"oom_kill": "oom_kill", "allocstall": "allocstall", "allocstall_dma": "allocstall", "allocstall_dma32": "allocstall", "allocstall_normal": "allocstall", "allocstall_movable": "allocstall", "allocstall_device": "allocstall",
	"pgmajfault": "pgmajfault", "pswpin": "pswpin", "pswpout": "pswpout", "compact_stall": "compact_stall", "compact_fail": "compact_fail",
	"pgscan_direct": "pgscan_direct", "pgsteal_direct": "pgsteal_direct", "workingset_refault": "workingset_refault", "workingset_refault_file": "workingset_refault_file", "workingset_refault_anon": "workingset_refault_anon",
	"nr_dirtied": "nr_dirtied", "nr_written": "nr_written", "drop_pagecache": "drop_pagecache",
}

// vmStat reads /proc/vmstat.
var vmStat = Reader{
	Name: "proc-vmstat", Doc: "/proc/vmstat: reclaim, major faults, OOM kills",
	Kinds: []string{"kernel.counter"},
	Files: []string{"proc/vmstat"},
	Twice: true,
	Match: func(name string, head []byte) bool { return vmstatLine.Match(head) },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		sums, lines, order := map[string]int64{}, map[string]int{}, []string(nil)
		it.lines(func(n int, line string) {
			w := strings.Fields(line)
			if len(w) != 2 || vmCounters[w[0]] == "" {
				return
			}
			v, err := strconv.ParseInt(w[1], 10, 64)
			if err != nil {
				return
			}
			name := vmCounters[w[0]]
			if lines[name] == 0 {
				lines[name], order = n, append(order, name)
			}
			sums[name] += v
		})
		for _, name := range order {
			emit(it.fact("kernel.counter", host, lines[name], it.lineText(lines[name]), "name", name, "value", sums[name]))
		}
		return nil
	},
}

var vmstatLine = lazy(`(?m)^(?:nr_free_pages|pgmajfault|oom_kill|allocstall\w*|pgscan_direct\w*|compact_stall) \d+[ \t\r]*$`)

// interrupts reads /proc/interrupts: one counter an interrupt, summed over
// CPUs, with the CPU that took most of them.
var interrupts = Reader{
	Name: "interrupts", Doc: "/proc/interrupts: interrupts by line and CPU",
	Kinds: []string{"irq"},
	Files: []string{"proc/interrupts"},
	Twice: true,
	Match: func(name string, head []byte) bool { return interruptLine.Match(head) },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		cpus := []string(nil)
		it.lines(func(n int, line string) {
			if w := strings.Fields(line); len(w) > 0 && strings.HasPrefix(w[0], "CPU") {
				cpus = w
				return
			}
			number, rest, ok := strings.Cut(strings.TrimSpace(line), ":")
			if !ok || strings.ContainsAny(number, " \t") || number == "" {
				return
			}
			w := strings.Fields(rest)
			var total, most int64
			busiest, counts := 0, 0
			for counts < len(w) && (cpus == nil || counts < len(cpus)) {
				v, err := strconv.ParseInt(w[counts], 10, 64)
				if err != nil {
					break
				}
				if total += v; v > most {
					most, busiest = v, counts
				}
				counts++
			}
			if counts == 0 {
				return
			}
			name := number
			if asInt(number) != nil && counts < len(w) {
				name = w[len(w)-1] // the action; shared interrupts list several, the last stands for them
			}
			cpu, share := any(nil), any(nil)
			if total > 0 && counts > 1 {
				share = 100 * float64(most) / float64(total)
				cpu = strconv.Itoa(busiest)
				if cpus != nil {
					cpu = strings.TrimPrefix(cpus[busiest], "CPU")
				}
			}
			emit(it.fact("irq", host, n, it.lineText(n), "name", name, "value", total, "busiest", cpu, "share", share))
		})
		return nil
	},
}

var interruptLine = lazy(`(?m)^\s*(?:\d+|[A-Z]{3}):\s+(?:\d+ +)+.*(?:PCI-MSI|IO-APIC|xen-|GIC|ITS-MSI|interrupts)`)
