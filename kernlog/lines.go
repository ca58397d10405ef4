package kernlog

import (
	"regexp"
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
	ipLine    = part("+", `^\s*(?:RIP: [0-9a-f]{4}:|EIP: (?:[0-9a-f]{4}:)?|R?IP:? +|\[exception [RE]IP: |pc : |PC is at |EIP is at |NIP |e?pc\s*: (?:[0-9a-f]{8,16} )?|ERA: [0-9a-f]{8,16} |Krnl PSW : [0-9a-f]+ [0-9a-f]+ \()(?:\[<?[0-9a-f]+>?\]\s*)*\s*([\w.]+)\+(?:0x)?[0-9a-f]+(?:/0x[0-9a-f]+)?(?: \[(\w+)\])?`)
	frameLine = part("+0x", `^\s*(?:\[<?[0-9a-fx]+>?\] ?)*(\? )?\(?([A-Za-z_][\w.]*)\+0x[0-9a-f]+/0x[0-9a-f]+\)?(?: \[(\w+)\])?`)
	// Who called the function of the instruction pointer, where a register keeps it.
	linkLine = part("+0x", `^\s*(?:lr : |LR is at |LR |ra\s*: (?:[0-9a-f]{8,16} )?)(?:\[<?[0-9a-f]+>?\]\s*)*([A-Za-z_][\w.]*)\+0x[0-9a-f]+/0x[0-9a-f]+(?: \[(\w+)\])?`)
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
