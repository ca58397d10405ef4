package capture

import "fmt"

// RPCMessage is the header of an ONC RPC call or reply (RFC 5531).
type RPCMessage struct {
	XID       uint32
	Reply     bool
	Program   uint32 // calls only, as are the next three
	Version   uint32
	Procedure uint32
	Name      string // procedure, with the operations of a compound
	Problem   string // of a reply: why it is none that the caller can use
	Status    uint32 // of a reply: the first word of the result, NFS's status
	HasStatus bool
}

const (
	progPortmap  = 100000
	ProgramNFS   = 100003
	progMount    = 100005
	progNLM      = 100021
	progStatus   = 100024
	progACL      = 100227
	progCallback = 0x40000000

	nfs4Delay = 10008
)

// CredibleRPC reports whether b begins like an RPC message.
func CredibleRPC(b []byte) bool {
	if len(b) < 12 {
		return false
	}
	switch be.Uint32(b[4:]) {
	case 0:
		if be.Uint32(b[8:]) != 2 {
			return false
		}
		if len(b) < 20 {
			return true
		}
		prog := be.Uint32(b[12:])
		return (prog >= progPortmap && prog < 101000 || prog == progCallback) && be.Uint32(b[16:]) < 16
	case 1:
		return be.Uint32(b[8:]) <= 1
	}
	return false
}

// xdr reads words and opaques; ok turns false when the bytes end.
type xdr struct {
	b  []byte
	ok bool
}

func (x *xdr) word() uint32 {
	if len(x.b) < 4 {
		x.ok, x.b = false, nil
		return 0
	}
	v := be.Uint32(x.b)
	x.b = x.b[4:]
	return v
}

func (x *xdr) skip(n uint32) {
	n64 := (int64(n) + 3) &^ 3
	if n64 > int64(len(x.b)) {
		x.ok, x.b = false, nil
		return
	}
	x.b = x.b[n64:]
}

func (x *xdr) opaque() { x.skip(x.word()) }

// ParseRPC reads the head of a message. The error says that it is none.
func ParseRPC(b []byte) (RPCMessage, error) {
	x := xdr{b: b, ok: true}
	m := RPCMessage{XID: x.word()}
	switch kind := x.word(); {
	case !x.ok:
		return m, fmt.Errorf("rpc message of %d bytes", len(b))
	case kind == 1:
		m.Reply = true
		m.reply(&x)
		return m, nil
	case kind != 0:
		return m, fmt.Errorf("rpc message type %d", kind)
	}
	version := x.word()
	m.Program, m.Version, m.Procedure = x.word(), x.word(), x.word()
	if !x.ok || version != 2 {
		return m, fmt.Errorf("rpc version %d", version)
	}
	m.Name = procedureName(m.Program, m.Version, m.Procedure)
	x.word()
	x.opaque() // credentials
	x.word()
	x.opaque() // verifier
	if x.ok && m.Procedure == 1 && (m.Program == ProgramNFS && m.Version == 4) {
		if ops := compound(&x); ops != "" {
			m.Name = ops
		}
	}
	return m, nil
}

func (m *RPCMessage) reply(x *xdr) {
	if x.word() == 1 {
		if x.word() == 0 {
			m.Problem = "denied: rpc version mismatch"
		} else {
			m.Problem = fmt.Sprintf("denied: authentication error %d", x.word())
		}
		return
	}
	x.word()
	x.opaque() // verifier
	switch state := x.word(); {
	case !x.ok:
	case state == 0:
		m.Status = x.word()
		m.HasStatus = x.ok
	case state < 6:
		m.Problem = [...]string{"", "program unavailable", "program version mismatch", "procedure unavailable", "garbage arguments", "system error"}[state]
	default:
		m.Problem = fmt.Sprintf("accept state %d, which does not exist", state)
	}
}

// compound names the operations of an NFSv4 COMPOUND up to the first whose
// arguments have no fixed shape.
func compound(x *xdr) string {
	x.opaque() // tag
	x.word()   // minor version
	count := x.word()
	if !x.ok || count > 64 {
		return ""
	}
	names := ""
	for range count {
		op := x.word()
		if !x.ok {
			break
		}
		name, known := nfs4Ops[op]
		if !known {
			break
		}
		if names != "" {
			names += "+"
		}
		names += name
		switch op {
		case 10, 16, 24, 23, 31, 32: // GETFH, LOOKUPP, PUTROOTFH, PUTPUBFH, RESTOREFH, SAVEFH
		case 22, 15: // PUTFH, LOOKUP
			x.opaque()
		case 3: // ACCESS
			x.word()
		case 9: // GETATTR: a bitmap
			x.skip(min(x.word(), 8) * 4)
		case 53: // SEQUENCE
			x.skip(32)
		default:
			return names
		}
	}
	return names
}

var nfs4Ops = map[uint32]string{
	3: "ACCESS", 4: "CLOSE", 5: "COMMIT", 6: "CREATE", 7: "DELEGPURGE", 8: "DELEGRETURN", 9: "GETATTR",
	10: "GETFH", 11: "LINK", 12: "LOCK", 13: "LOCKT", 14: "LOCKU", 15: "LOOKUP", 16: "LOOKUPP",
	17: "NVERIFY", 18: "OPEN", 19: "OPENATTR", 20: "OPEN_CONFIRM", 21: "OPEN_DOWNGRADE", 22: "PUTFH",
	23: "PUTPUBFH", 24: "PUTROOTFH", 25: "READ", 26: "READDIR", 27: "READLINK", 28: "REMOVE",
	29: "RENAME", 30: "RENEW", 31: "RESTOREFH", 32: "SAVEFH", 33: "SECINFO", 34: "SETATTR",
	35: "SETCLIENTID", 36: "SETCLIENTID_CONFIRM", 37: "VERIFY", 38: "WRITE", 39: "RELEASE_LOCKOWNER",
	40: "BACKCHANNEL_CTL", 41: "BIND_CONN_TO_SESSION", 42: "EXCHANGE_ID", 43: "CREATE_SESSION",
	44: "DESTROY_SESSION", 45: "FREE_STATEID", 46: "GET_DIR_DELEGATION", 47: "GETDEVICEINFO",
	48: "GETDEVICELIST", 49: "LAYOUTCOMMIT", 50: "LAYOUTGET", 51: "LAYOUTRETURN",
	52: "SECINFO_NO_NAME", 53: "SEQUENCE", 54: "SET_SSV", 55: "TEST_STATEID",
	56: "WANT_DELEGATION", 57: "DESTROY_CLIENTID", 58: "RECLAIM_COMPLETE", 59: "ALLOCATE",
	60: "COPY", 62: "DEALLOCATE", 68: "READ_PLUS", 69: "SEEK",
}

var (
	nfs3Procs = []string{"NULL", "GETATTR", "SETATTR", "LOOKUP", "ACCESS", "READLINK", "READ", "WRITE", "CREATE",
		"MKDIR", "SYMLINK", "MKNOD", "REMOVE", "RMDIR", "RENAME", "LINK", "READDIR", "READDIRPLUS", "FSSTAT",
		"FSINFO", "PATHCONF", "COMMIT"}
	nfs2Procs = []string{"NULL", "GETATTR", "SETATTR", "ROOT", "LOOKUP", "READLINK", "READ", "WRITECACHE", "WRITE",
		"CREATE", "REMOVE", "RENAME", "LINK", "SYMLINK", "MKDIR", "RMDIR", "READDIR", "STATFS"}
	nfs4Procs    = []string{"NULL", "COMPOUND"}
	mountProcs   = []string{"NULL", "MNT", "DUMP", "UMNT", "UMNTALL", "EXPORT"}
	portmapProcs = []string{"NULL", "SET", "UNSET", "GETPORT", "DUMP", "CALLIT"}
	nlmProcs     = []string{"NULL", "TEST", "LOCK", "CANCEL", "UNLOCK", "GRANTED"}
	statusProcs  = []string{"NULL", "STAT", "MON", "UNMON", "UNMON_ALL", "SIMU_CRASH", "NOTIFY"}
)

func procedureName(prog, vers, proc uint32) string {
	var names []string
	switch {
	case prog == ProgramNFS && vers == 2:
		names = nfs2Procs
	case prog == ProgramNFS && vers == 3:
		names = nfs3Procs
	case prog == ProgramNFS:
		names = nfs4Procs
	case prog == progMount:
		names = mountProcs
	case prog == progPortmap:
		names = portmapProcs
	case prog == progNLM:
		names = nlmProcs
	case prog == progStatus:
		names = statusProcs
	case prog == progCallback:
		names = []string{"CB_NULL", "CB_COMPOUND"}
	case prog == progACL:
		names = []string{"NULL", "GETACL", "SETACL"}
	}
	if int64(proc) < int64(len(names)) {
		return names[proc]
	}
	return fmt.Sprintf("procedure %d", proc)
}

func ProgramName(prog, vers uint32) string {
	names := map[uint32]string{ProgramNFS: "nfs", progMount: "mount", progPortmap: "portmap", progNLM: "nlm",
		progStatus: "status", progCallback: "nfs callback", progACL: "nfs acl"}
	if n := names[prog]; n != "" {
		return fmt.Sprintf("%s v%d", n, vers)
	}
	return fmt.Sprintf("program %d v%d", prog, vers)
}

// NFSStatus names the states that say "not now" or "not you"; the numbers are
// RFC 1813's and RFC 8881's.
func NFSStatus(s uint32) string {
	names := map[uint32]string{1: "PERM", 2: "NOENT", 5: "IO", 13: "ACCES", 28: "NOSPC", 30: "ROFS", 70: "STALE",
		10001: "BADHANDLE", 10006: "SERVERFAULT", nfs4Delay: "DELAY", 10011: "EXPIRED", 10013: "GRACE",
		10016: "WRONGSEC", 10017: "CLID_INUSE", 10018: "RESOURCE", 10021: "MINOR_VERS_MISMATCH",
		10022: "STALE_CLIENTID", 10023: "STALE_STATEID", 10025: "BAD_STATEID", 10052: "BADSESSION",
		10078: "DEADSESSION"}
	if n := names[s]; n != "" {
		return n
	}
	return fmt.Sprintf("status %d", s)
}
