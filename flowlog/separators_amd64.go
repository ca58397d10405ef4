package flowlog

import "golang.org/x/sys/cpu"

// separators writes n masks of 64 bytes of text each, with a bit for every byte
// up to and including the space.
//
//go:noescape
func separators(masks *uint64, text *byte, n int)

// separatorsAVX2 does so by twice as many bytes at a time.
//
//go:noescape
func separatorsAVX2(masks *uint64, text *byte, n int)

// separatorMasks does so for all of text, a multiple of 64 bytes.
func separatorMasks(masks []uint64, text []byte) {
	n := len(text) / 64
	switch {
	case n == 0:
	case cpu.X86.HasAVX2:
		separatorsAVX2(&masks[:n][0], &text[0], n)
	default:
		separators(&masks[:n][0], &text[0], n)
	}
}
