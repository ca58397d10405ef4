package source

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestToolsOfThisMachine runs the real tools of this machine and wants their
// output recognised without a name, and read into facts.
func TestToolsOfThisMachine(t *testing.T) {
	tests := []struct{ command, reader string }{
		{"ps aux", "ps"}, {"ps -ef", "ps"}, {"ps -eLf", "ps"}, {"ps axjf", "ps"}, {"ps -ely", "ps"},
		{"ps -eo pid,ppid,user:20,stat,wchan:32,etimes,pcpu,rss,comm", "ps"}, {"ps -eo pid,lstart,stat,args", "ps"},
		{"top -bn1", "top"}, {"free", "free"}, {"free -h", "free"}, {"free -w", "free"},
		{"df", "df"}, {"df -i", "df"}, {"df -hT", "df"}, {"df -PT", "df"}, {"df --output", "df"},
		{"lsblk", "lsblk"}, {"lsblk -f", "lsblk"}, {"lsblk -J", "lsblk"}, {"lsblk -P", "lsblk"},
		{"mount", "mount-table"}, {"findmnt", "findmnt"}, {"findmnt -J", "findmnt"}, {"findmnt -l", "findmnt"},
		{"vmstat", "cpu-shares"}, {"mpstat", "cpu-shares"}, {"iostat -x", "iostat"}, {"uptime", "uptime"}, {"w", "uptime"},
		{"uname -a", "kernel-version"}, {"lscpu", "virtualisation"}, {"sysctl -a", "sysctl"},
	}
	for _, tt := range tests {
		t.Run(tt.command, func(t *testing.T) {
			w := strings.Fields(tt.command)
			if _, err := exec.LookPath(w[0]); err != nil {
				t.Skipf("needs the tool %s: %v", w[0], err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, w[0], w[1:]...)
			cmd.Env = []string{"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
			data, err := cmd.Output()
			if len(data) == 0 {
				t.Skipf("needs %s to print something here: %v", tt.command, err)
			}
			it := &Item{Origin: "-", Data: data}
			rd, facts := readAll(t, it)
			if readerName(rd) != tt.reader || len(facts) == 0 {
				t.Errorf("recognised as %s with %d facts, want %s:\n%.500s", readerName(rd), len(facts), tt.reader, data)
			}
			checkEvidence(t, it, facts)
		})
	}
}

// TestStraceOfThisMachine reads the output of a real strace of a call that
// fails: umount of a folder that is no mount point.
func TestStraceOfThisMachine(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("needs the tool strace: ", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "strace", "-f", "-tt", "-T", "umount", t.TempDir()).CombinedOutput()
	if !strings.Contains(string(out), "umount") || strings.Contains(string(out), "Operation not permitted") && !strings.Contains(string(out), "umount2(") {
		t.Skipf("needs permission to trace: %v", err)
	}
	_, facts := readAll(t, &Item{Origin: "-", Data: out})
	for _, f := range facts {
		if f.Kind == "strace.call" && f.String("call") == "umount2" && f.String("error") != "" && strings.HasPrefix(f.Subject.Name, "umount") {
			return
		}
	}
	t.Errorf("the failed umount2 is not stated: %v", facts)
}
