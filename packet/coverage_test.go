package packet

import (
	"net/netip"
	"testing"
	"time"
)

func TestSilenceBound(t *testing.T) {
	for release, want := range map[string]time.Duration{
		"3.10.0-514.el7.x86_64": OldSilence, "4.4.0-1128-aws": OldSilence, "4.9.0": DefaultSilence, "4.14.67-66.56.amzn1.x86_64": DefaultSilence,
		"6.1.0-56-cloud-amd64": DefaultSilence, "": OldSilence, "odd": OldSilence,
	} {
		if got := SilenceBound(release); got != want {
			t.Errorf("%q: %v, want %v", release, got, want)
		}
	}
}

func TestEvaluate(t *testing.T) {
	to := probe{proto: "tcp", dst: netip.MustParseAddr("10.0.0.2"), port: 2049}
	arp := probe{proto: "arp", dst: to.dst}
	for _, test := range []struct {
		expr string
		p    probe
		want truth
	}{
		{"", to, yes}, {"tcp port 2049", to, yes}, {"port nfs", to, yes}, {"port 80", to, no}, {"udp", to, no}, {"host 10.0.0.2 and port 2049", to, yes},
		{"host 10.0.0.9", to, unknown}, {"dst host 10.0.0.9", to, no}, {"not port 2049", to, no}, {"not port 22", to, yes}, {"! port 22 && tcp", to, yes},
		{"port 80 or port 2049", to, yes}, {"port 80 or 2049", to, yes}, {"(port 80 or port 443) and host 10.0.0.2", to, no}, {"portrange 2000-3000", to, yes},
		{"net 10.0.0.0/24", to, yes}, {"tcp[tcpflags] & tcp-syn != 0", to, unknown}, {"arp", to, no}, {"arp", arp, yes}, {"host 10.0.0.2", arp, yes},
		{"port 2049", arp, no}, {"arp or port 2049", arp, yes}, {"ip", arp, no}, {"((((", to, unknown}, {"greater 100", to, unknown},
	} {
		if got := evaluate(test.expr, test.p); got != test.want {
			t.Errorf("%q for %s: %v, want %v", test.expr, test.p.proto, got, test.want)
		}
	}
}

func FuzzEvaluate(f *testing.F) {
	f.Add("not (host 10.0.0.2 and port 53) or arp")
	f.Fuzz(func(t *testing.T, expr string) {
		evaluate(expr, probe{proto: "tcp", dst: netip.MustParseAddr("10.0.0.2"), port: 53})
	})
}

func TestParseTarget(t *testing.T) {
	for in, want := range map[string]string{
		"10.0.0.1:2049": "10.0.0.1:2049", "10.0.0.1": "10.0.0.1", "[fd00::1]:53": "[fd00::1]:53", "fd00::1": "fd00::1", "[::1]": "::1",
		"Fs-1.EFS.example.:2049": "fs-1.efs.example:2049", "host": "host",
	} {
		got, err := ParseTarget(in)
		if err != nil || got.String() != want {
			t.Errorf("%q: %v %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", ":80", "h:0", "h:70000", "h:nfs", "[::1", "a/b:80"} {
		if got, err := ParseTarget(in); err == nil {
			t.Errorf("%q: %v", in, got)
		}
	}
}
