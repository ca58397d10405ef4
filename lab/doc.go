// Package lab checks and simulates the control-plane models: the explorer walks
// every interleaving of a small configuration and finds the shortest way to
// break an invariant; the simulator runs large configurations on a virtual
// clock from a seed. Both drive the step functions of package controlplane.
//
// Explore is generic: anything that implements Space, a packed transition
// system, can be walked. Models lists what is shipped. Check and Simulate are
// the two questions a command asks; their results render as text, JSON and SVG.
//
// The package imports the standard library and ddx/controlplane.
package lab
