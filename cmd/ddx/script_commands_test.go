package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptCommands are the commands that scripts have beside testscript's own.
var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	"status":    exitStatus,
	"jsonfield": jsonField,
	"harmless":  harmless,
	"narrow":    narrow,
	"junk":      junk,
	"hostile":   hostile,
}

// jsonField compares one field of a JSON file: jsonfield FILE a.0.b WANT.
func jsonField(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: jsonfield FILE PATH WANT")
	}
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &v))
	for step := range strings.SplitSeq(args[1], ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(x) {
				ts.Fatalf("%s: no member %s", args[1], step)
			}
			v = x[i]
		default:
			ts.Fatalf("%s: nothing at %s", args[1], step)
		}
	}
	got, ok := v.(string)
	if !ok {
		b, err := json.Marshal(v)
		ts.Check(err)
		got = string(b)
	}
	if got != args[2] {
		ts.Fatalf("%s: %s, want %s", args[1], got, args[2])
	}
}

// harmless holds that a file has no control characters but line ends, and no
// marks that turn the direction of text.
func harmless(ts *testscript.TestScript, neg bool, args []string) {
	for n, line := range strings.Split(ts.ReadFile(args[0]), "\n") {
		for _, r := range line {
			if r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == utf8.RuneError {
				ts.Fatalf("line %d: %q holds %U", n+1, line, r)
			}
		}
	}
}

// narrow holds that no line is wider but commands, which are to be copied, and
// the one summary line at the end: narrow FILE COLUMNS.
func narrow(ts *testscript.TestScript, neg bool, args []string) {
	most, err := strconv.Atoi(args[1])
	ts.Check(err)
	for n, line := range strings.Split(ts.ReadFile(args[0]), "\n") {
		if strings.Contains(line, "$ ") || strings.Contains(line, " modes ruled out, ") {
			continue
		}
		if w := utf8.RuneCountInString(line); w > most {
			ts.Fatalf("line %d is %d wide: %s", n+1, w, line)
		}
	}
}

// junk writes bytes that are no text: junk FILE.
func junk(ts *testscript.TestScript, neg bool, args []string) {
	b := make([]byte, 4096)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}

// hostile writes a log whose text tries to take over a terminal, and answers to
// a dialogue that do the same: hostile FILE.
func hostile(ts *testscript.TestScript, neg bool, args []string) {
	const attack = "\u202e\x1b[2J\x1b]0;x\x07\u2066\xff\u009b1m"
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), fmt.Appendf(nil, "kernel: ena 0000:00:05.0 eth0: Keep alive watchdog timeout. %s\nkernel: some error %s\n", attack, attack), 0o644))
	ts.Check(os.WriteFile(ts.MkAbs("hostile-answers"), fmt.Appendf(nil, "%s\n.\nn\nq\n", attack), 0o644))
}
