package source

import (
	"bytes"
	"strings"

	"ddx"
)

// fileSystemTable reads /etc/fstab: each line is a setting named by its mount
// point, "SOURCE TYPE OPTIONS DUMP PASS".
var fileSystemTable = Reader{
	Name: "fstab", Doc: "/etc/fstab: file systems to mount at boot",
	Kinds: []string{"config"},
	Files: []string{"etc/fstab"},
	Match: func(name string, head []byte) bool { return name == "fstab" || fstabLine.Match(head) },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		it.lines(func(n int, line string) {
			w := strings.Fields(line)
			if len(w) < 3 || strings.HasPrefix(w[0], "#") || !strings.HasPrefix(w[1], "/") && w[1] != "none" && w[1] != "swap" {
				return
			}
			emit(it.fact("config", host, n, it.lineText(n), "file", "/etc/fstab", "section", w[2], "name", unescapeMount(w[1]), "value", strings.Join(append([]string{w[0]}, w[2:]...), " ")))
		})
		return nil
	},
}

var fstabLine = lazy(`(?m)^(?:(?:UUID|LABEL|PARTUUID|PARTLABEL)="?[^\s"]+"?|/dev/\S+|tmpfs|proc|\S+:\S*)[ \t]+(?:/\S*|none|swap)[ \t]+[\w.]+[ \t]+(?:defaults|noauto|nofail|_netdev|sw\b|tls|[^ \t]*,(?:nofail|_netdev|defaults|noauto)|(?:rw|ro|hard|soft|bg|noatime|errors=)[^ \t]*)[^ \t]*(?:[ \t]+[0-2][ \t]+[0-2])?[ \t\r]*$`)

// settings reads files of sections and KEY=VALUE: networkd's network and link
// files, systemd units' and nfs.conf; and limits.conf.
var settingsFile = Reader{
	Name: "settings-file", Doc: "networkd .network and .link files, nfs.conf, limits.conf: settings",
	Kinds: []string{"config"},
	Files: []string{"etc/systemd/network/*", "usr/lib/systemd/network/*", "run/systemd/network/*", "etc/systemd/networkd.conf", "etc/systemd/networkd.conf.d/*", "etc/nfs.conf", "etc/nfsmount.conf", "etc/amazon/efs/efs-utils.conf", "etc/security/limits.conf", "etc/security/limits.d/*"},
	Match: func(name string, head []byte) bool { return iniSection.Match(head) || limitsLine.Match(head) },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		file, section := it.path(), ""
		it.lines(func(n int, line string) {
			t := strings.TrimSpace(line)
			if t == "" || t[0] == '#' || t[0] == ';' {
				return
			}
			if m := limitsLine.FindStringSubmatch(t); m != nil {
				emit(it.fact("config", host, n, it.lineText(n), "file", file, "section", m[1], "name", m[2]+" "+m[3], "value", m[4]))
			} else if strings.HasPrefix(t, "[") && strings.HasSuffix(t, "]") {
				section = t[1 : len(t)-1]
			} else if key, value, ok := strings.Cut(t, "="); ok && section != "" {
				emit(it.fact("config", host, n, it.lineText(n), "file", file, "section", section, "name", strings.TrimSpace(key), "value", strings.TrimSpace(value)))
			}
		})
		return nil
	},
}

var (
	iniSection = lazy(`(?m)^\[(?:Match|Network|Link|Address|Route|RoutingPolicyRule|DHCPv4|DHCP|nfsd|mountd|lockd|statd|exportfs|NFSMount_Global_Options|mount|mount-watchdog|cloudwatch-log)\][ \t\r]*$`)
	limitsLine = lazy(`(?m)^[ \t]*([@*%\w.-]+)[ \t]+(soft|hard|-)[ \t]+(core|data|fsize|memlock|nofile|rss|stack|cpu|nproc|as|maxlogins|priority|sigpending|msgqueue|nice|rtprio)[ \t]+(-?\d+|unlimited|infinity)[ \t\r]*$`)
)

// dockerDaemon reads /etc/docker/daemon.json: each key of the top level, lists
// and objects as compact text.
var dockerDaemon = Reader{
	Name: "docker-daemon", Doc: "/etc/docker/daemon.json: settings of the Docker daemon",
	Kinds: []string{"config"},
	Files: []string{"etc/docker/daemon.json"},
	Match: func(name string, head []byte) bool {
		return name == "daemon.json" || daemonKeys.Match(head)
	},
	Read: func(it *Item, emit func(ddx.Fact)) error {
		docs, err := it.readJSON()
		for _, d := range docs {
			for _, k := range d.keys {
				if c := d.get(k); c != nil {
					emit(it.jsonFact("config", host, []*jsonNode{c}, "file", "/etc/docker/daemon.json", "name", k, "value", c.compact()))
				}
			}
		}
		return err
	},
}

var daemonKeys = lazy(`(?s)^\s*\{.*"(?:default-address-pools|bip|log-driver|storage-driver|live-restore|registry-mirrors|fixed-cidr|default-ulimits|exec-opts|cgroup-parent)"\s*:`)

// compact writes a value on one line: lists as [a b], objects as {k:v}.
func (n *jsonNode) compact() string {
	var b bytes.Buffer
	switch {
	case n == nil:
	case n.fields != nil:
		b.WriteByte('{')
		for i, k := range n.keys {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(k + ":" + n.fields[k].compact())
		}
		b.WriteByte('}')
	case n.items != nil:
		b.WriteByte('[')
		for i, c := range n.items {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(c.compact())
		}
		b.WriteByte(']')
	default:
		b.WriteString(n.text())
	}
	return b.String()
}
