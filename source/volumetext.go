package source

import (
	"slices"
	"strings"

	"ddx"
)

// awsVolumeText reads aws ec2 describe-volumes with --output text or --output
// table, and ec2-describe-volumes of the tools before it.
var awsVolumeText = Reader{
	Name: "aws-volume-text", Doc: "aws ec2 describe-volumes --output text or table, ec2-describe-volumes",
	Kinds: []string{"cloud.volume"},
	Match: func(name string, head []byte) bool { return volumeTextLine.Match(head) || volumeTableLine.Match(head) },
	Read:  readVolumeText,
}

var (
	volumeTextLine  = lazy(`(?m)^(?:VOLUMES?|ATTACHMENTS?)[ \t]+\S.*\bvol-[0-9a-f]+\b|^(?:VOLUMES?|ATTACHMENTS?)[ \t]+vol-[0-9a-f]+\b`)
	volumeTableLine = lazy(`(?m)^\|+ +DescribeVolumes +\|+`)
	volumeID        = lazy(`\bvol-[0-9a-f]+\b`)
	volumeStates    = []string{"creating", "available", "in-use", "deleting", "deleted", "error"}
	attachStates    = []string{"attaching", "attached", "detaching", "detached", "busy"}
)

// readVolumeText finds the values by what they are: with --output text they
// stand in the alphabetical order of keys that an answer may or may not have.
func readVolumeText(it *Item, emit func(ddx.Fact)) error {
	var volume *ddx.Fact
	section, last := "", 0
	flush := func() {
		if volume != nil && volume.Subject.Name != "" && len(volume.Fields) > 0 {
			emit(*volume)
		}
		volume = nil
	}
	note := func(n int, field, value string) {
		if volume == nil {
			f := it.fact("cloud.volume", instanceSubject(""), n, it.lineText(n))
			volume = &f
		} else if n != last {
			volume.Evidence = append(volume.Evidence, it.evidence(n, it.lineText(n))...)
		}
		last = n
		if field == "" {
			volume.Subject.Name = value
		} else if old, set := volume.Fields[field]; !set || old == "attached" { // one that is under way says more than one that stands
			volume.Fields[field] = value
		}
	}
	known := func(n int, section string, words []string) {
		for _, w := range words {
			switch {
			case strings.HasPrefix(section, "VOLUME") && slices.Contains(volumeStates, w):
				note(n, "state", w)
			case strings.HasPrefix(section, "ATTACHMENT") && slices.Contains(attachStates, w):
				note(n, "attachment", w)
			case strings.HasPrefix(section, "ATTACHMENT") && strings.HasPrefix(w, "i-"):
				note(n, "instance", w)
			case strings.HasPrefix(section, "ATTACHMENT") && strings.HasPrefix(w, "/dev/"):
				note(n, "device", w)
			}
		}
	}
	it.lines(func(n int, line string) {
		if !strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "+") {
			words := strings.Fields(line)
			if len(words) < 2 || !strings.HasPrefix(words[0], "VOLUME") && !strings.HasPrefix(words[0], "ATTACHMENT") {
				return
			}
			if id := volumeID.FindString(line); strings.HasPrefix(words[0], "VOLUME") {
				flush()
				note(n, "", id)
			} else if volume == nil && id != "" { // an attachment without its volume
				note(n, "", id)
			}
			known(n, words[0], words[1:])
			return
		}
		cells := tableCells(line)
		switch {
		case len(cells) == 1 && !strings.ContainsAny(cells[0], "-+"):
			if section = strings.ToUpper(cells[0]); section == "VOLUMES" {
				flush()
			}
		case len(cells) == 2 && cells[0] == "VolumeId":
			note(n, "", cells[1])
		case len(cells) == 2 && (cells[0] == "State" || cells[0] == "InstanceId" || cells[0] == "Device"):
			known(n, section, cells[1:])
		}
	})
	flush()
	return nil
}
