package source

import (
	"strings"

	"ddx"
)

// awsStatusText reads aws ec2 describe-instance-status with --output text or
// --output table.
var awsStatusText = Reader{
	Name: "aws-status-text", Doc: "aws ec2 describe-instance-status --output text or table",
	Kinds: []string{"cloud.status", "cloud.event"},
	Match: func(name string, head []byte) bool { return statusTextLine.Match(head) || statusTableLine.Match(head) },
	Read:  readStatusText,
}

var (
	statusTextLine  = lazy(`(?m)^(?:INSTANCESTATUSES|SYSTEMSTATUS)\t`)
	statusTableLine = lazy(`(?m)^\|+ +DescribeInstanceStatus +\|+`)
)

func readStatusText(it *Item, emit func(ddx.Fact)) error {
	var status *ddx.Fact
	var event *ddx.Fact
	id, section := "", ""
	flush := func() {
		for _, f := range []*ddx.Fact{status, event} {
			if f != nil && len(f.Fields) > 0 {
				emit(*f)
			}
		}
		status, event = nil, nil
	}
	set := func(field, value string, n int) {
		if status == nil {
			f := it.fact("cloud.status", instanceSubject(id), n, it.lineText(n))
			status = &f
		} else {
			status.Evidence = append(status.Evidence, it.evidence(n, it.lineText(n))...)
		}
		if id != "" {
			status.Subject.Name = id
		}
		if _, set := status.Fields[field]; field != "" && !set {
			status.Fields[field] = value
		}
	}
	fields := map[string]string{"SYSTEMSTATUS": "system", "INSTANCESTATUS": "instance", "ATTACHEDEBSSTATUS": "ebs", "INSTANCESTATE": "state"}
	it.lines(func(n int, line string) {
		if !strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "+") { // text: SECTION, then values in alphabetical order of their keys
			w := strings.Split(strings.TrimSpace(line), "\t")
			switch {
			case w[0] == "INSTANCESTATUSES":
				flush()
				id = resourceID.FindString(line)
				set("", "", n)
			case fields[w[0]] != "" && len(w) > 1:
				set(fields[w[0]], w[len(w)-1], n)
			case w[0] == "DETAILS" && len(w) > 1 && strings.Contains(w[1], "T") && strings.Contains(w[1], ":"):
				set("impaired_since", w[1], n)
			case w[0] == "EVENTS" && len(w) > 2:
				f := it.fact("cloud.event", instanceSubject(id), n, it.lineText(n), "code", w[1], "description", w[2], "completed", strings.HasPrefix(w[2], "[C"), "scope", "instance", "service", "EC2")
				emit(f)
			}
			return
		}
		cells := tableCells(line)
		switch {
		case len(cells) == 1 && !strings.ContainsAny(cells[0], "-+"):
			if section = strings.ToUpper(cells[0]); section == "INSTANCESTATUSES" {
				flush()
				id = ""
			}
		case len(cells) == 2 && cells[0] == "InstanceId":
			id = cells[1]
			set("", "", n)
		case len(cells) == 2 && (cells[0] == "Status" || cells[0] == "Name") && fields[section] != "":
			set(fields[section], cells[1], n)
		case len(cells) == 2 && cells[0] == "ImpairedSince":
			set("impaired_since", cells[1], n)
		}
	})
	flush()
	return nil
}

// tableCells are the cells of a line of --output table that hold something.
func tableCells(line string) (cells []string) {
	for _, c := range strings.Split(strings.Trim(line, "|"), "|") {
		if c = strings.TrimSpace(c); c != "" {
			cells = append(cells, c)
		}
	}
	return cells
}
