package source

import (
	"strings"
	"testing"

	"ddx"
)

func TestJoinParts(t *testing.T) {
	ev := func(host string) []ddx.Evidence { return []ddx.Evidence{{Origin: "x:1", Host: host}} }
	task := func(comm, pid string, fields map[string]any) ddx.Fact {
		return ddx.Fact{Kind: "task", Subject: taskSubject(comm, pid), Fields: fields, Evidence: ev("a")}
	}
	limit := func(host string, fields map[string]any) ddx.Fact {
		fields["name"] = "memory"
		return ddx.Fact{Kind: "cgroup.limit", Subject: cgroupSubject("/x"), Fields: fields, Evidence: ev(host)}
	}
	tests := []struct {
		name string
		in   []ddx.Fact
		want []string
	}{
		{"stack before ps", []ddx.Fact{
			task("", "7", map[string]any{"pid": int64(7), "frames": []string{"f"}}),
			task("mount.nfs", "7", map[string]any{"pid": int64(7), "comm": "mount.nfs", "state": "D"}),
		}, []string{`task task:mount.nfs:7 pid=7 comm="mount.nfs" state="D" frames=[f] @1,1`}},
		{"a hidden wait channel gives way", []ddx.Fact{
			task("a", "7", map[string]any{"pid": int64(7), "wchan": "0"}),
			task("", "7", map[string]any{"pid": int64(7), "wchan": "msleep"}),
		}, []string{`task task:a:7 pid=7 wchan="msleep" @1,1`}},
		{"a second sample stays apart", []ddx.Fact{
			task("a", "7", map[string]any{"pid": int64(7), "state": "D"}),
			task("a", "7", map[string]any{"pid": int64(7), "state": "S"}),
		}, []string{`task task:a:7 pid=7 state="D" @1`, `task task:a:7 pid=7 state="S" @1`}},
		{"a pid used again stays apart", []ddx.Fact{
			task("a", "7", map[string]any{"pid": int64(7), "comm": "a"}),
			task("b", "7", map[string]any{"pid": int64(7), "comm": "b"}),
		}, []string{`task task:a:7 pid=7 comm="a" @1`, `task task:b:7 pid=7 comm="b" @1`}},
		{"limit and use give the percentage", []ddx.Fact{
			limit("a", map[string]any{"current": int64(50)}),
			limit("a", map[string]any{"max": int64(200)}),
		}, []string{`cgroup.limit cgroup:/x name="memory" current=50 max=200 percent=25 @1,1`}},
		{"hosts stay apart", []ddx.Fact{
			limit("a", map[string]any{"current": int64(50)}),
			limit("b", map[string]any{"max": int64(200)}),
		}, []string{`cgroup.limit cgroup:/x name="memory" current=50 @1`, `cgroup.limit cgroup:/x name="memory" max=200 @1`}},
		{"the module on disk is not the one loaded", []ddx.Fact{
			{Kind: "kernel.module", Fields: map[string]any{"name": "ena", "version": "2.8", "loaded": true}},
			{Kind: "kernel.module", Fields: map[string]any{"name": "ena", "version": "2.9", "available": true}},
		}, []string{`kernel.module : name="ena" version="2.8" loaded=true`, `kernel.module : name="ena" version="2.9" available=true`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, f := range JoinParts(tt.in) {
				got = append(got, factText(f))
			}
			if len(got) != len(tt.want) {
				t.Fatalf("got %q, want %q", got, tt.want)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("got  %s\nwant %s", got[i], tt.want[i])
				}
			}
		})
	}
}

func TestReaderByPath(t *testing.T) {
	tests := []struct{ origin, want string }{
		{"/proc/sys/kernel/tainted", "kernel-taint"},
		{"sosreport-x/proc/sys/kernel/tainted", "kernel-taint"},
		{"cat /proc/sys/kernel/tainted", "kernel-taint"},
		{"sudo cat /sys/module/ena/version", "module-attributes"},
		{"grep x /proc/sys/kernel/tainted", "nothing"},
		{"/proc/12/task/13/stack", "task-stacks"},
		{"/sys/fs/cgroup/memory/docker/abc/memory.failcnt", "cgroup"},
		{"/var/log/messages", "nothing"},
		{"sos/proc/sys/net/ipv4/tcp_rmem", "sysctl"},
		{"meminfo", "nothing"},
	}
	for _, tt := range tests {
		if got := readerName(readerByPath(tt.origin)); got != tt.want {
			t.Errorf("readerByPath(%q) = %s, want %s", tt.origin, got, tt.want)
		}
	}
}

// TestBlockedTaskFiles holds the collector to what may be read of a task that
// hangs: cmdline, maps and environ wait for its memory lock. What can block is
// read in a child only.
func TestBlockedTaskFiles(t *testing.T) {
	for _, rd := range goldenReaders {
		for _, f := range rd.Files {
			if !strings.HasPrefix(f, "proc/[0-9]*/") {
				continue
			}
			for _, bad := range []string{"cmdline", "maps", "smaps", "environ", "numa_maps"} {
				if strings.HasSuffix(f, bad) {
					t.Errorf("%s reads %s", rd.Name, f)
				}
			}
			if !rd.Child {
				t.Errorf("%s reads %s outside a child", rd.Name, f)
			}
		}
	}
}

// TestDeltasKeepOtherReaders holds the pairing of samples to dropping nothing
// that was looked at once only.
func TestDeltasKeepOtherReaders(t *testing.T) {
	disk := func(reader string, fields map[string]any) ddx.Fact {
		return ddx.Fact{Kind: "disk", Subject: diskSubject("nvme0n1"), Fields: fields, Evidence: []ddx.Evidence{{Kind: reader, Origin: "x:1"}}}
	}
	facts := deltasOf(
		[]ddx.Fact{disk("lsblk", map[string]any{"model": "m"}), disk("diskstats", map[string]any{"inflight": int64(1)})},
		[]ddx.Fact{disk("diskstats", map[string]any{"inflight": int64(2)})},
	)
	facts = JoinParts(facts)
	if len(facts) != 1 || facts[0].String("model") != "m" || facts[0].String("inflight") != "2" {
		t.Errorf("got %v, want one disk with the model and the later number in flight", facts)
	}
}
