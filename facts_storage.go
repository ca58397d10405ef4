package ddx

// storageFacts are about disks, file systems and mounts.
var storageFacts = []FactKind{
	{Name: "disk", Subject: Disk, Doc: "lsblk, /sys/block, nvme list, blkid", Fields: []Field{
		str("type", "disk, part, lvm, crypt, raid, loop"), state("size", "B", ""), str("fstype", ""), str("uuid", ""), str("label", ""), str("mountpoint", ""), str("model", "Amazon EC2 NVMe Instance Storage says instance store"), str("serial", "vol... for EBS"), flag("read_only", ""), str("parent", ""),
		state("io_timeout_ms", "ms", "/sys/block/*/queue/io_timeout"), gauge("inflight", "", "requests in flight"), str("scheduler", ""), str("partuuid", ""),
	}},
	{Name: "disk.counter", Subject: Disk, Key: []string{"name"}, Doc: "/proc/diskstats, /sys/block/*/stat and the EBS statistics log page", Fields: counterFields("boot, or attach for ebs_*", "reads, writes, read_ms, write_ms, io_ms, ebs_volume_exceeded_iops_us, ebs_volume_exceeded_tp_us, ebs_instance_exceeded_iops_us, ebs_instance_exceeded_tp_us")},
	{Name: "disk.rate", Subject: Disk, Doc: "iostat -x, sar -d", Fields: []Field{ratio("util", "%", ""), ratio("await", "ms", ""), ratio("queue", "", "average queue size"), ratio("reads", "/s", ""), ratio("writes", "/s", "")}},
	{Name: "fs", Subject: Mount, Doc: "df, df -i, statfs in a child", Fields: []Field{
		str("device", ""), str("fstype", ""), gauge("size", "kB", ""), gauge("used", "kB", "negative when the file system lies"), gauge("available", "kB", ""), ratio("used_percent", "%", ""), gauge("inodes", "", "absent when the file system has no table"), gauge("inodes_free", "", ""), ratio("inodes_used_percent", "%", ""),
	}},
	{Name: "mount", Subject: Mount, Doc: "/proc/mounts, mount(8), findmnt; the subject is the mount point", Fields: []Field{
		str("source", ""), str("fstype", ""), list("options", "effective options, KEY or KEY=VALUE"), flag("read_only", ""), str("server", "NFS: server name or address"), str("address", "NFS: addr="), str("vers", "NFS version, 3, 4.0, 4.1 ..."), str("proto", ""), state("port", "", "NFS: port=, 2049 when absent"), flag("hard", ""), state("timeo", "ds", ""), state("retrans", "", ""), flag("noresvport", ""),
	}},
	{Name: "mount.counter", Subject: Mount, Key: []string{"name"}, Doc: "/proc/self/mountstats", Fields: counterFields("mount", "xprt_sends, xprt_recvs, xprt_connects, xprt_bad_xids, rpc_timeouts, rpc_retrans, OP_rtt_ms ...")},
	{Name: "mount.check", Subject: Mount, Doc: "a look at a mount point in a disposable child", Fields: []Field{str("result", "ok, hung or error"), str("error", ""), ratio("seconds", "s", "")}},
	{Name: "mount.attempt", Subject: Mount, Doc: "an NFS mount attempt as mount.nfs -v, strace or mount.efs shows it", Fields: []Field{str("server", ""), str("options", ""), str("vers", ""), str("result", "ok or the error text"), str("errno", ""), flag("finished", "")}},
	{Name: "rpc.task", Subject: Mount, Doc: "a waiting SunRPC task of /sys/kernel/debug/sunrpc; the subject is the server", Fields: []Field{str("program", ""), str("procedure", ""), str("action", ""), str("queue", ""), gauge("count", "", "")}},
	{Name: "nfs.server", Subject: Mount, Doc: "/proc/fs/nfsfs/servers; the subject is the server. Clients that are still initialising are not listed", Fields: []Field{str("vers", "major version"), str("address", ""), state("port", "", ""), gauge("users", "", "mounts and other holders")}},
	{Name: "export", Subject: Mount, Doc: "showmount -e, exportfs", Fields: []Field{str("path", ""), list("clients", "")}},
}

// cloudFacts are what the provider says of the instance and its surroundings.
var cloudFacts = []FactKind{
	{Name: "cloud.instance", Subject: Instance, Doc: "describe-instances, identity document", Fields: []Field{
		str("type", ""), str("zone", ""), str("region", ""), str("state", ""), str("image", ""), str("lifecycle", "spot, scheduled or empty"), str("root_device_type", "ebs or instance-store"), str("hypervisor", "nitro or xen"), flag("ena", "EnaSupport"), str("sriov", "SriovNetSupport"), str("public_ip", ""), flag("elastic_ip", ""), str("private_ip", ""), str("subnet", ""), str("vpc", ""), list("security_groups", ""), str("asg", "auto scaling group"), gauge("interfaces", "", "attached interfaces"), flag("instance_store", "has instance-store volumes"), str("tenancy", ""), flag("source_dest_check", ""), gauge("imds_hop_limit", "", ""), str("imds_tokens", "required or optional"), str("imds_endpoint", "enabled or disabled"), str("launched", "RFC 3339"), str("state_reason", ""), str("tags_name", ""),
	}},
	{Name: "cloud.status", Subject: Instance, Doc: "describe-instance-status", Fields: []Field{str("system", "ok, impaired, insufficient-data, initializing, not-applicable"), str("instance", "likewise"), str("ebs", "likewise"), str("impaired_since", ""), str("state", "")}},
	{Name: "cloud.event", Subject: Instance, Doc: "a scheduled event, spot notice or health event", Fields: []Field{str("code", "instance-retirement, instance-reboot, system-reboot, system-maintenance, instance-stop, spot-interruption, rebalance, or a health event type code"), str("description", ""), str("not_before", ""), flag("completed", ""), str("scope", "instance, account or public"), str("service", ""), str("zone", ""), str("region", "")}},
	{Name: "cloud.volume", Subject: Instance, Doc: "describe-volumes; the subject is the volume", Fields: []Field{str("state", "in-use, available, error ..."), str("attachment", "attaching, attached, detaching, detached, busy"), str("instance", ""), str("device", ""), str("type", "gp2, gp3, io1 ..."), state("size", "GiB", ""), state("iops", "", ""), str("zone", ""), gauge("attachments", "", "how many instances"), str("io_status", "describe-volume-status: ok, impaired"), ratio("attaching_seconds", "s", "since the attachment began")}},
	{Name: "cloud.sg", Subject: Instance, Doc: "a security group of which all rules were seen; the subject is the group", Fields: []Field{str("name", ""), str("vpc", ""), state("ingress", "rules", ""), state("egress", "rules", "")}},
	{Name: "cloud.sg.rule", Subject: Instance, Key: []string{"direction", "proto", "from", "to", "source"}, Doc: "a security group rule; the subject is the group", Fields: []Field{str("direction", "ingress or egress"), str("proto", "tcp, udp, icmp or all"), state("from", "", "first port"), state("to", "", "last port"), str("source", "CIDR, group or prefix list"), str("vpc", "")}},
	{Name: "cloud.nacl.entry", Subject: Instance, Key: []string{"number", "egress"}, Doc: "a network ACL entry; the subject is the ACL", Fields: []Field{state("number", "", ""), flag("egress", ""), str("action", "allow or deny"), str("proto", ""), state("from", "", ""), state("to", "", ""), str("cidr", ""), list("subnets", "")}},
	{Name: "cloud.route", Subject: Instance, Key: []string{"dst"}, Doc: "a route of a VPC route table; the subject is the table", Fields: []Field{str("dst", ""), str("target", ""), str("state", "active or blackhole"), list("subnets", "")}},
	{Name: "cloud.eni", Subject: Instance, Doc: "describe-network-interfaces; the subject is the interface", Fields: []Field{str("status", ""), str("instance", ""), str("private_ip", ""), list("addresses", ""), str("mac", ""), str("subnet", ""), list("groups", ""), flag("source_dest_check", ""), str("public_ip", ""), flag("elastic_ip", ""), state("tcp_established_timeout", "s", "")}},
	{Name: "cloud.subnet", Subject: Instance, Doc: "describe-subnets", Fields: []Field{gauge("available", "addresses", ""), str("cidr", ""), str("zone", ""), str("zone_id", "")}},
	{Name: "cloud.mount_target", Subject: Instance, Doc: "efs describe-mount-targets; the subject is the mount target", Fields: []Field{str("file_system", ""), str("state", "available, creating ..."), str("zone", ""), str("zone_id", ""), str("address", ""), str("subnet", "")}},
	{Name: "cloud.metric", Subject: Instance, Key: []string{"name"}, Doc: "a CloudWatch statistic", Fields: []Field{str("name", "BurstBalance, CPUCreditBalance, StatusCheckFailed_System, ErrorPortAllocation ..."), ratio("value", "", "last value"), ratio("min", "", ""), ratio("max", "", "")}},
	{Name: "cloud.error", Subject: Instance, Key: []string{"code", "operation"}, Doc: "an error that the provider's API answered", Fields: []Field{str("code", "RequestLimitExceeded, InsufficientInstanceCapacity ..."), str("operation", ""), str("message", ""), gauge("count", "", "")}},
	{Name: "cloud.vpc_dns", Subject: Instance, Doc: "describe-vpc-attribute", Fields: []Field{flag("support", ""), flag("hostnames", "")}},
}

// proofFacts are made by the proofs: flow logs, captures, hangs.
var proofFacts = []FactKind{
	{Name: "flow.window", Subject: NIC, Doc: "a window of the join of flow logs and host counters", Fields: []Field{
		str("kind", "delivered-received, delivered-not-received, not-delivered-received or neither"), str("start", ""), str("end", ""), gauge("network_packets", "packets", "accepted towards the interface"), gauge("guest_packets", "packets", "counted by the guest"), str("certainty", "high, medium or low"), list("alternatives", "what else would explain it"), flag("guest_ran_on", "other counters moved in the window"), ratio("clock_offset", "s", "used"), str("eni", ""),
	}},
	{Name: "flow.pattern", Subject: Endpoint, Doc: "a row of the discriminating table of flow patterns for a pair of addresses", Fields: []Field{
		str("pattern", "rejected, accepted-then-rejected, accepted-no-answer, syn-only, reset, reply-rejected, sent-no-answer, other-interface, small-only, none"), str("eni", ""), str("local", ""), str("peer", ""), gauge("port", "", ""), gauge("packets", "packets", ""), str("from", ""), str("to", ""),
	}},
	{Name: "packet.target", Subject: Endpoint, Doc: "what a capture says of one target", Fields: []Field{
		str("answer", "never-left, no-answer, answered or answered-nonsense"), gauge("port", "", ""), gauge("connections", "", ""), gauge("unanswered", "", "connections or requests without an answer"), gauge("resets", "", ""), gauge("retransmissions", "", ""), ratio("covers", "s", "length of the capture"), flag("sufficient", "long enough for the claim"), gauge("dropped", "packets", "lost by the capture"), str("detail", ""),
	}},
	{Name: "packet.event", Subject: Endpoint, Key: []string{"event", "peer"}, Doc: "something a capture (or tcpdump text) shows more than once or that decides by itself", Fields: []Field{
		str("event", "frag-needed, frag-needed-ignored, syn-unanswered, syn-refused, zero-window, arp-unanswered, icmp-prohibited, icmp-unreachable, large-retransmitted, dns-unanswered, dns-twin-lost (repeated after 5 s while the other query of the same socket was answered), dns-nodata, dns-nxdomain, dns-servfail, rpc-unanswered, checksum-bad, duplicate-address"), str("peer", ""), gauge("count", "", ""), gauge("mtu", "B", "as the router said"), gauge("size", "B", "of the repeated segment"), str("detail", ""),
	}},
}
