// Package scan finds the lines of a text that match any of many regular
// expressions, at a rate near that of reading the text, and says for each line
// which of them match. It was made for a few hundred kernel and driver
// messages in gigabytes of logs where matching lines are rare.
//
// # How it works
//
// From each expression scan takes literals of which every match must contain
// one (literal.go). From each literal it takes a short window, and it looks for
// the windows by sampling (plan.go, probe.go): with windows of 9 bytes, grams
// of 6 bytes and a stride of 4, each occurrence of a window has exactly one gram
// at a position divisible by 4, so one probe of a bit table every 4 bytes finds
// them all. Which window of a literal is rare differs from log to log, so the
// windows are chosen by gram counts taken from the head of the very input.
// Literals that are too short for this are found by their rarest byte or by a
// denser sampling (4-byte grams, stride 2). A gram that hits is compared with
// the whole literal; only where a literal stands does the regular expression of
// that literal run, and only on that line.
//
// The answer never depends on the choice of windows, on the sizes of the reads
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
// Package scan imports the standard library only and knows nothing of failure
// modes.
package scan
