package source

import (
	"encoding/hex"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"ddx"
)

// The functions asX read a value for Item.fact: nil, which Item.fact leaves
// out, when the text is no such value. A missing number is never 0.

func asText(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func asInt(s string) any {
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return nil
	}
	return v
}

// asFloat reads a number with an optional percent sign and, as some locales
// print it, a decimal comma.
func asFloat(s string) any {
	s = strings.TrimSuffix(s, "%")
	if strings.Count(s, ",") == 1 && !strings.Contains(s, ".") {
		s = strings.Replace(s, ",", ".", 1)
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return v
}

// asSize reads a size such as 1.5G, 512Ki, -16T or 100 and returns it in units
// of to bytes; a number without a suffix counts bare bytes.
func asSize(s string, bare, to float64) any {
	num := strings.TrimRight(s, "BbIiKkMmGgTtPpEe")
	factor := bare
	if suffix := strings.ToUpper(s[len(num):]); suffix != "" {
		i := strings.IndexByte("BKMGTPE", suffix[0])
		if i < 0 {
			return nil
		}
		factor = math.Pow(1024, float64(i))
	}
	v, ok := asFloat(num).(float64)
	if !ok {
		return nil
	}
	v = math.Round(v * factor / to)
	if math.Abs(v) >= math.MaxInt64 {
		return nil
	}
	return int64(v)
}

// percentOf returns used as a percentage of limit, nil when there is no limit.
func percentOf(used, limit any) any {
	u, ok1 := used.(int64)
	l, ok2 := limit.(int64)
	if !ok1 || !ok2 || l <= 0 {
		return nil
	}
	return 100 * float64(u) / float64(l)
}

func diskSubject(name string) ddx.Subject {
	return ddx.Subject{Kind: ddx.Disk, Name: strings.TrimPrefix(name, "/dev/")}
}

func mountSubject(name string) ddx.Subject  { return ddx.Subject{Kind: ddx.Mount, Name: name} }
func unitSubject(name string) ddx.Subject   { return ddx.Subject{Kind: ddx.Unit, Name: name} }
func cgroupSubject(path string) ddx.Subject { return ddx.Subject{Kind: ddx.Cgroup, Name: path} }
func instanceSubject(id string) ddx.Subject { return ddx.Subject{Kind: ddx.Instance, Name: id} }

// taskSubject names a task comm:pid. Material that has no comm gives ":pid",
// which JoinParts completes; material that has no pid gives the comm.
func taskSubject(comm, pid string) ddx.Subject {
	if pid == "" {
		return ddx.Subject{Kind: ddx.Task, Name: comm}
	}
	return ddx.Subject{Kind: ddx.Task, Name: comm + ":" + pid}
}

// hexAddress returns the IP address written as 8 or 32 hexadecimal digits in
// network order.
func hexAddress(s string) any {
	b, err := hex.DecodeString(s)
	if err != nil {
		return nil
	}
	a, ok := netip.AddrFromSlice(b)
	if !ok {
		return nil
	}
	return a.String()
}

func asHex(s string) any {
	v, err := strconv.ParseInt(strings.TrimPrefix(s, "0x"), 16, 64)
	if err != nil {
		return nil
	}
	return v
}
