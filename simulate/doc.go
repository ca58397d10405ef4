// Package simulate runs control planes on a virtual clock from a seed: the lease
// manager and its congestive collapse, health checks that flap, and the replay
// of 19 and 20 October 2025 through every component. It drives the step
// functions of package controlplane that the explorer of package lab drives.
//
// Run answers a question by name; its Result renders as text, JSON, SVG and
// HTML. Equal settings give equal results.
//
// The package imports the standard library, ddx/controlplane and ddx/svg.
package simulate
