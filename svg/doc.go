// Package svg draws pictures: a canvas with lines and labels, and the colours
// that every picture of ddx shares. It knows nothing of what is drawn.
//
// The package imports the standard library only.
package svg
