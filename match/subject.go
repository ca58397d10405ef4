package match

import (
	"regexp"
	"slices"

	"ddx"
	"ddx/logline"
)

// devicePrefix is what drivers put before a message: "ena 0000:00:05.0 eth1: ",
// "ena 0000:00:05.0: ", "igbvf 0000:00:03.0: eth0: ".
var devicePrefix = regexp.MustCompile(`^[\w-]+ ([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f])(?::? ([\w.@-]+))?: `)

// subjectName finds out what a line is about: the capture that the indicator
// names, a capture named like the mode's kind of subject, the driver's prefix.
func subjectName(p *logPattern, l logline.Line, captures [][]byte) []byte {
	if p.ind.On == "host" || p.mode.Subject == ddx.Host {
		return nil
	}
	if name := p.ind.Subject; name != "" {
		return p.capture(name, captures)
	}
	if name := p.capture(string(p.mode.Subject), captures); len(name) > 0 {
		return name
	}
	switch p.mode.Subject {
	case ddx.Task:
		comm, pid := p.capture("comm", captures), p.capture("pid", captures)
		if len(comm) > 0 && len(pid) > 0 {
			return slices.Concat(comm, []byte{':'}, pid)
		}
		return comm
	case ddx.NIC:
		if m := devicePrefix.FindSubmatch(l.Message); m != nil {
			if len(m[2]) > 0 {
				return m[2]
			}
			return m[1]
		}
	}
	return nil
}

// capture is the one of a name.
func (p *logPattern) capture(name string, captures [][]byte) []byte {
	if i := slices.Index(p.pattern.Names, name); i >= 0 {
		return captures[i]
	}
	return nil
}
