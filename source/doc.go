// Package source turns evidence into facts: from the live host, a bundle, a
// sosreport or loose files, all through one code path. What is to be read is
// the visible list Readers, one file of the package a reader. Live material
// and recorded material become the same Items, and Items become facts through
// the same Readers, so that a replay gives the same findings, byte for byte.
//
// Live and OpenFiles make a Take, everything about one host in a stable order;
// Facts makes facts of it and hands on the logs; WriteBundle keeps it, Redact
// takes identities out of it. Whatever can block on a live host is touched only
// by a tool or by a child of this program that can be abandoned: main calls
// MaybeChild first. What could not be looked at is an Item with a reason.
//
// It may import the root package, logline, and the libraries for the formats
// that the standard library lacks (zstd of klauspost/compress, ulikunitz/xz);
// never the catalogue or the engine.
package source
