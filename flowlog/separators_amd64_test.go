package flowlog

import (
	"slices"
	"testing"
)

// Both generations of processors see the same separators.
func TestSeparatorsOfSSE2(t *testing.T) {
	text := make([]byte, 64*257)
	for i := range text {
		text[i] = byte(i + i/256)
	}
	want, got := make([]uint64, 257), make([]uint64, 257)
	separatorMasks(want, text)
	separators(&got[0], &text[0], len(got))
	if !slices.Equal(got, want) {
		t.Error("SSE2 gives other masks than this processor's best")
	}
}
