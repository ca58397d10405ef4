package kernlog

// parts are what else the lines of an oops, a stall or a hung task hold.
var parts = []string{
	"Call Trace", "Call trace", "Modules linked in", "Hardware name", "Code:", "<TASK>", "</TASK>", "<IRQ>", "</IRQ>",
	"Workqueue:", "RSP:", "RAX:", "RDX:", "RBP:", "R10:", "R13:", "FS:", "CS:", "CR2:", "Stack:", "Mem-Info", "\"echo 0 >",
	"task:", "pc :", "lr :", "sp :", "Backtrace:", "#PF:", "PGD ", "Oops", "Mem abort info", "Tainted:", "DR0:", "DR3:",
	"EIP:", "Fixing recursive fault", "note: ",
}

// marks are three bytes of each of the parts, of what the expressions of
// takeStack and takeENA require, and of the last lines of reports: a line
// without any of them continues no report but that of an OOM kill. They are
// chosen to be rare in other lines.
var marks = [...]string{
	"Cal", "Mod", "Har", "Cod", "<TA", "/TA", "<IR", "/IR", "Wor", "RSP", "RAX", "RDX", "RBP", "R10", "R13", "FS:", "CS:", "CR2",
	"ck:", "epc", "PSW", "Mem", "\"ec", "sk:", "c :", "r :", "p :", "Bac", "#PF", "PGD", "Oop", "Tai", "DR0", "DR3", "EIP", "Fix", "te:",
	"PU:", "Not", "+0x", "RIP", "IP:", "IP ", "PC ", "0 [", "1 [", "2 [", "3 [", "4 [", "5 [", "6 [", "7 [", "8 [", "9 [",
	"ena", "ENA", "Dev", "--[", "att",
}

// markSet is a set of hashes of the first three bytes of the marks.
var markSet = func() (set [1 << 10]uint64) {
	for _, m := range marks {
		h := markHash(uint32(m[0]) | uint32(m[1])<<8 | uint32(m[2])<<16)
		set[h>>6] |= 1 << (h & 63)
	}
	return set
}()

func markHash(three uint32) uint32 { return three * 0x9E3779B1 >> 16 }

// marked reports whether one of the marks stands in the text; it may say so of
// a text that only looks similar.
func marked[T string | []byte](text T) bool {
	if len(text) < 3 {
		return true
	}
	three := uint32(text[0])<<8 | uint32(text[1])<<16
	for i := 2; i < len(text); i++ {
		three = three>>8 | uint32(text[i])<<16
		h := markHash(three)
		if markSet[h>>6]>>(h&63)&1 != 0 {
			return true
		}
	}
	return false
}
