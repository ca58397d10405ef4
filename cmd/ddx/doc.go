// Command ddx takes a Linux cloud instance, or a fleet of them, from symptom to
// root cause, with proof.
//
// This package holds the flags and the wiring, one file a subcommand; it alone
// imports everything.
package main
