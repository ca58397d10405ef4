// Package catalog holds the failure modes as data: modes/*.yaml and
// remedies/*.yaml, embedded, with site directories laid over them. It loads
// them, compiles their log patterns and CEL conditions on first use, checks
// them (Lint) and writes their pages (Page).
//
// It may import the root package, the YAML and CEL libraries and the standard
// library; it knows nothing of sources or of the engine.
package catalog
