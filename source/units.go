package source

import (
	"strings"

	"ddx"
)

// systemdUnits reads systemctl status, show, list-units and --failed.
var systemdUnits = Reader{
	Name: "systemd-units", Doc: "systemctl status, show, list-units, --failed: state and result of units",
	Kinds:    []string{"unit"},
	Commands: [][]string{{"systemctl", "list-units", "--all", "--no-pager", "--plain", "--state=failed,activating,auto-restart"}},
	Match: func(name string, head []byte) bool {
		return unitListHeader.Match(head) || unitStatus.Match(head) || unitShow.Match(head) || unitFailedRow.Match(head)
	},
	Read: readUnits,
}

var (
	unitSuffix     = `[\w@:.\\-]+\.(?:service|mount|socket|target|timer|swap|device|path|slice|scope|automount)`
	unitListHeader = lazy(`(?m)^\s*UNIT +LOAD +ACTIVE +SUB`)
	unitFailedRow  = lazy(`(?m)^[●*\s]*(` + unitSuffix + `) +(?:loaded|not-found|masked|error|bad-setting) +(\w+) +([\w-]+)`)
	unitStatus     = lazy(`(?m)^[●*○×↻\s]*(` + unitSuffix + `)(?: - .*)?\r?\n(?:\s+Loaded: |\s+Active: )`)
	unitHeading    = lazy(`^[●*○×↻\s]*(` + unitSuffix + `)(?: - .*)?\s*$`)
	unitActive     = lazy(`^\s+Active: ([\w-]+)(?: \(([\w-]+)\))?(?: \(Result: ([\w-]+)\))?`)
	unitActiveOld  = lazy(`^\s+Active: ([\w-]+) \(Result: ([\w-]+)\)`)
	unitExit       = lazy(`(?:code=exited|code=killed|code=dumped), status=(\d+)`)
	unitShow       = lazy(`(?m)^(?:ActiveState|SubState|NRestarts|ExecMainStatus)=`)
)

func readUnits(it *Item, emit func(ddx.Fact)) error {
	if unitShow.Match(it.Data) {
		readUnitShow(it, emit)
		return nil
	}
	var f *ddx.Fact
	name, heading := "", 0
	flush := func() {
		if f != nil {
			emit(*f)
		}
		f = nil
	}
	it.lines(func(n int, line string) {
		if m := unitFailedRow.FindStringSubmatch(line); m != nil {
			flush()
			emit(it.fact("unit", unitSubject(m[1]), n, it.lineText(n), "state", m[2], "sub", m[3]))
			return
		}
		if m := unitHeading.FindStringSubmatch(line); m != nil {
			flush()
			name, heading = m[1], n
			return
		}
		if m := unitActive.FindStringSubmatch(line); m != nil && name != "" {
			sub, result := m[2], m[3]
			if o := unitActiveOld.FindStringSubmatch(line); o != nil {
				sub, result = "", o[2]
			}
			u := it.fact("unit", unitSubject(name), n, it.lineText(n), "state", m[1], "sub", asText(sub), "result", asText(result))
			u.Evidence = append(it.evidence(heading, it.lineText(heading)), u.Evidence...)
			f = &u
			return
		}
		if m := unitExit.FindStringSubmatch(line); m != nil && f != nil {
			if _, set := f.Int("exit"); !set {
				f.Fields["exit"] = asInt(m[1])
				f.Evidence = append(f.Evidence, it.evidence(n, it.lineText(n))...)
			}
		}
	})
	flush()
	return nil
}

// readUnitShow reads the KEY=VALUE blocks of systemctl show; a blank line
// parts two units.
func readUnitShow(it *Item, emit func(ddx.Fact)) {
	v, lines := map[string]string{}, []int(nil)
	flush := func() {
		id := v["Id"]
		if w := it.command(); id == "" && len(w) > 2 {
			id = lazy(unitSuffix).FindString(strings.Join(w, " "))
		}
		if len(lines) > 0 {
			f := it.fact("unit", unitSubject(id), lines[0], it.lineText(lines[0]), "state", asText(v["ActiveState"]), "sub", asText(v["SubState"]),
				"result", asText(v["Result"]), "restarts", asInt(v["NRestarts"]), "exit", asInt(v["ExecMainStatus"]))
			for _, n := range lines[1:] {
				f.Evidence = append(f.Evidence, it.evidence(n, it.lineText(n))...)
			}
			emit(f)
		}
		clear(v)
		lines = nil
	}
	it.lines(func(n int, line string) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			if strings.TrimSpace(line) == "" {
				flush()
			}
			return
		}
		v[key] = value
		switch key {
		case "ActiveState", "SubState", "Result", "NRestarts", "ExecMainStatus":
			lines = append(lines, n)
		}
	})
	flush()
}
