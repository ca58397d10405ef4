package main

import (
	"os"
	"runtime/debug"

	"ddx/source"
)

func main() {
	source.MaybeChild() // a disposable child that reads what can block; does not return then
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // a run is short, and what it keeps is small: a tenth less time for 10 MB more
	}
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
