package source

import (
	"strings"
	"testing"
	"testing/fstest"

	"ddx"
)

func TestDenied(t *testing.T) {
	if denied(0) != ddx.Refused || denied(1000) != ddx.NeedsRoot {
		t.Errorf("root: %s, another user: %s", denied(0), denied(1000))
	}
}

// TestExplainRefusals: what the kernel refuses to root names the capability
// that is missing, or says that none is.
func TestExplainRefusals(t *testing.T) {
	status := func(set string) fstest.MapFS {
		return fstest.MapFS{"proc/self/status": {Data: []byte("Name:\tddx\nCapPrm:\t0\nCapEff:\t" + set + "\nCapBnd:\t0\n")}}
	}
	const docker, all = "00000000a80425fb", "000001ffffffffff" // docker run's default set, and every one
	for _, c := range []struct {
		origin, set string
		absent      ddx.Absence
		want        string
	}{
		{"/dev/kmsg", docker, ddx.Refused, "root lacks CAP_SYSLOG here"},
		{"dmesg", docker, ddx.Refused, "root lacks CAP_SYSLOG here"},
		{"/proc/1/stack", docker, ddx.Refused, "root lacks CAP_SYS_ADMIN and CAP_SYS_PTRACE here"},
		{"/proc/1/task/7/syscall", docker, ddx.Refused, "root lacks CAP_SYS_PTRACE here"},
		{"iptables-save -c", docker, ddx.Refused, "root lacks CAP_NET_ADMIN here"},
		{"nvme list", docker, ddx.Refused, "root lacks CAP_SYS_ADMIN here"},
		{"/etc/fstab", docker, ddx.Refused, "root lacks CAP_DAC_READ_SEARCH here"},
		{"/dev/kmsg", all, ddx.Refused, "root has CAP_SYSLOG here, but a sandbox"},
		{"/dev/kmsg", "not a number", ddx.Refused, ""},
		{"/dev/kmsg", docker, ddx.NeedsRoot, ""},
	} {
		items := []Item{{Origin: c.origin, Absent: c.absent, Detail: "operation not permitted"}}
		set, known := effectiveCapabilities(status(c.set))
		explainRefusals(items, set, known)
		said := strings.TrimSuffix(items[0].Detail, "operation not permitted")
		if c.want == "" && said != "" || !strings.Contains(said, c.want) {
			t.Errorf("%s with %s: %q, want %q in it", c.origin, c.set, said, c.want)
		}
	}
	if _, known := effectiveCapabilities(fstest.MapFS{}); known {
		t.Error("a host without /proc knows its capabilities")
	}
}
