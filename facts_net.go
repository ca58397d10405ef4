package ddx

// What two listings by the same command in one session tell of a line.
const (
	goneDoc      = "an earlier listing of the session shows it, a later one by the same command does not"
	goneAfterDoc = "the commands of the session between the two listings"
)

// netFacts are about interfaces, routing, netfilter, sockets and names.
var netFacts = []FactKind{
	{Name: "nic.driver", Subject: NIC, Doc: "ethtool -i", Fields: []Field{
		str("driver", "ena, ixgbevf, vif, virtio_net ..."), str("version", "as the driver prints it; in-tree drivers since 5.7 print the kernel release"), str("firmware", ""), str("bus", "PCI address"),
	}},
	{Name: "nic.link", Subject: NIC, Doc: "ip link, ifconfig, /sys/class/net", Fields: []Field{
		str("state", "UP, DOWN, UNKNOWN, LOWERLAYERDOWN ..."), flag("up", "administratively up"), flag("carrier", ""), state("mtu", "B", ""), str("mac", ""), str("permanent_mac", ""),
		str("master", "bridge or bond it belongs to"), str("type", "veth, bridge, vxlan, wireguard, ether ..."), str("qdisc", ""), str("netns", "namespace, empty for the one looked from"), gauge("index", "", "ifindex"), list("flags", ""),
	}},
	{Name: "nic.counter", Subject: NIC, Key: []string{"name"}, Doc: "ethtool -S by the driver's own names; ip -s link as rx_bytes rx_packets rx_errors rx_dropped rx_over_errors tx_bytes tx_packets tx_errors tx_dropped tx_carrier collisions; for ENA per-queue counters also the sum over queues as queue_sum_tx_missed_tx and so on", Fields: counterFields("driver load, or the last device reset before ENA 2.16.0", "as the driver prints it")},
	{Name: "nic.ring", Subject: NIC, Doc: "ethtool -g", Fields: []Field{state("rx", "", ""), state("tx", "", ""), state("rx_max", "", ""), state("tx_max", "", ""), state("tx_push_buf_len", "B", "ENA LLQ header size")}},
	{Name: "nic.channels", Subject: NIC, Doc: "ethtool -l", Fields: []Field{state("combined", "", ""), state("combined_max", "", "")}},
	{Name: "nic.feature", Subject: NIC, Key: []string{"name"}, Doc: "ethtool -k", Fields: []Field{str("name", "scatter-gather, tcp-segmentation-offload, tx-checksum-ip-generic ..."), flag("on", ""), flag("fixed", "")}},
	{Name: "nic.coalesce", Subject: NIC, Doc: "ethtool -c", Fields: []Field{flag("adaptive_rx", ""), state("rx_usecs", "us", ""), state("tx_usecs", "us", "")}},
	{Name: "nic.address", Subject: NIC, Key: []string{"address"}, Doc: "ip addr", Fields: []Field{str("address", "without the prefix length"), state("prefix", "", ""), str("cidr", "network in CIDR form"), str("scope", ""), flag("secondary", ""), flag("dynamic", "from a lease"), gauge("valid", "s", "left of the lease, absent when for ever")}},
	{Name: "route", Subject: Host, Key: []string{"dst", "table", "dev", "metric"}, Doc: "ip route, route -n, /proc/net/route", Fields: []Field{
		str("dst", "CIDR or default"), str("via", ""), str("dev", ""), str("src", ""), str("table", "main, local or the number"), str("type", "unicast, blackhole, unreachable, prohibit"), state("metric", "", ""), str("proto", ""), state("mtu", "B", ""), flag("gone", goneDoc), list("gone_after", goneAfterDoc),
	}},
	{Name: "route.get", Subject: Host, Key: []string{"dst"}, Doc: "ip route get", Fields: []Field{str("dst", ""), str("dev", ""), str("via", ""), str("src", ""), str("error", "as printed")}},
	{Name: "rule", Subject: Host, Key: []string{"priority", "from", "to"}, Doc: "ip rule", Fields: []Field{state("priority", "", ""), str("from", ""), str("to", ""), str("table", ""), str("fwmark", ""), str("iif", ""), str("action", "unreachable, blackhole, prohibit or goto; empty for a lookup"), flag("gone", goneDoc), list("gone_after", goneAfterDoc)}},
	{Name: "rule.summary", Subject: Host, Doc: "over a whole listing of ip rule: what a CNI keeps in pairs", Fields: []Field{
		gauge("to_pod", "", "rules 'from all to ADDR' of priority 512"), gauge("from_pod", "", "rules 'from ADDR' of priority 1536 or 32765-"), list("to_without_from", "addresses with a to rule and no from rule on a secondary interface"), list("from_without_to", "addresses with a from rule and no to rule"), list("from", "addresses with a from rule"), list("to", "addresses with a to rule"),
	}},
	{Name: "neighbour", Subject: NIC, Key: []string{"address", "mac"}, Doc: "ip neigh, arp -n", Fields: []Field{str("address", ""), str("mac", ""), str("state", "REACHABLE, STALE, FAILED, INCOMPLETE, PERMANENT ...")}},
	{Name: "netfilter.rule", Subject: Host, Key: []string{"table", "chain", "text"}, Doc: "iptables-save, iptables -L -v, nft list ruleset: rules that drop, reject, translate or do not track, and chain policies", Fields: []Field{
		str("table", ""), str("chain", ""), str("target", "DROP, REJECT, MASQUERADE, SNAT, DNAT, NOTRACK, ACCEPT, policy-DROP, policy-ACCEPT"), str("text", "the rule as printed, without its counters"), str("proto", ""), str("dport", ""), str("src", ""), str("dst", ""), str("in_dev", ""), str("out_dev", ""),
		Field{Name: "packets", Type: Int, Number: Counter, Since: "rule", Doc: "packets that hit it, absent when not printed"}, gauge("delta", "packets", "growth between two samples"), ratio("seconds", "s", "between them"), flag("reset", ""),
	}},
	{Name: "netfilter.summary", Subject: Host, Doc: "over a whole ruleset", Fields: []Field{
		str("forward_policy", "ACCEPT or DROP"), str("input_policy", ""), str("output_policy", ""), flag("masquerade", "some MASQUERADE or SNAT rule"), list("masquerade_sources", "source networks of masquerade rules"), gauge("rules", "", ""), str("backend", "legacy, nft or empty"),
	}},
	{Name: "conntrack.counter", Subject: Host, Key: []string{"name"}, Doc: "/proc/net/stat/nf_conntrack, conntrack -S, summed over CPUs", Fields: counterFields("boot", "found, insert_failed, drop, early_drop, clashres, search_restart ...")},
	{Name: "conntrack.entries", Subject: Host, Key: []string{"proto", "state"}, Doc: "tracked connections by protocol and state: conntrack -L, /proc/net/nf_conntrack", Fields: []Field{str("proto", ""), str("state", "ESTABLISHED, SYN_SENT ... as the kernel writes it, empty where the protocol has none"), gauge("count", "", ""), gauge("unreplied", "", "of them, without a packet back"), str("peer", "the destination with the most, ADDR:PORT"), gauge("peer_count", "", "")}},
	{Name: "softnet.counter", Subject: Host, Key: []string{"name", "cpu"}, Doc: "/proc/net/softnet_stat by CPU", Fields: append(counterFields("boot", "processed, dropped, time_squeeze, received_rps, flow_limit"), str("cpu", "number, or all for the sum"))},
	{Name: "net.counter", Subject: Host, Key: []string{"name"}, Doc: "/proc/net/snmp, snmp6, netstat, netstat -s, nstat; names are protocol and counter as nstat writes them", Fields: counterFields("boot", "TcpRetransSegs, TcpOutSegs, TcpActiveOpens, TcpExtListenOverflows, TcpExtListenDrops, TcpExtTCPReqQFullDrop, TcpExtSyncookiesSent, TcpExtTCPTimeWaitOverflow, TcpExtTCPAbortOnMemory, TcpExtIPReversePathFilter, TcpExtTCPMTUPFail, IpExtInNoRoutes, IpOutNoRoutes, IpFragFails, UdpRcvbufErrors, UdpSndbufErrors ...")},
	{Name: "neighbour.counter", Subject: Host, Key: []string{"name"}, Doc: "/proc/net/stat/arp_cache and ndisc_cache, summed", Fields: counterFields("boot", "arp_table_fulls, arp_unresolved_discards, arp_forced_gc_runs, arp_res_failed, ndisc_...")},
	{Name: "sockets", Subject: Host, Key: []string{"proto"}, Doc: "/proc/net/sockstat, ss -s", Fields: []Field{str("proto", "TCP, UDP, ..."), gauge("inuse", "", ""), gauge("orphan", "", ""), gauge("tw", "", "in TIME_WAIT"), gauge("alloc", "", ""), gauge("mem", "pages", "")}},
	{Name: "socket.states", Subject: Host, Key: []string{"state"}, Doc: "counts by state in a listing of ss or netstat", Fields: []Field{str("state", "SYN-SENT, ESTAB, TIME-WAIT, CLOSE-WAIT ... as ss writes it"), gauge("count", "", ""), str("peer", "the peer with the most, ADDR:PORT"), gauge("peer_count", "", "")}},
	{Name: "socket", Subject: Host, Key: []string{"local", "peer"}, Doc: "a socket worth a fact: listening with a queue, SYN-SENT, or with unacknowledged data", Fields: []Field{
		str("proto", ""), str("state", ""), str("local", ""), str("peer", ""), gauge("recv_q", "", "listening: waiting to be accepted"), gauge("send_q", "", "listening: the backlog"), str("timer", "KIND,LEFT,RETRANSMISSIONS"), str("process", "comm:pid"),
		gauge("retransmits", "", "times the oldest segment was sent again without an answer"), gauge("unacked", "segments", "sent and not acknowledged"), gauge("mss", "B", ""), gauge("pmtu", "B", "path MTU the kernel believes in"), gauge("last_received", "ms", "since the last segment with data"),
	}},
	{Name: "dns.config", Subject: Host, Doc: "resolv.conf", Fields: []Field{list("nameservers", ""), list("search", ""), state("ndots", "", ""), list("options", ""), gauge("servers", "", "how many nameserver lines")}},
	{Name: "dns.answer", Subject: Endpoint, Key: []string{"type", "server"}, Doc: "one answer: dig, drill, host, nslookup; the subject is the name asked for", Fields: []Field{
		str("type", "A, AAAA ..."), str("rcode", "NOERROR, NXDOMAIN, SERVFAIL, REFUSED, or timeout, refused-connection"), gauge("answers", "", "records of the type asked for, CNAMEs not counted"), gauge("authority", "", ""), str("server", "who answered"), flag("authoritative", "aa"), flag("truncated", "tc"), flag("tcp", "asked over TCP"),
		gauge("soa_minimum", "s", ""), gauge("soa_ttl", "s", ""), gauge("serial", "", ""), list("values", "addresses or targets"), ratio("milliseconds", "ms", "query time"), str("ede", "extended error"), str("cname_loop", "the name a CNAME chain repeats"),
	}},
	{Name: "dns.verdict", Subject: Endpoint, Doc: "what ddx dns makes of all answers for a name", Fields: []Field{str("class", "one class of the classifier"), str("detail", "the decisive evidence in words"), flag("expected", "the name used to have, or a sibling type has, records"), str("clears_at", "RFC 3339: when the last negative cache ends"), list("servers", "")}},
	{Name: "imds", Subject: Host, Key: []string{"path"}, Doc: "an answer of the instance metadata service, or of a client that called it", Fields: []Field{str("path", ""), gauge("status", "", "HTTP status; 0 when there was no answer"), str("error", ""), str("value", ""), flag("token", "asked with a session token")}},
	{Name: "probe", Subject: Endpoint, Key: []string{"kind", "port", "size"}, Doc: "a connection attempt or echo made by nc, curl, ping, telnet, ssh, traceroute, mount", Fields: []Field{str("kind", "tcp, udp, icmp, http, nfs; path for traceroute, tracepath and mtr"), gauge("port", "", ""), str("result", "ok, refused, timeout, unreachable, no-route, frag-needed, prohibited, reset, address-unavailable"), gauge("size", "B", "payload of a ping"), flag("df", "do not fragment"), gauge("sent", "", ""), gauge("received", "", ""), str("address", "what the name resolved to"), gauge("mtu", "B", "path MTU as it was told"), ratio("milliseconds", "ms", "mean round trip")}},
}
