package source

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"ddx"
)

// TestNetworkReadersOnKernel lets the tools of this machine describe a network
// that the test makes, in a namespace of its own, and requires of what they
// print: each output is recognised by content alone as the reader that asked
// for it, and says what was made.
func TestNetworkReadersOnKernel(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: makes a network namespace")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs the tool ip (package iproute2)")
	}
	ns := fmt.Sprintf("ddx-source-%d", os.Getpid())
	if out, err := exec.Command("ip", "netns", "add", ns).CombinedOutput(); err != nil {
		t.Skipf("needs network namespaces: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
	in := func(argv ...string) (string, error) {
		out, err := exec.Command("ip", append([]string{"netns", "exec", ns}, argv...)...).Output()
		return string(out), err
	}
	for _, step := range []string{
		"ip link set lo up",
		"ip link add v0 type veth peer name v1",
		"ip link set v0 mtu 1400 up",
		"ip link set v1 up",
		"ip addr add 10.77.0.1/24 dev v0",
		"ip neigh add 10.77.0.9 lladdr 02:00:00:00:00:09 dev v0 nud permanent",
		"ip route add 10.78.0.0/16 via 10.77.0.9 dev v0 mtu 1300",
		"ip route add blackhole 10.79.0.0/16",
		"ip route add default via 10.77.0.9 dev v0 table 100",
		"ip rule add to 10.77.0.50 lookup main priority 512",
	} {
		if out, err := in(strings.Fields(step)...); err != nil {
			t.Fatalf("%s: %v: %s", step, err, out)
		}
	}

	for _, rule := range []string{
		"iptables -t nat -A POSTROUTING -s 10.77.0.0/24 -j MASQUERADE", "iptables -P FORWARD DROP",
		"iptables -A INPUT -p tcp --dport 2049 -j DROP", "ip6tables -A INPUT -j ACCEPT",
	} {
		if _, err := in(strings.Fields(rule)...); err != nil {
			t.Logf("without rules of netfilter: %s: %v", rule, err)
			break
		}
	}

	var facts []ddx.Fact
	look := func(t *testing.T, reader string, argv ...string) {
		if _, err := exec.LookPath(argv[0]); err != nil {
			t.Skipf("needs the tool %s", argv[0])
		}
		out, err := in(argv...)
		if out == "" {
			t.Skipf("%s has nothing to say here: %v", strings.Join(argv, " "), err)
		}
		if rd, err := Recognise(&Item{Origin: "pasted", Data: []byte(out)}); err != nil || readerName(rd) != reader {
			t.Errorf("%s: recognised as %s, want %s:\n%.600s", strings.Join(argv, " "), readerName(rd), reader, out)
		}
		name := strings.Join(argv, " ")
		if _, err := readItem(&Item{Origin: name, Name: name, Data: []byte(out), Reader: reader}, func(f ddx.Fact) {
			if err := f.Check(); err != nil {
				t.Error(err)
			}
			facts = append(facts, f)
		}); err != nil {
			t.Error(err)
		}
	}
	for i := range networkReaders {
		rd := &networkReaders[i]
		for _, argv := range rd.Commands {
			argv = slices.Clone(argv)
			for j := range argv {
				argv[j] = strings.ReplaceAll(argv[j], "{nic}", "v0")
			}
			if rd.Name == "resolvectl" || slices.Contains(argv, "-6") {
				continue // speaks of the host, or has nothing to show here
			}
			t.Run(strings.Join(argv, " "), func(t *testing.T) { look(t, rd.Name, argv...) })
		}
	}
	for _, x := range []struct{ reader, command string }{
		{"ip-link-json", "ip -j -s addr"}, {"ip-route-json", "ip -j route"}, {"ip-rule-json", "ip -j rule"}, {"ip-neigh-json", "ip -j neigh"},
		{"ip-route-get", "ip route get 10.78.1.1"}, {"ip-route-json", "ip -j route get 10.78.1.1"}, {"ip-link", "ip -br addr"}, {"ip-link", "ip -o link"},
		{"ifconfig", "ifconfig -a"}, {"netstat-interfaces", "netstat -i"}, {"netstat-statistics", "netstat -s"}, {"netstat-sockets", "netstat -tan"},
		{"route", "route -n"}, {"route", "netstat -rn"}, {"arp", "arp -n"}, {"arp", "arp -a"}, {"nstat", "nstat -az"}, {"nstat", "nstat -azj"},
		{"net-dev", "cat /proc/net/dev"}, {"net-protocols", "cat /proc/net/snmp"}, {"net-protocols", "cat /proc/net/netstat"}, {"net-snmp6", "cat /proc/net/snmp6"},
		{"sockstat", "cat /proc/net/sockstat"}, {"softnet", "cat /proc/net/softnet_stat"}, {"net-arp", "cat /proc/net/arp"}, {"net-route", "cat /proc/net/route"},
		{"ping", "ping -n -c 1 -W 1 10.77.0.1"}, {"ping", "busybox ping -c 1 10.77.0.1"}, {"iptables-list", "iptables -L -n -v"},
		{"ifconfig", "busybox ifconfig -a"}, {"route", "busybox route -n"}, {"ip-link", "busybox ip addr"}, {"ip-route", "busybox ip route"}, {"netstat-sockets", "busybox netstat -tan"},
	} {
		t.Run(x.command, func(t *testing.T) { look(t, x.reader, strings.Fields(x.command)...) })
	}

	for _, want := range []struct {
		kind, subject string
		fields        map[string]string
	}{
		{"nic.link", "nic:v0", map[string]string{"mtu": "1400", "type": "veth", "up": "true", "carrier": "true"}},
		{"nic.address", "nic:v0", map[string]string{"address": "10.77.0.1", "cidr": "10.77.0.0/24"}},
		{"nic.counter", "nic:v0", map[string]string{"name": "rx_over_errors", "value": "0"}},
		{"neighbour", "nic:v0", map[string]string{"address": "10.77.0.9", "state": "PERMANENT", "mac": "02:00:00:00:00:09"}},
		{"route", "host:", map[string]string{"dst": "10.78.0.0/16", "mtu": "1300", "via": "10.77.0.9", "table": "main"}},
		{"route", "host:", map[string]string{"dst": "10.79.0.0/16", "type": "blackhole"}},
		{"route", "host:", map[string]string{"dst": "default", "table": "100"}},
		{"route.get", "host:", map[string]string{"dst": "10.78.1.1", "dev": "v0", "via": "10.77.0.9"}},
		{"netfilter.rule", "host:", map[string]string{"target": "DROP", "chain": "INPUT", "dport": "2049", "packets": "0"}},
		{"netfilter.summary", "host:", map[string]string{"masquerade_sources": "10.77.0.0/24", "forward_policy": "DROP"}},
		{"rule.summary", "host:", map[string]string{"to": "10.77.0.50"}},
	} {
		if _, err := exec.LookPath("iptables-save"); err != nil && strings.HasPrefix(want.kind, "netfilter.") {
			continue
		}
		if !slices.ContainsFunc(facts, func(f ddx.Fact) bool {
			for name, v := range want.fields {
				if f.String(name) != v {
					return false
				}
			}
			return f.Kind == want.kind && f.Subject.String() == want.subject
		}) {
			t.Errorf("no fact %s of %s says %v", want.kind, want.subject, want.fields)
		}
	}
}
