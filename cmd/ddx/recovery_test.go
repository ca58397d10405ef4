package main

import (
	"strings"
	"testing"

	"ddx"
	"ddx/diagnose"
)

// recoveries are what drivers and programs say when a fault is over, and lines
// that look like it and are not.
var recoveries = []struct {
	mode, fault string
	over        []string
	not         []string
}{
	{"ena-desc-corrupt", "kernel: ena 0000:00:05.0 eth0: Invalid rx req_id: 65535",
		[]string{"kernel: ena 0000:00:05.0 eth0: Device reset completed successfully, Driver info: Elastic Network Adapter (ENA) v2.10.0g", "kernel: ena 0000:00:05.0 eth0: Device reset completed, status: 0, Driver info: Elastic Network Adapter (ENA) v2.14.1g"},
		[]string{"kernel: ena 0000:00:05.0 eth0: Device reset completed, status: -62, Driver info: Elastic Network Adapter (ENA) v2.14.1g", "kernel: ena 0000:00:06.0 eth1: Device reset completed successfully"}},
	{"netdev-tx-timeout", "kernel: NETDEV WATCHDOG: eth0 (ixgbevf): transmit queue 2 timed out",
		[]string{"kernel: ixgbevf 0000:00:03.0 eth0: NIC Link is Up 10 Gbps", "kernel: e1000e: eth0 NIC Link is Up 1000 Mbps Full Duplex, Flow Control: None"},
		[]string{"kernel: ixgbevf 0000:00:04.0 eth1: NIC Link is Up 10 Gbps", "kernel: ixgbevf 0000:00:03.0 eth0: NIC Link is Down"}},
	{"vf-reset-by-pf", "kernel: iavf 0000:00:03.0 eth0: Reset indication received from the PF",
		[]string{"kernel: iavf 0000:00:03.0 eth0: NIC Link is Up Speed is 10 Gbps Full Duplex"},
		[]string{"kernel: iavf 0000:00:03.0 eth1: NIC Link is Up Speed is 10 Gbps Full Duplex"}},
	{"nvme-io-timeout", "kernel: nvme nvme0: I/O 960 QID 26 timeout, reset controller",
		[]string{"kernel: nvme nvme0: 2/0/0 default/read/poll queues"},
		[]string{"kernel: nvme nvme1: 2/0/0 default/read/poll queues", "kernel: nvme nvme0: mapped 2/0/0 default/read/poll queues.", "kernel: virtio_blk virtio1: 6/0/0 default/read/poll queues", "kernel: nvme nvme0: Shutdown timeout set to 8 seconds"}},
	{"nvme-controller-lost", "kernel: nvme nvme2: I/O 9 QID 4 timeout, reset controller\nkernel: nvme nvme2: controller is down; will reset: CSTS=0x1",
		[]string{"kernel: nvme nvme2: 2/0/0 default/read/poll queues"},
		[]string{"kernel: nvme nvme1: 2/0/0 default/read/poll queues"}},
	{"nvme-probe-failure", "kernel: nvme nvme2: Removing after probe failure status: -19",
		[]string{"kernel: nvme nvme2: 2/0/0 default/read/poll queues"},
		[]string{"kernel: nvme nvme2: pci function 0000:00:1f.0"}},
	{"ext4-remount-ro", "kernel: EXT4-fs (nvme1n1): Remounting filesystem read-only",
		[]string{"kernel: EXT4-fs (nvme1n1): mounted filesystem 56bcaf0f-5f1c-4a2e-9b8b-aaaaaaaaaaaa r/w with ordered data mode. Quota mode: none.", "kernel: EXT4-fs (nvme1n1): re-mounted 56bcaf0f-5f1c-4a2e-9b8b-aaaaaaaaaaaa r/w. Quota mode: none."},
		[]string{"kernel: EXT4-fs (nvme1n1): mounted filesystem 56bcaf0f-5f1c-4a2e-9b8b-aaaaaaaaaaaa ro with ordered data mode. Quota mode: none.", "kernel: EXT4-fs (nvme2n1): re-mounted 56bcaf0f-5f1c-4a2e-9b8b-aaaaaaaaaaaa r/w. Quota mode: none.", "kernel: EXT4-fs (nvme1n1): re-mounted. Opts: errors=remount-ro"}},
	{"xfs-shutdown", "kernel: XFS (nvme1n1): Log I/O Error Detected. Shutting down filesystem",
		[]string{"kernel: XFS (nvme1n1): Ending recovery (logdev: internal)", "kernel: XFS (nvme1n1): Ending clean mount"},
		[]string{"kernel: XFS (nvme1n1): Mounting V5 Filesystem", "kernel: XFS (nvme1n1): Ending recovery (logdev: internal)\nkernel: XFS (nvme1n1): log mount finish failed", "kernel: XFS (nvme2n1): Ending clean mount"}},
	{"xfs-duplicate-uuid", "kernel: XFS (nvme1n1p1): Filesystem has duplicate UUID 56bcaf0f-5f1c-4a2e-9b8b-aaaaaaaaaaaa - can't mount",
		[]string{"kernel: XFS (nvme1n1p1): Ending clean mount"},
		[]string{"kernel: XFS (nvme0n1p1): Ending clean mount"}},
	{"nfs-soft-timeout-eio", "kernel: nfs: server fs1 not responding, timed out",
		[]string{"kernel: nfs: server fs1 OK"},
		[]string{"kernel: nfs: server fs2 OK", "kernel: lockd: server fs1 OK"}},
	{"container-runtime-hang", "kubelet[812]: skipping pod synchronization - PLEG is not healthy: pleg was last seen active 3m10s ago; threshold is 3m0s",
		[]string{`kubelet[812]: I0301 11:55:00.000000     812 kubelet_node_status.go:687] "Recording event message for node" node="n1" event="NodeReady"`, "kubelet[812]: Node n1 status is now: NodeReady"},
		[]string{`kubelet[812]: I0301 11:55:00.000000     812 kubelet_node_status.go:687] "Recording event message for node" node="n1" event="NodeNotReady"`, `kubelet[812]: I0301 11:55:00.000000     812 kubelet_node_status.go:687] "Recording event message for node" node="n1" event="NodeHasSufficientPID"`}},
	{"dhcp-lease-lost", "NetworkManager[812]: <info>  [1772365800.0001] dhcp4 (eth0): state changed bound -> expire",
		[]string{"NetworkManager[812]: <info>  [1772366100.0001] dhcp4 (eth0): state changed new lease, address=10.0.1.5", "NetworkManager[812]: <info>  [1772366100.0001] dhcp4 (eth0): state changed unknown -> bound"},
		[]string{"NetworkManager[812]: <info>  [1772366100.0001] dhcp4 (eth0): state changed new lease, address=10.0.1.5, acd pending", "NetworkManager[812]: <info>  [1772366100.0001] dhcp4 (eth1): state changed new lease, address=10.0.1.5", "NetworkManager[812]: <info>  [1772366100.0001] dhcp4 (eth0): state changed no lease"}},
}

// TestRecoveries holds that a finding is over once its software says so, and
// not for a line that looks like it or is about something else.
func TestRecoveries(t *testing.T) {
	e := mustEngine(t)
	active := func(mode, fault, then string) ddx.Active {
		text := stamped("2026-03-01T11:50:00Z h ", fault) + stamped("2026-03-01T11:55:00Z h ", then)
		facts, err := e.textFacts([]byte(text), exampleNow)
		if err != nil {
			t.Fatal(err)
		}
		d, err := diagnose.Run(e.cat, facts, exampleNow, diagnose.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range d.Findings {
			if f.Mode == mode {
				return f.Active
			}
		}
		t.Errorf("%s: no finding in\n%s", mode, text)
		return ""
	}
	for _, r := range recoveries {
		for _, line := range r.over {
			if got := active(r.mode, r.fault, line); got != ddx.No {
				t.Errorf("%s: active %q after its end: %s", r.mode, got, line)
			}
		}
		for _, line := range r.not {
			if got := active(r.mode, r.fault, line); got != ddx.Yes {
				t.Errorf("%s: active %q, nothing ended with: %s", r.mode, got, line)
			}
		}
	}
}

// stamped puts a time and a host before each line.
func stamped(prefix, lines string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		b.WriteString(prefix + strings.TrimSuffix(line, "\n") + "\n")
	}
	return b.String()
}
