package source

import (
	"strings"
	"testing"

	"ddx"
)

func TestReadJSONDamage(t *testing.T) {
	tests := []struct{ name, data, want string }{
		{"truncated", "{\n \"Volumes\": [\n  {\n   \"VolumeId\": \"vol-1\",\n   \"VolumeType\": \"gp2\",\n   \"State\": \"in-use\"\n  },\n  {", "line 8: the text ends inside a JSON value"},
		{"broken", "{\n \"Volumes\": [\n  {\"VolumeId\": \"vol-1\", \"VolumeType\": \"gp2\", \"State\": \"error\"}\n oops\n]}", "line 4: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			it := &Item{Origin: "v.json", Data: []byte(tt.data)}
			n := 0
			_, err := readItem(it, func(ddx.Fact) { n++ })
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
			if n != 1 {
				t.Errorf("%d facts from before the damage, want 1", n)
			}
		})
	}
	deep := &Item{Data: []byte(strings.Repeat("[", 100000))}
	if _, err := deep.readJSON(); err == nil || !strings.Contains(err.Error(), "nested deeper") {
		t.Errorf("a nest of 100000 lists: %v", err)
	}
}

func TestConsoleOutputForms(t *testing.T) {
	tests := []struct {
		name, data, want string
		ok               bool
	}{
		{"base64", `{"InstanceId": "i-1", "Output": "WyAgICAwLjAwMDAwMF0gTGludXgK\r\n", "Timestamp": "x"}`, "[    0.000000] Linux\n", true},
		{"plain", `{"InstanceId": "i-1", "Output": "[    0.000000] Linux\nlogin: "}`, "[    0.000000] Linux\nlogin: ", true},
		{"empty", `{"InstanceId": "i-1", "Output": ""}`, "", true},
		{"damaged behind", `{"InstanceId": "i-1", "Output": "[    0.000000] Linux\n", "Timest`, "[    0.000000] Linux\n", true},
		{"other", `{"Volumes": []}`, "", false},
		{"text", "login: ", "", false},
	}
	for _, tt := range tests {
		it, ok := consoleOutput(Item{Data: []byte(tt.data)})
		got := string(it.Data)
		if !tt.ok {
			tt.want = tt.data
		}
		if got != tt.want || ok != tt.ok {
			t.Errorf("%s: %q, %v; want %q, %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}

func TestAsSize(t *testing.T) {
	tests := []struct {
		in       string
		bare, to float64
		want     any
	}{
		{"1.5G", 1, 1024, int64(1572864)},
		{"-16T", 1, 1 << 30, int64(-16384)},
		{"512Ki", 1, 1024, int64(512)},
		{"0B", 1, 1024, int64(0)},
		{"100", 1024, 1024, int64(100)},
		{"1,5M", 1, 1024, int64(1536)},
		{"-", 1, 1, nil},
		{"", 1, 1, nil},
		{"x", 1, 1, nil},
		{"9e300G", 1, 1, nil},
	}
	for _, tt := range tests {
		if got := asSize(tt.in, tt.bare, tt.to); got != tt.want {
			t.Errorf("asSize(%q) = %v, want %v", tt.in, got, tt.want)
		}
	}
}

// TestPastedWithIndentation holds the readers to fragments that were pasted
// with a prompt above, indented, and with the carriage returns of a terminal.
func TestPastedWithIndentation(t *testing.T) {
	tests := []struct{ data, reader string }{
		{"$ df -h /\r\n    Filesystem      Size  Used Avail Use% Mounted on\r\n    /dev/nvme0n1p1   8.0G  8.0G   20K 100% /\r\n", "df"},
		{"    10.0.1.99:/ on /mnt/efs type nfs4 (rw,vers=4.1,hard)\r\n", "mount-table"},
		{"  root@h:~# modinfo ena\r\n  filename:       /lib/modules/5.10/ena.ko\r\n  version:        2.0\r\n", "modinfo"},
		{"   [<0>] rpc_wait_bit_killable+0x1e/0xb0 [sunrpc]\r\n", "task-stacks"},
		{"  4242 D    rpc_wait_bit_killable mount.nfs a:/ /b\r\n", "ps"},
		{"$ aws ec2 describe-volumes\r\n{\r\n \"Volumes\": [{\"VolumeId\": \"vol-1\", \"VolumeType\": \"gp2\", \"State\": \"in-use\"}]\r\n}\r\n", "aws-json"},
		{"  MemTotal:  100 kB\r\n  MemFree: 5 kB\r\n", "meminfo"},
	}
	for _, tt := range tests {
		n := 0
		rd, err := readItem(&Item{Origin: "-", Data: []byte(tt.data)}, func(ddx.Fact) { n++ })
		if readerName(rd) != tt.reader || n == 0 || err != nil {
			t.Errorf("%q: reader %s, %d facts, %v; want %s", tt.data, readerName(rd), n, err, tt.reader)
		}
	}
}

// TestLogsAreNotTables holds the readers of tables back from kernel and service
// logs: those belong to the pattern matcher.
func TestLogsAreNotTables(t *testing.T) {
	logs := []string{
		"[    0.000000] Linux version 6.1.0-13-cloud-amd64 (b@d) (gcc) #1 SMP\n[    0.000000] Command line: BOOT_IMAGE=/vmlinuz root=UUID=1 ro\n" + strings.Repeat("[    1.0] x: y\n", 300),
		"Jan  2 03:04:05 h kernel: INFO: task mount.nfs:167 blocked for more than 120 seconds.\nJan  2 03:04:05 h kernel: Call Trace:\nJan  2 03:04:05 h kernel:  [<ffffffff8168b579>] schedule+0x29/0x70\n",
		"[ 100.0] Call Trace:\n[ 100.1]  [<ffffffff8168b579>] ? schedule+0x29/0x70\n[ 100.2]  [<ffffffffa0330000>] nfs_get_client+0x100/0x200 [nfs]\n",
		"[ 5.0] Mem-Info:\n[ 5.0] Node 0 DMA free:15900kB min:28kB\n[ 5.0] [ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name\n[ 5.0] [ 1200]     0  1200    10000      500      20        0         -1000 sshd\n",
		"Jan  2 03:04:05 h systemd[1]: app.service: Main process exited, code=killed, status=9/KILL\nJan  2 03:04:05 h systemd[1]: Failed to start app.service - The application.\n",
		"time=\"2026-01-02T03:04:05Z\" level=error msg=\"mount failed: exit status 32\"\n",
		"Jan  2 03:04:05 h dhclient[500]: DHCPREQUEST on eth0 to 10.0.0.1 port 67\n",
	}
	for _, log := range logs {
		if rd, _ := Recognise(&Item{Origin: "-", Data: []byte(log)}); rd != nil && !rd.Log {
			t.Errorf("recognised as %s: %.120q", rd.Name, log)
		}
	}
}
