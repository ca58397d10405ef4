// Package flowsum sums flow-log records: packets, bytes and flows per
// interface, time bucket, direction and action.
//
// [Sums] takes records one by one ([Sums.Add]) or ordinary ones many at a time
// ([Sums.AddBatch]), finds an interface's own address where nobody gave it, and
// keeps to its memory by way of a temporary file. It knows nothing of what
// flow logs are written in: that is package flowlog.
//
// Everything but spill.go is pure. The package may import the standard library.
package flowsum
