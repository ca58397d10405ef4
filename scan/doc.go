// Package scan finds the lines of a text that match any of many regular
// expressions, at a rate near that of reading the text, and says for each line
// which of them match. It was made for some hundred kernel and driver messages
// in gigabytes of logs where matching lines are rare.
//
// # How it works
//
// From each expression scan takes literals of which every match contains one
// (literal.go). To find a literal it does not look at every position of the
// text but samples it: a gram of 4 bytes at every 4th position. Wherever the
// literal begins, one of its grams is at a sampled position; there are four
// classes of its offsets, modulo 4, and in each class one gram suffices
// (plan.go). Which grams are rare differs from log to log, so they are chosen
// by the counts of a sample of the very input. The samples are looked up in a
// set without a branch that depends on the text (probe.go; eight at a time where
// the processor gathers fast, vector_amd64.s), what passes is compared with the
// whole literal, and only where a literal stands does its expression run, on that
// line alone (walk.go). One goroutine reads and cuts the input at ends of lines,
// others examine the pieces, and one more delivers in order (parallel.go). Literals of 6 bytes or fewer
// take grams in which one byte can be anything, or are found by their rarest
// byte. Words, which are as short and in either case, are sampled at every 2nd
// position.
//
// The answer does not depend on the choice of grams, on the sizes of the reads
// or on the number of workers: it is that of running every expression on every
// line by itself.
//
// # Lines
//
// A line ends with "\n" or "\r\n", which do not belong to its text; the last
// line may lack the end. Text need not be valid UTF-8 and may contain NUL.
// Of a line longer than [MaxLine] the first MaxLine bytes are looked at, and
// the rest is counted, exactly. Memory is bounded whatever the size of the
// input and of its lines.
//
// Package scan imports the standard library and golang.org/x/sys/cpu, and knows
// nothing of failure modes.
package scan
