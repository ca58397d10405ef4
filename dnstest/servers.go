package dnstest

import (
	"fmt"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

// Key is the TSIG key that the servers accept for updates.
const (
	KeyName   = "ddx-test."
	KeySecret = "c2VjcmV0IG9mIHRoZSB0ZXN0cyBvbmx5LCAzMiBieXRlcw==" // base64
	KeyAlgo   = "hmac-sha256."
)

// Zones maps zone names, with final dot, to their text in master file format.
// $ORIGIN and $TTL are the writer's to give.
type Zones map[string]string

func (z Zones) names() []string {
	var out []string
	for n := range z {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

func zoneFile(name string) string {
	if name == "." {
		return "root.zone"
	}
	return strings.TrimSuffix(name, ".") + ".zone"
}

// Bind starts BIND as an authoritative server. Updates signed with Key are
// allowed. extra goes into the options block.
func Bind(t testing.TB, addr string, port int, zones Zones, extra string) *Process {
	t.Helper()
	return BindPolicy(t, addr, port, zones, extra, fmt.Sprintf("allow-update { key %q; };", strings.TrimSuffix(KeyName, ".")))
}

// BindPolicy is Bind with the statements that say who may update each zone.
func BindPolicy(t testing.TB, addr string, port int, zones Zones, extra, policy string) *Process {
	t.Helper()
	prog := need(t, "named", "bind9")
	dir := t.TempDir()
	var c strings.Builder
	fmt.Fprintf(&c, `options { directory %q; pid-file none; session-keyfile none; lock-file none; managed-keys-directory %q;
 listen-on port %d { %s; }; listen-on-v6 { none; }; recursion no; allow-query { any; }; notify no; minimal-responses no;
 dnssec-validation no; allow-transfer { none; }; querylog no; empty-zones-enable no; version none; %s };
controls { };
logging { category default { null; }; category update { null; }; category update-security { null; }; };
key %q { algorithm hmac-sha256; secret %q; };
`, dir, dir, port, addr, extra, strings.TrimSuffix(KeyName, "."), KeySecret)
	for _, z := range zones.names() {
		Write(t, dir, zoneFile(z), zones[z])
		fmt.Fprintf(&c, "zone %q { type primary; file %q; %s };\n", z, zoneFile(z), policy)
	}
	conf := Write(t, dir, "named.conf", c.String())
	return launch(t, dir, fmt.Sprintf("%s:%d", addr, port), prog, "-g", "-n", "1", "-c", conf)
}

// BindResolver starts BIND as a recursive server that finds each zone of stubs
// at the given address:port.
func BindResolver(t testing.TB, addr string, port int, stubs map[string]string, extra string) *Process {
	t.Helper()
	prog := need(t, "named", "bind9")
	dir := t.TempDir()
	var c strings.Builder
	fmt.Fprintf(&c, `options { directory %q; pid-file none; session-keyfile none; lock-file none; managed-keys-directory %q;
 listen-on port %d { %s; }; listen-on-v6 { none; }; recursion yes; allow-query { any; }; allow-recursion { any; };
 dnssec-validation no; empty-zones-enable no; qname-minimization off; %s };
controls { };
`, dir, dir, port, addr, extra)
	for _, z := range sortedKeys(stubs) {
		host, p, _ := strings.Cut(stubs[z], ":")
		fmt.Fprintf(&c, "zone %q { type forward; forward only; forwarders { %s port %s; }; };\n", z, host, p)
	}
	conf := Write(t, dir, "named.conf", c.String())
	return launch(t, dir, fmt.Sprintf("%s:%d", addr, port), prog, "-g", "-n", "1", "-c", conf)
}

// Knot starts Knot DNS as an authoritative server that accepts signed updates.
func Knot(t testing.TB, addr string, port int, zones Zones) *Process {
	t.Helper()
	prog := need(t, "knotd", "knot")
	dir := t.TempDir()
	var c strings.Builder
	fmt.Fprintf(&c, `server:
    rundir: %[1]q
    listen: %[2]s@%[3]d
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: %[1]q
log:
  - target: stderr
    any: warning
key:
  - id: %[4]s
    algorithm: hmac-sha256
    secret: %[5]s
acl:
  - id: update
    key: %[4]s
    action: update
template:
  - id: default
    storage: %[1]q
    acl: update
    zonefile-sync: -1
zone:
`, dir, addr, port, KeyName, KeySecret)
	for _, z := range zones.names() {
		Write(t, dir, zoneFile(z), zones[z])
		fmt.Fprintf(&c, "  - domain: %s\n    file: %s\n", z, zoneFile(z))
	}
	conf := Write(t, dir, "knot.conf", c.String())
	return launch(t, dir, fmt.Sprintf("%s:%d", addr, port), prog, "-c", conf)
}

// PowerDNS starts PowerDNS with an SQLite database that accepts signed updates.
func PowerDNS(t testing.TB, addr string, port int, zones Zones) *Process {
	t.Helper()
	prog := need(t, "pdns_server", "pdns-server pdns-backend-sqlite3")
	util := need(t, "pdnsutil", "pdns-server")
	sqlite := need(t, "sqlite3", "sqlite3")
	dir := t.TempDir()
	db := filepath.Join(dir, "pdns.sqlite3")
	schema := "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"
	run(t, dir, sqlite, db, ".read "+schema)
	Write(t, dir, "pdns.conf", fmt.Sprintf(`launch=gsqlite3
gsqlite3-database=%s
gsqlite3-pragma-synchronous=0
local-address=%s
local-port=%d
socket-dir=%s
dnsupdate=yes
allow-dnsupdate-from=127.0.0.0/8,10.0.0.0/8
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
guardian=no
daemon=no
loglevel=3
`, db, addr, port, dir))
	key := strings.TrimSuffix(KeyName, ".")
	run(t, dir, util, "--config-dir="+dir, "import-tsig-key", key, "hmac-sha256", KeySecret)
	for _, z := range zones.names() {
		Write(t, dir, zoneFile(z), zones[z])
		name := strings.TrimSuffix(z, ".")
		run(t, dir, util, "--config-dir="+dir, "load-zone", name, filepath.Join(dir, zoneFile(z)))
		run(t, dir, util, "--config-dir="+dir, "set-kind", name, "primary")
		run(t, dir, util, "--config-dir="+dir, "set-meta", name, "TSIG-ALLOW-DNSUPDATE", key)
		run(t, dir, util, "--config-dir="+dir, "set-meta", name, "SOA-EDIT-DNSUPDATE", "INCREASE")
	}
	return launch(t, dir, fmt.Sprintf("%s:%d", addr, port), prog, "--config-dir="+dir)
}

// Unbound starts a validating resolver that finds each zone of stubs at the
// given address:port. extra goes into the server block.
func Unbound(t testing.TB, addr string, port int, stubs map[string]string, extra string) *Process {
	t.Helper()
	prog := need(t, "unbound", "unbound")
	dir := t.TempDir()
	var c strings.Builder
	fmt.Fprintf(&c, `server:
  interface: %[1]s@%[2]d
  access-control: 127.0.0.0/8 allow
  directory: %[3]q
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  do-not-query-localhost: no
  do-daemonize: no
  num-threads: 1
  module-config: "validator iterator"
  ede: yes
  val-log-level: 0
  infra-host-ttl: 1
  %[4]s
remote-control:
  control-enable: no
`, addr, port, dir, strings.ReplaceAll(strings.TrimSpace(extra), "\n", "\n  "))
	for _, z := range sortedKeys(stubs) {
		host, p, _ := strings.Cut(stubs[z], ":")
		fmt.Fprintf(&c, "stub-zone:\n  name: %q\n  stub-addr: %s@%s\n  stub-prime: no\n", z, host, p)
	}
	conf := Write(t, dir, "unbound.conf", c.String())
	return launch(t, dir, fmt.Sprintf("%s:%d", addr, port), prog, "-d", "-c", conf)
}

func sortedKeys(m map[string]string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
