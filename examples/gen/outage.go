package main

import (
	"fmt"
	"strings"
	"time"

	"ddx/source"
)

// outageStart is 19 October 2025, 23:48 Pacific time.
var outageStart = time.Date(2025, 10, 20, 6, 48, 0, 0, time.UTC)

const endpoint = "storedb.us-east-1.amazonaws.com."

// digAnswer is what dig prints for the endpoint, from the server of its zone or
// from a resolver.
func digAnswer(at time.Time, server string, authority bool, addresses ...string) string {
	flags, aa := "qr rd ra", ""
	if authority {
		flags, aa = "qr aa rd", "0"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n; <<>> DiG 9.18.24 <<>> @%s %s A\n;; global options: +cmd\n;; Got answer:\n", server, endpoint)
	fmt.Fprintf(&b, ";; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: %d\n", 20000+at.Minute()*7)
	authorities := 1
	if len(addresses) > 0 {
		authorities = 0
	}
	fmt.Fprintf(&b, ";; flags: %s; QUERY: 1, ANSWER: %d, AUTHORITY: %d, ADDITIONAL: 1\n\n", flags, len(addresses), authorities)
	fmt.Fprintf(&b, ";; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232\n;; QUESTION SECTION:\n;%s\t\tIN\tA\n\n", endpoint)
	if len(addresses) > 0 {
		b.WriteString(";; ANSWER SECTION:\n")
		for _, a := range addresses {
			fmt.Fprintf(&b, "%s\t5\tIN\tA\t%s\n", endpoint, a)
		}
	} else {
		fmt.Fprintf(&b, ";; AUTHORITY SECTION:\n%s\t%s5\tIN\tSOA\tns-1.example-dns.net. hostmaster.example-dns.net. 1 7200 900 1209600 5\n", endpoint, aa)
	}
	fmt.Fprintf(&b, "\n;; Query time: 3 msec\n;; SERVER: %s#53(%s) (UDP)\n;; WHEN: %s\n;; MSG SIZE  rcvd: 99\n", server, server, at.Format("Mon Jan 02 15:04:05 UTC 2006"))
	return b.String()
}

// outage is the incident of 2025 as a client of the region saw it: the
// endpoint of a database service is empty at its own servers; launches, leases
// and health checks fail after it.
func outage() example {
	at := func(d time.Duration) time.Time { return outageStart.Add(d) }
	var lookups strings.Builder
	for _, server := range []struct {
		addr      string
		authority bool
	}{{"205.251.192.10", true}, {"10.0.0.2", false}} {
		lookups.WriteString(digAnswer(at(-10*time.Minute), server.addr, server.authority, "3.218.180.1", "3.218.180.9", "3.218.181.4"))
	}
	for _, server := range []struct {
		addr      string
		authority bool
	}{{"205.251.192.10", true}, {"10.0.0.2", false}} {
		lookups.WriteString(digAnswer(at(4*time.Minute), server.addr, server.authority))
	}
	var app strings.Builder
	line := func(d time.Duration, format string, args ...any) {
		fmt.Fprintf(&app, "%s app1 "+format+"\n", append([]any{at(d).Format("2006-01-02T15:04:05+00:00")}, args...)...)
	}
	for i := range 1500 {
		d := time.Duration(i-300) * 30 * time.Second
		line(d, "app[812]: level=info msg=\"request done\" path=/v1/items ms=%d", 3+i%80)
		switch {
		case d >= 0 && i%9 == 0:
			line(d+time.Second, "app[812]: level=error msg=\"query failed\" err=\"lookup storedb.us-east-1.amazonaws.com on 10.0.0.2:53: no such host\"")
		case d >= 100*time.Minute && i%40 == 0:
			line(d+2*time.Second, "scaler[91]: launch failed: An error occurred (InternalError) when calling the RunInstances operation (reached max retries: 4): An internal error has occurred")
		case d >= 150*time.Minute && i%31 == 0:
			for k := range 24 {
				line(d+time.Duration(2+k)*time.Second, "dwfm[77]: lease expired before renewal completed host=h-%d waited=%ds", 1000+24*i+k, 400+i)
			}
		}
	}
	var lb strings.Builder
	for i := range 24 {
		d := 5*time.Hour + time.Duration(i)*20*time.Second
		state, reason := "DOWN", "Layer4 timeout, check duration: 2001ms. 3 active and 0 backup servers left."
		if i%2 == 1 {
			state, reason = "UP", "Layer7 check passed, code: 200, check duration: 4ms. 4 active and 0 backup servers online."
		}
		fmt.Fprintf(&lb, "%s lb1 haproxy[71]: Server app/s%d is %s, reason: %s\n", at(d).Format("2006-01-02T15:04:05+00:00"), 1+i/2%4, state, reason)
	}
	status := "2025-10-20T08:26:00+00:00 status: We can confirm significant error rates for requests made to the storedb endpoint in the US-EAST-1 Region. The issue appears to be related to DNS resolution of the endpoint.\n" +
		"2025-10-20T14:10:00+00:00 status: We are experiencing delays in propagating network configurations for newly launched instances in the US-EAST-1 Region.\n"
	text := func(origin, s string) source.Item {
		it := item(origin, s)
		it.Time = at(6 * time.Hour)
		return it
	}
	return example{
		name: "dns-outage-2025", host: "app1", now: at(6 * time.Hour),
		want: "dns-endpoint-empty@endpoint:storedb.us-east-1.amazonaws.com confirmed\nprovider-control-plane-outage likely\nlease-congestive-collapse likely\nhealth-check-flapping likely\n",
		items: []source.Item{
			text("dig.txt", lookups.String()),
			text("/var/log/app.log", app.String()),
			text("/var/log/haproxy.log", lb.String()),
			text("feeds/status.txt", status),
		},
	}
}
