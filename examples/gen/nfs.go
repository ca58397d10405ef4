package main

import (
	"time"

	"ddx/source"
)

const nfsPS = `  PID  PPID STAT WCHAN                            ELAPSED COMMAND
    1     0 Ss   ep_poll                            90000 /sbin/init
  812     1 Ssl  futex_wait_queue_me                89000 /usr/bin/dockerd -H fd://
 4101   812 S    do_wait                              900 mount -t nfs4 -o nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport fs-0a.efs.eu-west-1.amazonaws.com:/ /mnt/a
 4102  4101 D    rpc_wait_bit_killable                900 /sbin/mount.nfs4 fs-0a.efs.eu-west-1.amazonaws.com:/ /mnt/a -o rw,nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport
 4111   812 S    do_wait                              899 mount -t nfs4 -o nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport fs-0b.efs.eu-west-1.amazonaws.com:/ /mnt/b
 4112  4111 D    nfs_wait_client_init_complete        899 /sbin/mount.nfs4 fs-0b.efs.eu-west-1.amazonaws.com:/ /mnt/b -o rw,nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport
 4121   812 D    nfs_wait_client_init_complete        611 /sbin/mount.nfs4 fs-0a.efs.eu-west-1.amazonaws.com:/ /mnt/c -o rw,nfsvers=4.1,hard,timeo=600,retrans=2,noresvport
 4200     1 Ss   -                                      0 ps -eo pid,ppid,stat,wchan:30,etimes,args
`

// nfsStacks are the kernel stacks of the two mounts that wait for each other.
const nfsStacks = `$ sudo cat /proc/4102/stack
[<0>] __mutex_lock.isra.5+0x28a/0x4e0
[<0>] nfs4_discover_server_trunking+0x39/0x2a0 [nfsv4]
[<0>] nfs4_init_client+0x122/0x1b0 [nfsv4]
[<0>] nfs_get_client+0x2c5/0x3b0 [nfs]
[<0>] nfs4_set_client+0xb1/0x140 [nfsv4]
[<0>] nfs4_create_server+0x12a/0x360 [nfsv4]
[<0>] nfs4_remote_mount+0x28/0x50 [nfsv4]
[<0>] mount_fs+0x39/0x160
$ sudo cat /proc/4112/stack
[<0>] nfs_wait_client_init_complete+0x9c/0xe0 [nfs]
[<0>] nfs41_walk_client_list+0x120/0x2d0 [nfsv4]
[<0>] nfs41_discover_server_trunking+0x52/0x90 [nfsv4]
[<0>] nfs4_discover_server_trunking+0x79/0x2a0 [nfsv4]
[<0>] nfs4_init_client+0x122/0x1b0 [nfsv4]
[<0>] nfs_get_client+0x2c5/0x3b0 [nfs]
[<0>] nfs4_set_client+0xb1/0x140 [nfsv4]
[<0>] nfs4_create_server+0x12a/0x360 [nfsv4]
[<0>] mount_fs+0x39/0x160
`

const nfsStrace = `execve("/bin/mount", ["mount", "-t", "nfs4", "-o", "nfsvers=4.1,hard,timeo=600,retrans=2,noresvport", "10.0.1.50:/", "/mnt/d"], 0x7ffc) = 0 <0.000411>
socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP) = 3 <0.000020>
connect(3, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("10.0.1.50")}, 16) = 0 <0.000016>
close(3)                                = 0 <0.000010>
mount("10.0.1.50:/", "/mnt/d", "nfs4", 0, "hard,timeo=600,retrans=2,noresvport,vers=4.1,addr=10.0.1.50,clientaddr=10.0.1.20" <unfinished ...>
`

// nfsHang is the incident of 2018: two NFS 4.1 mounts of different servers,
// started together, wait for each other in the client kernel for ever.
func nfsHang() example {
	start := now.Add(-time.Hour)
	events := map[time.Duration][]string{
		48 * time.Minute: {
			"INFO: task mount.nfs4:4102 blocked for more than 120 seconds.",
			"      Not tainted 4.14.67-66.56.amzn1.x86_64 #1",
			"\"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.",
			"mount.nfs4      D    0  4102   4101 0x00000000",
			"Call Trace:",
			" __schedule+0x28e/0x890",
			" schedule+0x28/0x80",
			" schedule_preempt_disabled+0xa/0x10",
			" __mutex_lock.isra.5+0x28a/0x4e0",
			" nfs4_discover_server_trunking+0x39/0x2a0 [nfsv4]",
			" nfs4_init_client+0x122/0x1b0 [nfsv4]",
			" nfs_get_client+0x2c5/0x3b0 [nfs]",
			" nfs4_set_client+0xb1/0x140 [nfsv4]",
			" nfs4_create_server+0x12a/0x360 [nfsv4]",
			" mount_fs+0x39/0x160",
		},
	}
	return example{
		name: "nfs-mount-hang", host: "ecs1",
		want: "nfs41-mount-hang confirmed\n",
		items: []source.Item{
			item("/var/log/messages", syslog("ecs1", start, 4000, 900*time.Millisecond, events)),
			item("uname -a", "Linux ecs1 4.14.67-66.56.amzn1.x86_64 #1 SMP Tue Sep 4 22:03:21 UTC 2018 x86_64 x86_64 x86_64 GNU/Linux\n"),
			item("ps -eo pid,ppid,stat,wchan:30,etimes,args", nfsPS),
			item("session.txt", nfsStacks),
			item("strace -f -T mount -t nfs4 10.0.1.50:/ /mnt/d", nfsStrace),
			item("/proc/mounts", "/dev/xvda1 / ext4 rw,noatime 0 0\nproc /proc proc rw,relatime 0 0\ntmpfs /run tmpfs rw,nosuid,nodev,mode=755 0 0\n"),
			item("ip route get 10.0.1.50", "10.0.1.50 dev eth0 src 10.0.1.20 uid 0\n    cache\n"),
			item("/proc/meminfo", meminfo),
		},
	}
}
