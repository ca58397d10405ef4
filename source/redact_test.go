package source

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/netip"
	"regexp"
	"strings"
	"testing"
)

// planted are identities and secrets, each in the kind of line it is found in.
var planted = map[string]string{
	"10.20.30.40":       "Mar 14 01:57:54 db-prod-7 kernel: nfs: server 10.20.30.40 not responding, still trying",
	"54.201.33.7":       "tcp ESTAB 0 0 10.20.30.41:443 54.201.33.7:51234",
	"2600:1f13:abc::42": "    inet6 2600:1f13:abc::42/128 scope global dynamic",
	"0a:1b:2c:3d:4e:5f": "    link/ether 0a:1b:2c:3d:4e:5f brd ff:ff:ff:ff:ff:ff",
	"db-prod-7":         "Linux db-prod-7 5.10.0-1-cloud-amd64 #1 SMP Debian x86_64 GNU/Linux",
	"ip-10-20-30-41":    "Mar 14 01:57:54 ip-10-20-30-41 systemd[1]: Started x.",
	"jdoe":              "Mar 14 01:57:54 db-prod-7 sshd[7]: Accepted publickey for jdoe from 10.20.30.42 port 22",
	"amelia":            "ls: cannot access '/home/amelia/data': Stale file handle",
	"kowalski":          "    4711       1 kowalski             S    poll_schedule_timeout      100  0.0  1000 bash",
	"0123456789abcdef0": "Instance i-0123456789abcdef0 failed; volume vol0123456789abcdef0",
	"123456789012":      "arn:aws:iam::123456789012:role/x is not authorized",
	"AKIAIOSFODNN7EXAM": "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
	"wJalrXUtnFEMI":     "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	"IQoJb3JpZ2luX2Vj":  `"SessionToken": "IQoJb3JpZ2luX2VjEXAMPLE",`,
	"hunter2":           "mount -t cifs -o username=x,password=hunter2 //10.20.30.40/s /mnt",
	"s3cr3tpw":          "postgres://app:s3cr3tpw@10.20.30.40/db",
	"abcdef1234567890":  "Authorization: Bearer abcdef1234567890",
	"eyJhbGciOiJIUzI1":  "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijk",
	"joe.doe@corp":      "mail to joe.doe@corp.example.com failed",
	"MIIEpAIBAAKCAQ":    "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA1\n-----END RSA PRIVATE KEY-----",
	"00112233-44556677": "net.ipv4.tcp_fastopen_key = 00112233-44556677-8899aabb-ccddeeff",
}

// No planted identity or secret is left anywhere in a bundle.
func TestRedactLeavesNothing(t *testing.T) {
	var text strings.Builder
	for _, line := range planted {
		text.WriteString(line + "\n")
	}
	text.WriteString("last line about jdoe on 10.20.30.40 at db-prod-7\n")
	dir := t.TempDir()
	paths := []string{write(t, dir, "db-prod-7.log", []byte(text.String())), write(t, dir, "big", []byte(strings.Repeat(text.String(), 1+smallItem/text.Len())))}
	take := open(t, clock, paths...)[0]
	take.Header.Host = "db-prod-7"
	clean, err := Redact(take, []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	defer clean.Close()
	var bundle bytes.Buffer
	if err := WriteBundle(&bundle, clean); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(&bundle)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	for secret := range planted {
		if i := bytes.Index(raw, []byte(secret)); i >= 0 {
			t.Errorf("%q is still there: %.160q", secret, raw[max(0, i-60):])
		}
	}
	if !clean.Header.Redacted || bytes.Count(raw, []byte("\n")) < strings.Count(text.String(), "\n") {
		t.Error("not marked, or lines are missing")
	}
}

// What is found is the same up to the names: here, with the names taken out.
func TestRedactKeepsFacts(t *testing.T) {
	h := recorded(map[string]string{
		"proc/sys/kernel/hostname": "db-prod-7\n",
		"proc/self/mounts":         "10.20.30.40:/export /data nfs4 rw,hard,vers=4.1,addr=10.20.30.40 0 0\n",
		"proc/uptime":              "3600.00 7000.00\n",
	}, map[string][]string{"ip route show table all": {"default via 10.20.16.1 dev eth0\n10.20.16.0/20 dev eth0 proto kernel scope link src 10.20.30.41\n"}}, ringOf("4,0,1,-;nfs: server 10.20.30.40 not responding, still trying"))
	take := live(t, h)
	clean, err := Redact(take, []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	defer clean.Close()
	addresses := regexp.MustCompile(`\d+\.\d+\.\d+\.\d+`)
	names := regexp.MustCompile(`db-prod-7|host-[0-9a-f]+`)
	blank := func(s string) string { return names.ReplaceAllString(addresses.ReplaceAllString(s, "ADDRESS"), "NAME") }
	before, after := everything(t, take), everything(t, clean)
	if blank(before) != blank(after) {
		t.Errorf("differs beyond the names:\n%s\n%s", blank(before), blank(after))
	}
	if strings.Contains(after, "10.20.30.40") || strings.Contains(after, "db-prod-7") {
		t.Error("a name is left")
	}
}

// Networks stay what they were: whatever an address belonged to, its
// replacement belongs to the replacement of that.
func TestRedactKeepsNetworks(t *testing.T) {
	r := &redactor{key: []byte("key"), seen: map[string]string{}}
	for _, network := range []string{"10.20.0.0/16", "10.20.16.0/20", "172.31.32.0/20", "192.168.1.0/24", "100.64.128.0/17", "54.12.0.0/14", "2600:1f13:abc::/56"} {
		p, q := netip.MustParsePrefix(network), netip.MustParsePrefix(r.address(network))
		if q.Masked() != q || p.Addr().IsPrivate() != q.Addr().IsPrivate() || q == p {
			t.Errorf("%s became %s", p, q)
		}
		a := p.Addr()
		for range 200 {
			a = a.Next()
			b := netip.MustParseAddr(r.address(a.String()))
			if !q.Contains(b) || a == b {
				t.Fatalf("%s of %s became %s, not of %s", a, p, b, q)
			}
		}
	}
	for _, kept := range []string{"127.0.0.1", "169.254.169.254", "fd00:ec2::254", "255.255.240.0", "0.0.0.0", "224.0.0.1", "::1", "fe80::1"} {
		if got := r.address(kept); got != kept {
			t.Errorf("%s became %s", kept, got)
		}
	}
}
