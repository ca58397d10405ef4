// Package remedy turns a finding into plans for the machine at hand: the
// shared remedies of its mode, with the variables of their steps filled in and
// the blast radius decided by facts as yes, no or unknown. It is pure.
//
// It may import the root package, catalog and diagnose.
package remedy
