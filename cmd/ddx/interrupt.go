package main

import (
	"context"
	"io"
	"sync"
)

// interruptible is a stream whose reads end with the context. The stream of a
// terminal or a pipe cannot be made to give up a read: it goes on behind a pipe,
// and what it brings later is lost. Nothing is read before the first Read.
type interruptible struct {
	ctx  context.Context
	r    io.Reader
	once sync.Once
	pr   *io.PipeReader
}

func (in *interruptible) Read(p []byte) (int, error) {
	in.once.Do(func() {
		pr, pw := io.Pipe()
		in.pr = pr
		context.AfterFunc(in.ctx, func() { pw.CloseWithError(in.ctx.Err()) })
		go func() {
			_, err := io.Copy(pw, in.r)
			pw.CloseWithError(err)
		}()
	})
	return in.pr.Read(p)
}
