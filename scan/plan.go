package scan

import (
	"encoding/binary"
	"math/bits"
)

// Long literals are found by grams of 6 bytes at each 4th position of the
// text, short ones and words by folded grams of 4 bytes at each 2nd.
const (
	longGram    = 6
	longStride  = 4
	window      = longGram + longStride - 1
	shortGram   = 4
	shortStride = 2

	minLiteral = 3
	minFolded  = shortGram

	longBits  = 15
	shortBits = 15

	// The low bits of the multipliers are zero, so that a hash depends on the
	// first 6 bytes of 8 (long) and on the whole of 4 bytes (short).
	longFactor  = 0x9E3779B97F4B << 16
	shortFactor = 0x9E3779B1

	foldMask  = 0x2020202020202020
	fold32    = 0x20202020
	longMask  = 1<<(8*longGram) - 1
	slackSize = 64 // bytes behind the text that the probes may read
)

// A hash is the index of a byte in a set, and in the three bits below it the
// number of the bit. That the byte is not zero is the quick first test.
func longHash(x uint64) uint64  { return x * longFactor >> (64 - longBits - 3) }
func shortHash(x uint32) uint32 { return x * shortFactor >> (32 - shortBits - 3) }

// frequencies counts grams of a sample of text, by hash: what the search would
// see as one gram is counted as one.
type frequencies struct {
	fold  uint64
	n     int // positions counted
	long  [1 << longBits]uint32
	short [1 << shortBits]uint32
	bytes [256]uint32
}

func newFrequencies(fold uint64) *frequencies { return &frequencies{fold: fold} }

// learn counts the grams of b at each 3rd position.
func (f *frequencies) learn(b []byte) {
	for ; len(b) >= 8; b = b[3:] {
		x := binary.LittleEndian.Uint64(b)
		f.long[longHash(x|f.fold)>>3]++
		f.short[shortHash(uint32(x)|fold32)>>3]++
		f.bytes[byte(x)]++
		f.n++
	}
}

// A needle is a literal with what its presence calls for.
type needle struct {
	text     string
	fold     bool
	patterns []int32 // expressions to run
	word     int32   // index of the word, or -1
}

// A plan says for what the text is searched. It does not change.
type plan struct {
	fold    uint64
	needles []needle
	long    grams
	short   grams
	rare    []rareByte

	longSet  [1 << longBits]uint8
	shortSet [1 << shortBits]uint8
}

// grams maps a gram to the places in needles where it stands.
type grams struct {
	at    map[uint64][]place // while the plan is made
	keys  []uint64           // open addressing: gram|taken, or 0
	found [][]place          // by the index of the key
	shift uint
}

const taken = 1 << 63

// A place says that a needle stands offset bytes before the gram.
type place struct {
	needle int32
	offset int32
}

// A rareByte is a byte that the search looks for by itself.
type rareByte struct {
	value  byte
	places []place
}

// newPlan chooses, for each pattern, a requirement and windows that promise
// few candidates in text like that of f.
func (s *Set) newPlan(f *frequencies) *plan {
	b := planner{plan: &plan{fold: s.fold}, freq: f, index: make(map[literal]int32)}
	b.long.at, b.short.at = make(map[uint64][]place), make(map[uint64][]place)
	for i, p := range s.patterns {
		best, bestCost := 0, -1.0
		for j, o := range p.options {
			cost := 0.0
			for _, l := range o {
				cost += b.cost(l)
			}
			if bestCost < 0 || cost < bestCost {
				best, bestCost = j, cost
			}
		}
		for _, l := range p.options[best] {
			n := b.needle(l)
			b.needles[n].patterns = append(b.needles[n].patterns, int32(i))
		}
	}
	for i, w := range s.words {
		b.shorts = append(b.shorts, int32(len(b.needles)))
		b.needles = append(b.needles, needle{text: w, fold: true, word: int32(i)})
	}
	b.placeShort()
	b.finish()
	return b.plan
}

type planner struct {
	*plan
	freq   *frequencies
	index  map[literal]int32
	shorts []int32 // needles too short for a window, and words
}

// needle returns the number of the needle for l and places it if it is new.
func (b *planner) needle(l literal) int32 {
	if n, ok := b.index[l]; ok {
		return n
	}
	n := int32(len(b.needles))
	b.index[l] = n
	b.needles = append(b.needles, needle{text: l.text, fold: l.fold, word: -1})
	if len(l.text) < window {
		b.shorts = append(b.shorts, n)
		return n
	}
	at, _ := b.longWindow(l.text)
	for i := at; i < at+longStride; i++ {
		g := b.longGram(l.text[i:])
		b.long.at[g] = append(b.long.at[g], place{n, int32(i)})
	}
	return n
}

// cost is the expected number of candidates that searching l adds.
func (b *planner) cost(l literal) float64 {
	if _, ok := b.index[l]; ok {
		return 0
	}
	if len(l.text) < window {
		return 1 // all options of a pattern are of one class; the first is as good
	}
	_, cost := b.longWindow(l.text)
	return cost
}

// longWindow returns the window of text that adds the fewest candidates.
func (b *planner) longWindow(text string) (at int, cost float64) {
	cost = -1
	for i := 0; i+window <= len(text); i++ {
		sum := 0.0
		for j := i; j < i+longStride; j++ {
			g := b.longGram(text[j:])
			if len(b.long.at[g]) == 0 {
				// Each gram of the table has its share in false hits of the
				// hash, even if the sample does not have it.
				sum += float64(b.freq.long[longHash(g)>>3]) + 0.01
			}
		}
		if cost < 0 || sum < cost {
			at, cost = i, sum
		}
	}
	return at, cost
}

func (b *planner) longGram(s string) uint64 {
	x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40
	return (x | b.fold) & longMask
}

// placeShort places the needles that are too short for a window: by their
// rarest byte if that costs less than sampling the text again.
func (b *planner) placeShort() {
	chosen, sample := make(map[byte]bool), false
	cost := 0.0 // in ns per byte of text, roughly
	for _, n := range b.shorts {
		nd := &b.needles[n]
		if nd.fold {
			sample = true
			continue
		}
		c := nd.text[b.rarest(nd.text, chosen)]
		if !chosen[c] {
			chosen[c] = true
			cost += 0.02 + 6*float64(b.freq.bytes[c])/float64(b.freq.n+1)
		}
	}
	sample = sample || cost > 0.25
	clear(chosen)
	for _, n := range b.shorts {
		if sample && len(b.needles[n].text) >= shortGram {
			b.placeSampled(n)
		} else {
			b.placeRare(n, chosen)
		}
	}
}

// rarest returns the position of the byte of text that is best to search for.
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

func (b *planner) placeRare(n int32, chosen map[byte]bool) {
	text := b.needles[n].text
	at := b.rarest(text, chosen)
	chosen[text[at]] = true
	for i := range b.rare {
		if b.rare[i].value == text[at] {
			b.rare[i].places = append(b.rare[i].places, place{n, int32(at)})
			return
		}
	}
	b.rare = append(b.rare, rareByte{text[at], []place{{n, int32(at)}}})
}

// placeSampled enters the two grams of a needle's best window of 5 bytes. A
// needle of 4 bytes has no such window: where a sample begins at its second
// byte or one before its first, one byte of the gram can be anything.
func (b *planner) placeSampled(n int32) {
	text := b.needles[n].text
	add := func(g uint32, offset int) {
		at := b.short.at[uint64(g)]
		b.short.at[uint64(g)] = append(at, place{n, int32(offset)})
	}
	if len(text) == shortGram {
		g := shortGramOf(text)
		add(g, 0)
		before, after := make([]uint32, 0, 256), make([]uint32, 0, 256)
		nBefore, nAfter := 0, 0
		for c := range uint32(256) {
			if c|0x20 != c {
				continue
			}
			x, y := g<<8|c, g>>8|c<<24
			before, after = append(before, x), append(after, y)
			nBefore += int(b.freq.short[shortHash(x)>>3])
			nAfter += int(b.freq.short[shortHash(y)>>3])
		}
		if nBefore < nAfter {
			for _, x := range before {
				add(x, -1)
			}
		} else {
			for _, y := range after {
				add(y, 1)
			}
		}
		return
	}
	best, bestCost := 0, ^uint32(0)
	for i := 0; i+shortGram+shortStride-1 <= len(text); i++ {
		cost := uint32(0)
		for j := i; j < i+shortStride; j++ {
			g := shortGramOf(text[j:])
			if len(b.short.at[uint64(g)]) == 0 {
				cost += b.freq.short[shortHash(g)>>3]
			}
		}
		if cost < bestCost {
			best, bestCost = i, cost
		}
	}
	for j := best; j < best+shortStride; j++ {
		add(shortGramOf(text[j:]), j)
	}
}

func shortGramOf(s string) uint32 {
	return (uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24) | fold32
}

// finish builds the tables that the search reads.
func (b *planner) finish() {
	for g := range b.long.at {
		h := longHash(g)
		b.longSet[h>>3] |= 1 << (h & 7)
	}
	for g := range b.short.at {
		h := shortHash(uint32(g))
		b.shortSet[h>>3] |= 1 << (h & 7)
	}
	b.long.finish()
	b.short.finish()
}

func (g *grams) finish() {
	if len(g.at) == 0 {
		return
	}
	k := bits.Len(uint(2 * len(g.at)))
	g.keys, g.found, g.shift = make([]uint64, 1<<k), make([][]place, 1<<k), uint(64-k)
	for gram, places := range g.at {
		i := g.home(gram)
		for g.keys[i] != 0 {
			i = (i + 1) & (len(g.keys) - 1)
		}
		g.keys[i], g.found[i] = gram|taken, places
	}
	g.at = nil
}

func (g *grams) home(gram uint64) int { return int(gram * 0x9E3779B97F4A7C15 >> g.shift) }

// places returns where gram stands in needles.
func (g *grams) places(gram uint64) []place {
	i := g.home(gram)
	for g.keys[i] != 0 {
		if g.keys[i] == gram|taken {
			return g.found[i]
		}
		i = (i + 1) & (len(g.keys) - 1)
	}
	return nil
}
