package source

import (
	"slices"
	"testing"
)

// TestSessionSections reads a pasted terminal session, in which only the
// command before an output names the file that it shows.
func TestSessionSections(t *testing.T) {
	session := `root@h:~# cat /proc/sys/kernel/tainted
12289
root@h:~# cat /sys/module/ena/version
2.8.0g
root@h:~# cat /proc/4242/stack
[<0>] msleep+0x2d/0x40
[<0>] nfs4_discover_server_trunking+0xc6/0x250 [nfsv4]
root@h:~# cat /sys/fs/cgroup/system.slice/app.service/memory.max
1048576
root@h:~# cat /sys/fs/cgroup/system.slice/app.service/memory.current
524288
root@h:~# free -m
              total        used        free      shared  buff/cache   available
Mem:          15000       1000        2000          10       12000       13000
Swap:             0           0           0
root@h:~# sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max
net.netfilter.nf_conntrack_count = 262000
net.netfilter.nf_conntrack_max = 262144
==> /proc/pressure/memory <==
full avg10=10.00 avg60=2.00 avg300=0.25 total=65432
`
	facts, _, err := Facts(Take{Items: sections(Item{Origin: "session.txt", Name: "session.txt", Data: []byte(session)})})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range facts {
		got = append(got, factText(f))
	}
	for _, want := range []string{
		`kernel.taint host: value=12289 @2`,
		`kernel.module host: name="ena" version="2.8.0g" loaded=true @4`,
		`task task::4242 pid=4242 frames=[msleep nfs4_discover_server_trunking] @6`,
		`cgroup.limit cgroup:/system.slice/app.service name="memory" current=524288 max=1048576 percent=50 @9,11`,
		`mem host: total=15360000 free=2048000 available=13312000 swap_total=0 swap_free=0 shmem=10240 available_percent=86.66666666666667 @14,15`,
		`table host: name="conntrack" used=262000 max=262144 percent=99.945068359375 @17,18`,
		`psi host: resource="memory" kind="full" avg10=10 avg60=2 avg300=0.25 @20`,
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no fact %s", want)
		}
	}
	if t.Failed() {
		for _, g := range got {
			t.Log(g)
		}
	}
}

// TestConsoleRecordIsNoCommand: what the kernel prints behind a console's
// prompt stays a line of the log.
func TestConsoleRecordIsNoCommand(t *testing.T) {
	for line, want := range map[string]string{
		"/ # [90216.140000] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [systemd:1]": "",
		"root@h:~# [    5.000001] EXT4-fs (sda1): mounted":                                 "",
		"/ # [ -f /etc/fstab ] && cat /etc/fstab":                                          "[ -f /etc/fstab ] && cat /etc/fstab",
		"root@h:~# dmesg": "dmesg",
	} {
		if got, ok := commandAt(line); got != want || ok != (want != "") {
			t.Errorf("%q: command %q, want %q", line, got, want)
		}
	}
}
