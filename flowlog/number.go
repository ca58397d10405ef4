package flowlog

import (
	"encoding/binary"
	"fmt"

	"ddx/flowsum"
)

// The readers below work on eight bytes at a time inside one 64-bit register.
// Every slice that holds records has slack bytes before and after them, so that
// a load of eight bytes around a field never leaves the slice.
const slack = flowsum.Slack

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

// spaceBits has one bit for each byte of w that is a space, lowest byte first.
func spaceBits(w uint64) uint64 { return spaceMask(w) * 0x0002040810204081 >> 56 }

// lowBits has one bit for each byte of w up to and including the space, lowest
// byte first.
func lowBits(w uint64) uint64 {
	return ^((w&^highs + ones*(0x7F-' ')) | w) & highs * 0x0002040810204081 >> 56
}

// separatorMasksGo writes a mask for every 64 bytes of text, with a bit for each
// byte up to and including the space; the length of text is a multiple of 64.
func separatorMasksGo(masks []uint64, text []byte) {
	for i := range len(text) / 64 {
		w := (*[64]byte)(text[i*64:])[:]
		masks[i] = lowBits(load64(w, 0)) | lowBits(load64(w, 8))<<8 | lowBits(load64(w, 16))<<16 | lowBits(load64(w, 24))<<24 |
			lowBits(load64(w, 32))<<32 | lowBits(load64(w, 40))<<40 | lowBits(load64(w, 48))<<48 | lowBits(load64(w, 56))<<56
	}
}

// seconds reads a number of exactly ten digits.
func seconds(b []byte, i int) (uint64, bool) {
	hi, ok := digits(load64(b, i))
	d0, d1 := uint64(b[i+8]-'0'), uint64(b[i+9]-'0')
	return hi*100 + d0*10 + d1, ok && d0 <= 9 && d1 <= 9
}

// prefixes remembers the first eight digits of a time and those of the hundred
// seconds after it: neighbouring records share them.
type prefixes struct {
	first, next uint64 // as text
	base        uint64 // the time that first stands for
}

// seconds reads a number of ten digits that begins with one of the two.
func (p *prefixes) seconds(b []byte, i int) (uint64, bool) {
	w := load64(b, i)
	d := uint64(binary.LittleEndian.Uint16(b[i+8:])) - '0'*0x101
	var later uint64
	if w == p.next {
		later = 100
	}
	return p.base + later + d&0xFF*10 + d>>8&0xFF, (w == p.first || w == p.next) && (d|(d+0x7676))&0x8080|d&^0xFFFF == 0
}

// learn takes the prefix of the number at b[i:].
func (p *prefixes) learn(b []byte, i int) {
	n, ok := digits(load64(b, i))
	if !ok || n >= 99_999_999 {
		return
	}
	p.first, p.base = load64(b, i), n*100
	p.next = binary.LittleEndian.Uint64(fmt.Appendf(nil, "%08d", n+1))
}

// padded gives b[i:j], one to eight digits, with zeros in front.
func padded(b []byte, i, j int) uint64 {
	shift := uint(64-8*(j-i)) & 63
	return load64(b, j-8)>>shift<<shift | zeros&(1<<shift-1)
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
		return digits(padded(b, i, j))
	}
	if n == 10 { // seconds since 1970
		return seconds(b, i)
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
