//go:build !amd64

package flowlog

func separatorMasks(masks []uint64, text []byte) { separatorMasksGo(masks, text) }
