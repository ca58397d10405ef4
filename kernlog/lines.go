package kernlog

import (
	"regexp"
	"sync"
)

// lazy compiles an expression on first use: most commands never need it.
func lazy(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

var (
	cpuLine   = lazy(`CPU: (\d+) (?:UID: \d+ )?PID: (\d+) Comm: (.+?) (?:Kdump: loaded )?(Not tainted|Tainted: [A-Z ()]+?) +(\S+) #?`)
	taintLine = lazy(`^\s*(Not tainted|Tainted: [A-Z ()]+?) +(\d\S+) #?`)
	ipLine    = lazy(`^\s*(?:RIP: [0-9a-f]{4}:|EIP: (?:[0-9a-f]{4}:)?|R?IP:? +|\[exception [RE]IP: |pc : |PC is at |EIP is at |NIP |e?pc\s*: (?:[0-9a-f]{8,16} )?|Krnl PSW : [0-9a-f]+ [0-9a-f]+ \()(?:\[<?[0-9a-f]+>?\]\s*)*\s*([\w.]+)\+(?:0x)?[0-9a-f]+(?:/0x[0-9a-f]+)?(?: \[(\w+)\])?`)
	frameLine = lazy(`^\s*(?:\[<?[0-9a-fx]+>?\] ?)*(\? )?\(?([A-Za-z_][\w.]*)\+0x[0-9a-f]+/0x[0-9a-f]+\)?(?: \[(\w+)\])?`)
	// Who called the function of the instruction pointer, where a register keeps it.
	linkLine = lazy(`^\s*(?:lr : |LR is at |LR |ra\s*: (?:[0-9a-f]{8,16} )?)(?:\[<?[0-9a-f]+>?\]\s*)*([A-Za-z_][\w.]*)\+0x[0-9a-f]+/0x[0-9a-f]+(?: \[(\w+)\])?`)
	// Frames as crash(8) prints them, and those of 32-bit ARM.
	crashFrame = lazy(`^\s*#\d+ \[[0-9a-f]+\] ([\w.]+) at [0-9a-f]+`)
	armFrame   = lazy(`^\s*(?:\[<[0-9a-f]+>\] )?\(?([A-Za-z_][\w.]*)(?:\+0x[0-9a-f]+/0x[0-9a-f]+)?(?: \[(\w+)\])?\)? from (?:\[<[0-9a-f]+>\] )?\(?[\w.]+\+0x`)
	workLine   = lazy(`^\s*Workqueue: +\S+ ([A-Za-z_][\w.]*(?: \[\w+\])?)`)
	pidComm    = lazy(`^\s*(?:task:)?(\S+)\s+(?:state:)?[DSR] `)
	oomKill    = lazy(`oom-kill:constraint=(\w+),.*?task_memcg=([^,]*),task=([^,]*),pid=(\d+)`)
	oomMemcg   = lazy(`oom_memcg=([^,]*)`)
	oomLimit   = lazy(`Task in (\S+) killed as a result of limit of (\S+)`)
	oomVictim  = lazy(`Kill(?:ed)? process (\d+)(?:,? ?UID \d+,?)? ?\(([^)]+)\)`)
	anonRSS    = lazy(`anon-rss:(\d+)kB`)
	enaDevice  = lazy(`\bena ([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9])(?: (\S+))?: `)
)
