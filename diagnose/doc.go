// Package diagnose is the engine. Match is the one place where patterns meet
// text: it turns log streams into facts. Run sees facts only: catalogue and
// facts in, findings with their causal roots and the next best test out. Both
// are pure: the same input gives the same output, byte for byte.
//
// It may import the root package, catalog, scan, logline and kernlog.
package diagnose
