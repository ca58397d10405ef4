package kernlog

import (
	"regexp"
	"strings"
	"sync"
)

// part makes an expression for a part of a report. It is compiled on first use,
// since most commands never need it, and run only on messages that hold the text
// which every match holds: most do not.
func part(expr string) func(msg string) []string {
	compiled := sync.OnceValues(func() (*regexp.Regexp, string) { return compile(expr) })
	return func(msg string) []string {
		re, must := compiled()
		if !strings.Contains(msg, must) {
			return nil
		}
		return re.FindStringSubmatch(msg)
	}
}

var (
	cpuLine   = part(`CPU: (\d+) (?:UID: \d+ )?PID: (\d+) Comm: (.+?) (?:Kdump: loaded )?(Not tainted|Tainted: [A-Z ()]+?) +(\S+) #?`)
	taintLine = part(`^\s*(Not tainted|Tainted: [A-Z ()]+?) +(\d\S+) #?`)
	ipLine    = part(`^\s*(?:RIP: [0-9a-f]{4}:|EIP: (?:[0-9a-f]{4}:)?|R?IP:? +|\[exception [RE]IP: |pc : |PC is at |EIP is at |NIP |e?pc\s*: (?:[0-9a-f]{8,16} )?|ERA: [0-9a-f]{8,16} |Krnl PSW : [0-9a-f]+ [0-9a-f]+ \()(?:\[<?[0-9a-f]+>?\]\s*)*\s*([\w.]+)\+(?:0x)?[0-9a-f]+(?:/0x[0-9a-f]+)?(?: \[(\w+)\])?`)
	frameLine = part(`^\s*(?:\[<?[0-9a-fx]+>?\] ?)*(\? )?\(?([A-Za-z_][\w.]*)\+0x[0-9a-f]+/0x[0-9a-f]+\)?(?: \[(\w+)\])?`)
	// Who called the function of the instruction pointer, where a register keeps it.
	linkLine = part(`^\s*(?:lr : |LR is at |LR |ra\s*: (?:[0-9a-f]{8,16} )?)(?:\[<?[0-9a-f]+>?\]\s*)*([A-Za-z_][\w.]*)\+0x[0-9a-f]+/0x[0-9a-f]+(?: \[(\w+)\])?`)
	// Frames as crash(8) prints them, and those of 32-bit ARM.
	crashFrame = part(`^\s*#\d+ \[[0-9a-f]+\] ([\w.]+) at [0-9a-f]+`)
	armFrame   = part(`^\s*(?:\[<[0-9a-f]+>\] )?\(?([A-Za-z_][\w.]*)(?:\+0x[0-9a-f]+/0x[0-9a-f]+)?(?: \[(\w+)\])?\)? from (?:\[<[0-9a-f]+>\] )?\(?[\w.]+\+0x`)
	workLine   = part(`^\s*Workqueue: +\S+ ([A-Za-z_][\w.]*(?: \[\w+\])?)`)
	pidComm    = part(`^\s*(?:task:)?(\S+)\s+(?:state:)?[DSR] `)
	oomKill    = part(`oom-kill:constraint=(\w+),.*?task_memcg=([^,]*),task=([^,]*),pid=(\d+)`)
	oomMemcg   = part(`oom_memcg=([^,]*)`)
	oomLimit   = part(`Task in (\S+) killed as a result of limit of (\S+)`)
	oomVictim  = part(`Kill(?:ed)? process (\d+)(?:,? ?UID \d+,?)? ?\(([^)]+)\)`)
	anonRSS    = part(`anon-rss:(\d+)kB`)
	enaDevice  = part(`\bena ([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9])(?: (\S+))?: `)
)
