package source

import (
	"strings"

	"ddx"
)

// mountAttempts reads what mount.nfs -v and mount(8) print: each try of the
// option list and the error it ended with.
var mountAttempts = Reader{
	Name: "mount-attempt", Doc: "mount.nfs -v, errors of mount(8) for NFS: tries and how they ended",
	Kinds: []string{"mount.attempt"},
	Match: func(name string, head []byte) bool { return mountHelperLine.Match(head) },
	Read:  readMountAttempts,
}

var (
	mountHelperLine = lazy(`(?m)^[ \t]*(?:/sbin/)?mount\.nfs4?: \S|^[ \t]*mount: (?:wrong fs type, bad option, bad superblock on [^ ,:]+:/|mounting \S+:/\S* on |\S+:\S* failed, reason given by server|mount to NFS server )`)
	mountHelper     = lazy(`^\s*(?:/sbin/)?(mount(?:\.nfs4?)?): (.+?)\s*$`)
	triedOptions    = lazy(`^trying (?:text-based options |)'?([^']*)'?$`)
	mountCall       = lazy(`^mount\(2\): (.+)$`)
	namedServer     = lazy(`(?:while mounting |superblock on |mounting |resolve server |NFS server ')([\w.:\[\]-]+?)(?::/|:? Name or|: Temporary|'|$)`)
	shellMount      = lazy(`(?:^|[ \t/])(mount(?:\.nfs4?)?[ \t]+.+)$`)
)

// mountErrors gives the errno behind the words of mount.nfs; the first that
// the message contains counts.
var mountErrors = [][2]string{
	{"access denied by server", "EACCES"}, {"Permission denied", "EACCES"}, {"Connection timed out", "ETIMEDOUT"}, {"timed out", "ETIMEDOUT"},
	{"Connection refused", "ECONNREFUSED"}, {"No route to host", "EHOSTUNREACH"}, {"Network is unreachable", "ENETUNREACH"},
	{"Protocol not supported", "EPROTONOSUPPORT"}, {"requested NFS version", "EPROTONOSUPPORT"}, {"No such file or directory", "ENOENT"},
	{"Stale ", "ESTALE"}, {"No such device", "ENODEV"}, {"unknown filesystem type", "ENODEV"}, {"Operation not permitted", "EPERM"}, {"Input/output error", "EIO"},
	{"mount system call failed", "EIO"}, {"incorrect mount option", "EINVAL"}, {"Invalid argument", "EINVAL"}, {"wrong fs type", "EINVAL"},
	{"busy", "EBUSY"}, {"Not a directory", "ENOTDIR"}, {"Host is down", "EHOSTDOWN"}, {"Connection reset", "ECONNRESET"}, {"Name or service not known", "ENOENT"},
}

func mountErrno(message string) any {
	for _, e := range mountErrors {
		if strings.Contains(message, e[0]) {
			return e[1]
		}
	}
	return nil
}

// mountCommand is what the command line of a mount says.
type mountCommand struct {
	program, source, server, target, options string
}

// parseMountCommand reads the words of mount -t nfs or mount.nfs. The server
// is empty when it is no NFS mount.
func parseMountCommand(words []string) (m mountCommand) {
	if len(words) == 0 {
		return m
	}
	m.program = commOf(words[0])
	nfs := m.program == "mount.nfs" || m.program == "mount.nfs4"
	if !nfs && m.program != "mount" {
		return mountCommand{}
	}
	for i := 1; i < len(words); i++ {
		w := words[i]
		switch {
		case w == "-o" && i+1 < len(words):
			i++
			m.options = words[i]
		case strings.HasPrefix(w, "-o"):
			m.options = w[2:]
		case w == "-t" && i+1 < len(words):
			i++
			nfs = nfs || strings.HasPrefix(words[i], "nfs")
			if words[i] == "nfs4" {
				m.program = "mount.nfs4"
			}
		case strings.HasPrefix(w, "-"):
		case m.source == "":
			m.source = w
		case m.target == "":
			m.target = w
		}
	}
	if nfs || strings.Contains(m.source, ":/") {
		m.server = nfsServer(m.source)
	}
	return m
}

// attempt states an NFS mount attempt; extra are fields as for Item.fact. The
// subject is the mount point, or the server where that is not known.
func (it *Item) attempt(m mountCommand, n int, text string, extra ...any) ddx.Fact {
	fields, fstype := map[string]any{}, "nfs"
	if m.program == "mount.nfs4" || m.program == "nfs4" {
		fstype = "nfs4"
	}
	addNFSFields(fields, "", fstype, splitOptions(m.options))
	if address, ok := fields["address"].(string); ok && m.server == "" {
		m.server = address
	}
	subject := m.target
	if subject == "" {
		subject = m.server
	}
	return it.fact("mount.attempt", mountSubject(subject), n, text, append([]any{
		"server", asText(m.server), "options", asText(m.options), "vers", fields["vers"]}, extra...)...)
}

// A try whose end is not shown says neither that it succeeded nor that it
// hangs: result and finished are left out.
func readMountAttempts(it *Item, emit func(ddx.Fact)) error {
	var command, try mountCommand
	var tryLine int
	open := false
	flush := func() {
		if open {
			emit(it.attempt(try, tryLine, it.lineText(tryLine)))
		}
		open = false
	}
	if m := parseMountCommand(it.command()); m.server != "" {
		command = m
	}
	it.lines(func(n int, line string) {
		m := mountHelper.FindStringSubmatch(line)
		if m == nil {
			if c := shellMount.FindStringSubmatch(line); c != nil {
				if parsed := parseMountCommand(strings.Fields(c[1])); parsed.server != "" {
					flush()
					command = parsed
				}
			}
			return
		}
		message := m[2]
		if t := triedOptions.FindStringSubmatch(message); t != nil {
			flush()
			try, tryLine, open = command, n, true
			try.program, try.options = m[1], t[1]
			return
		}
		call := mountCall.FindStringSubmatch(message)
		if call != nil {
			message = call[1]
		}
		errno := mountErrno(message)
		if errno == nil && !strings.Contains(message, "failed") && !strings.Contains(message, "esolve") {
			return // a remark such as "timeout set for"
		}
		if !open {
			try, tryLine = command, n
			try.program = m[1]
			if s := namedServer.FindStringSubmatch(message); s != nil {
				try.server = strings.Trim(s[1], "[]")
			}
		}
		f := it.attempt(try, tryLine, it.lineText(tryLine), "result", message, "errno", errno, "finished", true)
		if tryLine != n {
			f.Evidence = append(f.Evidence, it.evidence(n, it.lineText(n))...)
		}
		emit(f)
		open = false
	})
	flush()
	return nil
}
