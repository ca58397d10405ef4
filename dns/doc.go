// Package dns tells what is wrong with a name, and watches names that must
// never be without an address.
//
// It provides
//   - Check, which asks every authoritative server of a name and the resolvers
//     in use, and returns what they said as a value, Answers (package dig reads
//     the same value out of pasted output);
//   - Classify, a pure function from Answers and a Baseline to a Verdict: one
//     class of failure, its decisive evidence and, for a negative cache, the
//     time at which the last one clears;
//   - Watch, a pure state machine over Answers that keeps a baseline for each
//     endpoint and raises and clears alarms, with a thin loop and Prometheus
//     metrics around it;
//   - Lint, which finds settings of a zone that make a failover slow or fragile.
//
// The classes are told apart because probers that look at the response code
// only call the worst one healthy: an endpoint that lost all its addresses
// answers NOERROR.
//
// It may import the root package, github.com/miekg/dns and the Prometheus
// client. Only client.go, check.go, walk.go, targets.go and loop.go touch the
// network or a clock.
package dns
