package source

import (
	"encoding/json"
	"fmt"

	"ddx"
)

// mountCheck reads what ddx itself notes of each mount point: whether statfs
// answered, asked from a child that can be abandoned.
var mountCheck = Reader{
	Name: "mount-check", Doc: "ddx: statfs of each mount point, from a disposable child",
	Kinds: []string{"mount.check", "fs"},
	Match: func(name string, head []byte) bool {
		var s mountStat
		return json.Unmarshal(firstLine(head), &s) == nil && s.Statfs != "" && s.Result != ""
	},
	Read: readMountCheck,
}

// mountStat is one line of the material: the outcome of statfs on one path.
type mountStat struct {
	Statfs  string  `json:"statfs"` // mount point
	Result  string  `json:"result"` // ok, hung or error
	Error   string  `json:"error,omitempty"`
	Seconds float64 `json:"seconds"`
	Device  string  `json:"device,omitempty"`
	Type    string  `json:"type,omitempty"`
	Size    int64   `json:"size,omitempty"` // sizes in kB
	Free    int64   `json:"free,omitempty"`
	Avail   int64   `json:"avail,omitempty"`
	Inodes  int64   `json:"inodes,omitempty"`
	IFree   int64   `json:"ifree,omitempty"`
}

func readMountCheck(it *Item, emit func(ddx.Fact)) error {
	var bad error
	it.lines(func(n int, line string) {
		var s mountStat
		if err := json.Unmarshal([]byte(line), &s); err != nil || s.Statfs == "" {
			if bad == nil && line != "" {
				bad = fmt.Errorf("line %d is no statfs record", n)
			}
			return
		}
		subject := ddx.Subject{Kind: ddx.Mount, Name: s.Statfs}
		check := it.fact("mount.check", subject, n, line, "result", s.Result, "seconds", s.Seconds)
		if s.Error != "" {
			check.Fields["error"] = s.Error
		}
		emit(check)
		if s.Result != "ok" || s.Size == 0 {
			return
		}
		used := s.Size - s.Free
		f := it.fact("fs", subject, n, line, "device", s.Device, "fstype", s.Type, "size", s.Size, "used", used, "available", s.Avail)
		if used+s.Avail > 0 {
			f.Fields["used_percent"] = 100 * float64(used) / float64(used+s.Avail)
		}
		if s.Inodes > 0 {
			f.Fields["inodes"], f.Fields["inodes_free"] = s.Inodes, s.IFree
			f.Fields["inodes_used_percent"] = 100 * float64(s.Inodes-s.IFree) / float64(s.Inodes)
		}
		emit(f)
	})
	return bad
}
