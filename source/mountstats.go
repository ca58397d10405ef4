package source

import (
	"bytes"
	"strconv"
	"strings"

	"ddx"
)

// mountStats reads /proc/self/mountstats: the client's counters of every NFS
// mount, by transport and by operation.
var mountStats = Reader{
	Name: "mountstats", Doc: "/proc/self/mountstats: transport and per-operation counters of NFS mounts",
	Kinds: []string{"mount", "mount.counter"},
	Files: []string{"proc/self/mountstats"},
	Child: true, Twice: true,
	Match: func(name string, head []byte) bool { return mountStatsDevice.Match(head) },
	Read:  readMountStats,
}

var mountStatsDevice = lazy(`(?m)^[ \t]*device (\S+) mounted on (\S+) with fstype ([\w.]+)(?: statvers=\S+)?[ \t\r]*$`)

// xprtColumns names the columns of an xprt line by transport: the statistics
// version 1.1 order, the last three since Linux 3.3.
var xprtColumns = map[string][]string{
	"tcp":  {"port", "binds", "connects", "connect_jiffies", "idle_s", "sends", "recvs", "bad_xids", "request_use", "backlog_use", "max_slots", "sending_use", "pending_use"},
	"rdma": {"port", "binds", "connects", "connect_jiffies", "idle_s", "sends", "recvs", "bad_xids", "request_use", "backlog_use"},
	"udp":  {"port", "binds", "sends", "recvs", "bad_xids", "request_use", "backlog_use", "max_slots", "sending_use", "pending_use"},
}

// xprtCounters are the columns that count.
var xprtCounters = []string{"binds", "connects", "sends", "recvs", "bad_xids"}

// opColumns names the numbers of a per-operation line; errors since Linux 5.3.
var opColumns = []string{"ops", "transmissions", "timeouts", "bytes_sent", "bytes_recv", "queue_ms", "rtt_ms", "execute_ms", "errors"}

var opLine = lazy(`^\s+([A-Z][A-Z0-9_]*|\d+):((?: \d+){8,})\s*$`)

// mountCounters gathers the counters of one mount: several transports
// (nconnect) are summed, as are the operations.
type mountCounters struct {
	target string
	sums   map[string]int64
	order  []string
	line   map[string]int
	text   map[string]string
}

func (c *mountCounters) add(name string, v int64, n int, line string) {
	if _, ok := c.sums[name]; !ok {
		c.order = append(c.order, name)
		c.line[name], c.text[name] = n, strings.TrimRight(line, " \t")
	}
	c.sums[name] += v
}

func readMountStats(it *Item, emit func(ddx.Fact)) error {
	var c *mountCounters
	var device []string
	var deviceLine int
	flush := func() {
		if c == nil {
			return
		}
		for _, name := range c.order {
			emit(it.fact("mount.counter", mountSubject(c.target), c.line[name], c.text[name], "name", name, "value", c.sums[name]))
		}
		c = nil
	}
	it.lines(func(n int, line string) {
		if m := mountStatsDevice.FindStringSubmatch(line); m != nil {
			flush()
			device, deviceLine = m, n
			if m[3] == "nfs" || m[3] == "nfs4" {
				c = &mountCounters{target: unescapeMount(m[2]), sums: map[string]int64{}, line: map[string]int{}, text: map[string]string{}}
			}
			return
		}
		if c == nil {
			return
		}
		t := strings.TrimSpace(line)
		if opts, ok := strings.CutPrefix(t, "opts:"); ok {
			f := it.mountFact(deviceLine, strings.TrimRight(device[0], " \t\r"), unescapeMount(device[1]), c.target, device[3], strings.TrimSpace(opts))
			f.Evidence = append(f.Evidence, it.evidence(n, strings.TrimRight(line, " \t"))...)
			emit(f)
		} else if x, ok := strings.CutPrefix(t, "xprt:"); ok {
			w := strings.Fields(x)
			if len(w) == 0 {
				return
			}
			for i, column := range xprtColumns[w[0]] {
				if i+1 >= len(w) {
					break
				}
				for _, name := range xprtCounters {
					if v, err := strconv.ParseInt(w[i+1], 10, 64); err == nil && name == column {
						c.add("xprt_"+name, v, n, line)
					}
				}
			}
		} else if m := opLine.FindStringSubmatch(line); m != nil {
			addOperation(c, m[1], strings.Fields(m[2]), n, line)
		}
	})
	flush()
	return nil
}

// addOperation adds an operation that was used at least once, and its part of
// the sums over all operations.
func addOperation(c *mountCounters, op string, w []string, n int, line string) {
	v := make([]int64, len(opColumns))
	for i := 0; i < len(w) && i < len(v); i++ {
		v[i], _ = strconv.ParseInt(w[i], 10, 64)
	}
	c.add("rpc_ops", v[0], n, line)
	c.add("rpc_timeouts", v[2], n, line)
	c.add("rpc_retrans", max(v[1]-v[0], 0), n, line)
	if v[0] == 0 && v[1] == 0 {
		return
	}
	for i, name := range opColumns {
		if i < len(w) && (name == "ops" || name == "timeouts" || name == "errors" || strings.HasSuffix(name, "_ms")) {
			c.add(op+"_"+name, v[i], n, line)
		}
	}
}

// nfsClientCounters reads nfsstat -c and /proc/net/rpc/nfs: calls and
// retransmissions of the NFS client over all mounts.
var nfsClientCounters = Reader{
	Name: "nfs-client-counters", Doc: "nfsstat -c, /proc/net/rpc/nfs: RPC calls and retransmissions of the NFS client",
	Kinds: []string{"kernel.counter"},
	Files: []string{"proc/net/rpc/nfs"},
	Twice: true,
	Match: func(name string, head []byte) bool {
		return bytes.Contains(head, []byte("Client rpc stats:")) || rpcNFSLine.Match(head)
	},
	Read: func(it *Item, emit func(ddx.Fact)) error {
		titles, client := []string(nil), false
		it.lines(func(n int, line string) {
			w := strings.Fields(line)
			switch {
			case strings.HasPrefix(strings.TrimSpace(line), "Client rpc stats"):
				client = true
			case client && len(w) > 1 && w[0] == "calls":
				titles = w
			case len(w) == 4 && w[0] == "rpc" && rpcNFSLine.MatchString(line):
				titles, w = []string{"calls", "retrans", "authrefrsh"}, w[1:]
				fallthrough
			case titles != nil && len(w) >= len(titles):
				for i, title := range titles {
					if v, ok := asInt(w[i]).(int64); ok {
						emit(it.fact("kernel.counter", host, n, strings.TrimRight(line, " \t"), "name", "nfs_rpc_"+title, "value", v))
					}
				}
				titles, client = nil, false
			}
		})
		return nil
	},
}

var rpcNFSLine = lazy(`(?m)^rpc \d+ \d+ \d+[ \t\r]*$`)
