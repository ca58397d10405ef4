package dig

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"ddx/dns"
	"ddx/dnstest"
)

// TestRealTools asks real servers with the real tools and reads their output:
// the class must be the one that a live look gives.
func TestRealTools(t *testing.T) {
	const zone = "$ORIGIN shop.\n$TTL 60\n@ IN SOA ns1 host 7 3600 600 86400 300\n@ IN NS ns1\nns1 IN A 127.0.0.1\ngood IN A 192.0.2.1\nhollow IN TXT x\nbroken IN CNAME gone\n"
	const ip = "127.0.0.1"
	authority, resolver, silent := dnstest.FreePort(t), dnstest.FreePort(t), dnstest.FreePort(t)
	dnstest.Bind(t, ip, authority, dnstest.Zones{"shop.": zone}, "")
	dnstest.Unbound(t, ip, resolver, map[string]string{"shop.": fmt.Sprintf("%s:%d", ip, authority)}, "")
	k := dnstest.Knot(t, ip, silent, dnstest.Zones{"shop.": zone})
	k.Stop()
	defer k.Continue()
	ran := 0
	for _, tool := range []string{"dig", "kdig", "drill"} {
		if _, err := os.Stat("/usr/bin/" + tool); err != nil {
			t.Logf("needs %s: apt-get install bind9-dnsutils knot-dnsutils ldnsutils", tool)
			continue
		}
		ran++
		for name, class := range map[string]dns.Class{"good.shop.": dns.OK, "hollow.shop.": dns.NoData, "gone.shop.": dns.NXDomain, "broken.shop.": dns.Dangling} {
			text := dnstest.Dig(t, tool, ip, authority, name, "A") + dnstest.Dig(t, tool, ip, authority, name, "AAAA")
			want := 1
			if tool != "drill" { // drill does not print the port, so both servers look like one
				text += dnstest.Dig(t, tool, ip, resolver, name, "A")
				want = 2
			}
			looks, err := Read(strings.NewReader(text), time.Now())
			if err != nil || len(looks) != 1 {
				t.Fatalf("%s %s: %v\n%s\n%+v", tool, name, err, text, looks)
			}
			v := dns.Classify(looks[0], dns.Baseline{})
			if v.Class != class || v.Authorities+v.Resolvers != want || v.Authorities != 1 {
				t.Errorf("%s %s: %s, %d authorities, %d resolvers, want %s\n%+v\n%s", tool, name, v.Class, v.Authorities, v.Resolvers, class, v, text)
			}
		}
		if tool == "drill" {
			continue // it prints neither the question nor the server of a failure
		}
		refused := dns.RefusedClass
		if tool == "kdig" {
			refused = dns.UnreachClass // it does not tell the two apart
		}
		for class, text := range map[dns.Class]string{
			dns.TimedOutClass: dnstest.Dig(t, tool, ip, silent, "good.shop.", "A"),
			refused:           dnstest.Dig(t, tool, ip, dnstest.FreePort(t), "good.shop.", "A", "+tcp"),
		} {
			looks, err := Read(strings.NewReader(text), time.Now())
			if err != nil || len(looks) != 1 {
				t.Fatalf("%s: %v\n%s", tool, err, text)
			}
			if v := dns.Classify(looks[0], dns.Baseline{}); v.Class != class {
				t.Errorf("%s: %s, want %s\n%s", tool, v.Class, class, text)
			}
		}
	}
	if ran == 0 {
		t.Skip("needs one of dig, kdig, drill: apt-get install bind9-dnsutils knot-dnsutils ldnsutils")
	}
}
