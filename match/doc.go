// Package match is the one place where patterns meet text: it reads a log and
// turns it into facts, with the verbatim lines and where they stand. It looks for
// a catalogue's log patterns, for reports of the kernel, and for what no pattern
// explains, and says for each log what it covers. It is pure: the same text gives
// the same facts.
//
// It may import the root package, catalog, scan, logline and kernlog.
//
// A console of up to 128 KB may have broken a message of the kernel by line
// ends. Its pieces are joined where a pattern proves that they are one message,
// which counts as the line where it begins; other lines stay what they are.
package match
