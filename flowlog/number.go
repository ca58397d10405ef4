package flowlog

import "encoding/binary"

// The readers below work on eight bytes at a time inside one 64-bit register.
// Every slice that holds records has slack bytes before and after them, so that
// a load of eight bytes around a field never leaves the slice.
const slack = 16

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
	zeros = 0x3030303030303030 // eight '0'
)

func load64(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }

// spaceMask has the high bit set of every byte of w that is a space, and of no
// other: the addition cannot carry from one byte into the next.
func spaceMask(w uint64) uint64 {
	x := w ^ (ones * ' ')
	return ^((x&^highs + ^uint64(highs)) | x) & highs
}

// digits reads eight ASCII digits, most significant first in memory; ok is
// false if any byte is not a digit.
func digits(w uint64) (n uint64, ok bool) {
	if ((w&0xF0F0F0F0F0F0F0F0)^zeros)|(((w+0x0606060606060606)&0xF0F0F0F0F0F0F0F0)^zeros) != 0 {
		return 0, false
	}
	w &= 0x0F0F0F0F0F0F0F0F
	w = w*10 + w>>8
	w = (w&0x000000FF000000FF)*0x000F424000000064 + (w>>16&0x000000FF000000FF)*0x0000271000000001
	return w >> 32, true
}

// number reads the decimal number b[i:j]; j must be at least 8.
func number(b []byte, i, j int) (uint64, bool) {
	n := j - i
	if n <= 0 {
		return 0, false
	}
	if n <= 8 {
		shift := uint(64 - 8*n)
		w := load64(b, j-8)>>shift<<shift | zeros&(1<<shift-1)
		return digits(w)
	}
	return longNumber(b[i:j])
}

// longNumber reads 9 to 20 digits and refuses what does not fit 64 bits.
func longNumber(b []byte) (uint64, bool) {
	if len(b) > 20 {
		return 0, false
	}
	var n uint64
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 || n > (1<<64-1-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}
