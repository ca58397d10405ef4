package main

import (
	"fmt"
	"strings"
	"time"

	"ddx/source"
)

const enaDriver = `driver: ena
version: 2.8.1g
firmware-version:
expansion-rom-version:
bus-info: 0000:00:06.0
supports-statistics: yes
supports-test: no
supports-eeprom-access: no
supports-register-dump: no
supports-priv-flags: no
`

const uname = "Linux web1 5.10.0-21-cloud-amd64 #1 SMP Debian 5.10.162-1 (2023-01-21) x86_64 GNU/Linux\n"

// enaStatistics is ethtool -S of an ENA interface with some counters set.
func enaStatistics(set map[string]int) string {
	var b strings.Builder
	b.WriteString("NIC statistics:\n")
	counter := func(name string, normal int) {
		if v, ok := set[name]; ok {
			normal = v
		}
		fmt.Fprintf(&b, "     %s: %d\n", name, normal)
	}
	for _, name := range []string{"tx_timeout", "suspend", "resume", "wd_expired"} {
		counter(name, 0)
	}
	counter("interface_up", 1)
	for _, name := range []string{"interface_down", "admin_q_pause", "reset_fail", "bw_in_allowance_exceeded", "bw_out_allowance_exceeded", "pps_allowance_exceeded", "conntrack_allowance_exceeded", "linklocal_allowance_exceeded"} {
		counter(name, 0)
	}
	counter("conntrack_allowance_available", 136812)
	for q := range 4 {
		for _, name := range []string{"tx_cnt", "tx_bytes", "rx_cnt", "rx_bytes"} {
			fmt.Fprintf(&b, "     queue_%d_%s: %d\n", q, name, (q+3)*7919*len(name))
		}
		for _, name := range []string{"tx_queue_stop", "tx_queue_wakeup", "tx_missed_tx", "rx_page_alloc_fail", "rx_empty_rx_ring"} {
			fmt.Fprintf(&b, "     queue_%d_%s: 0\n", q, name)
		}
	}
	for _, name := range []string{"aborted_cmd", "submitted_cmd", "completed_cmd", "out_of_space", "no_completion"} {
		counter("ena_admin_q_"+name, map[string]int{"submitted_cmd": 61, "completed_cmd": 61}[name])
	}
	return b.String()
}

const meminfo = `MemTotal:       16265536 kB
MemFree:         6812332 kB
MemAvailable:   12980120 kB
Buffers:          210112 kB
Cached:          5812300 kB
SwapTotal:             0 kB
SwapFree:              0 kB
`

const instance = `{
    "Reservations": [{"Instances": [{
        "InstanceId": "i-0123456789abcdef0", "InstanceType": "m5d.xlarge", "ImageId": "ami-0123456789abcdef0",
        "State": {"Code": 16, "Name": "running"}, "Placement": {"AvailabilityZone": "eu-west-1c", "Tenancy": "default"},
        "PrivateIpAddress": "10.0.1.20", "PublicIpAddress": "198.51.100.7", "SubnetId": "subnet-0a", "VpcId": "vpc-0a",
        "RootDeviceType": "ebs", "EnaSupport": true, "Hypervisor": "xen",
        "NetworkInterfaces": [{"NetworkInterfaceId": "eni-0a", "Association": {"IpOwnerId": "amazon", "PublicIp": "198.51.100.7"}, "PrivateIpAddress": "10.0.1.20"}],
        "SecurityGroups": [{"GroupId": "sg-0123456789abcdef0", "GroupName": "web"}],
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled"},
        "Tags": [{"Key": "aws:autoscaling:groupName", "Value": "web"}, {"Key": "Name", "Value": "web1"}]
    }]}]
}
`

// keepAlive is the first story of the diagnostic page: the watchdog of an
// ENA interface, its reset, and a register read that is a consequence.
func keepAlive() example {
	start := now.Add(-time.Hour)
	events := map[time.Duration][]string{
		41 * time.Minute: {
			"ena 0000:00:06.0 ens6: Keep alive watchdog timeout.",
			"ena 0000:00:06.0 ens6: Trigger reset is on",
			"ena 0000:00:06.0 ens6: tx_timeout: 0",
			"ena 0000:00:06.0 ens6: wd_expired: 1",
			"ena 0000:00:06.0: Reading reg failed for timeout. expected: req id[12] offset[88] actual: req id[57017] offset[0]",
		},
		41*time.Minute + 3*time.Second: {
			"ena 0000:00:06.0: ENA device version: 0.10",
			"ena 0000:00:06.0 ens6: Device reset completed successfully, Driver info: Elastic Network Adapter (ENA) v2.8.1g",
		},
	}
	return example{
		name: "ena-keepalive", host: "web1",
		want: "ena-keepalive-timeout@nic:ens6 confirmed\n",
		items: []source.Item{
			item("/var/log/syslog", syslog("web1", start, 3000, 1200*time.Millisecond, events)),
			item("uname -a", uname),
			item("ethtool -i ens6", enaDriver),
			item("ethtool -S ens6", enaStatistics(map[string]int{"wd_expired": 1, "interface_up": 2, "interface_down": 1})),
			item("/proc/meminfo", meminfo),
			item("aws ec2 describe-instances --instance-ids i-0123456789abcdef0", instance),
		},
	}
}

// mmio is the second story: register reads time out while an interface is
// brought up.
func mmio() example {
	start := now.Add(-time.Hour)
	read := func(id, off int) string {
		return fmt.Sprintf("ena 0000:00:07.0: Reading reg failed for timeout. expected: req id[%d] offset[%d] actual: req id[%d] offset[0]", id, off, (id+57005)%65536)
	}
	events := map[time.Duration][]string{
		50 * time.Minute: {
			"pci 0000:00:07.0: [1d0f:ec20] type 00 class 0x020000",
			"ena 0000:00:07.0: enabling device (0000 -> 0002)",
			read(1, 88), read(2, 0), read(3, 8),
			"ena 0000:00:07.0: Reg read timeout occurred",
			"ena 0000:00:07.0: Device isn't ready, abort com init",
			"ena 0000:00:07.0: Can not reset device",
			"ena 0000:00:07.0: ENA device init failed (err: -62)",
		},
	}
	return example{
		name: "ena-mmio", host: "web1",
		want: "ena-mmio-read-timeout@nic:0000:00:07.0 confirmed\n",
		items: []source.Item{
			item("/var/log/syslog", syslog("web1", start, 3000, 1200*time.Millisecond, events)),
			item("uname -a", uname),
			item("ethtool -i ens6", enaDriver),
			item("/proc/meminfo", meminfo),
		},
	}
}

// conntrack is the third story: the security groups' tracking allowance is
// used up, and nothing in the guest says so but two counters.
func conntrack() example {
	start := now.Add(-time.Hour)
	first := item("ethtool -S ens6", enaStatistics(map[string]int{"conntrack_allowance_exceeded": 45021, "conntrack_allowance_available": 0}))
	second := item("ethtool -S ens6", enaStatistics(map[string]int{"conntrack_allowance_exceeded": 45903, "conntrack_allowance_available": 0}))
	second.Sample, second.Time = 1, now.Add(10*time.Second)
	return example{
		name: "sg-conntrack", host: "web1",
		want: "sg-conntrack-exhausted@nic:ens6 confirmed\n",
		items: []source.Item{
			item("/var/log/syslog", syslog("web1", start, 3000, 1200*time.Millisecond, nil)),
			item("uname -a", uname),
			item("ethtool -i ens6", enaDriver),
			first, second,
			item("/proc/sys/net/netfilter/nf_conntrack_count", "8123\n"),
			item("/proc/sys/net/netfilter/nf_conntrack_max", "262144\n"),
			item("/proc/meminfo", meminfo),
			item("aws ec2 describe-instances --instance-ids i-0123456789abcdef0", instance),
		},
	}
}
