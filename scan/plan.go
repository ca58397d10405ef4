package scan

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// The text is sampled by grams of 4 bytes at every 4th position (coarse) or at
// every 2nd (fine). A needle that begins at any position of the text has, for
// each stride, the samples at one class of its offsets: those that are equal
// modulo the stride. So it is found by one gram of each class, and which one is
// free to choose. A gram at offset -1, or at the needle's end less 3, has one
// byte that is not the needle's and can be anything.
const (
	gramSize     = 4
	coarseStride = 4
	fineStride   = 2

	minLiteral = 3                // found by a byte
	minFolded  = gramSize         // finely sampled, folded
	minCoarse  = coarseStride + 1 // coarsely sampled
	fullCoarse = coarseStride + 3 // without bytes that can be anything
	longEnough = 16               // beyond this a literal is not much rarer

	fold32  = 0x20202020
	setBits = 16
)

// hash returns the index of a byte in a set and, in the three bits below it,
// the number of a bit in that byte. That the byte is not zero is the quick
// first test.
func hash(gram uint32) uint32 { return gram * 0x9E3779B1 >> (32 - setBits - 3) }

// frequencies counts grams of a sample of text by the byte of their hash: what
// the first test would take for one gram is counted as one.
type frequencies struct {
	fold   uint32
	n      int // positions counted
	coarse [1 << setBits]uint32
	fine   [1 << setBits]uint32
	bytes  [256]uint32
}

// learn counts the grams of b at each 3rd position.
func (f *frequencies) learn(b []byte) {
	for ; len(b) >= gramSize; b = b[3:] {
		x := binary.LittleEndian.Uint32(b)
		f.coarse[hash(x|f.fold)>>3]++
		f.fine[hash(x|fold32)>>3]++
		f.bytes[byte(x)]++
		f.n++
	}
}

// A needle is a literal with what its presence calls for.
type needle struct {
	literal
	patterns []int32 // expressions to run
	word     int32   // index of the word, or -1

	// One occurrence in a line is enough, so that a line full of the needle
	// takes no memory. Of words the leftmost is wanted, and what may reach into
	// the end of the line has to be looked at each time.
	once bool
}

// A plan says for what the text is searched, and how. It does not change.
type plan struct {
	needles []needle
	chosen  []int // by expression: the requirement that is searched for
	coarse  grams
	fine    grams
	rare    []rareByte
}

// grams maps grams to their places in needles.
type grams struct {
	fold  uint32 // or-ed to the text
	set   [1 << setBits]uint8
	at    map[uint32][]place // while the plan is made
	slots []slot             // open addressing
	list  []place            // those of one gram beside each other
	shift uint
}

// A slot of the table of grams; it is free if there are no places.
type slot struct {
	gram        uint32
	first, size uint32 // of its places
}

// A place says that a needle begins offset bytes before a gram or byte. The
// check is four more bytes of the needle, at another position: most needles are
// told by it not to be there, without a look at the needle itself.
type place struct {
	needle int32
	offset int32
	check  uint32
	fold   uint32 // or-ed to the text before the check
	at     int32  // of the check, seen from the gram
}

// newPlace returns the place of a gram or byte that is offset bytes into a
// needle, with the end of the needle that is farther from it as the check.
func newPlace(n int32, l literal, offset int) place {
	p := place{needle: n, offset: int32(offset)}
	i := 0
	if offset < len(l.text)/2 {
		i = max(len(l.text)-gramSize, 0)
	}
	p.at = int32(i - offset)
	for k, c := range []byte(l.text[i:min(i+gramSize, len(l.text))]) {
		p.check |= uint32(c) << (8 * k)
	}
	switch {
	case len(l.text) < gramSize: // a check of three bytes: none
		p.check, p.fold = 1<<32-1, 1<<32-1
	case l.fold:
		p.check, p.fold = p.check|fold32, fold32
	}
	return p
}

// A rareByte is a byte that the search looks for by itself.
type rareByte struct {
	value  byte
	places []place
}

// newPlan chooses, for each pattern, a requirement and grams that promise few
// candidates in text like that of f.
func (s *Set) newPlan(f *frequencies) *plan {
	b := planner{plan: &plan{}, freq: f, index: make(map[literal]int32)}
	b.coarse.at, b.coarse.fold = make(map[uint32][]place), s.fold
	b.fine.at, b.fine.fold = make(map[uint32][]place), fold32
	for i, p := range s.patterns {
		best, bestCost := 0, b.cost(p.options[0])
		for j, o := range p.options[1:] {
			if c := b.cost(o); c < bestCost {
				best, bestCost = j+1, c
			}
		}
		b.chosen = append(b.chosen, best)
		for _, l := range p.options[best] {
			n, ok := b.index[l]
			if !ok {
				n = b.add(l)
				b.index[l] = n
				b.place(n)
			}
			b.needles[n].patterns = append(b.needles[n].patterns, int32(i))
		}
	}
	for i, w := range s.words {
		n := b.add(literal{w, true})
		b.needles[n].word, b.needles[n].once = int32(i), false
		b.sample(&b.fine, &f.fine, fineStride, n)
	}
	b.placeShort()
	b.coarse.finish()
	b.fine.finish()
	return b.plan
}

// sharedCost is the cost of one more needle to compare where a gram is already
// looked for, against that of a gram that passes the first test.
const sharedCost = 0.2

type planner struct {
	*plan
	freq  *frequencies
	index map[literal]int32
	short []int32 // needles that are placed at the end
}

func (b *planner) add(l literal) int32 {
	b.needles = append(b.needles, needle{literal: l, word: -1, once: !strings.ContainsAny(l.text, "\r\n")})
	return int32(len(b.needles) - 1)
}

// cost is the number of candidates in the sample that searching for o adds.
// Short literals are not compared: the first requirement with them is taken.
func (b *planner) cost(o anyOf) float64 {
	sum := 0.0
	for _, l := range o {
		if _, ok := b.index[l]; ok || len(l.text) < fullCoarse {
			continue
		}
		for class := range coarseStride {
			_, c := b.coarse.choose(&b.freq.coarse, coarseStride, l.text, class)
			sum += c
		}
	}
	return sum
}

// place places needle n in the coarse samples if it fills its grams.
func (b *planner) place(n int32) {
	if len(b.needles[n].text) < fullCoarse {
		b.short = append(b.short, n)
		return
	}
	b.sample(&b.coarse, &b.freq.coarse, coarseStride, n)
}

func (b *planner) sample(g *grams, freq *[1 << setBits]uint32, stride int, n int32) {
	text := b.needles[n].text
	for class := range stride {
		offset, _ := g.choose(freq, stride, text, class)
		first, step, count := g.gramsAt(text, offset)
		for i := range count {
			if gram := first + i*step; gram|g.fold == gram {
				g.at[gram] = append(g.at[gram], newPlace(n, b.needles[n].literal, offset))
				h := hash(gram)
				g.set[h>>3] |= 1 << (h & 7)
			}
		}
	}
}

// choose returns the offset of the class whose gram adds the fewest candidates,
// and their number in the sample.
func (g *grams) choose(freq *[1 << setBits]uint32, stride int, text string, class int) (offset int, cost float64) {
	cost = -1
	for o := (class+1)%stride - 1; o <= len(text)-gramSize+1; o += stride {
		c := 0.0
		first, step, count := g.gramsAt(text, o)
		for i := range count {
			gram := first + i*step
			if gram|g.fold != gram {
				continue
			}
			h := hash(gram)
			if g.set[h>>3]>>(h&7)&1 == 0 {
				// Even a gram that the sample does not have makes the set
				// fuller.
				c += float64(freq[h>>3]) + 0.1
			} else {
				c += sharedCost * float64(freq[h>>3])
			}
		}
		if cost < 0 || c < cost {
			offset, cost = o, c
		}
	}
	return offset, cost
}

// gramsAt returns the grams that the text can have at the offset of a needle,
// as a series of which those count that are folded.
func (g *grams) gramsAt(needle string, offset int) (first, step, count uint32) {
	switch {
	case offset < 0:
		first, step, count = uint32(needle[0])<<8|uint32(needle[1])<<16|uint32(needle[2])<<24, 1, 256
	case offset+gramSize > len(needle):
		first, step, count = uint32(needle[offset])|uint32(needle[offset+1])<<8|uint32(needle[offset+2])<<16, 1<<24, 256
	default:
		return uint32(needle[offset]) | uint32(needle[offset+1])<<8 | uint32(needle[offset+2])<<16 | uint32(needle[offset+3])<<24 | g.fold, 1, 1
	}
	fold := g.fold
	if step == 1 {
		fold &^= 0xff
	} else {
		fold &= 0xffffff
	}
	return first | fold, step, count
}

// Costs in ns for each byte of text, measured roughly; only their order counts.
const (
	byteCost  = 0.04 // to look for one byte
	foundCost = 20.  // for each time that it is there
	gramCost  = 8.   // for each gram that passes the first test
	fineCost  = 0.3  // to sample finely
)

// placeShort places the needles that do not fill the grams of a coarse sample,
// each by what costs least: more grams, or a byte. If many bytes are to be
// looked for, sampling the text finely is cheaper.
func (b *planner) placeShort() {
	chosen := make(map[byte]bool)
	var byByte []int32
	total := 0.0
	n := float64(b.freq.n + 1)
	for _, i := range b.short {
		text := b.needles[i].text
		switch {
		case b.needles[i].fold && len(text) < minCoarse:
			b.sample(&b.fine, &b.freq.fine, fineStride, i)
			continue
		case len(text) >= minCoarse:
			more := 0.0
			for class := range coarseStride {
				_, c := b.coarse.choose(&b.freq.coarse, coarseStride, text, class)
				more += c
			}
			if c := text[b.rarest(text, chosen)]; b.needles[i].fold || more/n/coarseStride*gramCost < b.byteCost(c, chosen) {
				b.sample(&b.coarse, &b.freq.coarse, coarseStride, i)
				continue
			}
		}
		c := text[b.rarest(text, chosen)]
		total += b.byteCost(c, chosen)
		chosen[c] = true
		byByte = append(byByte, i)
	}
	fine := len(b.fine.at) > 0 || total > fineCost
	clear(chosen)
	for _, i := range byByte {
		if fine && len(b.needles[i].text) >= minFolded {
			b.sample(&b.fine, &b.freq.fine, fineStride, i)
			continue
		}
		b.placeByte(i, chosen)
	}
}

func (b *planner) byteCost(c byte, chosen map[byte]bool) float64 {
	if chosen[c] {
		return 0
	}
	return byteCost + foundCost*float64(b.freq.bytes[c])/float64(b.freq.n+1)
}

// rarest returns the position of the byte of text that is best to look for.
func (b *planner) rarest(text string, chosen map[byte]bool) int {
	best := 0
	for i := range len(text) {
		if chosen[text[i]] {
			return i
		}
		if b.freq.bytes[text[i]] < b.freq.bytes[text[best]] {
			best = i
		}
	}
	return best
}

func (b *planner) placeByte(n int32, chosen map[byte]bool) {
	text := b.needles[n].text
	at := b.rarest(text, chosen)
	chosen[text[at]] = true
	for i := range b.rare {
		if b.rare[i].value == text[at] {
			b.rare[i].places = append(b.rare[i].places, newPlace(n, b.needles[n].literal, at))
			return
		}
	}
	b.rare = append(b.rare, rareByte{text[at], []place{newPlace(n, b.needles[n].literal, at)}})
}

// finish builds the tables that the search reads.
func (g *grams) finish() {
	if len(g.at) == 0 {
		return
	}
	k := bits.Len(uint(3 * len(g.at) / 2))
	g.slots, g.shift = make([]slot, 1<<k), uint(64-k)
	for gram, places := range g.at {
		i := g.home(gram)
		for g.slots[i].size != 0 {
			i = (i + 1) & (len(g.slots) - 1)
		}
		g.slots[i] = slot{gram, uint32(len(g.list)), uint32(len(places))}
		g.list = append(g.list, places...)
	}
	g.at = nil
}

func (g *grams) home(gram uint32) int { return int(uint64(gram) * 0x9E3779B97F4A7C15 >> g.shift) }

// places returns where gram stands in needles.
func (g *grams) places(gram uint32) []place {
	for i := g.home(gram); ; i = (i + 1) & (len(g.slots) - 1) {
		s := &g.slots[i]
		if s.size == 0 || s.gram == gram {
			return g.list[s.first : s.first+s.size]
		}
	}
}
