// Package dig reads the output of dig, drill and kdig, as operators paste it,
// into the same value that package dns makes of a live look: recorded evidence
// gives the same class.
//
// It may import dns and github.com/miekg/dns.
package dig
