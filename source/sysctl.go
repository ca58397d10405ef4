package source

import (
	"strings"

	"ddx"
)

// sysctlFiles are the settings that are looked at one by one, for hosts without
// sysctl(8); a wildcard stands for the interfaces.
var sysctlFiles = strings.Fields(`
	kernel/hung_task_timeout_secs kernel/hung_task_warnings kernel/panic kernel/panic_on_oops kernel/softlockup_panic kernel/watchdog_thresh
	kernel/dmesg_restrict kernel/sysrq
	vm/min_free_kbytes vm/overcommit_memory vm/panic_on_oom vm/max_map_count vm/swappiness
	fs/file-max fs/nr_open
	net/core/somaxconn net/core/netdev_max_backlog net/core/netdev_budget net/core/rmem_max net/core/wmem_max
	net/ipv4/ip_forward net/ipv4/ip_local_port_range net/ipv4/ip_no_pmtu_disc net/ipv4/tcp_mtu_probing net/ipv4/tcp_max_syn_backlog
	net/ipv4/tcp_syncookies net/ipv4/tcp_syn_retries net/ipv4/tcp_tw_recycle net/ipv4/tcp_tw_reuse net/ipv4/tcp_timestamps net/ipv4/udp_mem
	net/ipv4/conf/*/rp_filter net/ipv4/conf/*/arp_ignore net/ipv4/conf/*/arp_announce net/ipv4/conf/*/forwarding
	net/ipv4/neigh/default/gc_thresh1 net/ipv4/neigh/default/gc_thresh2 net/ipv6/conf/all/disable_ipv6 net/ipv6/route/max_size
	net/netfilter/nf_conntrack_buckets net/netfilter/nf_conntrack_tcp_timeout_established
	sunrpc/tcp_slot_table_entries sunrpc/tcp_max_slot_table_entries`)

func sysctlPatterns() []string {
	var out []string
	for _, f := range sysctlFiles {
		out = append(out, "proc/sys/"+f)
	}
	return out
}

// sysctlValues reads sysctl -a, sysctl.conf and any file of /proc/sys.
var sysctlValues = Reader{
	Name: "sysctl", Doc: "sysctl -a, files of /proc/sys: kernel settings",
	Kinds:    []string{"sysctl"},
	Files:    sysctlPatterns(),
	Commands: [][]string{{"sysctl", "-a"}},
	Match:    func(name string, head []byte) bool { return sysctlLine.Match(head) },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		if i := strings.LastIndex(it.path(), "proc/sys/"); i >= 0 {
			name := strings.ReplaceAll(it.path()[i+len("proc/sys/"):], "/", ".")
			value := strings.TrimSpace(string(it.Data))
			if !strings.Contains(value, "\n") {
				emit(it.sysctlFact(1, name, value))
			}
			return nil
		}
		it.lines(func(n int, line string) {
			if m := sysctlLine.FindStringSubmatch(line); m != nil {
				emit(it.sysctlFact(n, m[1], strings.TrimSpace(m[2])))
			}
		})
		return nil
	},
}

var sysctlLine = lazy(`(?m)^[ \t]*((?:abi|crypto|debug|dev|fs|kernel|net|sunrpc|user|vm|fscache)[./][\w./@:-]+)[ \t]*=[ \t]*(.*?)[ \t\r]*$`)

func (it *Item) sysctlFact(n int, name, value string) ddx.Fact {
	first, _, _ := strings.Cut(strings.ReplaceAll(value, "\t", " "), " ")
	if strings.Contains(name, "/") && !strings.Contains(name, ".") {
		name = strings.ReplaceAll(name, "/", ".")
	}
	return it.fact("sysctl", host, n, it.lineText(n), "name", name, "value", value, "number", asInt(first))
}
