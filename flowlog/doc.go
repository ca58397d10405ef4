// Package flowlog reads VPC and transit-gateway flow logs, sums them and names
// the patterns in them.
//
// [Read] takes files, directories in the S3 key layout and pipes, in text,
// gzip and Parquet, of every published version and any field order, and gives
// [flowsum.Sums]: packets, bytes and flows per interface, minute, direction and
// action, in bounded memory whatever the size of the input. [Patterns] is the
// table that tells a reject from a black hole and from a wrong interface.
//
// Text has three ways to its cells, which say the same of every line: lines of
// the default format by their fixed places (default.go), ordinary lines of any
// format by their separators (fast.go), and all that these two decline by the
// parser (text.go), which also says what is wrong with a line.
//
// Patterns, the sums and their merge are pure; files are touched in read.go,
// walk.go and spill.go only. The package may import the standard library, the
// root package, klauspost/compress (gzip) and parquet-go.
package flowlog
