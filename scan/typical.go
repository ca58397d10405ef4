package scan

// typicalLog is text as hosts log it when nothing is wrong. Windows are chosen
// by its grams until enough of the input has been seen.
const typicalLog = `Mar 03 04:05:06 ip-10-0-1-23 systemd[1]: Started Session 1234 of User root.
Mar 03 04:05:06 ip-10-0-1-23 systemd[1]: Starting Cleanup of Temporary Directories...
Mar 03 04:05:07 ip-10-0-1-23 systemd[1]: Finished Daily apt download activities.
Mar 03 04:05:07 ip-10-0-1-23 systemd-logind[612]: New session 88 of user ubuntu.
Mar 03 04:05:09 ip-10-0-1-23 CRON[4711]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)
Mar 03 04:05:10 ip-10-0-1-23 sshd[991]: Accepted publickey for ec2-user from 10.0.3.77 port 51422 ssh2: RSA SHA256:
Mar 03 04:05:10 ip-10-0-1-23 sshd[991]: Connection closed by 10.0.3.77 port 51422 [preauth]
Mar 03 04:05:11 ip-10-0-1-23 sudo: ubuntu : TTY=pts/0 ; PWD=/home/ubuntu ; USER=root ; COMMAND=/usr/bin/systemctl status
Mar 03 04:05:12 ip-10-0-1-23 kernel: [12345.678901] audit: type=1400 apparmor="STATUS" operation="profile_load" pid=77
Mar 03 04:05:12 ip-10-0-1-23 kernel: EXT4-fs (nvme1n1): mounted filesystem with ordered data mode. Opts: (null)
Mar 03 04:05:12 ip-10-0-1-23 kernel: ena 0000:00:05.0 eth0: Link is up, device driver initialized
Mar 03 04:05:13 ip-10-0-1-23 kernel: nvme nvme0: 4/0/0 default/read/poll queues
Mar 03 04:05:13 ip-10-0-1-23 kernel: TCP: request_sock_TCP: memory usage, task process blocked, timeout: I/O queue error
Mar 03 04:05:14 ip-10-0-1-23 kernel: pci 0000:00:1f.0: [8086:7000] type 00 class 0x060100, BIOS-e820, CPU0 irq 24
Mar 03 04:05:15 ip-10-0-1-23 kubelet[1102]: I0303 04:05:15.123456 1102 kubelet.go:2430] "SyncLoop (PLEG): event for pod"
Mar 03 04:05:15 ip-10-0-1-23 kubelet[1102]: E0303 04:05:15.223456 1102 pod_workers.go:190] "Error syncing pod" err="failed to"
Mar 03 04:05:16 ip-10-0-1-23 dockerd[873]: time="2026-03-03T04:05:16.123456789Z" level=info msg="ignoring event" module=libcontainerd
Mar 03 04:05:16 ip-10-0-1-23 containerd[801]: level=warning msg="cleaning up after shim disconnected" id= namespace=moby
Mar 03 04:05:17 ip-10-0-1-23 dhclient[655]: DHCPREQUEST for 10.0.1.23 on eth0 to 10.0.1.1 port 67, bound to, renewal in 1711 seconds.
Mar 03 04:05:18 ip-10-0-1-23 chronyd[540]: Selected source 169.254.169.123, System clock wrong by 0.000123 seconds
Mar 03 04:05:18 ip-10-0-1-23 nginx[2001]: 10.0.9.8 - - [03/Mar/2026:04:05:18 +0000] "GET /api/v1/status HTTP/1.1" 200 1234 "-" "curl/8.5.0"
2026-03-03T04:05:19.123456+00:00 ip-10-0-1-23 app[3210]: INFO request completed method=POST path=/login status=200 duration=12ms
2026-03-03 04:05:20,123 WARN [main] connection to server 10.0.9.8 timed out, retrying, failed request error code message
`
