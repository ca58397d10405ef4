package source

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"ddx"
)

// denied is the reason of a look that permissions did not allow. An ordinary
// user needs root for it. To root itself the kernel refused it, and more root
// does not help: a container without the capability, a sandbox.
func denied(euid int) ddx.Absence {
	if euid == 0 {
		return ddx.Refused
	}
	return ddx.NeedsRoot
}

// deniedHere is denied for the user that ddx runs as.
func deniedHere() ddx.Absence { return denied(os.Geteuid()) }

// The numbers of capabilities, as in linux/capability.h.
var capabilityNumbers = map[string]uint{"CAP_DAC_READ_SEARCH": 2, "CAP_NET_ADMIN": 12, "CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21, "CAP_SYSLOG": 34}

// capabilitiesFor names the capabilities that the kernel asks of who looks at
// what an origin names.
func capabilitiesFor(origin string) []string {
	switch name := path.Base(strings.Fields(origin + " .")[0]); {
	case origin == "/dev/kmsg" || name == "dmesg":
		return []string{"CAP_SYSLOG"}
	case strings.HasPrefix(origin, "/proc/") && name == "stack":
		return []string{"CAP_SYS_ADMIN", "CAP_SYS_PTRACE"}
	case strings.HasPrefix(origin, "/proc/"):
		return []string{"CAP_SYS_PTRACE"}
	case name == "nvme" || name == "ebsnvme":
		return []string{"CAP_SYS_ADMIN"}
	case strings.HasPrefix(origin, "/"):
		return []string{"CAP_DAC_READ_SEARCH"}
	}
	return []string{"CAP_NET_ADMIN"} // iptables, nft, conntrack, ethtool and their like
}

// explainRefusals says of what was refused to root what is missing. effective
// is the set of capabilities in force, known when the kernel told it.
func explainRefusals(items []Item, effective uint64, known bool) {
	for i := range items {
		it := &items[i]
		if it.Absent != ddx.Refused || !known {
			continue
		}
		var lacks []string
		wanted := capabilitiesFor(it.Origin)
		for _, c := range wanted {
			if effective&(1<<capabilityNumbers[c]) == 0 {
				lacks = append(lacks, c)
			}
		}
		if len(lacks) > 0 {
			it.Detail = fmt.Sprintf("root lacks %s here (a container?); %s", strings.Join(lacks, " and "), it.Detail)
		} else {
			it.Detail = fmt.Sprintf("root has %s here, but a sandbox or a security module forbids it; %s", strings.Join(wanted, " and "), it.Detail)
		}
	}
}

// effectiveCapabilities reads the capabilities in force out of /proc/self/status.
func effectiveCapabilities(root fs.FS) (set uint64, known bool) {
	b, err := fs.ReadFile(root, "proc/self/status")
	if err != nil {
		return 0, false
	}
	_, rest, ok := strings.Cut(string(b), "\nCapEff:")
	if !ok {
		return 0, false
	}
	set, err = strconv.ParseUint(strings.TrimSpace(string(firstLine([]byte(rest)))), 16, 64)
	return set, err == nil
}
