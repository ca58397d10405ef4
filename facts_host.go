package ddx

// engineFacts are made by the engine itself out of text and answers.
var engineFacts = []FactKind{
	{Name: "log.match", Subject: Host, Key: []string{"indicator"}, Doc: "lines that matched a log indicator of the catalogue, folded by subject and boot; the evidence holds the first and last of them verbatim", Fields: []Field{
		str("indicator", "MODE/INDICATOR"),
		gauge("count", "lines", "how many lines matched"),
		gauge("peak", "lines", "the most lines in any window of the indicator's length"),
		str("first", "time of the first match, RFC 3339, or seconds since boot where the log has no clock"),
		str("last", "time of the last match, likewise"),
		str("boot", "boot the lines belong to: current, earlier or empty for unknown"),
		str("catalogue", "digest of the catalogue that was matched"),
		list("captures", "NAME=VALUE of the placeholders of the last match"),
	}},
	{Name: "log.coverage", Subject: Host, Key: []string{"log"}, Doc: "how much of a log was looked at: without it, the absence of a line is unknown", Fields: []Field{
		str("log", "origin of the log"),
		str("channel", "kernel, service or any: what the log can hold"),
		gauge("lines", "lines", "lines read"),
		str("from", "time of the first line, RFC 3339, empty when unknown"),
		str("to", "time of the last line, likewise"),
		gauge("dropped", "lines", "lines known to be lost; absent when unknown"),
		str("drop_bound", "exact, at-least or unknown"),
		list("cannot", "MODE/INDICATOR that the matching catalogue did not know"),
	}},
	{Name: "log.unexplained", Subject: Host, Key: []string{"template"}, Doc: "warnings and errors that no log indicator matched, folded to a template", Fields: []Field{
		str("template", "the message with its variable parts as <*>"),
		gauge("count", "lines", "how many lines"),
		str("priority", "emerg to warning from the line's own field, or word when only a word list spoke"),
		str("channel", "kernel or service"),
	}},
	{Name: "kernel.report", Subject: Host, Doc: "a multi-line report of the kernel as one statement; the subject is the task, nic or disk it is about, or the host", Fields: []Field{
		str("type", "oops, panic, hung-task, soft-lockup, hard-lockup, rcu-stall, workqueue-stall, oom, page-allocation-failure, warning, ena-reset, mce"),
		str("title", "the first line's message"),
		str("task", "comm of the task it is about, or that was running"),
		gauge("pid", "", "its process id"),
		gauge("seconds", "s", "how long blocked or stuck, as printed"),
		gauge("cpu", "", "CPU it ran on"),
		str("symbol", "function of the instruction pointer, or the first frame that is not scheduling or reporting"),
		str("module", "module of that function, empty for the core kernel"),
		list("frames", "functions of the reliable frames, innermost first, without offsets"),
		list("modules", "modules named by frames"),
		str("release", "kernel release it names"),
		str("taint", "taint letters"),
		flag("fatal", "the machine stopped: panic, or an oops in interrupt or init"),
		str("reason", "panic reason; ENA reset trigger line; OOM constraint"),
		str("cgroup", "OOM: path of the group whose limit was hit"),
		str("victim", "OOM: comm of the killed task"),
		gauge("victim_kb", "kB", "OOM: its anonymous memory"),
		gauge("order", "", "page allocation: order"),
		str("mode_flags", "page allocation or OOM: GFP flags as printed"),
		flag("completed", "ENA reset: it completed with status 0"),
		gauge("count", "", "how many such reports were folded into this one"),
		str("boot", "current, earlier or empty"),
	}},
	{Name: "answer", Subject: Host, Key: []string{"indicator"}, Doc: "what a human answered to an indicator's question or of a test's outcome", Fields: []Field{
		str("indicator", "MODE/INDICATOR, or test/ID"),
		str("value", "yes, no or unknown; of a test the outcome as the catalogue words it"),
	}},
	{Name: "unavailable", Subject: Host, Key: []string{"what"}, Doc: "something that could not be looked at", Fields: []Field{
		str("what", "origin: file or command"),
		str("reader", "reader that wanted it"),
		str("reason", "needs-root, refused, timed-out, not-there, too-old, not-readable or not-asked"),
		str("detail", "the error as it was"),
		list("kinds", "fact kinds it would have yielded"),
		flag("named", "the caller named it"), flag("basic", "one of the four that every look at a host must have: kernel log, mounts, interface counters, memory"),
	}},
	{Name: "uneventful", Subject: Host, Key: []string{"origin"}, Doc: "material of known form that was read and holds nothing to tell: an empty table, a trace without a failed call", Fields: []Field{
		str("origin", "file, section or command"), str("reader", "reader that read it"),
	}},
	{Name: "unrecognised", Subject: Host, Key: []string{"origin"}, Doc: "material of unknown form", Fields: []Field{
		str("origin", "file or section"), gauge("bytes", "B", "its size"),
		str("why", "why it was not even scanned for log patterns: it is binary, settings, metrics, or a JSON document that quotes messages; empty when it was"),
		flag("named", "the caller named it, and it was not scanned"),
	}},
}

// hostFacts are about the machine, its kernel, memory and tasks.
var hostFacts = []FactKind{
	{Name: "host.kernel", Subject: Host, Doc: "the running (or, in a crash, the reported) kernel", Fields: []Field{
		str("release", "uname -r"), str("version", "uname -v"), str("arch", "uname -m"), str("hostname", "uname -n"),
	}},
	{Name: "host.os", Subject: Host, Doc: "os-release", Fields: []Field{str("id", ""), str("version", "VERSION_ID"), str("name", "PRETTY_NAME")}},
	{Name: "host.uptime", Subject: Host, Doc: "/proc/uptime or uptime(1)", Fields: []Field{ratio("seconds", "s", "since boot")}},
	{Name: "host.virt", Subject: Host, Doc: "what the machine runs on", Fields: []Field{
		str("hypervisor", "nitro, xen, kvm, other or metal"), str("vendor", "DMI system vendor"), str("product", "DMI product name: the instance type on EC2 Nitro"),
	}},
	{Name: "kernel.param", Subject: Host, Key: []string{"name"}, Doc: "a kernel command line parameter, or a module parameter of /sys/module as MODULE.NAME", Fields: []Field{str("name", ""), str("value", "")}},
	{Name: "kernel.module", Subject: Host, Key: []string{"name"}, Doc: "a module: modinfo, /sys/module, lsmod, initramfs listing", Fields: []Field{
		str("name", "with underscores, as lsmod writes it"), str("version", "empty when in-tree without a version"), flag("loaded", ""), str("filename", ""), str("vermagic", "kernel release it was built for"),
		flag("available", "false: modinfo did not find it for the kernel"), flag("in_initramfs", ""),
	}},
	{Name: "kernel.taint", Subject: Host, Doc: "/proc/sys/kernel/tainted", Fields: []Field{state("value", "", "bit mask")}},
	{Name: "sysctl", Subject: Host, Key: []string{"name"}, Doc: "a sysctl; multi-column values keep the text and number is the first column", Fields: []Field{
		str("name", "with dots"), str("value", "as printed"), state("number", "", "as a number, absent when it is none"),
	}},
	{Name: "mem", Subject: Host, Doc: "/proc/meminfo or free(1)", Fields: []Field{
		gauge("total", "kB", ""), gauge("free", "kB", ""), gauge("available", "kB", "absent before Linux 3.14"), gauge("swap_total", "kB", ""), gauge("swap_free", "kB", ""),
		gauge("slab", "kB", ""), gauge("sunreclaim", "kB", ""), gauge("committed", "kB", ""), gauge("hardware_corrupted", "kB", ""), gauge("shmem", "kB", ""),
		ratio("available_percent", "%", "available (or free+cache) of total"),
	}},
	{Name: "psi", Subject: Host, Key: []string{"resource", "kind"}, Doc: "pressure stall information", Fields: []Field{
		str("resource", "cpu, memory or io"), str("kind", "some or full"), ratio("avg10", "%", ""), ratio("avg60", "%", ""), ratio("avg300", "%", ""),
	}},
	{Name: "load", Subject: Host, Doc: "/proc/loadavg, uptime(1), top(1)", Fields: []Field{
		ratio("one", "", "1 minute"), ratio("five", "", "5 minutes"), ratio("fifteen", "", "15 minutes"), gauge("runnable", "", ""), gauge("tasks", "", ""), state("cpus", "", "online CPUs, absent when unknown"),
	}},
	{Name: "cpu", Subject: Host, Key: []string{"cpu"}, Doc: "CPU time shares: mpstat, top, vmstat, or two samples of /proc/stat", Fields: []Field{
		str("cpu", "all or the number"), ratio("user", "%", ""), ratio("system", "%", ""), ratio("iowait", "%", ""), ratio("steal", "%", ""), ratio("softirq", "%", ""), ratio("irq", "%", ""), ratio("idle", "%", ""),
	}},
	{Name: "kernel.counter", Subject: Host, Key: []string{"name"}, Doc: "counters of /proc/stat, /proc/vmstat, EDAC", Fields: counterFields("boot", "ctxt, processes, procs_running, procs_blocked, oom_kill, allocstall, pgmajfault, edac_ce, edac_ue, cpu_steal_ticks ...")},
	{Name: "irq", Subject: Host, Key: []string{"name"}, Doc: "a line of /proc/interrupts", Fields: append(counterFields("boot", "the action, such as ens5-Tx-Rx-0 or ena-mgmnt@pci:0000:00:05.0"), str("busiest", "CPU with the most"), ratio("share", "%", "its share"))},
	{Name: "task", Subject: Task, Key: []string{"pid"}, Doc: "a process or thread from ps, top, /proc/PID; the subject is comm:pid", Fields: []Field{
		gauge("pid", "", ""), gauge("ppid", "", ""), str("comm", ""), str("command", "the command line as shown"), str("state", "R S D T Z I ..."), str("wchan", "kernel function it waits in; 0 means hidden"),
		list("frames", "kernel stack, innermost first"), str("user", ""), gauge("elapsed", "s", "time since start, absent when unknown"), ratio("cpu", "%", ""), gauge("rss", "kB", ""), str("syscall", "number and arguments"),
	}},
	{Name: "tasks", Subject: Host, Doc: "counts over all tasks seen", Fields: []Field{gauge("total", "", ""), gauge("blocked", "", "in state D"), gauge("zombies", "", "")}},
	{Name: "cgroup.limit", Subject: Cgroup, Key: []string{"name"}, Doc: "a limit of a control group and its use", Fields: []Field{
		str("name", "memory, pids or cpu"), gauge("current", "", ""), state("max", "", "absent when unlimited"), ratio("percent", "%", "current of max"),
	}},
	{Name: "cgroup.counter", Subject: Cgroup, Key: []string{"name"}, Doc: "memory.events, pids.events, cpu.stat", Fields: counterFields("cgroup", "memory.oom, memory.oom_kill, memory.oom_group_kill, memory.max, memory.high, pids.max, cpu.nr_throttled, cpu.throttled_usec")},
	{Name: "table", Subject: Host, Key: []string{"name"}, Doc: "a kernel table with a limit", Fields: []Field{
		str("name", "conntrack, files, pids, threads, neighbours-ipv4, neighbours-ipv6, inotify-watches, inotify-instances, aio, keys, tcp-memory-pages, tcp-orphans, tcp-timewait"),
		gauge("used", "", ""), state("max", "", ""), ratio("percent", "%", "used of max"),
	}},
	{Name: "clock", Subject: Host, Doc: "chronyc, timedatectl, ntpq, adjtimex, /sys clocksource", Fields: []Field{
		flag("synchronised", ""), ratio("offset", "s", "of the system clock, absolute"), str("source", "reference"), gauge("stratum", "", ""), gauge("reach", "", "octal register as a number; 0 = no answer"),
		str("leap", "leap status as printed"), str("clocksource", "current clock source"), str("available", "available clock sources"),
	}},
	{Name: "unit", Subject: Unit, Doc: "a systemd unit", Fields: []Field{
		str("state", "active, failed, activating ..."), str("sub", ""), str("result", "success, exit-code, oom-kill, timeout ..."), gauge("restarts", "", "NRestarts"), gauge("exit", "", "exit status"),
	}},
	{Name: "container", Subject: Unit, Doc: "a container, pod or ECS task as its runtime shows it", Fields: []Field{
		str("runtime", "docker, containerd, kubernetes or ecs"), str("state", "as the runtime writes it; event for an event of type Warning"), str("reason", "OOMKilled, CrashLoopBackOff ..."), gauge("exit", "", ""), gauge("restarts", "", ""), str("message", ""),
	}},
	{Name: "strace.call", Subject: Task, Doc: "a system call in an strace; only failed, unfinished or slow ones", Fields: []Field{
		gauge("pid", "", ""), str("call", "name"), str("args", ""), str("error", "errno name"), ratio("seconds", "s", "time in the call, a lower bound when unfinished"), flag("unfinished", "entered and never returned"),
	}},
	{Name: "config", Subject: Host, Key: []string{"file", "name", "value"}, Doc: "a setting in a configuration file: fstab, daemon.json, networkd, link files, limits", Fields: []Field{
		str("file", ""), str("section", ""), str("name", ""), str("value", ""),
	}},
}
