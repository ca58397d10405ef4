// Package flowlog reads VPC and transit-gateway flow logs.
//
// [Read] takes files, directories in the S3 key layout and pipes, in text,
// gzip and Parquet, of every published version and any field order, and hands
// the records to [flowsum.Sums] and, where they are asked for, to
// [flowpattern.Conversations]. What could not be read it tells by file, byte
// and number.
//
// Text has three ways to the sums, which say the same of every line: lines of
// the default format by their fixed places (default.go), ordinary lines of any
// format by their separators (fast.go), and all that these two or the sums
// decline by the parser (text.go), which also says what is wrong with a line.
//
// Files are touched in read.go, walk.go and parquet.go only. The package may
// import the standard library, flowsum, flowpattern, klauspost/compress (gzip),
// parquet-go and x/sys (features of the processor).
package flowlog
