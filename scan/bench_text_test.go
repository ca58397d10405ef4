package scan

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
)

type logKind int

const (
	busyLog     logKind = iota // one line in six has a word of benchWords
	quietLog                   // only lines that match have such a word
	innocentLog                // quiet, and no line matches
)

// writeLog writes about size bytes of syslog: ordinary lines of many services,
// among them near-misses of the expressions, and one matching line in a
// thousand. The same seed gives the same text.
func writeLog(out io.Writer, size int64, seed uint64, kind logKind) error {
	w := bufio.NewWriterSize(out, 1<<20)
	r := rand.New(rand.NewPCG(seed, 2))
	var ordinary []string
	for _, t := range ordinaryLines {
		if kind == busyLog || firstWord(benchWords, []byte(t)) < 0 {
			ordinary = append(ordinary, t)
		}
	}
	var b []byte
	clock, uptime := 0, 1000.0
	for n := int64(0); n < size; n += int64(len(b)) {
		template := ordinary[r.IntN(len(ordinary))]
		if r.IntN(1000) == 0 && kind != innocentLog {
			template = failingLines[r.IntN(len(failingLines))]
		}
		clock += r.IntN(2)
		uptime += r.Float64()
		b = fmt.Appendf(b[:0], "Mar %2d %02d:%02d:%02d %s ", 1+clock/86400%28, clock/3600%24, clock/60%60, clock%60, hosts[r.IntN(len(hosts))])
		b = fill(b, template, r, uptime)
		b = append(b, '\n')
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return w.Flush()
}

// fill appends template with its placeholders filled.
func fill(b []byte, template string, r *rand.Rand, uptime float64) []byte {
	for {
		i := strings.IndexByte(template, '%')
		if i < 0 {
			return append(b, template...)
		}
		b = append(b, template[:i]...)
		switch template[i+1] {
		case 'd':
			b = fmt.Appendf(b, "%d", r.IntN([]int{10, 300, 70000}[r.IntN(3)]))
		case 'x':
			b = fmt.Appendf(b, "%08x", r.Uint32())
		case 'k':
			b = fmt.Appendf(b, "kernel: [%12.6f]", uptime)
		case 'i':
			b = fmt.Appendf(b, "10.%d.%d.%d", r.IntN(4), r.IntN(256), r.IntN(256))
		case 'w':
			b = append(b, names[r.IntN(len(names))]...)
			if r.IntN(2) == 0 {
				b = fmt.Appendf(b, "-%x", r.Uint32()>>r.IntN(24))
			}
		case 'u':
			b = fmt.Appendf(b, "%08x-%04x-%04x-%012x", r.Uint32(), r.IntN(1<<16), r.IntN(1<<16), r.Int64N(1<<48))
		case 'p':
			b = append(b, '/')
			for range 1 + r.IntN(4) {
				b = append(append(b, names[r.IntN(len(names))]...), '/')
			}
			b = fmt.Appendf(b, "%x", r.Uint32())
		}
		template = template[i+2:]
	}
}

var hosts = []string{"ip-10-0-1-23", "ip-10-0-2-207", "web-07", "db-primary", "worker-eu-3"}

var names = strings.Fields(`api auth billing cache checkout consumer cron data disk events export frontend gateway
	image index ingest inventory jobs kafka ledger login mail media metrics notify orders payment postgres profile
	proxy queue redis render report router search session shipping spool stats storage stream sync tasks token
	tracker upload user vault video web worker zone node eth net blocked timeout memory`)

var benchWords = []string{
	"error", "fail", "timed out", "timeout", "warn", "panic", "corrupt", "denied", "refused", "unable", "critical",
	"fatal", "segfault", "bug:", "oops", "exception", "abort", "killed", "cannot", "not responding", "lockup", "stall",
	"overflow", "exhaust", "invalid", "unreachable", "reset", "degraded", "dropped", "rejected",
}

var ordinaryLines = []string{
	`systemd[1]: Started Session %d of User %w.`,
	`systemd[1]: Starting %w.service - Periodic %w of %w...`,
	`systemd[1]: %w.service: Deactivated successfully.`,
	`systemd[1]: %w.service: Consumed %d.%ds CPU time.`,
	`systemd[1]: Finished Rotate log files for %w.`,
	`systemd[1]: run-docker-runtime\x2drunc-moby-%x.mount: Succeeded.`,
	`systemd[1]: Failed with nothing: restart counter of %w is at %d`,
	`systemd-logind[%d]: New session %d of user %w.`,
	`systemd-logind[%d]: Session %d logged out. Waiting for processes to exit.`,
	`systemd-networkd[%d]: eth0: DHCPv4 address %i/20 via %i`,
	`systemd-networkd[%d]: veth%x: Gained carrier`,
	`systemd-resolved[%d]: Server %i switched to feature level UDP+EDNS0`,
	`CRON[%d]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)`,
	`CRON[%d]: (%w) CMD (test -x /usr/sbin/%w && /usr/sbin/%w --quiet)`,
	`sshd[%d]: Accepted publickey for ec2-user from %i port %d ssh2: ED25519 SHA256:%x%x%x`,
	`sshd[%d]: Connection closed by authenticating user root %i port %d [preauth]`,
	`sshd[%d]: Failed password for invalid user %w from %i port %d ssh2`,
	`sshd[%d]: pam_unix(sshd:session): session closed for user %w`,
	`sudo: %w : TTY=pts/%d ; PWD=%p ; USER=root ; COMMAND=/usr/bin/journalctl -u %w`,
	`%k audit: type=1400 audit(%d.%d:%d): apparmor="STATUS" operation="profile_replace" name="%p" pid=%d`,
	`%k EXT4-fs (nvme%dn1): mounted filesystem %u with ordered data mode. Quota mode: none.`,
	`%k XFS (nvme%dn1): Ending clean mount`,
	`%k XFS (dm-%d): Mounting V5 Filesystem %u`,
	`%k ena 0000:00:05.0 eth%d: Local page cache is disabled for less than 16 channels`,
	`%k ena 0000:00:05.0: ENA device version: 0.%d, keep alive interval %d msecs`,
	`%k nvme nvme%d: %d/0/0 default/read/poll queues, timeout %d`,
	`%k nvme nvme%d: I/O queues shared with %w, QID %d created`,
	`%k docker0: port %d(veth%x) entered forwarding state`,
	`%k device veth%x entered promiscuous mode`,
	`%k IPv6: ADDRCONF(NETDEV_CHANGE): veth%x: link becomes ready`,
	`%k cni0: port %d(veth%x) entered disabled state`,
	`%k task %w:%d blocked on %w, resumed after %d seconds`,
	`%k TCP: %w: memory pressure ended after %d msecs`,
	`%k nf_conntrack: default automatic helper assignment has been turned off on %i`,
	`%k pci 0000:00:%d.0: BAR 0: assigned [mem 0x%x-0x%x 64bit]`,
	`%k usb %d-%d: new high-speed USB device number %d using xhci_hcd`,
	`%k perf: %w sampling rate lowered to %d, %d msecs since last change`,
	`%k EDAC sbridge: Seeking for: PCI ID 8086:%d`,
	`kubelet[%d]: I0301 %d %d kubelet.go:2430] "SyncLoop (PLEG): event for pod" pod="%w/%w" event={"ID":"%u","Type":"ContainerStarted"}`,
	`kubelet[%d]: E0301 %d %d pod_workers.go:190] "Error syncing pod, skipping" err="failed to \"StartContainer\" for \"%w\" with CrashLoopBackOff" pod="%w/%w"`,
	`kubelet[%d]: I0301 %d %d reconciler.go:224] "operationExecutor.VerifyControllerAttachedVolume started for volume \"%w\" (UniqueName: \"%u\")"`,
	`kubelet[%d]: W0301 %d %d prober.go:111] Readiness probe for "%w_%w(%u):%w" failed (failure): HTTP probe failed with statuscode: %d`,
	`dockerd[%d]: time="2026-03-01T%d" level=info msg="ignoring event" container=%x%x%x%x module=libcontainerd namespace=moby topic=/tasks/delete`,
	`dockerd[%d]: time="2026-03-01T%d" level=warning msg="Health check for container %x%x error: context deadline exceeded"`,
	`containerd[%d]: time="2026-03-01T%d" level=info msg="shim disconnected" id=%x%x%x namespace=k8s.io`,
	`containerd[%d]: time="2026-03-01T%d" level=info msg="ImageUpdate event &ImageUpdate{Name:%i/%w/%w:v%d,Labels:map[string]string{},}"`,
	`nginx[%d]: %i - - "GET /api/v%d/%w/%u?limit=%d HTTP/1.1" 200 %d "-" "Mozilla/5.0 (X11; Linux x86_64)" 0.%d`,
	`nginx[%d]: %i - - "POST %p HTTP/2.0" 201 %d "https://%w.example.com/%w" "okhttp/4.%d" 0.%d`,
	`nginx[%d]: %i - %w "GET %p HTTP/1.1" 404 %d "-" "curl/8.%d"`,
	`nginx[%d]: upstream %i:8080 timed out (110: Connection timed out) while reading response header, client: %i`,
	`postgres[%d]: [%d-1] LOG:  checkpoint complete: wrote %d buffers (%d.%d%%); %d WAL file(s) added`,
	`postgres[%d]: [%d-1] user=%w,db=%w LOG:  duration: %d.%d ms  execute S_%d: SELECT * FROM %w WHERE id = $1`,
	`postgres[%d]: [%d-1] ERROR:  duplicate key value violates unique constraint "%w_pkey"`,
	`java[%d]: INFO  [http-nio-8080-exec-%d] c.e.%w.Controller - request id=%u user=%d path=%p took %d ms`,
	`java[%d]: DEBUG [scheduler-%d] o.a.k.clients.NetworkClient - [Consumer clientId=%w, groupId=%w] Node %d sent an incremental fetch response`,
	`java[%d]: WARN  [pool-%d-thread-%d] c.z.h.pool.HikariPool - Connection is not available, request timed out after %dms`,
	`%w[%d]: {"level":"info","ts":%d.%d,"caller":"server/%w.go:%d","msg":"handled request","trace":"%u","bytes":%d}`,
	`%w[%d]: worker %d: processed batch of %d items in %dms, queue=%w offset=%d partition=%d`,
	`%w[%d]: cache miss for key %w:%u, loading from %w, ttl=%ds`,
	`chronyd[%d]: Selected source 169.254.169.123`,
	`chronyd[%d]: System clock wrong by 0.%d seconds, adjustment started`,
	`dhclient[%d]: DHCPACK of %i from %i (xid=0x%x), bound: renewal in %d seconds.`,
	`amazon-ssm-agent[%d]: INFO [MessageService] [HealthCheck] ssm agent heartbeat %u`,
	`rsyslogd[%d]: action 'action-%d-builtin:omfile' resumed (module 'builtin:omfile')`,
	`cloud-init[%d]: Cloud-init v. 23.%d running 'modules:final' on %w. Up %d.%d seconds.`,
	`haproxy[%d]: %i:%d [01/Mar/2026:%d] fe_%w be_%w/%w %d/0/%d/%d/%d 200 %d - - ---- %d/%d/%d/%d/0 0/0 "GET %p HTTP/1.1"`,
}

var failingLines = []string{
	`%k ena 0000:00:05.0 eth0: Keep alive watchdog timeout, %d msecs since last keep alive.`,
	`%k INFO: task %w:%d blocked for more than 120 seconds.`,
	`%k nf_conntrack: nf_conntrack: table full, dropping packet`,
	`%k I/O error, dev nvme%dn1, sector %d op 0x1:(WRITE) flags 0x800 phys_seg 1 prio class 2`,
	`%k Oops: 0002 [#%d] SMP NOPTI`,
	`%k EDAC MC%d: 1 CE memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0`,
	`%k Out of memory: Killed process %d (%w) total-vm:%dkB, anon-rss:%dkB`,
	`%k XFS (dm-%d): Filesystem has been shut down due to log error (0x2). Shutting down filesystem.`,
	`%k nfs: server %i not responding, still trying`,
	`%k nvme nvme%d: I/O %d QID %d timeout, aborting`,
	`%k EXT4-fs error (device nvme%dn1): ext4_find_entry:%d: inode #%d: comm %w: reading directory lblock 0`,
	`%k mlx5_core 0000:3b:00.0: command 0x%x timed out after %d ms`,
	`%k watchdog: BUG: soft lockup - CPU#%d stuck for %ds! [%w:%d]`,
	`%k TCP: request_sock_TCP: Possible SYN flooding on port %i:%d. Sending cookies.`,
}
