package match

import (
	"regexp"

	"ddx"
	"ddx/logline"
)

// devicePrefix is what drivers put before a message: "ena 0000:00:05.0 eth1: ",
// "ena 0000:00:05.0: ", "igbvf 0000:00:03.0: eth0: ".
var devicePrefix = regexp.MustCompile(`^[\w-]+ ([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f])(?::? ([\w.@-]+))?: `)

// subjectName finds out what a line is about: the capture that the indicator
// names, a capture named like the mode's kind of subject, the driver's prefix.
func subjectName(p *logPattern, l logline.Line, caps map[string]string) string {
	if p.ind.On == "host" || p.mode.Subject == ddx.Host {
		return ""
	}
	if name := p.ind.Subject; name != "" {
		return caps[name]
	}
	if name := caps[string(p.mode.Subject)]; name != "" {
		return name
	}
	switch p.mode.Subject {
	case ddx.Task:
		if caps["comm"] != "" && caps["pid"] != "" {
			return caps["comm"] + ":" + caps["pid"]
		}
		return caps["comm"]
	case ddx.NIC:
		if m := devicePrefix.FindSubmatch(l.Message); m != nil {
			if len(m[2]) > 0 {
				return string(m[2])
			}
			return string(m[1])
		}
	}
	return ""
}
