//go:build !linux

package lab

// adviseHuge is a hint that only Linux takes.
func adviseHuge[T State | uint64]([]T) {}
