package source

import (
	"strings"

	"ddx"
)

// rpcTasks reads the task lists of the SunRPC client, which only root sees
// with debugfs mounted. Equal tasks are counted together. The client's folder
// names no server: the subject is empty.
var rpcTasks = Reader{
	Name: "rpc-tasks", Doc: "/sys/kernel/debug/sunrpc/rpc_clnt/*/tasks: RPC calls in progress",
	Kinds: []string{"rpc.task"},
	Files: []string{"sys/kernel/debug/sunrpc/rpc_clnt/*/tasks"},
	Child: true,
	Match: func(name string, head []byte) bool { return rpcTaskLine.Match(head) },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		type task struct {
			line  int
			count int64
		}
		tasks, order := map[[4]string]*task{}, [][4]string(nil)
		it.lines(func(n int, line string) {
			m := rpcTaskLine.FindStringSubmatch(line)
			if m == nil {
				return
			}
			key := [4]string(m[1:5])
			if tasks[key] == nil {
				tasks[key], order = &task{line: n}, append(order, key)
			}
			tasks[key].count++
		})
		for _, k := range order {
			t := tasks[k]
			emit(it.fact("rpc.task", mountSubject(""), t.line, it.lineText(t.line),
				"program", k[0], "procedure", strings.TrimPrefix(k[1], "-"), "action", asText(k[2]), "queue", k[3], "count", t.count))
		}
		return nil
	},
}

var rpcTaskLine = lazy(`(?m)^[ \t]*(?:\S*\[ *[\d.]+\] +)?\d+ [0-9a-f]{2,4} +-?\d+ (?:0x[0-9a-f]+|[0-9a-f]{8,16}|\(null\)) +.*?(\w+?v ?\d+) (\S+) a:(\S+)(?: \[\w+\])? q:([\w() -]*?)[ \t\r]*$`)

// nfsServers reads /proc/fs/nfsfs/servers: the NFS clients the kernel keeps.
var nfsServers = Reader{
	Name: "nfs-servers", Doc: "/proc/fs/nfsfs/servers: servers the NFS client of this kernel knows",
	Kinds: []string{"nfs.server"},
	Files: []string{"proc/fs/nfsfs/servers"},
	Match: func(name string, head []byte) bool { return nfsServersHeader.Match(head) },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		it.lines(func(n int, line string) {
			if m := nfsServersRow.FindStringSubmatch(line); m != nil {
				emit(it.fact("nfs.server", mountSubject(m[5]), n, it.lineText(n),
					"vers", m[1], "address", hexAddress(m[2]), "port", asHex(m[3]), "users", asInt(m[4])))
			}
		})
		return nil
	},
}

var (
	nfsServersHeader = lazy(`(?m)^NV SERVER +PORT USE HOSTNAME`)
	nfsServersRow    = lazy(`^v(\d) ([0-9a-f]{8}|[0-9a-f]{32}) +([0-9a-f]+) +(\d+) (\S+)`)
)

// exportList reads showmount -e and exportfs.
var exportList = Reader{
	Name: "exports", Doc: "showmount -e, exportfs -v: what an NFS server exports to whom",
	Kinds: []string{"export"},
	Match: func(name string, head []byte) bool {
		return exportHeader.Match(head) || exportLine.Match(head)
	},
	Read: func(it *Item, emit func(ddx.Fact)) error {
		server, path := "", ""
		it.lines(func(n int, line string) {
			if m := exportHeader.FindStringSubmatch(line); m != nil {
				server = m[1]
				return
			}
			w := strings.Fields(line)
			if len(w) == 0 {
				return
			}
			if strings.HasPrefix(w[0], "/") {
				path, w = w[0], w[1:]
			}
			if path == "" || len(w) == 0 || server == "" && !exportClient.MatchString(w[0]) {
				return
			}
			clients := w
			if server != "" {
				clients = strings.Split(strings.Join(w, ""), ",")
			}
			emit(it.fact("export", mountSubject(server), n, it.lineText(n), "path", path, "clients", clients))
			path = ""
		})
		return nil
	},
}

var (
	exportHeader = lazy(`(?m)^Export list for (\S+):[ \t\r]*$`)
	exportLine   = lazy(`(?m)^/\S*[ \t]*(?:\r?\n?[ \t]+)\S+\((?:sync|async|ro|rw),[\w,=@-]*(?:wdelay|no_subtree_check|root_squash|sec=)[\w,=@-]*\)`)
	exportClient = lazy(`^\S+\(.*\)$|^<world>`)
)
