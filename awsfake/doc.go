// Package awsfake stands in for Amazon's services in tests: today Route 53, as
// an HTTP server on loopback that speaks the REST and XML of API version
// 2013-04-01 for the three operations that a fenced change needs, and publishes
// the zone over DNS. It holds what the API reference promises: batches apply as
// a whole or not at all, DELETE takes exactly the given set, CREATE takes none,
// changes of one zone are taken in one at a time and are PENDING, then INSYNC.
// On request it loses requests or answers, throttles, fails and denies.
//
// It is imported by tests only. It may import the standard library and
// github.com/miekg/dns, and shares no code with what it tests.
package awsfake
