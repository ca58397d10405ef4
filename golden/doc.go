// Package golden compares what a test made with a file that holds what is
// expected. The flag -update of the test writes the files instead.
package golden
