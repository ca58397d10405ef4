package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// TestInterruptible: a read that nothing answers ends with the context, and what
// came before is whole.
func TestInterruptible(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	silent, w := io.Pipe()
	defer w.Close()
	in := &interruptible{ctx: ctx, r: io.MultiReader(strings.NewReader("ab"), silent)}
	got := make([]byte, 2)
	if _, err := io.ReadFull(in, got); err != nil || string(got) != "ab" {
		t.Fatalf("read %q, %v; want ab", got, err)
	}
	cancel()
	if _, err := in.Read(got); !errors.Is(err, context.Canceled) {
		t.Fatalf("a read without answer ends with %v, want context.Canceled", err)
	}
	whole, err := io.ReadAll(&interruptible{ctx: context.Background(), r: strings.NewReader("abc")})
	if err != nil || string(whole) != "abc" {
		t.Fatalf("read %q, %v; want abc", whole, err)
	}
}
