package lab

import (
	"syscall"
	"unsafe"
)

// adviseHuge asks the kernel to back a large table with huge pages: random
// access to hundreds of megabytes otherwise spends its time on page walks. A
// kernel that declines changes nothing but the speed.
func adviseHuge[T State | uint64](slots []T) {
	const page = 4096
	size := int(unsafe.Sizeof(slots[0]))
	if len(slots)*size < 4<<20 {
		return
	}
	b := unsafe.Slice((*byte)(unsafe.Pointer(&slots[0])), len(slots)*size)
	if uintptr(unsafe.Pointer(&b[0]))%page == 0 {
		_ = syscall.Madvise(b, syscall.MADV_HUGEPAGE)
	}
}
