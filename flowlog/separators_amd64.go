package flowlog

// separators writes n masks of 64 bytes of text each, with a bit for every byte
// up to and including the space.
//
//go:noescape
func separators(masks *uint64, text *byte, n int)

// separatorMasks does so for all of text, a multiple of 64 bytes.
func separatorMasks(masks []uint64, text []byte) {
	n := len(text) / 64
	if n == 0 {
		return
	}
	separators(&masks[:n][0], &text[0], n)
}
