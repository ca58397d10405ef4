// Package lab checks the control-plane models: the explorer walks every
// interleaving of a small configuration and finds the shortest way to break an
// invariant. It drives the step functions of package controlplane, as the
// simulator of package simulate and the failover daemon do.
//
// Explore is generic: anything that implements Space, a packed transition
// system, can be walked. Models lists what is shipped. Check is the question
// that a command asks; its result renders as text, JSON and a space-time
// diagram.
//
// The package imports the standard library, ddx/controlplane and ddx/svg.
package lab
