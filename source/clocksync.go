package source

import (
	"math"
	"strconv"
	"strings"

	"ddx"
)

// clockSync reads chronyc tracking and sources, timedatectl and ntpq -p.
var clockSync = Reader{
	Name: "clock", Doc: "chronyc tracking, chronyc sources, timedatectl, ntpq -p: is the clock synchronised, and how far off",
	Kinds:    []string{"clock"},
	Commands: [][]string{{"chronyc", "-n", "tracking"}, {"chronyc", "-n", "sources"}, {"timedatectl"}},
	Match: func(name string, head []byte) bool {
		return chronyTracking.Match(head) || chronySources.Match(head) || timedatectlText.Match(head) || ntpqHeader.Match(head)
	},
	Read: readClock,
}

var (
	chronyTracking  = lazy(`(?m)^\s*(?:Reference ID|Leap status) +: `)
	chronySources   = lazy(`(?m)^(?:MS Name/IP address|[\^=#][*+\-?x~] \S+ +\d+ +\d+ +[0-7]+ +)`)
	timedatectlText = lazy(`(?m)^\s*(?:System clock synchronized|NTP synchronized|NTP enabled|NTP service): \S`)
	ntpqHeader      = lazy(`(?m)^\s*remote +refid +st t when poll reach`)
	chronySource    = lazy(`^([\^=#])([*+\-?x~]) (\S+) +(\d+) +(\d+) +([0-7]+) +(\S+) +([+-]?[\d.]+)([num]?s)`)
	ntpqRow         = lazy(`^([ *+\-x.#o])(\S+) +(\S+) +(\d+) +\w +\S+ +\d+ +([0-7]+) +([\d.-]+) +([\d.-]+) +([\d.-]+)`)
	chronyOffset    = lazy(`^([\d.]+) seconds (slow|fast) of NTP time`)
)

// octal reads a reach register, which is printed in octal, as a number.
func octal(s string) any {
	v, err := strconv.ParseInt(s, 8, 64)
	if err != nil {
		return nil
	}
	return v
}

func readClock(it *Item, emit func(ddx.Fact)) error {
	var f *ddx.Fact
	set := func(n int, name string, v any) {
		if v == nil {
			return
		}
		if f == nil {
			x := it.fact("clock", host, n, it.lineText(n))
			f = &x
		} else if f.Evidence[len(f.Evidence)-1].Origin != it.at(n) {
			f.Evidence = append(f.Evidence, it.evidence(n, it.lineText(n))...)
		}
		f.Fields[name] = v
	}
	unit := map[string]float64{"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}
	it.lines(func(n int, line string) {
		if m := chronySource.FindStringSubmatch(line); m != nil {
			offset, _ := asFloat(m[8]).(float64)
			emit(it.fact("clock", host, n, it.lineText(n), "source", m[3], "stratum", asInt(m[4]), "reach", octal(m[6]), "offset", sourceOffset(m[6], math.Abs(offset)*unit[m[9]]), "synchronised", chosen(m[2])))
			return
		}
		if m := ntpqRow.FindStringSubmatch(line); m != nil {
			offset, _ := asFloat(m[7]).(float64)
			emit(it.fact("clock", host, n, it.lineText(n), "source", m[2], "stratum", asInt(m[4]), "reach", octal(m[5]), "offset", sourceOffset(m[5], math.Abs(offset)/1000), "synchronised", chosen(m[1])))
			return
		}
		key, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			return
		}
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch key {
		case "Reference ID":
			if i := strings.IndexByte(value, '('); i >= 0 {
				set(n, "source", asText(strings.Trim(value[i:], "()")))
			}
		case "Stratum":
			set(n, "stratum", asInt(value))
		case "System time":
			if m := chronyOffset.FindStringSubmatch(value); m != nil {
				set(n, "offset", asFloat(m[1]))
			}
		case "Leap status":
			set(n, "leap", value)
			set(n, "synchronised", value != "Not synchronised")
		case "System clock synchronized", "NTP synchronized":
			set(n, "synchronised", value == "yes")
		}
	})
	if f != nil {
		emit(*f)
	}
	return nil
}

// chosen tells whether a source is the one the clock follows. Any other mark
// says nothing of the clock: another source may be chosen.
func chosen(mark string) any {
	if mark == "*" || mark == "o" {
		return true
	}
	return nil
}

// sourceOffset leaves out the offset of a source that never answered, which is
// printed as 0.
func sourceOffset(reach string, offset float64) any {
	if octal(reach) == int64(0) {
		return nil
	}
	return offset
}

// clockSources reads the clock source of the kernel; the path names the file.
var clockSources = Reader{
	Name: "clocksource", Doc: "/sys/devices/system/clocksource: current and available clock sources",
	Kinds: []string{"clock"},
	Files: []string{"sys/devices/system/clocksource/clocksource0/current_clocksource", "sys/devices/system/clocksource/clocksource0/available_clocksource"},
	Match: func(name string, head []byte) bool { return clocksourceText.Match(head) },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		v := strings.TrimSpace(string(it.Data))
		if v == "" || strings.Contains(v, "\n") {
			return nil
		}
		field := "clocksource"
		if strings.Contains(v, " ") || strings.HasPrefix(it.pathPart(0), "available") {
			field = "available"
		}
		emit(it.fact("clock", host, 1, it.lineText(1), field, v))
		return nil
	},
}

var clocksourceText = lazy(`^\s*(?:tsc|kvm-clock|xen|hpet|acpi_pm|arch_sys_counter|jiffies)(?: (?:tsc|kvm-clock|xen|hpet|acpi_pm|arch_sys_counter|jiffies))*\s*$`)
