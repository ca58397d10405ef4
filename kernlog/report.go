package kernlog

import (
	"bytes"
	"slices"
	"strings"
	"time"
)

// Line is one kernel message without its framing.
type Line struct {
	Message string
	Origin  string // for evidence
	Text    string // the whole line, verbatim
	Time    time.Time
	Mono    float64 // seconds since boot, -1 when unknown
}

// Report is one report of the kernel. Numbers are -1 when the text does not
// tell them.
type Report struct {
	Type      string // see the fact kernel.report
	Title     string
	Task      string
	PID       int64
	Seconds   int64
	CPU       int64
	Function  string
	Module    string
	Frames    []string // reliable frames, innermost first; all of them when none is reliable
	Modules   []string
	Release   string
	Taint     string
	Fatal     bool
	Reason    string
	Cgroup    string
	Victim    string
	VictimKB  int64
	Order     int64
	Flags     string
	Device    string // ENA: interface or PCI address
	Completed bool
	Count     int64
	First     Line
	Last      Line // first line of the last report folded into this one

	unreliable []string
	link       string // function that the link register points into, with its module
	work       string // function of the work item it ran in, with its module
	headless   bool   // its first line is not known, nor its type for certain
	ip         string // function of the instruction pointer
	ipModule   string
	idle       int // lines since one belonged to it
	length     int
}

func newReport(typ string, l Line) *Report {
	return &Report{Type: typ, Title: l.Message, PID: -1, Seconds: -1, CPU: -1, VictimKB: -1, Order: -1, Count: 1, First: l, Last: l}
}

// Limits of a report: how many foreign lines may stand between two of its own,
// and how many lines it may span.
const (
	maxIdle   = 100
	maxLength = 600
)

// Assembler turns lines into reports. The zero value is ready.
type Assembler struct {
	open  []*Report // innermost last
	done  []*Report
	index map[string]*Report
}

// maxReports is how many different reports of one log are kept; further ones of
// known kind still count.
const maxReports = 2000

// Add takes the next line: one that may start a report, or that follows one. It
// reports whether the line belongs to a report.
func (a *Assembler) Add(l Line) bool {
	own := a.start(l) || a.take(l.Message)
	a.pass(l.Message)
	return own
}

// Continue is Add for a line of which the caller knows that no expression of
// Starts matches it.
func (a *Assembler) Continue(message []byte) bool {
	if len(a.open) == 0 {
		return false
	}
	msg := string(message)
	own := a.take(msg)
	a.pass(msg)
	return own
}

// Skip takes the next line if it can see at a glance that no open report claims
// it, and reports whether it did. Text is the line with its framing; no
// expression of Starts may match it. It costs a fraction of a Parse and a
// Continue, and most lines behind the first of a report are not the report's.
func (a *Assembler) Skip(text []byte) bool {
	for _, r := range a.open {
		if r.Type == "oom" || r.Task != "" && bytes.Contains(text, []byte(r.Task)) {
			return false
		}
	}
	if marked(text) {
		return false
	}
	a.pass("")
	return true
}

// take gives the message to the innermost open report that claims it.
func (a *Assembler) take(msg string) bool {
	for i := len(a.open) - 1; i >= 0; i-- {
		if a.open[i].take(msg) {
			a.open[i].idle = 0
			return true
		}
	}
	return false
}

// pass counts a line and ends the reports that it ends.
func (a *Assembler) pass(msg string) {
	kept := a.open[:0]
	for _, r := range a.open {
		r.idle++
		r.length++
		if r.idle > maxIdle || r.length > maxLength || r.ended(msg) {
			a.finish(r)
			continue
		}
		kept = append(kept, r)
	}
	clear(a.open[len(kept):])
	a.open = kept
}

// Want is how many of the following lines the assembler needs to see.
func (a *Assembler) Want() int {
	want := 0
	for _, r := range a.open {
		want = max(want, min(maxIdle-r.idle, maxLength-r.length))
	}
	return want
}

// Reports ends all open reports and returns everything, in order of their first lines.
func (a *Assembler) Reports() []*Report {
	for _, r := range a.open {
		a.finish(r)
	}
	a.open = nil
	return a.done
}

// finish settles the report and folds it into an earlier one of the same kind.
func (a *Assembler) finish(r *Report) {
	r.settle()
	if r.Type == "stack" && len(r.Frames) < 2 {
		return
	}
	key := strings.Join([]string{r.Type, r.Task, r.Function, r.Cgroup, r.Reason, r.Victim, r.Device, strings.Join(r.Frames, " ")}, "\x00")
	if a.index == nil {
		a.index = map[string]*Report{}
	}
	if old := a.index[key]; old != nil {
		old.Count++
		old.Last = r.First
		old.Seconds = max(old.Seconds, r.Seconds)
		return
	}
	if len(a.done) < maxReports {
		a.index[key] = r
		a.done = append(a.done, r)
	}
}

// scheduling are frames that say only that a task sleeps, or that the kernel
// is reporting: never the place where something went wrong.
var scheduling = []string{
	"__schedule", "schedule", "io_schedule", "preempt_schedule", "__cond_resched", "context_switch",
	"dump_stack", "dump_backtrace", "show_stack", "show_trace", "__dump_stack", "unwind_backtrace",
	"panic", "__warn", "warn_slowpath", "report_bug", "oops_end", "die", "no_context", "do_trap", "do_error_trap", "handle_bug",
	"__bad_area", "bad_area", "__do_page_fault", "do_page_fault", "exc_", "asm_exc_", "page_fault", "general_protection", "invalid_op", "do_invalid_op",
	"__die", "die_kernel_fault", "do_translation_fault", "do_mem_abort", "el1_", "el1h_", "__do_kernel_fault", "bug_handler", "brk_handler",
	"dump_header", "oom_kill_process", "warn_alloc", "page_fault_oops", "kernelmode_fixup_or_oops", "crash_kexec", "__crash_kexec", "sysrq",
	"watchdog_timer_fn", "hrtimer_interrupt", "__hrtimer_run_queues", "smp_apic_timer_interrupt", "apic_timer_interrupt", "sysvec_apic_timer", "asm_sysvec_apic_timer", "__sysvec",
	"rcu_dump_cpu_stacks", "rcu_check_callbacks", "rcu_sched_clock_irq", "print_cpu_stall", "update_process_times", "tick_sched", "nmi_", "arch_trigger",
}

func isScheduling(f string) bool {
	for _, s := range scheduling {
		if strings.HasPrefix(f, s) {
			return true
		}
	}
	return false
}

// reporters are the frames by which a trace tells which check of the kernel
// printed it; what only says that the kernel gave up comes last.
var reporters = []struct{ frame, typ string }{
	{"watchdog_timer_fn", "soft-lockup"},
	{"watchdog_overflow_callback", "hard-lockup"},
	{"rcu_dump_cpu_stacks", "rcu-stall"}, {"rcu_check_callbacks", "rcu-stall"}, {"rcu_sched_clock_irq", "rcu-stall"}, {"print_cpu_stall", "rcu-stall"},
	{"warn_alloc", "page-allocation-failure"},
	{"oops_end", "oops"}, {"no_context", "oops"}, {"page_fault_oops", "oops"}, {"die_kernel_fault", "oops"}, {"do_invalid_op", "oops"},
	{"__schedule_bug", "oops"}, {"kasan_report", "oops"}, {"bad_page", "oops"},
	{"check_hung_uninterruptible_tasks", "hung-task"},
	{"warn_slowpath", "warning"}, {"__warn", "warning"},
	{"panic", "panic"},
}

// reporter is the type of a report without its first line.
func (r *Report) reporter() string {
	frames := slices.Concat(r.Frames, r.unreliable)
	for _, by := range reporters {
		if slices.ContainsFunc(frames, func(f string) bool { return strings.HasPrefix(f, by.frame) }) {
			return by.typ
		}
	}
	return r.Type
}

// settle derives what only the whole report tells.
func (r *Report) settle() {
	if r.headless {
		r.Type = r.reporter()
	}
	if len(r.Frames) == 0 {
		r.Frames = r.unreliable
	}
	r.unreliable = nil
	if r.link != "" && !slices.Contains(r.Frames, r.link) {
		r.Frames = append([]string{r.link}, r.Frames...)
	}
	if r.work != "" && !slices.Contains(r.Frames, r.work) {
		r.Frames = append(r.Frames, r.work)
	}
	if r.ip != "" && r.Type != "hung-task" {
		r.Function, r.Module = r.ip, r.ipModule
	}
	for _, f := range r.Frames {
		if r.Function != "" {
			break
		}
		name, mod, _ := strings.Cut(f, " ")
		if !isScheduling(name) {
			r.Function, r.Module = name, strings.Trim(mod, "[]")
		}
	}
	for i, f := range r.Frames {
		name, mod, ok := strings.Cut(f, " ")
		r.Frames[i] = name
		if mod = strings.Trim(mod, "[]"); ok && mod != "" && !slices.Contains(r.Modules, mod) {
			r.Modules = append(r.Modules, mod)
		}
	}
	if r.ipModule != "" && !slices.Contains(r.Modules, r.ipModule) {
		r.Modules = append(r.Modules, r.ipModule)
	}
	if r.Type == "oom" && r.Reason == "" {
		r.Reason = "CONSTRAINT_NONE"
		for _, f := range r.Frames {
			if strings.HasPrefix(f, "mem_cgroup_out_of_memory") || strings.HasPrefix(f, "mem_cgroup_oom") {
				r.Reason = "CONSTRAINT_MEMCG"
			}
		}
	}
}
