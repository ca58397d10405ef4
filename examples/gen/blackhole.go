package main

import (
	"fmt"
	"strings"
	"time"

	"ddx/source"
)

// blackHole is the incident of 2017: a Graphite host on an old ixgbevf driver.
// For seven minutes the flow log shows its packets accepted at the interface
// while collectd counts none, no error is counted anywhere, and the programs on
// it run on.
func blackHole() example {
	begin := time.Date(2017, 6, 20, 4, 0, 0, 0, time.UTC)
	from, to := begin.Add(31*time.Minute), begin.Add(38*time.Minute)
	dark := func(at time.Time) bool { return !at.Before(from) && at.Before(to) }
	taken := begin.Add(time.Hour)

	var flows strings.Builder
	flows.WriteString("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n")
	record := func(at time.Time, src, dst string, sport, dport, packets int) {
		fmt.Fprintf(&flows, "2 123456789012 eni-0a1b2c3d %s %s %d %d 6 %d %d %d %d ACCEPT OK\n", src, dst, sport, dport, packets, packets*180, at.Unix(), at.Add(time.Minute).Unix())
	}
	for m := range 60 {
		at := begin.Add(time.Duration(m) * time.Minute)
		for peer := range 12 {
			addr := fmt.Sprintf("10.0.1.%d", 30+peer)
			if dark(at) {
				record(at, addr, "10.0.1.20", 40000+peer, 2003, 14) // the peers send again and again
				continue
			}
			record(at, addr, "10.0.1.20", 40000+peer, 2003, 600+10*peer)
			record(at, "10.0.1.20", addr, 2003, 40000+peer, 400+10*peer)
		}
	}

	var packets, octets, errors, cpu, uptime strings.Builder
	packets.WriteString("epoch,rx,tx\n")
	octets.WriteString("epoch,rx,tx\n")
	errors.WriteString("epoch,rx,tx\n")
	cpu.WriteString("epoch,value\n")
	uptime.WriteString("epoch,value\n")
	rx, tx, busy := 1_000_000, 800_000, 500_000
	for s := 0; s < 3600; s += 10 {
		at := begin.Add(time.Duration(s) * time.Second)
		if !dark(at) {
			rx += 1310
			tx += 910
		} else {
			tx += 2 // ARP and SYNs that nobody answers
		}
		busy += 120
		fmt.Fprintf(&packets, "%d.000,%d,%d\n", at.Unix(), rx, tx)
		fmt.Fprintf(&octets, "%d.000,%d,%d\n", at.Unix(), rx*180, tx*180)
		fmt.Fprintf(&errors, "%d.000,0,0\n", at.Unix())
		fmt.Fprintf(&cpu, "%d.000,%d\n", at.Unix(), busy)
		fmt.Fprintf(&uptime, "%d.000,%d\n", at.Unix(), 900_000+s)
	}

	log := syslog("graphite1", begin, 3500, time.Second, nil)
	var lines []string
	for i, l := range strings.SplitAfter(log, "\n") {
		lines = append(lines, l)
		if at := begin.Add(time.Duration(i) * time.Second); dark(at) && i%60 == 5 {
			lines = append(lines, fmt.Sprintf("%s graphite1 backup[%d]: rsync: failed to connect to 10.0.1.44 (10.0.1.44): No route to host (113)\n", at.Format(time.Stamp), 4000+i))
		}
	}

	driver := strings.NewReplacer("driver: ena", "driver: ixgbevf", "version: 2.8.1g", "version: 2.11.3-k", "0000:00:06.0", "0000:00:03.0").Replace(enaDriver)
	status := `{"InstanceStatuses": [{"InstanceId": "i-0aa11bb22cc33dd44", "AvailabilityZone": "eu-west-1a", "InstanceState": {"Code": 16, "Name": "running"},
  "SystemStatus": {"Status": "ok", "Details": [{"Name": "reachability", "Status": "passed"}]},
  "InstanceStatus": {"Status": "impaired", "Details": [{"Name": "reachability", "Status": "failed", "ImpairedSince": "2017-06-20T04:33:00.000Z"}]}}]}
`
	text := func(origin, s string) source.Item {
		it := item(origin, s)
		it.Time = taken
		return it
	}
	const collectd = "/var/lib/collectd/csv/graphite1/"
	return example{
		name: "ixgbevf-blackhole-2017", host: "graphite1", now: taken,
		want: "ixgbevf-driver-outdated@nic:eth0 likely\nnic-blackhole@nic:eth0 likely\n",
		items: []source.Item{
			text("flowlogs/vpc.log", flows.String()),
			text(collectd+"interface-eth0/if_packets-2017-06-20", packets.String()),
			text(collectd+"interface-eth0/if_octets-2017-06-20", octets.String()),
			text(collectd+"interface-eth0/if_errors-2017-06-20", errors.String()),
			text(collectd+"cpu-0/cpu-user-2017-06-20", cpu.String()),
			text(collectd+"uptime/uptime-2017-06-20", uptime.String()),
			text("/var/log/syslog", strings.Join(lines, "")),
			text("uname -a", "Linux graphite1 3.13.0-119-generic #166-Ubuntu SMP Wed May 3 12:18:55 UTC 2017 x86_64 x86_64 x86_64 GNU/Linux\n"),
			text("ethtool -i eth0", driver),
			text("modinfo ixgbevf", "filename:       /lib/modules/3.13.0-119-generic/kernel/drivers/net/ethernet/intel/ixgbevf/ixgbevf.ko\nversion:        2.11.3-k\nlicense:        GPL\ndescription:    Intel(R) 82599 Virtual Function Driver\nvermagic:       3.13.0-119-generic SMP mod_unload modversions\n"),
			text("ip -s link show eth0", fmt.Sprintf("2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 9001 qdisc mq state UP mode DEFAULT group default qlen 1000\n    link/ether 0a:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n    RX: bytes  packets  errors  dropped overrun mcast\n    %d %d 0       0       0       0\n    TX: bytes  packets  errors  dropped carrier collsns\n    %d %d 0       0       0       0\n", rx*180, rx, tx*180, tx)),
			text("aws ec2 describe-instance-status --instance-ids i-0aa11bb22cc33dd44", status),
		},
	}
}
