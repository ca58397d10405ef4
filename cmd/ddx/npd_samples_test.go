package main

import (
	"testing"

	"ddx"
)

// npdSamples are what the shipped rules of node-problem-detector look for, and
// the kernel reports that its own generator of problems prints, written anew
// from the format strings of the kernels and programs that print them.
var npdSamples = []saying{
	// kernel-monitor.json
	{"oom-memcg", "Memory cgroup out of memory: Kill process 1012 (worker) score 1035 or sacrifice child\nKilled process 1012 (worker) total-vm:327128kB, anon-rss:306328kB, file-rss:11132kB"},
	{"oom-memcg", "Memory cgroup out of memory: Killed process 1012 (worker) total-vm:327128kB, anon-rss:306328kB, file-rss:11132kB, shmem-rss:0kB, UID:0 pgtables:760kB oom_score_adj:968"},
	{"oom-global", "Out of memory: Killed process 1012 (worker) total-vm:327128kB, anon-rss:306328kB, file-rss:11132kB, shmem-rss:0kB, UID:0 pgtables:760kB oom_score_adj:0"},
	{"oom-global", "Out of memory: Kill process 1012 (worker) score 935 or sacrifice child\nKilled process 1012 (worker) total-vm:327128kB, anon-rss:306328kB, file-rss:11132kB"},
	{"hung-task-storage", hungTask("umount.aufs", "down_write+0x29/0x40", "si_write_lock+0x31/0x110 [aufs]", "vfs_write+0xb2/0x1f0", "SyS_write+0x42/0xa0")},
	{"hung-task-storage", hungTask("postgres", "io_schedule+0x12/0x40", "wait_on_page_bit+0x1a1/0x1c0", "ext4_file_write_iter+0x10e/0x3d0", "vfs_write+0xb2/0x1f0")},
	{"docker-netns-lock-hang", hungTask("docker", "__mutex_lock_slowpath+0xd3/0x1c0", "mutex_lock+0x1b/0x2a", "copy_net_ns+0x6c/0x130", "create_new_namespaces+0xf4/0x180", "copy_process+0x966/0x1c30")},
	{"container-runtime-hang", hungTask("dockerd", "rwsem_down_write_failed+0x1d5/0x320", "down_write+0x29/0x40", "ovl_get_inode+0x31/0x110 [overlay]")},
	{"netns-refcount-leak", "unregister_netdevice: waiting for lo to become free. Usage count = 1"},
	{"netns-refcount-leak", "unregister_netdevice: waiting for veth1a2b3c4 to become free. Usage count = 2"},
	{"kernel-oops-other", "BUG: unable to handle kernel NULL pointer dereference at 0000000000000010\nIP: [<ffffffff81012340>] pick_next_task_fair+0x12/0x340\nPGD 0 \nOops: 0000 [#1] SMP "},
	{"kernel-oops-storage", "divide error: 0000 [#1] SMP \nCPU: 1 PID: 310 Comm: dockerd Not tainted 3.16.0 #1\nRIP: 0010:[<ffffffffa0012340>]  [<ffffffffa0012340>] pool_io_hints+0x12/0x340 [dm_thin_pool]\nCall Trace:\n [<ffffffffa0045670>] ? dm_calculate_queue_limits+0x12/0x340 [dm_mod]"},
	{"kernel-oops-other", "divide error: 0000 [#1] SMP"},
	{"ext4-remount-ro", "EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2: comm cron: reading directory lblock 0\nEXT4-fs (sda1): Remounting filesystem read-only"},
	{"ext4-remount-ro", "EXT4-fs error (device sda1): ext4_journal_check_start:61: comm app: Detected aborted journal"},
	{"block-device-io-error", "EXT4-fs warning (device sda1): ext4_end_bio:323: I/O error 10 writing to inode 131 (offset 0 size 4096 starting block 33024)"},
	{"block-device-io-error", "Buffer I/O error on dev sda1, logical block 33024, lost async page write"},
	{"xfs-shutdown", "XFS (sda1): Log I/O Error Detected.  Shutting down filesystem"},
	{"xfs-shutdown", "XFS (sda1): Log I/O Error (0x2) detected at xlog_ioend_work+0x6a/0xa0 [xfs] (fs/xfs/xfs_log.c:1377).  Shutting down filesystem."},
	{"xfs-shutdown", "XFS (sda1): Metadata I/O Error (0x1) detected at xfs_trans_read_buf_map+0x1c/0x2c0 [xfs] (fs/xfs/xfs_trans_buf.c:296).  Shutting down filesystem."},
	{"memory-hardware-error", "EDAC MC0: 1 CE memory read error on CPU_SrcID#0_MC#0_Chan#0_DIMM#0 (channel:0 slot:0 page:0x12345 offset:0x0 grain:32 syndrome:0x0)"},
	{"memory-hardware-error", "{1}[Hardware Error]: event severity: corrected"},
	{"memory-hardware-error", "{1}[Hardware Error]: event severity: recoverable"},
	{"memory-hardware-error", "{1}[Hardware Error]: event severity: fatal"},
	// readonly-monitor.json
	{"ext4-remount-ro", "EXT4-fs (sda1): Remounting filesystem read-only"},
}

// npdServiceSamples are those of its rules that look into the logs of programs.
var npdServiceSamples = []saying{
	// docker-monitor.json, disk-log-message-filelog.json, systemd-monitor-counter.json
	{"container-image-store-corrupt", "Error trying v2 registry: failed to register layer: rename /var/lib/docker/image/overlay2/layerdb/tmp/layer-1 /var/lib/docker/image/overlay2/layerdb/sha256/2a: directory not empty"},
	{"container-image-store-corrupt", "Handler for POST /v1.38/containers/create returned error: readlink /var/lib/docker/overlay2/l/ABCDEF: invalid argument"},
	{"disk-smart-failing", "Device: /dev/sda [SAT], 8 Currently unreadable (pending) sectors"},
	{"disk-smart-failing", "Device: /dev/sda [SAT], 8 Offline uncorrectable sectors"},
	{"service-crash-loop", "kubelet.service: Start request repeated too quickly."},
}

// npdNegatives are lines beside which its rules must stay silent.
var npdNegatives = []string{
	"aufs au_opts_verify:1234:dockerd[310]: dirperm1 breaks the protection by the permission bits on the lower branch",
	"Started Kubernetes kubelet.",
	"Starting Docker Application Container Engine...",
	"Started containerd container runtime.",
	"EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: (null)",
	"EXT4-fs (sda1): re-mounted. Opts: errors=remount-ro",
	"XFS (sda1): Unmounting Filesystem",
	"oom_reaper: reaped process 1012 (worker), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
	"EDAC MC: Ver: 3.0.0",
	"mce: CPU supports 20 MCE banks",
	"device veth1a2b3c4 left promiscuous mode",
	"random: crng init done",
	healthyNode,
}

// healthyNode is how a node of a cluster that runs the agent with all its
// monitors is described while nothing is wrong.
const healthyNode = `Conditions:
  Type                          Status  LastHeartbeatTime                 LastTransitionTime                Reason                          Message
  ----                          ------  -----------------                 ------------------                ------                          -------
  KernelDeadlock                False   Sun, 01 Mar 2026 11:58:11 +0000   Sat, 28 Feb 2026 07:00:12 +0000   KernelHasNoDeadlock             kernel has no deadlock
  ReadonlyFilesystem            False   Sun, 01 Mar 2026 11:58:11 +0000   Sat, 28 Feb 2026 07:00:12 +0000   FilesystemIsNotReadOnly         Filesystem is not read-only
  XfsShutdown                   False   Sun, 01 Mar 2026 11:58:11 +0000   Sat, 28 Feb 2026 07:00:12 +0000   XfsHasNotShutDown               XFS has not shutdown
  CperHardwareErrorFatal        False   Sun, 01 Mar 2026 11:58:11 +0000   Sat, 28 Feb 2026 07:00:12 +0000   CperHardwareHasNoFatalError     UEFI CPER has no fatal error
  FrequentUnregisterNetDevice   False   Sun, 01 Mar 2026 11:58:11 +0000   Sat, 28 Feb 2026 07:00:12 +0000   NoFrequentUnregisterNetDevice   node is functioning properly
  FrequentKubeletRestart        False   Sun, 01 Mar 2026 11:58:11 +0000   Sat, 28 Feb 2026 07:00:12 +0000   NoFrequentKubeletRestart        kubelet is functioning properly
  FrequentDockerRestart         False   Sun, 01 Mar 2026 11:58:11 +0000   Sat, 28 Feb 2026 07:00:12 +0000   NoFrequentDockerRestart         docker is functioning properly
  FrequentContainerdRestart     False   Sun, 01 Mar 2026 11:58:11 +0000   Sat, 28 Feb 2026 07:00:12 +0000   NoFrequentContainerdRestart     containerd is functioning properly
  CorruptDockerOverlay2         False   Sun, 01 Mar 2026 11:58:11 +0000   Sat, 28 Feb 2026 07:00:12 +0000   NoCorruptDockerOverlay2         docker overlay2 is functioning properly
  KubeletUnhealthy              False   Sun, 01 Mar 2026 11:58:11 +0000   Sat, 28 Feb 2026 07:00:12 +0000   KubeletIsHealthy                kubelet on the node is functioning properly
  ContainerRuntimeUnhealthy     False   Sun, 01 Mar 2026 11:58:11 +0000   Sat, 28 Feb 2026 07:00:12 +0000   ContainerRuntimeIsHealthy       Container runtime on the node is functioning properly
  NTPProblem                    False   Sun, 01 Mar 2026 11:58:11 +0000   Sat, 28 Feb 2026 07:00:12 +0000   NTPIsUp                         ntp service is up
  DiskBadBlock                  False   Sun, 01 Mar 2026 11:58:11 +0000   Sat, 28 Feb 2026 07:00:12 +0000   DiskBadBlock                    Disk no bad block
  NetworkUnavailable            False   Sun, 01 Mar 2026 11:58:11 +0000   Sat, 28 Feb 2026 07:00:12 +0000   CalicoIsUp                      Calico is running on this node
  MemoryPressure                False   Sun, 01 Mar 2026 11:58:11 +0000   Sat, 28 Feb 2026 07:00:12 +0000   KubeletHasSufficientMemory      kubelet has sufficient memory available
  DiskPressure                  False   Sun, 01 Mar 2026 11:58:11 +0000   Sat, 28 Feb 2026 07:00:12 +0000   KubeletHasNoDiskPressure        kubelet has no disk pressure
  PIDPressure                   False   Sun, 01 Mar 2026 11:58:11 +0000   Sat, 28 Feb 2026 07:00:12 +0000   KubeletHasSufficientPID         kubelet has sufficient PID available
  Ready                         True    Sun, 01 Mar 2026 11:58:11 +0000   Sat, 28 Feb 2026 07:00:12 +0000   KubeletReady                    kubelet is posting ready status`

// hungTask is the report of the kernel on a blocked task.
func hungTask(task string, frames ...string) string {
	s := "INFO: task " + task + ":20744 blocked for more than 120 seconds.\n" +
		"      Tainted: G         C    3.16.0-4-amd64 #1\n" +
		"\"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.\n" +
		task + "          D ffff8801a8f2b078     0 20744      1 0x00000000\nCall Trace:"
	for _, f := range frames {
		s += "\n [<ffffffff81510915>] ? " + f
	}
	return s
}

// TestNPDSamples holds that what node-problem-detector finds is found, in all
// framings, and that its silence is kept.
func TestNPDSamples(t *testing.T) {
	e := mustEngine(t)
	for _, s := range npdSamples {
		for _, f := range kernelFramings() {
			if got := e.verdictFramed(t, f, s); got.Rank() > ddx.Likely.Rank() {
				t.Errorf("%s: want %s likely or better, got %s\n%s", f, s.mode, got, s.text)
			}
		}
	}
	for _, s := range npdServiceSamples {
		for _, f := range []string{"service-short", "service-json", "service-rfc5424", "bare"} {
			if got := e.verdictFramed(t, f, s); got.Rank() > ddx.Likely.Rank() {
				t.Errorf("%s: want %s likely or better, got %s\n%s", f, s.mode, got, s.text)
			}
		}
	}
	for _, text := range npdNegatives {
		for _, f := range []string{"dmesg", "journal-short", "service-short", "bare"} {
			if got := loud(e.diagnoseFramed(t, f, text)); got != "" {
				t.Errorf("%s: want silence, got %s\n%s", f, got, text)
			}
		}
	}
}
