// Package flowlog reads VPC and transit-gateway flow logs, sums them, names
// the patterns in them, and joins them with the counters of the guest.
//
// [Read] takes files, directories in the S3 key layout and pipes, in text,
// gzip and Parquet, of every published version and any field order, and gives
// [Sums]: packets, bytes and flows per interface, minute, direction and
// action, in bounded memory whatever the size of the input. [Patterns] is the
// table that tells a reject from a black hole and from a wrong interface.
// [Join] puts the network's side beside the guest's and finds the windows in
// which one moved and the other stood still.
//
// Patterns, Join, the sums and their merge are pure; files are touched in
// read.go, walk.go and spill.go only. The package may import the standard
// library, the root package, counters, klauspost/compress (gzip) and
// parquet-go.
package flowlog
