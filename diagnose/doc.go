// Package diagnose is the engine. It sees facts only: catalogue and facts in,
// findings with their causal roots and the next best test out. It is pure: the
// same input gives the same output, byte for byte.
//
// It may import the root package and catalog.
package diagnose
