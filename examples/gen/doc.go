// Command gen writes the example bundles: evidence made from the format
// strings of the software, the signs of one incident among thousands of
// innocent lines. The same program gives the same bytes.
//
//	go run ./examples/gen
package main
