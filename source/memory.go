package source

import (
	"strings"

	"ddx"
)

// memInfo reads /proc/meminfo.
var memInfo = Reader{
	Name: "meminfo", Doc: "/proc/meminfo: memory of the host",
	Kinds: []string{"mem"},
	Files: []string{"proc/meminfo"},
	Basic: true,
	Match: func(name string, head []byte) bool { return memTotalLine.Match(head) },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		v, lines := map[string]int64{}, []int(nil)
		it.lines(func(n int, line string) {
			m := meminfoLine.FindStringSubmatch(line)
			if m == nil {
				return
			}
			if x, ok := asInt(m[2]).(int64); ok {
				if _, twice := v[m[1]]; !twice {
					v[m[1]] = x
				}
				switch m[1] {
				case "MemTotal", "MemFree", "MemAvailable", "SUnreclaim", "SwapFree":
					lines = append(lines, n)
				}
			}
		})
		if len(lines) == 0 {
			return nil
		}
		f := it.memFact(lines[0], v["MemTotal"], pick(v, "MemFree"), pick(v, "MemAvailable"), v["MemFree"]+v["Buffers"]+v["Cached"]+v["SReclaimable"]-v["Shmem"])
		for key, name := range map[string]string{"SwapTotal": "swap_total", "SwapFree": "swap_free", "Slab": "slab", "SUnreclaim": "sunreclaim", "Committed_AS": "committed", "HardwareCorrupted": "hardware_corrupted", "Shmem": "shmem"} {
			if x, ok := v[key]; ok {
				f.Fields[name] = x
			}
		}
		for _, n := range lines[1:] {
			f.Evidence = append(f.Evidence, it.evidence(n, it.lineText(n))...)
		}
		emit(f)
		return nil
	},
}

var (
	memTotalLine = lazy(`(?m)^[ \t]*MemTotal:[ \t]+\d+ kB`)
	meminfoLine  = lazy(`^\s*([A-Z][\w()]+):\s+(\d+)(?: kB)?\s*$`)
)

func pick(v map[string]int64, key string) any {
	if x, ok := v[key]; ok {
		return x
	}
	return nil
}

// memFact states memory in kB. Where the kernel does not say what is
// available, free and cache estimate it for the percentage only.
func (it *Item) memFact(n int, total int64, free, available any, estimate int64) ddx.Fact {
	usable := available
	if usable == nil && free != nil {
		usable = estimate
	}
	return it.fact("mem", host, n, it.lineText(n), "total", total, "free", free, "available", available, "available_percent", percentOf(usable, total))
}

// freeMemory reads free(1), the form with "-/+ buffers/cache" too.
var freeMemory = Reader{
	Name: "free", Doc: "free: memory and swap",
	Kinds: []string{"mem"},
	Match: func(name string, head []byte) bool { return freeHeader.Match(head) || freeBare.Match(head) },
	Read:  readFree,
}

var (
	freeHeader = lazy(`(?m)^\s+total +used +free +shared +buff`)
	freeBare   = lazy(`(?m)^\s*Mem: +[\d.]+[KMGT]?i?B? +[\d.]+[KMGT]?i?B? +[\d.]+[KMGT]?i?B?( +[\d.]+[KMGT]?i?B?){2,4}\s*$`)
	freeUnit   = lazy(`\bfree\b.* -+\w*([bkmg])`)
)

func readFree(it *Item, emit func(ddx.Fact)) error {
	unit := 0.0 // bytes of a bare number
	setUnit := func(s string) {
		if m := freeUnit.FindStringSubmatch(s); m != nil {
			unit = map[string]float64{"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[m[1]]
		}
	}
	setUnit(it.Name)
	header := newColumns(strings.Fields("row total used free shared buff/cache available"))
	var fact *ddx.Fact
	it.lines(func(n int, line string) {
		setUnit(line)
		w := strings.Fields(line)
		switch {
		case freeHeader.MatchString(line):
			header = newColumns(append([]string{"row"}, w...))
		case len(w) >= 4 && (w[0] == "Mem:" || w[0] == "Swap:"):
			if w[0] == "Mem:" && unit == 0 {
				unit = guessUnit(w[1])
			}
			size := func(titles ...string) any { return asSize(header.cell(w, titles...), unit, 1024) }
			total, ok := size("total").(int64)
			if !ok {
				return
			}
			if w[0] == "Swap:" {
				if fact != nil {
					fact.Fields["swap_total"] = total
					if f := size("free"); f != nil {
						fact.Fields["swap_free"] = f
					}
					fact.Evidence = append(fact.Evidence, it.evidence(n, it.lineText(n))...)
				}
				return
			}
			if fact != nil {
				emit(*fact)
			}
			var estimate int64
			for _, v := range []any{size("free"), size("buff/cache"), size("buffers"), size("cached", "cache")} {
				x, _ := v.(int64)
				estimate += x
			}
			f := it.memFact(n, total, size("free"), size("available"), estimate)
			if s := size("shared"); s != nil {
				f.Fields["shmem"] = s
			}
			fact = &f
		}
	})
	if fact != nil {
		emit(*fact)
	}
	return nil
}

// guessUnit reads the unit out of the size of the total where no option and no
// suffix names it: no host has under 64 MB of memory, none had 64 TB in kB.
func guessUnit(total string) float64 {
	v, _ := asInt(total).(int64)
	switch {
	case v < 64:
		return 1 << 30
	case v < 64<<10:
		return 1 << 20
	case v > 64<<30:
		return 1
	}
	return 1 << 10
}

// pressureStall reads /proc/pressure/*; the resource is in the path, or before
// each line as grep prints it.
var pressureStall = Reader{
	Name: "pressure", Doc: "/proc/pressure/{cpu,memory,io}: pressure stall information",
	Kinds: []string{"psi"},
	Files: []string{"proc/pressure/cpu", "proc/pressure/memory", "proc/pressure/io"},
	Match: func(name string, head []byte) bool { return psiLine.Match(head) },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		resource := strings.TrimSuffix(it.pathPart(0), ".pressure")
		if w := it.command(); len(w) == 2 {
			resource = w[1][strings.LastIndexByte(w[1], '/')+1:]
		}
		it.lines(func(n int, line string) {
			if h := psiHeading.FindStringSubmatch(line); h != nil {
				resource = h[1]
			}
			m := psiLine.FindStringSubmatch(line)
			if m == nil {
				return
			}
			r := resource
			if m[1] != "" {
				r = m[1]
			}
			if r == "cpu" || r == "memory" || r == "io" {
				emit(it.fact("psi", host, n, it.lineText(n), "resource", r, "kind", m[2], "avg10", asFloat(m[3]), "avg60", asFloat(m[4]), "avg300", asFloat(m[5])))
			}
		})
		return nil
	},
}

var (
	psiLine    = lazy(`(?m)^\s*(?:(?:/proc/pressure/)?(\w+):\s?)?(some|full) avg10=([\d.]+) avg60=([\d.]+) avg300=([\d.]+)`)
	psiHeading = lazy(`(?:/proc/pressure/|==> )(cpu|memory|io)\b`)
)
