package kernlog

import (
	"slices"
	"strings"
	"testing"
)

func assemble(text string) []*Report {
	var a Assembler
	for _, l := range strings.Split(text, "\n") {
		a.Add(Line{Message: l, Text: l, Mono: -1})
	}
	return a.Reports()
}

// TestFragments: reports that were cut off at the front, and the forms of other
// printers, still tell the type, the place and the frames.
func TestFragments(t *testing.T) {
	tests := []struct {
		name, text, typ, symbol, task string
		frames                        []string
	}{
		{"registers of x86-64 and a trace",
			"FS:  0000000000000000(0000) GS:ffff88803fc00000(0000) knlGS:0000000000000000\nCS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033\nCR2: 0000000000000018 CR3: 0000000003a0a001 CR4: 00000000007706e0\nCall Trace:\n <IRQ>\n ip_forward+0x12/0x340\n ? ip_rcv_finish+0x1/0x20",
			"oops", "ip_forward", "", []string{"ip_forward"}},
		{"IP without R, address in brackets",
			"BUG: unable to handle kernel NULL pointer dereference at 0000000000000010\nIP: [<ffffffff814ac9d0>] tcp_ack+0x19/0x60",
			"oops", "tcp_ack", "", nil},
		{"IP without R, no address", "BUG: unable to handle kernel paging request at ffffc900\nIP: fib_table_lookup+0x2f/0x90", "oops", "fib_table_lookup", "", nil},
		{"EIP of i386 without a first line", "EIP: 0061:[<c04adf9d>] EFLAGS: 00010246 CPU: 0\nEIP is at tcp_write_xmit+0x24d/0x460\nCall Trace:\n [<c04b0f5d>] ? tcp_ack+0x3fd/0x9e0", "oops", "tcp_write_xmit", "", []string{"tcp_ack"}},
		{"backtrace of crash(8)", " #7 [ffff88002820] page_fault at ffffffff8152bb75\n    [exception RIP: tcp_fragment+2754]\n #8 [ffff88002828] tcp_ack at ffffffff814afb2c\n #9 [ffff88002830] tcp_v4_do_rcv at ffffffff814b1128",
			"oops", "tcp_fragment", "", []string{"tcp_ack", "tcp_v4_do_rcv"}},
		{"32-bit ARM", "Internal error: Oops: 17 [#1] SMP ARM\nPC is at skb_release_data+0x10/0x80\n[<c0010ff0>] (skb_release_data) from [<c001c210>] (kfree_skb+0x20/0x24)", "oops", "skb_release_data", "", []string{"skb_release_data"}},
		{"hung task from its task line, 3.x", "jbd2/xvda1-8   D ffff88021fc12ec0     0   467      2 0x00000000\nCall Trace:\n [<ffffffff8154881e>] ? io_schedule+0xe/0x20", "hung-task", "", "jbd2/xvda1-8", []string{"io_schedule"}},
		{"hung task from its task line, 4.x", "kworker/0:0     D    0  2904      2 0x80000000\nx\nkworker/0:1     D    0  2905      2 0x00000080\nCall Trace:\n io_schedule+0xe/0x20", "hung-task", "", "kworker/0:1", []string{"io_schedule"}},
		{"hung task from its task line, 5.x", "task:mysqld          state:D stack:    0 pid:37475 ppid: 26315 flags:0x00000000\nCall Trace:\n io_schedule+0x16/0x40\n ext4_sync_file+0x1/0x2 [ext4]", "hung-task", "ext4_sync_file", "mysqld", []string{"io_schedule", "ext4_sync_file"}},
		{"soft lockup from its registers", "RIP: 0010:smp_call_function_many_cond+0x11e/0x4f0\nCS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033\nCR2: 00000000004af3d0 CR3: 000000000b222003 CR4: 00000000001706f0\nCall Trace:\n <IRQ>\n ? watchdog_timer_fn+0x1b8/0x220\n on_each_cpu_cond_mask+0x24/0x40", "soft-lockup", "smp_call_function_many_cond", "", []string{"on_each_cpu_cond_mask"}},
		{"RCU stall of POWER", "[c0000000] [c0000001] rcu_dump_cpu_stacks+0xa0/0xd0\n[c0000000] [c0000001] tick_sched_timer+0x4c/0x84\n[c0000000] [c0000001] arch_local_irq_restore+0x54/0x70", "rcu-stall", "arch_local_irq_restore", "", []string{"rcu_dump_cpu_stacks", "tick_sched_timer", "arch_local_irq_restore"}},
		{"warning by its first line alone", "WARNING: CPU: 0 PID: 0 at net/sched/sch_generic.c:477 dev_watchdog+0x2d4/0x2dc\nModules linked in: x", "warning", "dev_watchdog", "", nil},
		{"the work item is the outermost frame", "INFO: task kworker/u30:4:31318 blocked for more than 120 seconds.\nWorkqueue: netns cleanup_net\nCall Trace:\n schedule+0x29/0x70", "hung-task", "cleanup_net", "kworker/u30:4", []string{"schedule", "cleanup_net"}},
		{"trace that passes through the end of an oops", " oops_end+0x4b/0x70\n do_trap+0xba/0x150\n scsi_execute+0xa9/0x100 [scsi_mod]\n sr_check_events+0xc0/0x310 [sr_mod]", "oops", "scsi_execute", "", []string{"oops_end", "do_trap", "scsi_execute", "sr_check_events"}},
		{"MIPS without a trace", "CPU 0 Unable to handle kernel paging request at virtual address 00000004, epc == 803a8658, ra == 803a8edc\nOops[#1]:\nepc   : 803a8658 tcp_v4_rcv+0x14/0x48\nra    : 803a8edc ip_rcv+0x74/0xd4", "oops", "tcp_v4_rcv", "", []string{"ip_rcv"}},
		{"LoongArch without a trace", "CPU 1 Unable to handle kernel paging request at virtual address 0000000000000008, era == 9000000000e4c0a8, ra == 9000000000e4c090\nOops[#1]:\n   ra: 9000000000e4c090 skb_release_data+0x90/0x1c0\n  ERA: 9000000000e4c0a8 skb_release_all+0xa8/0x1c0", "oops", "skb_release_all", "", []string{"skb_release_data"}},
		{"POWER by NIP and LR", "BUG: Unable to handle kernel data access on read at 0xc00a\nNIP [c0000000007a1230] tcp_ack+0x11c/0x4f0\nLR [c0000000007a4560] tcp_rcv_established+0x1/0x2\nCall Trace:\n[c000000] [c000001] ip_rcv+0x54/0x70", "oops", "tcp_ack", "", []string{"tcp_rcv_established", "ip_rcv"}},
		{"RISC-V by epc and ra", "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008\nepc : ffffffff8080a1b0 ra : ffffffff8080b2c0 sp : ffffffd004\nepc : fib_table_lookup+0x2e/0x90\n ra : ip_route_input+0x1a/0x40 [demo]", "oops", "fib_table_lookup", "", []string{"ip_route_input"}},
		{"s390 by its PSW", "Unable to handle kernel pointer dereference in virtual kernel address space\nKrnl PSW : 0704c00180000000 00000000007a1230 (tcp_ack+0x1c/0x4f0)\nCall Trace:\n [<00000000007a4560>] tcp_rcv_established+0x1/0x2", "oops", "tcp_ack", "", []string{"tcp_rcv_established"}},
		{"arm64 by pc and lr", "Internal error: Oops: 96000004 [#1] SMP\npc : skb_release_data+0x10/0x80\nlr : demo_poll+0x20/0x24 [demo]\nCall trace:\n skb_release_data+0x10/0x80\n napi_poll+0x1/0x2", "oops", "skb_release_data", "", []string{"demo_poll", "skb_release_data", "napi_poll"}},
		{"hung task from the check that found it", "Call Trace:\n panic+0x10/0x20\n watchdog+0x20/0x30\n check_hung_uninterruptible_tasks+0x1/0x2", "hung-task", "watchdog", "", []string{"panic", "watchdog", "check_hung_uninterruptible_tasks"}},
		{"scheduling while atomic, from its trace", "Call Trace:\n dump_stack+0x10/0x20\n __schedule_bug+0x20/0x30\n __schedule+0x1/0x2\n tcp_ack+0x1/0x2", "oops", "tcp_ack", "", []string{"dump_stack", "__schedule_bug", "__schedule", "tcp_ack"}},
		{"oops from its instruction pointer", "RIP: 0010:tcp_ack+0x11e/0x4f0\nCR2: 0000000000000018 CR3: 000000000b222003 CR4: 00000000001706f0", "oops", "tcp_ack", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all := assemble(tt.text)
			if len(all) != 1 {
				t.Fatalf("%d reports, want 1", len(all))
			}
			r := all[0]
			if r.Type != tt.typ || r.Function != tt.symbol || r.Task != tt.task || !slices.Equal(r.Frames, tt.frames) {
				t.Errorf("got %s %q task %q %q, want %s %q task %q %q", r.Type, r.Function, r.Task, r.Frames, tt.typ, tt.symbol, tt.task, tt.frames)
			}
		})
	}
}

// TestFragmentStartsOnlyAtTheFront: what belongs to a report of another type
// does not begin one of its own.
func TestFragmentStartsOnlyAtTheFront(t *testing.T) {
	for _, text := range []string{
		"WARNING: CPU: 0 PID: 1 at net/ipv4/tcp_timer.c:429 tcp_retransmit_timer+0x66b/0x8a0\nCS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033\nCR2: 00007f5cfc0024d0 CR3: 000000011ae0a003 CR4: 00000000007606f0\nCall Trace:\n tcp_write_timer+0x1/0x2",
		"watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [kworker/1:1:40]\nCR2: 00007f5cfc0024d0 CR3: 000000011ae0a003 CR4: 00000000007606f0",
		"traps: app[812] general protection fault ip:7f12 sp:7ffd error:0 in libc.so.6[7f10+1000]",
		"app invoked by cron from /etc/crontab",
	} {
		for _, r := range assemble(text) {
			if r.Type == "oops" {
				t.Errorf("%q makes an oops", text)
			}
		}
	}
}
