package source

import (
	"bytes"
	"strings"

	"ddx"
)

// taskStacks reads kernel stacks of tasks: /proc/PID/stack, several of them
// after one another as head, tail, grep and a shell loop print them, and the
// text of sysrq-w or sysrq-t pasted on its own. Within a kernel log the same
// text is a log first.
var taskStacks = Reader{
	Name: "task-stacks", Doc: "/proc/PID/stack, sysrq-w: kernel stacks of tasks",
	Kinds: []string{"task"},
	Files: []string{"proc/[0-9]*/stack", "proc/[0-9]*/task/[0-9]*/stack"},
	Child: true,
	Match: func(name string, head []byte) bool {
		return stackLine.Match(head) && !bytes.Contains(head, []byte("Call Trace")) || sysrqStart.Match(head[:min(len(head), 512)])
	},
	Read: func(it *Item, emit func(ddx.Fact)) error {
		readTaskStacks(it, emit)
		return nil
	},
}

var (
	stackLine  = lazy(`(?m)^[ \t]*(?:/proc/(?:\d+/task/)?\d+/stack: ?)?\[<[0-9a-fx]+>\] [\w.]+\+0x[0-9a-f]+/0x[0-9a-f]+`)
	sysrqStart = lazy(`(?i)sysrq ?: Show (?:Blocked )?State|^\s*task +PC stack +pid father`)
	// frameText is one frame: the mark of an unreliable one, function, module.
	frameText = lazy(`^(?:\[<[0-9a-fx]+>\] )?(\? )?([A-Za-z_][\w.]*)\+0x[0-9a-f]+/0x[0-9a-f]+(?: \[[\w-]+\])?$`)
	// The headers of a task in sysrq-w and the hung-task report: since Linux
	// 5.11 with names, before that in columns.
	taskHeader    = lazy(`^task:(.+?) +state:([A-Za-z]) +stack: *\d+ +pid: *(\d+)(?: +tgid: *\d+)? +ppid: *(\d+)`)
	taskHeaderOld = lazy(`^(\S.{0,14}?) +([RSDTtZXI]) +(?:[0-9a-f]{8,16} +|running task +)?\d+ +(\d+) +(\d+) +0x[0-9a-f]{8}`)
	stackOfPID    = lazy(`/proc/(?:\d+/task/)?(\d+)/(?:stack|task/(\d+)/stack)`)
	pidAndName    = lazy(`^(?i:[-=# ]*)(?:pid[: =]+)?(\d+)[ :(]+([A-Za-z][\w.:/-]*)\)?[ :=-]*$`)
	kernelPrefix  = lazy(`^(?:<\d+>)?(?:.*? kernel: )?(?:\[ *\d+\.\d+\] ?)?(?:\[ *[TC]\d+\] ?)?`)
	compilerPart  = lazy(`\.(?:isra|constprop|part|cold|llvm)\.?\w*`)
)

// maxStackLines bounds the evidence of one stack.
const maxStackLines = 64

type stackReader struct {
	it                     *Item
	emit                   func(ddx.Fact)
	pid, ppid, comm, state string
	frames                 []string
	first                  int
	text                   []string
}

// flush emits the stack gathered so far: one with frames, or a task header.
func (r *stackReader) flush() {
	if len(r.frames) > 0 || r.state != "" {
		r.emit(r.it.fact("task", taskSubject(r.comm, r.pid), r.first, strings.Join(r.text, "\n"),
			"pid", asInt(r.pid), "ppid", asInt(r.ppid), "comm", asText(r.comm), "state", asText(r.state), "frames", r.frames))
	}
	*r = stackReader{it: r.it, emit: r.emit}
}

func (r *stackReader) add(n int, line string) {
	if r.first == 0 {
		r.first = n
	}
	if len(r.text) < maxStackLines {
		r.text = append(r.text, strings.TrimRight(line, " \t"))
	}
}

// readTaskStacks emits a task for each stack of the item. It reads kernel log
// text as well, where other lines may stand between.
func readTaskStacks(it *Item, emit func(ddx.Fact)) {
	r := &stackReader{it: it, emit: emit}
	if p := it.pathPart(1); asInt(p) != nil {
		r.pid = p
	} else if m := stackOfPID.FindStringSubmatch(it.Name); m != nil {
		r.pid = m[1]
	}
	ended := false // the innermost function ends a /proc stack; the next frame begins another
	it.lines(func(n int, line string) {
		t := strings.TrimSpace(line)
		of := stackOfPID.FindStringSubmatch(t)
		if of != nil {
			if of[1] != r.pid || !stackLine.MatchString(line) {
				r.flush()
				ended = false
				r.pid = of[1]
			}
			if i := strings.Index(t, "stack:"); i >= 0 {
				t = strings.TrimSpace(t[i+len("stack:"):])
			}
		}
		t = strings.TrimSpace(kernelPrefix.ReplaceAllString(t, ""))
		if m := taskHeader.FindStringSubmatch(t); m != nil {
			r.header(m, n, line)
		} else if m := taskHeaderOld.FindStringSubmatch(t); m != nil {
			r.header(m, n, line)
		} else if m := frameText.FindStringSubmatch(t); m != nil {
			if ended {
				r.flush()
				ended = false
			}
			if m[1] == "" {
				r.frames = append(r.frames, compilerPart.ReplaceAllString(m[2], ""))
			}
			r.add(n, line)
		} else if strings.HasSuffix(t, "0xffffffffffffffff") {
			ended = len(r.frames) > 0
		} else if m := pidAndName.FindStringSubmatch(t); m != nil && of == nil {
			r.flush()
			ended = false
			r.pid, r.comm = m[1], commOf(m[2])
		}
	})
	r.flush()
}

func (r *stackReader) header(m []string, n int, line string) {
	r.flush()
	r.comm, r.state, r.pid, r.ppid = strings.TrimSpace(m[1]), m[2], m[3], m[4]
	r.add(n, line)
}
