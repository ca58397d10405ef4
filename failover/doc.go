// Package failover is Plan B: it moves an endpoint's addresses in DNS, so that
// what happened on 20 October 2025 cannot happen again. It is opt-in, changes
// nothing unless told to, and writes only names that carry its own record.
//
// The guarantee: generation record and addresses travel in one message, and the
// provider applies it only if the record and the addresses are exactly those
// that the decision was made on. So a delayed writer changes nothing, several
// writers may run side by side, there is nothing to clean up, and a lost answer
// is settled by reading. The fence is the prerequisite section of an RFC 2136
// update, or the exact-match DELETE of a Route 53 batch.
//
// What it does not guarantee: that the newest plan is a good one. For that there
// are guards on the content (minimum, maximum shrink in a window, nothing
// healthy keeps the last good set, unknown is not down) and the freeze switch.
//
// The decisions are the pure step functions of package controlplane, which the
// explorer of package lab checks in every interleaving; this package drives
// them with a real clock, real health checks and a real provider.
//
// It may import controlplane, dns, github.com/miekg/dns and a YAML reader. A
// provider that needs a vendor's SDK implements Batcher elsewhere: Route 53 is
// in package aws.
package failover
