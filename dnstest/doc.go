// Package dnstest starts real name servers for tests: BIND, Knot, PowerDNS and
// Unbound from Debian's packages, on high loopback ports, with configuration
// and zones written into directories of the test, as child processes that are
// ended by their process id when the test ends. Nothing of the system's own
// name service is touched.
//
// It is imported by tests only. It may import the standard library and
// github.com/miekg/dns.
package dnstest
