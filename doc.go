// Package ddx holds the nouns of the product: Evidence, Fact, Subject, Mode,
// Test, Finding and Remedy, and Record, the JSON line that carries one of them.
//
// It is the glossary of the house. It imports the standard library only, does
// no I/O and reads no clock; every other package may import it.
package ddx
