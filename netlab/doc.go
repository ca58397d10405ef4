// Package netlab builds small networks for tests: two hosts in network
// namespaces joined through a fabric in a third, with real traffic, a recorder
// on the network's side that writes flow logs from what passes, and drops
// between the recorder and the guest; or a [Link], a cable to a second namespace
// that can be pulled out. It needs root; [New] and [NewLink] skip the test by
// name without. Everything is removed with the test.
//
// It is for tests only and may import the standard library and
// golang.org/x/sys/unix.
package netlab
