package source

import (
	"testing"
	"time"

	"ddx"
)

// TestNoLog holds that text which only names faults (metrics, settings, lists
// of symbols) is not searched for them, and that text of unknown form is.
func TestNoLog(t *testing.T) {
	metrics := "# HELP node_nfsd_file_handles_stale_total Total number of NFSd stale file handles\n" +
		"# TYPE node_nfsd_file_handles_stale_total counter\nnode_nfsd_file_handles_stale_total 0\n"
	for _, c := range []struct {
		origin, text string
		log          bool
	}{
		{"metrics.txt", metrics, false},
		{"host/etc/motd.d/storage", "On \"Stale file handle\" unmount the share.\n", false},
		{"sosreport-a.tar.xz/sosreport-a/proc/kallsyms", "0000000000000000 d max_user_watches\n", false},
		{"host/etc/ufw/after.rules", "*filter\n:ufw-after-input - [0:0]\n-A ufw-after-input -p udp --dport 137 -j ufw-skip-to-policy-input\nCOMMIT\n", false},
		{"host/sos_reports/sos.txt", "Stale file handle\n", false},
		{"host/usr/share/doc/nfs/README", "Stale file handle\n", false},
		{"notes.txt", "ls: cannot access /data: Stale file handle\n", true},
		{"host/var/lib/app/stderr", "ls: cannot access /data: Stale file handle\n", true},
		{"usr/local/app/out", "ls: cannot access /data: Stale file handle\n", true},
		{"notes.txt", "# HELP wanted\nls: cannot access /data: Stale file handle\n", true},
	} {
		take := Take{Items: []Item{{Origin: c.origin, Name: "x", Data: []byte(c.text), Size: int64(len(c.text))}}, Header: ddx.Header{Now: time.Unix(1772000000, 0)}}
		facts, logs, err := Facts(take)
		if err != nil || (len(logs) == 1) != c.log {
			t.Errorf("%s: searched as a log: %v, want %v (%v)", c.origin, len(logs) == 1, c.log, err)
		}
		if len(facts) == 0 || facts[0].Kind != "unrecognised" {
			t.Errorf("%s: not told as unrecognised: %v", c.origin, facts)
		}
	}
}

// TestRouteCacheIsNoAnswer holds that a listing of all tables with cached
// routes in it, as before Linux 3.6, is a listing.
func TestRouteCacheIsNoAnswer(t *testing.T) {
	const listing = `default via 10.0.0.1 dev eth0
192.168.122.0/24 dev virbr0  proto kernel  scope link  src 192.168.122.1
local 192.168.122.1 dev virbr0  table local  proto kernel  scope host  src 192.168.122.1
2001:db8::10 via fe80::1 dev eth0  metric 0
    cache  mtu 1500 hoplimit 255
`
	const answer = "10.1.2.3 via 10.0.0.1 dev eth0  src 10.0.0.9\n    cache  mtu 1500 hoplimit 64\n"
	for text, want := range map[string]string{listing: "ip-route", answer: "ip-route-get", "$ ip route show\n" + listing + "$ ip route get 10.1.2.3\n" + answer: ""} {
		rd, err := Recognise(&Item{Data: []byte(text)})
		if err != nil || rd == nil || want != "" && rd.Name != want {
			t.Errorf("recognised as %v, want %s (%v):\n%s", rd, want, err, text)
		}
	}
}
