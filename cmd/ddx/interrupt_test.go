package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
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

// TestInterruptedLook: a look that was broken off is neither judged nor kept.
func TestInterruptedLook(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	bundle := filepath.Join(t.TempDir(), "b.tar.gz")
	for _, args := range [][]string{{"diagnose"}, {"collect", bundle}} {
		var out, errs bytes.Buffer
		root := (&app{stdin: &bytes.Buffer{}, stdout: &out, stderr: &errs}).root()
		root.SetArgs(args)
		if err := root.ExecuteContext(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%q ended with %v, want context.Canceled", args, err)
		}
		if out.Len() > 0 {
			t.Errorf("%q wrote %q", args, out.String())
		}
	}
	if left, _ := filepath.Glob(bundle + "*"); len(left) > 0 {
		t.Errorf("an interrupted collect left %q", left)
	}
}
