package dig

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ddx/dns"
)

var t0 = time.Date(2025, 10, 20, 6, 48, 0, 0, time.UTC)

// dig prints one run as dig 9.18 does.
func dig(server, flags, status, question, records, when string) string {
	return `
; <<>> DiG 9.18.1 <<>> @` + server + ` ` + question + `
;; global options: +cmd
;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: ` + status + `, id: 4242
;; flags: ` + flags + `; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
;; QUESTION SECTION:
;` + strings.Replace(question, " ", ".\t\tIN\t", 1) + `
` + records + `
;; Query time: 3 msec
;; SERVER: ` + server + `#53(` + server + `) (UDP)
;; WHEN: ` + when + `
;; MSG SIZE  rcvd: 99
`
}

const (
	answerA = "\n;; ANSWER SECTION:\napi.x.\t\t5\tIN\tA\t10.0.0.1\napi.x.\t\t5\tIN\tA\t10.0.0.2\n"
	emptySO = "\n;; AUTHORITY SECTION:\nx.\t\t60\tIN\tSOA\tns.x. host.x. (\n\t\t\t7 ; serial\n\t\t\t3600 ; refresh\n\t\t\t600\n\t\t\t86400\n\t\t\t300 )\n"
)

// A recording over time gives the class that a live look would give: the name
// had addresses, lost them at its authority, got them back, and the resolver
// still remembers the emptiness.
func TestReadSequence(t *testing.T) {
	text := "user@host:~$ date\n" +
		dig("192.0.2.53", "qr aa rd", "NOERROR", "api.x A", answerA, "Sun Oct 19 23:47:30 PDT 2025") +
		dig("192.0.2.53", "qr aa rd", "NOERROR", "api.x A", emptySO, "Sun Oct 19 23:48:30 PDT 2025") +
		dig("192.0.2.9", "qr rd ra", "NOERROR", "api.x A", strings.Replace(emptySO, "x.\t\t60", "x.\t\t41", 1), "Sun Oct 19 23:48:40 PDT 2025") +
		dig("192.0.2.53", "qr aa rd", "NOERROR", "api.x A", answerA, "Mon Oct 20 02:25:00 PDT 2025") +
		dig("192.0.2.9", "qr rd ra", "NOERROR", "api.x A", strings.Replace(emptySO, "x.\t\t60", "x.\t\t41", 1), "Mon Oct 20 02:25:10 PDT 2025")
	looks, err := Read(strings.NewReader(text), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	vs := dns.Replay(looks, dns.Baseline{})
	for _, v := range vs {
		got = append(got, string(v.Class)+"/"+string(v.Level))
	}
	if s := strings.Join(got, " "); s != "ok/ nodata/wrong negative-cached/wrong" {
		t.Fatalf("%s\n%+v", s, looks)
	}
	if want := time.Date(2025, 10, 20, 6, 48, 30, 0, time.UTC); !vs[1].Time.Equal(want) {
		t.Errorf("time %v, want %v", vs[1].Time, want)
	}
	if want := time.Date(2025, 10, 20, 9, 25, 51, 0, time.UTC); !vs[2].Clears.Equal(want) {
		t.Errorf("clears %v, want %v", vs[2].Clears, want)
	}
}

func TestReadForms(t *testing.T) {
	for _, c := range []struct {
		name, text string
		class      dns.Class
		role       dns.Role
	}{
		{"drill, a type the name does not hold", `;; ->>HEADER<<- opcode: QUERY, rcode: NOERROR, id: 1940
;; flags: qr rd ra ; QUERY: 1, ANSWER: 0, AUTHORITY: 1, ADDITIONAL: 0
;; QUESTION SECTION:
;; www.example.org.	IN	SOA

;; ANSWER SECTION:

;; AUTHORITY SECTION:
example.org.	59	IN	SOA	ns1.example.org. admin.example.org. 37 900 900 1800 60

;; ADDITIONAL SECTION:

;; Query time: 21 msec
;; SERVER: 192.0.2.8
;; WHEN: Mon Apr 26 22:56:54 2021
;; MSG SIZE  rcvd: 82`, dns.OK, dns.Resolver},
		{"kdig", `;; ->>HEADER<<- opcode: QUERY; status: NXDOMAIN; id: 26767
;; Flags: qr aa rd; QUERY: 1; ANSWER: 0; AUTHORITY: 1; ADDITIONAL: 0

;; QUESTION SECTION:
;; gone.x.        		IN	A

;; AUTHORITY SECTION:
x.                  	60	IN	SOA	ns.x. host.x. 7 3600 600 86400 300

;; Received 27 B
;; Time 2026-11-20 10:04:33 UTC
;; From 192.0.2.53@53(UDP) in 0.7 ms`, dns.NXDomain, dns.Authority},
		{"the query shown before its answer", `; <<>> DiG 9.18.1 <<>> @192.0.2.53 api.x +qr
;; Sending:
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1
;; flags: rd ad; QUERY: 1, ANSWER: 0, AUTHORITY: 0, ADDITIONAL: 1
;; QUESTION SECTION:
;api.x.				IN	A

;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1
;; flags: qr rd ra; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1
;; QUESTION SECTION:
;api.x.				IN	A

;; ANSWER SECTION:
api.x.			299	IN	A	192.0.2.10

;; SERVER: 192.0.2.53#53(192.0.2.53)`, dns.OK, dns.Resolver},
		{"no answer", `;; communications error to 192.0.2.9#53: timed out
;; communications error to 192.0.2.9#53: timed out

; <<>> DiG 9.18.1 <<>> @192.0.2.9 api.x A
; (1 server found)
;; global options: +cmd
;; no servers could be reached`, dns.TimedOutClass, dns.Resolver},
		{"no answer, as before 9.18", `; <<>> DiG 9.11.4 <<>> api.x
;; global options: +cmd
;; connection timed out; no servers could be reached`, dns.TimedOutClass, dns.Resolver},
		{"truncated, then refused", `;; Truncated, retrying in TCP mode.
;; Connection to 192.0.2.9#53(192.0.2.9) for api.x failed: connection refused.

; <<>> DiG 9.16.1 <<>> @192.0.2.9 api.x A
;; global options: +cmd
;; no servers could be reached`, dns.RefusedClass, dns.Resolver},
		{"server failure with its reason", `$ dig api.x
; <<>> DiG 9.18.1 <<>> api.x
;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: SERVFAIL, id: 1
;; flags: qr rd ra; QUERY: 1, ANSWER: 0, AUTHORITY: 0, ADDITIONAL: 1

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
; EDE: 22 (No Reachable Authority): (at delegation x.)
;; QUESTION SECTION:
;api.x.				IN	A

;; SERVER: 127.0.0.53#53(127.0.0.53) (UDP)
;; WHEN: Fri Nov 20 10:04:33 CET 2026
;; MSG SIZE  rcvd: 38`, dns.ServFail, dns.Resolver},
		{"server named as authority that refuses", `; <<>> DiG 9.18.1 <<>> @ns1.x. api.x A
;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: REFUSED, id: 1
;; flags: qr rd; QUERY: 1, ANSWER: 0, AUTHORITY: 0, ADDITIONAL: 0
;; WARNING: recursion requested but not available

;; QUESTION SECTION:
;api.x.				IN	A

;; SERVER: 192.0.2.53#53(ns1.x.) (UDP)
;; WHEN: Fri Nov 20 10:04:33 UTC 2026`, dns.Lame, dns.Authority},
	} {
		t.Run(c.name, func(t *testing.T) {
			looks, err := Read(strings.NewReader(c.text), t0)
			if err != nil || len(looks) != 1 {
				t.Fatalf("%v %+v", err, looks)
			}
			v := dns.Classify(looks[0], dns.Baseline{})
			r := looks[0].Replies[len(looks[0].Replies)-1]
			if v.Class != c.class || r.Server.Role != c.role {
				t.Errorf("%s from a %s, want %s from a %s\n%s", v.Class, r.Server.Role, c.class, c.role, fmt.Sprintf("%+v", v))
			}
			if c.class == dns.ServFail && !strings.Contains(fmt.Sprintf("%+v", v), "no authoritative server: No Reachable Authority") {
				t.Errorf("%+v", v)
			}
		})
	}
	if _, err := Read(strings.NewReader("nothing of the kind\n"), t0); err == nil || !strings.Contains(err.Error(), "paste the whole output") {
		t.Errorf("%v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(dig("192.0.2.53", "qr aa rd", "NOERROR", "api.x A", answerA, "Sun Oct 19 23:47:30 PDT 2025"))
	f.Add(dig("ns.x", "qr rd ra", "NOERROR", "api.x A", emptySO, "Sun Oct 19 23:47:30 +03 2025"))
	f.Add(";; communications error to 192.0.2.9#53: timed out\n; <<>> DiG 9 <<>> x\n;; no servers could be reached\n")
	f.Add(";; ->>HEADER<<- opcode: QUERY; status: NXDOMAIN; id: 1\n;; ANSWER SECTION:\nx. IN SOA (((\n")
	f.Fuzz(func(t *testing.T, text string) {
		looks, err := Read(strings.NewReader(text), t0)
		if err == nil && len(looks) == 0 {
			t.Error("no look and no error")
		}
		for _, v := range dns.Replay(looks, dns.Baseline{}) {
			if v.Class == "" {
				t.Error("no class")
			}
		}
	})
}
