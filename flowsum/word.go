package flowsum

import "encoding/binary"

// Slack is the number of bytes that must stand before and after every text that
// is read eight bytes at a time: a load around a field then never leaves the
// slice.
const Slack = 64

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

func load64(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }

// Word16 is a text of at most 16 bytes, zero-padded; the zero Word16 stands for
// a longer one or none.
type Word16 [2]uint64

// Load takes b[i:j]; b has Slack after j.
func (w *Word16) Load(b []byte, i, j int) {
	w[0], w[1] = load64(b, i), load64(b, i+8)
	switch n := uint(j - i); {
	case n <= 8:
		w[0] &= 1<<(8*n) - 1
		w[1] = 0
	case n < 16:
		w[1] &= 1<<(8*n-64) - 1
	case n > 16:
		*w = Word16{}
	}
}

// Word24 is the same for at most 23 bytes: the id of a network interface has
// 21, or 12 of the old kind.
type Word24 [3]uint64

// Load takes b[i:j]; b has Slack after j.
func (w *Word24) Load(b []byte, i, j int) {
	switch n := uint(j - i); {
	case n > 16 && n < 24:
		w[0], w[1], w[2] = load64(b, i), load64(b, i+8), load64(b, i+16)&(1<<(8*n-128)-1)
	case n <= 16:
		var short Word16
		short.Load(b, i, j)
		w[0], w[1], w[2] = short[0], short[1], 0
	default:
		*w = Word24{}
	}
}

// WordOf gives the word of a text that has no slack around it.
func WordOf(s []byte) (w Word24) {
	if len(s) < 24 {
		var b [24 + Slack]byte
		w.Load(b[:], 0, copy(b[:], s))
	}
	return w
}

// Short gives the text as a Word16, zero when it is too long for one.
func (w *Word24) Short() Word16 {
	if w[2] != 0 {
		return Word16{}
	}
	return Word16{w[0], w[1]}
}

// startsV6 says whether a text of which w is the beginning is an IPv6 address
// and not an IPv4 one: its first colon stands within the first five bytes.
func startsV6(w uint64) bool {
	x := w ^ ones*':'
	return ^((x&^highs+^uint64(highs))|x)&highs&0x8080808080 != 0
}
