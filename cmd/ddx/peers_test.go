package main

import (
	"strings"
	"testing"

	"ddx"
	"ddx/diagnose"
	"ddx/logline"
)

// saying is a message of the kernel in one of its wordings, and the mode that
// it must make likely or better; "" when nothing may be said.
type saying struct{ mode, text string }

// blindSpots are messages that a comparison of four other tools found none of
// them to recognise, each in every wording that kernels and drivers print,
// written from the format strings of their sources.
var blindSpots = []saying{
	{"ena-keepalive-timeout", "ena 0000:00:05.0 ens5: Keep alive watchdog timeout."},
	{"ena-keepalive-timeout", "ena 0000:00:05.0: Keep alive watchdog timeout, 5264 msecs since last keep alive."},
	{"ena-keepalive-timeout", "ena: Keep alive watchdog timeout."},
	{"ena-mmio-read-timeout", "ena: [ena_com_reg_bar_read32] reading reg failed for timeout. expected: req id[10] offset[88] actual: req id[57006] offset[0]"},
	{"ena-mmio-read-timeout", "ena 0000:00:05.0: Reading reg failed for timeout. expected: req id[1] offset[88] actual: req id[57006] offset[0]"},
	{"ena-mmio-read-timeout", "ena 0000:00:05.0 ens5: Reg read timeout occurred"},
	{"ena-tx-completion-missing", "ena 0000:00:05.0 ens5: The number of lost tx completion is above the threshold (129 > 128). Reset the device"},
	{"ena-tx-completion-missing", "ena 0000:00:05.0 ens5: The number of lost tx completions is above the threshold (129 > 128). Reset the device"},
	{"ena-tx-completion-missing", "ena 0000:00:05.0 ens5: Lost TX completions are above the threshold (131 > 128). Completion transmission timeout: 5000."},
	{"ena-tx-completion-missing", "ena 0000:00:05.0 ens5: Lost TX completions are above the threshold (131 > 128). Completion transmission timeout: 5000 (msec). 12 msecs since last interrupt, 8 msecs since last napi execution."},
	{"ena-tx-completion-missing", "ena 0000:00:05.0 ens5: Lost TX completions are above the threshold (131 > 128). Completion transmission timeout: 5000 (msec). 12 msecs since last interrupt, 8 msecs since last napi execution. qid 3."},
	{"ena-tx-completion-missing", "ena 0000:00:05.0 ens5: [1/2] Lost TX completions are above threshold (131 > 128), completion timeout: 5000 (msec), 12 msecs since interrupt, 8 msecs since napi, qid: 3"},
	{"ena-tx-completion-missing", "ena 0000:00:05.0 ens5: Found a Tx that wasn't completed on time, qid 2, index 517.\nena 0000:00:05.0 ens5: Found a Tx that wasn't completed on time, qid 2, index 518."},
	{"ena-tx-completion-missing", "ena 0000:00:05.0 ens5: TX hasn't completed, qid 2, index 517. 1200 usecs from last napi execution, napi scheduled: 0"},
	{"ena-tx-completion-missing", "ena 0000:00:05.0 ens5: TX hasn't completed, qid 2, index 517. 4 msecs since last interrupt, 3 msecs since last napi execution, napi scheduled: 0"},
	{"ena-tx-completion-missing", "ena 0000:00:05.0 ens5: [1/2] 12 new missed TX completions, qid: 2, 4 msecs since interrupt, 3 msecs since napi, napi scheduled: 0"},
	{"netdev-tx-timeout", "NETDEV WATCHDOG: eth0 (ixgbevf): transmit queue 2 timed out"},
	{"netdev-tx-timeout", "ixgbevf 0000:00:03.0 eth0: NETDEV WATCHDOG: CPU: 3: transmit queue 2 timed out 5120 ms"},
	{"kernel-oops-other", "BUG: unable to handle kernel paging request at ffff88012345f000"},
	{"kernel-oops-other", "BUG: unable to handle page fault for address: ffffa1b2c3d4e5f6"},
	{"kernel-oops-other", "BUG: kernel NULL pointer dereference, address: 0000000000000048"},
	{"kernel-oops-other", "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018"},
	{"kernel-oops-other", "Unable to handle kernel paging request at virtual address ffff8000112233ff"},
	{"kernel-oops-other", "general protection fault: 0000 [#1] SMP "},
	{"kernel-oops-other", "general protection fault: 0000 [#1] SMP PTI"},
	{"kernel-oops-other", "general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1] PREEMPT SMP NOPTI"},
	{"kernel-oops-other", "Oops: general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1] PREEMPT SMP NOPTI"},
	{"kernel-oops-other", "Oops: 0000 [#1] SMP "},
	{"kernel-oops-other", "Oops: 0002 [#1] PREEMPT SMP NOPTI"},
	{"kernel-oops-other", "Oops: Oops: 0000 [#1] PREEMPT SMP NOPTI"},
	{"kernel-oops-other", "Internal error: Oops: 0000000096000004 [#1] SMP"},
	{"kernel-oops-other", "divide error: 0000 [#1] SMP PTI"},
	{"kernel-oops-other", "divide error: 0000 [#1] PREEMPT SMP NOPTI"},
	{"kernel-oops-other", "Oops: divide error: 0000 [#1] PREEMPT SMP NOPTI"},
	{"soft-lockup", "NMI watchdog: Watchdog detected hard LOCKUP on cpu 3"},
	{"soft-lockup", "watchdog: Watchdog detected hard LOCKUP on cpu 3"},
	{"soft-lockup", "Watchdog detected hard LOCKUP on cpu 3"},
	{"soft-lockup", "Kernel panic - not syncing: Watchdog detected hard LOCKUP on cpu 3"},
	{"rcu-or-workqueue-stall", "INFO: rcu_sched detected stalls on CPUs/tasks: { 3} (detected by 1, t=21002 jiffies, g=81, c=80, q=5)"},
	{"rcu-or-workqueue-stall", "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:"},
	{"rcu-or-workqueue-stall", "rcu: INFO: rcu_sched detected expedited stalls on CPUs/tasks: { 3-... } 21003 jiffies s: 101 root: 0x8/."},
	{"rcu-or-workqueue-stall", "INFO: rcu_sched self-detected stall on CPU { 3}  (t=21000 jiffies g=81 c=80 q=5)"},
	{"rcu-or-workqueue-stall", "INFO: rcu_sched self-detected stall on CPU"},
	{"rcu-or-workqueue-stall", "rcu: INFO: rcu_preempt self-detected stall on CPU"},
	{"nvme-io-timeout", "nvme nvme1: I/O 24 QID 3 timeout, aborting"},
	{"nvme-io-timeout", "nvme nvme1: I/O 24 (I/O Cmd) QID 3 timeout, aborting"},
	{"nvme-io-timeout", "nvme nvme1: I/O tag 24 (0018) opcode 0x1 (I/O Cmd) QID 3 timeout, aborting req_op:WRITE(1) size:4096"},
	{"nvme-io-timeout", "nvme 0000:00:1f.0: I/O 24 QID 3 timeout, aborting"},
	{"nvme-io-timeout", "nvme nvme1: I/O 24 QID 3 timeout, reset controller"},
	{"block-device-io-error", "end_request: I/O error, dev xvdf, sector 2048"},
	{"block-device-io-error", "blk_update_request: I/O error, dev nvme1n1, sector 2048"},
	{"block-device-io-error", "print_req_error: I/O error, dev nvme1n1, sector 2048"},
	{"block-device-io-error", "print_req_error: I/O error, dev nvme1n1, sector 2048 flags 801"},
	{"block-device-io-error", "blk_update_request: I/O error, dev nvme1n1, sector 2048 op 0x1:(WRITE) flags 0x800 phys_seg 1 prio class 0"},
	{"block-device-io-error", "I/O error, dev nvme1n1, sector 2048 op 0x1:(WRITE) flags 0x800 phys_seg 1 prio class 2"},
	{"block-device-io-error", "critical medium error, dev sdb, sector 2048 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 2"},
	{"memory-hardware-error", "mce: [Hardware Error]: Machine check events logged"},
	{"memory-hardware-error", "[Hardware Error]: Machine check events logged"},
	{"memory-hardware-error", "mce: [Hardware Error]: CPU 2: Machine Check: 0 Bank 7: 8c00004000010090"},
	{"memory-hardware-error", "mce: [Hardware Error]: CPU 2: Machine Check Exception: 5 Bank 7: be00000000800400"},
	{"segfault-same-place", thrice("app[812]: segfault at 8 ip 00007f1234567890 sp 00007ffd12345678 error 4 in libapp.so.1[7f1234500000+90000]")},
	{"segfault-same-place", thrice("app[812]: segfault at 8 ip 00007f1234567890 sp 00007ffd12345678 error 6 in libapp.so.1[7f1234500000+90000] likely on CPU 3 (core 1, socket 0)")},
	{"segfault-same-place", thrice("app[812]: segfault at 0 ip           (null) sp 00007ffd12345678 error 14 in app[400000+1000]")},
	{"segfault-same-place", thrice("traps: app[812] general protection ip:7f1234567890 sp:7ffd12345678 error:0 in libapp.so.1[7f1234500000+90000]")},
	{"segfault-same-place", thrice("traps: app[812] general protection fault ip:7f1234567890 sp:7ffd12345678 error:0 in libapp.so.1[7f1234500000+90000]")},
	{"tcp-memory-exhausted", "TCP: out of memory -- consider tuning tcp_mem"},
	{"tcp-memory-exhausted", "Out of socket memory"},
	{"listen-queue-overflow", "TCP: Possible SYN flooding on port 8080. Sending cookies.  Check SNMP counters."},
	{"listen-queue-overflow", "TCP: request_sock_TCP: Possible SYN flooding on port 8080. Sending cookies.  Check SNMP counters."},
	{"listen-queue-overflow", "TCP: request_sock_TCP: Possible SYN flooding on port 8080. Dropping request.  Check SNMP counters."},
	{"listen-queue-overflow", "TCP: request_sock_TCP: Possible SYN flooding on port 10.0.0.1:8080. Sending cookies."},
	{"listen-queue-overflow", "possible SYN flooding on port 8080. Sending cookies."},
	{"neighbour-table-overflow", "Neighbour table overflow."},
	{"neighbour-table-overflow", "neighbour: arp_cache: neighbor table overflow!"},
	{"neighbour-table-overflow", "neighbour: ndisc_cache: neighbor table overflow!"},
	{"neighbour-table-overflow", "net_ratelimit: 12 callbacks suppressed\nneighbour: arp_cache: neighbor table overflow!"},
	{"page-allocation-failure", "swapper/0: page allocation failure: order:1, mode:0x20"},
	{"page-allocation-failure", "swapper/0: page allocation failure. order:1, mode:0x20"},
	{"page-allocation-failure", "kworker/u8:2: page allocation failure: order:4, mode:0x40cc0(GFP_KERNEL|__GFP_COMP), nodemask=(null),cpuset=/,mems_allowed=0"},
	{"pids-limit-reached", "cgroup: fork rejected by pids controller in /system.slice/app.service"},
	{"pids-limit-reached", "cgroup: fork rejected by pids controller in /kubepods/burstable/pod0f2e/2a41"},
	{"clocksource-unstable", "Clocksource tsc unstable (delta = -72019341 ns)"},
	{"clocksource-unstable", "clocksource: timekeeping watchdog: Marking clocksource 'tsc' as unstable because the skew is too large:"},
	{"clocksource-unstable", "clocksource: timekeeping watchdog on CPU3: Marking clocksource 'tsc' as unstable because the skew is too large:"},
	{"clocksource-unstable", "tsc: Marking TSC unstable due to clocksource watchdog"},
	{"clocksource-unstable", "Marking TSC unstable due to check_tsc_sync_source failed"},
	{"pcie-fatal-error", "pcieport 0000:00:1c.0: AER: Uncorrected (Fatal) error received: 0000:03:00.0"},
	{"pcie-fatal-error", "pcieport 0000:00:1c.0: AER: Uncorrectable (Fatal) error message received from 0000:03:00.0"},
	{"pcie-fatal-error", "pcieport 0000:00:1c.0: PCIe Bus Error: severity=Uncorrected (Fatal), type=Transaction Layer, id=00e0(Requester ID)"},
	{"pcie-fatal-error", "nvme 0000:03:00.0: PCIe Bus Error: severity=Uncorrectable (Fatal), type=Transaction Layer, (Completer ID)"},
}

// thrice repeats a line: one crash of a program is an accident, not a pattern.
func thrice(line string) string { return line + "\n" + line + "\n" + line }

// TestPeerBlindSpots holds that every message is recognised, in all framings in
// which the kernel's messages arrive.
func TestPeerBlindSpots(t *testing.T) {
	e := mustEngine(t)
	for _, s := range blindSpots {
		for _, f := range kernelFramings() {
			if got := e.verdictFramed(t, f, s); got.Rank() > ddx.Likely.Rank() {
				t.Errorf("%s: want %s likely or better, got %s\n%s", f, s.mode, got, s.text)
			}
		}
	}
}

func mustEngine(t *testing.T) *engine {
	t.Helper()
	e, err := newEngine(nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// kernelFramings are the framings in which a message of the kernel can arrive.
func kernelFramings() []string {
	var names []string
	for _, f := range logline.Framings {
		if f.Channel != logline.Service {
			names = append(names, f.Name)
		}
	}
	return names
}

// diagnoseFramed diagnoses messages that arrive in a framing.
func (e *engine) diagnoseFramed(t *testing.T, framing, text string) *ddx.Diagnosis {
	t.Helper()
	facts, err := e.textFacts(frameAll(framing, text), exampleNow)
	if err != nil {
		t.Fatalf("%s: %v", framing, err)
	}
	d, err := diagnose.Run(e.cat, facts, exampleNow, diagnose.Options{})
	if err != nil {
		t.Fatalf("%s: %v", framing, err)
	}
	return d
}

// verdictFramed returns what is said of a mode on the evidence of messages in
// a framing.
func (e *engine) verdictFramed(t *testing.T, framing string, s saying) ddx.Verdict {
	t.Helper()
	best := ddx.Untested
	for _, f := range e.diagnoseFramed(t, framing, s.text).Findings {
		if f.Mode == s.mode && f.Verdict.Rank() < best.Rank() {
			best = f.Verdict
		}
	}
	return best
}

// loud lists the findings that are likely or better.
func loud(d *ddx.Diagnosis) string {
	var ids []string
	for _, f := range d.Findings {
		if f.Verdict.Rank() <= ddx.Likely.Rank() {
			ids = append(ids, f.ID+" "+string(f.Verdict))
		}
	}
	return strings.Join(ids, ", ")
}
