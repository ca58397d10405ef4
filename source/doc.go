// Package source turns evidence into facts: from the live host, a bundle, a
// sosreport or loose files, all through one code path. What is to be read is
// the visible list Readers, one file of the package a reader. Live material
// and recorded material become the same Items, and Items become facts through
// the same Readers, so that a replay gives the same findings, byte for byte.
//
// It may import the root package, logline, the libraries for archive formats,
// and golang.org/x/sys; never the catalogue or the engine.
package source
