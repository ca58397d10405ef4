package flowlog

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// lineParser turns one line into a row by the column numbers of its format.
type lineParser struct {
	format  *Format
	prefix  int  // columns before the record: 1 in a CloudWatch Logs export
	detail  bool // also the fields of a conversation
	hasLost bool
	hasV6   bool
	col     [numFields]int16
	end     [maxColumns + 2]int32 // end[i] is where column i ends
	first8  uint64                // first eight bytes of the last start time
	base    uint64                // and the number they stand for, times 100
}

func newLineParser(f *Format, prefix int, detail bool) *lineParser {
	p := &lineParser{format: f, prefix: prefix, detail: detail, col: f.col}
	for i := range p.col {
		if p.col[i] >= 0 {
			p.col[i] += int16(prefix)
		}
	}
	if p.col[fieldInterface] < 0 {
		p.col[fieldInterface] = p.col[fieldAttachment]
	}
	if p.col[fieldInterface] < 0 {
		p.col[fieldInterface] = p.col[fieldResource]
	}
	if p.col[fieldSrcAddr] < 0 {
		p.col[fieldSrcAddr] = p.col[fieldPktSrcAddr]
	}
	if p.col[fieldDstAddr] < 0 {
		p.col[fieldDstAddr] = p.col[fieldPktDstAddr]
	}
	p.hasLost = p.col[fieldLostNoRoute] >= 0 || p.col[fieldLostBlackhole] >= 0 || p.col[fieldLostMTU] >= 0 || p.col[fieldLostTTL] >= 0
	return p
}

func (p *lineParser) columns() int { return len(p.format.names) + p.prefix }

// split fills p.end for b[i:j] and reports whether the line has exactly the
// columns of the format, parted by single spaces.
func (p *lineParser) split(b []byte, i, j int) bool {
	want := p.columns() - 1
	n := 0
	for k := i; k < j; k += 8 {
		m := spaceMask(load64(b, k))
		if rest := j - k; rest < 8 {
			m &= 1<<(8*uint(rest)) - 1
		}
		for m != 0 {
			if n >= want {
				return false
			}
			p.end[n] = int32(k + bits.TrailingZeros64(m)>>3)
			n++
			m &= m - 1
		}
	}
	p.end[n] = int32(j)
	return n == want
}

// span gives the place of a field; both ends are 0 when the format lacks it.
func (p *lineParser) span(k field, lineStart int) (i, j int) {
	c := int(p.col[k])
	if c < 0 {
		return 0, 0
	}
	if c == 0 {
		return lineStart, int(p.end[0])
	}
	return int(p.end[c-1]) + 1, int(p.end[c])
}

// parse reads the line b[i:j]. It returns "" or what is wrong with the line.
// b has slack bytes around the line.
func (p *lineParser) parse(b []byte, i, j int, r *row) string {
	if !p.split(b, i, j) {
		return "number of fields differs from the format"
	}
	s, e := p.span(fieldInterface, i)
	r.iface = b[s:e]
	if e-s == 1 && b[s] == '-' {
		// The interface of a regional NAT gateway: its resource-id stands in.
		if s, e = p.span(fieldResource, i); e > s {
			r.iface = b[s:e]
		}
	}
	status := Accept
	if s, e = p.span(fieldStatus, i); e > s {
		switch {
		case e-s == 2 && b[s] == 'O' && b[s+1] == 'K':
		case string(b[s:e]) == "NODATA":
			status = NoData
		case string(b[s:e]) == "SKIPDATA":
			status = SkipData
		default:
			return "log-status is none of OK, NODATA, SKIPDATA"
		}
	}
	if !p.times(b, i, r) {
		return "start or end is not a time in Unix seconds"
	}
	s, e = p.span(fieldPackets, i)
	if status == Accept && e-s == 1 && b[s] == '-' && p.col[fieldStatus] < 0 {
		// Without log-status, NODATA and SKIPDATA look alike: the one that
		// claims less is taken.
		status = SkipData
	}
	if status != Accept {
		r.action, r.packets, r.bytes = status, 0, 0
		r.src, r.dst, r.direction = nil, nil, UnknownDirection
		return ""
	}
	var ok bool
	if r.packets, ok = number(b, s, e); !ok {
		return "packets is not a number"
	}
	r.bytes = 0
	if s, e = p.span(fieldBytes, i); e > s {
		if r.bytes, ok = number(b, s, e); !ok {
			return "bytes is not a number"
		}
	}
	r.action = NoAction
	if s, e = p.span(fieldAction, i); e > s {
		switch w := binary.LittleEndian.Uint32(b[s:]); {
		case e-s == 6 && w == 'A'|'C'<<8|'C'<<16|'E'<<24:
			r.action = Accept
		case e-s == 6 && w == 'R'|'E'<<8|'J'<<16|'E'<<24:
			r.action = Reject
		case e-s == 1 && b[s] == '-':
		default:
			return "action is neither ACCEPT nor REJECT"
		}
	}
	r.direction = UnknownDirection
	if s, e = p.span(fieldDirection, i); e > s {
		switch {
		case b[s] == 'i' && e-s == 7:
			r.direction = Ingress
		case b[s] == 'e' && e-s == 6:
			r.direction = Egress
		case b[s] != '-':
			return "flow-direction is neither ingress nor egress"
		}
	}
	s, e = p.span(fieldSrcAddr, i)
	r.src = b[s:e]
	s, e = p.span(fieldDstAddr, i)
	r.dst = b[s:e]
	if p.hasLost {
		p.lost(b, i, r)
	}
	if p.detail {
		return p.parseDetail(b, i, r)
	}
	return ""
}

// times reads start and end. Times of neighbouring records differ in their last
// two digits, so the first eight are remembered.
func (p *lineParser) times(b []byte, i int, r *row) bool {
	s, e := p.span(fieldStart, i)
	ok := true
	if e-s == 10 {
		w := load64(b, s)
		if w != p.first8 {
			var n uint64
			if n, ok = digits(w); !ok {
				return false
			}
			p.first8, p.base = w, n*100
		}
		hi, lo := b[s+8]-'0', b[s+9]-'0'
		if hi > 9 || lo > 9 {
			return false
		}
		r.start = p.base + uint64(hi)*10 + uint64(lo)
	} else if r.start, ok = number(b, s, e); !ok {
		return false
	}
	r.end = r.start
	if s, e = p.span(fieldEnd, i); e > s {
		if e-s == 10 && load64(b, s) == p.first8 && p.base != 0 {
			hi, lo := b[s+8]-'0', b[s+9]-'0'
			r.end = p.base + uint64(hi)*10 + uint64(lo)
			ok = hi <= 9 && lo <= 9
		} else {
			r.end, ok = number(b, s, e)
		}
	}
	// A record spans one aggregation interval, ten minutes at most; one that
	// spans an hour or runs backwards comes from a wrong column order.
	return ok && r.end >= r.start && r.end-r.start <= 3600 && r.start < 1<<34
}

func (p *lineParser) lost(b []byte, i int, r *row) {
	for k := range r.lost {
		r.lost[k] = 0
		if s, e := p.span(fieldLostNoRoute+field(k), i); e > s {
			r.lost[k], _ = number(b, s, e) // "-" means none
		}
	}
}

func (p *lineParser) parseDetail(b []byte, i int, r *row) string {
	num := func(k field, limit uint64) (uint64, bool) {
		s, e := p.span(k, i)
		if e <= s || b[s] == '-' {
			return 0, true
		}
		n, ok := number(b, s, e)
		return n, ok && n <= limit
	}
	sport, ok1 := num(fieldSrcPort, 65535)
	dport, ok2 := num(fieldDstPort, 65535)
	proto, ok3 := num(fieldProtocol, 255)
	flags, ok4 := num(fieldTCPFlags, 255)
	if !(ok1 && ok2 && ok3 && ok4) {
		return "port, protocol or tcp-flags is not a number in range"
	}
	r.srcPort, r.dstPort, r.protocol, r.flags = uint16(sport), uint16(dport), uint8(proto), uint8(flags)
	s, e := p.span(fieldTCPFlags, i)
	r.hasFlags = e > s && b[s] != '-'
	s, e = p.span(fieldPktSrcAddr, i)
	r.pktSrc = b[s:e]
	s, e = p.span(fieldPktDstAddr, i)
	r.pktDst = b[s:e]
	return ""
}

// normalise rewrites a line that is parted by tabs or several blanks, or that
// ends in a carriage return, into single spaces. It reports false when there
// was nothing to mend.
func normalise(line []byte) ([]byte, bool) {
	words := bytes.Fields(line)
	if len(words) == 0 {
		return nil, false
	}
	joined := bytes.Join(words, []byte{' '})
	return joined, !bytes.Equal(joined, line)
}
