//go:build !linux

package capture

import "os"

const pageSize = 4096

// Other systems read; only Linux was measured.
func mapBytes(*os.File, int) []byte { return nil }
func unmapBytes([]byte)             {}
func populate([]byte)               {}
func release([]byte)                {}
