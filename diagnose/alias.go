package diagnose

import (
	"regexp"

	"ddx"
)

// namedDevice is a driver's prefix that holds both names of an interface: its
// PCI address and the name it has in the system.
var namedDevice = regexp.MustCompile(`\b([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]):? ([a-z][\w.@-]*): `)

// aliases maps PCI addresses to the names of their interfaces, as far as the
// evidence tells: what a driver says of a device before and after it has a name
// is about one thing.
func aliases(byKind map[string][]*ddx.Fact) map[string]string {
	names := map[string]string{}
	for _, f := range byKind["nic.driver"] {
		if bus := f.String("bus"); bus != "" && f.Subject.Name != "" {
			names[bus] = f.Subject.Name
		}
	}
	for _, kind := range []string{"log.match", "kernel.report"} {
		for _, f := range byKind[kind] {
			for _, ev := range f.Evidence {
				if m := namedDevice.FindStringSubmatch(ev.Text); m != nil {
					names[m[1]] = m[2]
				}
			}
		}
	}
	return names
}
