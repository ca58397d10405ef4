//go:build amd64 || arm64

package capture

// prefetch asks for the memory at two places without waiting for it.
//
//go:noescape
func prefetch(a, b *byte)
