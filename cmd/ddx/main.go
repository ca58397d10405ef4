package main

import (
	"os"

	"ddx/source"
)

func main() {
	source.MaybeChild() // a disposable child that reads what can block; does not return then
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
